"""Which rows the next generation learns from: policies, their words, their text and their theory.

============================  ======================================================================
text                          training set of generation t + 1, in this order
============================  ======================================================================
``replace``                   samples of generation t
``accumulate``                human rows, samples of 1, 2, …, t
``accumulate_subsample``      as many rows of that pool as a generation samples, drawn without
                              replacement, in its order
``accumulate_subsample:1000`` so many of them
``mix:0.25``                  a share of human rows, the same ones each time, then samples of t
``mix:0.25,fresh``            the same with human rows that no generation has seen
``augment``                   all human rows, kept for ever, then samples of t
``augment:1000``              so many of them
``human_only``                human rows
``verified:TEXT``             any of these, of the samples that pass a filter (from Python alone)
============================  ======================================================================

Rows that are drawn keep the order of their source. Human rows of `Mix` and `Augment` come from one
random order of all human rows, which the seed decides: the first n of it, or with ``fresh=True``
the next n each time. Everything else is drawn from the generator of purpose ``"policy"``, in the
order human rows, samples.

The text is the one spelling of a policy: on every command, in ``run.json``, on pages, and wherever
Python takes a policy (:mod:`tailwatch.recursion.policy_text`). A policy of the user's own is a
class with ``compose(history, rng=…)``, and may bring words, a text and a closed form: see
:class:`Policy`. All that is known of a policy stands in its class, which is why this file is long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from tailwatch.arguments import integer, share
from tailwatch.exceptions import InputError
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.history import Portion
from tailwatch.recursion.participants import text_of, words_of
from tailwatch.recursion.theory.accumulate import (
    accumulate_limit,
    accumulate_subsample_limit,
    accumulate_subsample_variance,
    accumulate_variance,
)
from tailwatch.recursion.theory.fits import as_curve, as_ddof, as_generations, as_rows
from tailwatch.recursion.theory.gaussian import replace_variance
from tailwatch.recursion.theory.mixing import (
    fixed_real_limit,
    fixed_real_variance,
    fresh_real_limit,
    fresh_real_variance,
)
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.history import History
    from tailwatch.recursion.theory.fits import Curve, Ddof, Generations

__all__ = [
    "Accumulate",
    "AccumulateSubsample",
    "Augment",
    "HumanOnly",
    "Mix",
    "Policy",
    "Replace",
    "Verified",
]


class Policy(Protocol):
    """What the next generation learns from, of human rows and of all that was sampled.

    Optional, and used where it is there:

    - ``first(history)`` gives the portion of the human rows that generation 1 learns from, all of
      them by default;
    - ``check(history, generations)`` raises an error before anything is learnt, if the run cannot
      be;
    - ``words``, a sentence that says what the policy does, for pages;
    - ``text``, the policy as text, which names the run; by default the name of the class in small
      letters and its numbers: ``last_two``, ``half:0.5``;
    - ``variance_kept(generations, size, *, first=None, ddof=0)``, the closed form: the share of the
      human variance that the model of each generation is expected to keep, for an array of
      generations, samples of `size` rows and a first generation that learns from `first` human
      rows; `ddof` is 1 for learners that divide by one row less. ``None`` where there is none. It
      becomes column ``theory`` of a run, and is what :func:`tailwatch.recursion.plan` shows;
    - ``variance_limit(size, *, ddof=0)``, what is left of the variance after infinitely many.

    Examples
    --------
    Learn from the last two generations:

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class LastTwo:
    ...     words = "Each generation learns from what the two before it produced."
    ...
    ...     def compose(self, history, *, rng):
    ...         return history.samples[-2:]
    """

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:
        """Return the parts of the next training set, which are joined in this order."""
        ...


@dataclass(frozen=True)
class Replace:
    """Learn from the samples of the last generation alone.

    Examples
    --------
    >>> from tailwatch.recursion import Replace
    >>> Replace()
    Replace()
    """

    forms: ClassVar = ("replace",)
    words: ClassVar = "Each generation learns only from what the one before it produced."

    def variance_kept(
        self, generations: Generations, size: int, *, first: int | None = None, ddof: Ddof = 0
    ) -> Curve:
        """Return the share of the human variance that each model is expected to keep."""
        return replace_variance(generations, size, first=first, ddof=ddof)

    def variance_limit(self, size: int, *, ddof: Ddof = 0) -> float:
        """Return what is left in expectation: nothing, or all of it where fits are unbiased."""
        as_rows(size)
        return float(as_ddof(ddof))

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:  # noqa: ARG002
        """Return the last samples."""
        return [history.samples[-1]]


@dataclass(frozen=True)
class Accumulate:
    """Learn from the human rows and all samples so far: the pool grows."""

    forms: ClassVar = ("accumulate",)
    words: ClassVar = (
        "Each generation learns from the human data and all that earlier ones produced."
    )

    def variance_kept(
        self, generations: Generations, size: int, *, first: int | None = None, ddof: Ddof = 0
    ) -> Curve:
        """Return the share of the human variance that each model is expected to keep."""
        return accumulate_variance(generations, size, first=first, ddof=ddof)

    def variance_limit(self, size: int, *, ddof: Ddof = 0) -> float:
        """Return the share that is left after infinitely many generations."""
        return accumulate_limit(size, ddof=ddof)

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:  # noqa: ARG002
        """Return everything."""
        return [history.human, *history.samples]


@dataclass(frozen=True)
class AccumulateSubsample:
    """Learn from rows drawn without replacement from the pool of human rows and all samples.

    Parameters
    ----------
    size
        Rows to draw; by default as many as a generation samples. A smaller pool is taken whole.
    """

    size: int | None = None

    forms: ClassVar = ("accumulate_subsample", "accumulate_subsample:ROWS")
    words: ClassVar = (
        "Each generation learns from a fixed number of rows, drawn without replacement from the "
        "human data and all that earlier ones produced."
    )

    def __post_init__(self) -> None:
        if self.size is not None:
            integer(self.size, "size")

    def variance_kept(
        self, generations: Generations, size: int, *, first: int | None = None, ddof: Ddof = 0
    ) -> Curve | None:
        """Return the share of the human variance kept; one row has no variance."""
        if self.size == 1:
            return None
        return accumulate_subsample_variance(
            generations, size, drawn=self.size, first=first, ddof=ddof
        )

    def variance_limit(self, size: int, *, ddof: Ddof = 0) -> float | None:
        """Return the share that is left after infinitely many generations."""
        if self.size == 1:
            return None
        return accumulate_subsample_limit(size, drawn=self.size, ddof=ddof)

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:
        """Draw from the pool."""
        pool = [history.human, *history.samples]
        ends = np.cumsum([0, *map(len, pool)])
        size = min(history.size if self.size is None else self.size, int(ends[-1]))
        drawn = _drawn(rng, int(ends[-1]), size)
        return [
            portion.take(drawn[(drawn >= start) & (drawn < end)] - start)
            for portion, (start, end) in zip(pool, pairwise(ends), strict=True)
        ]


FreshRows = Callable[[int, np.random.Generator], Any]


@dataclass(frozen=True)
class Mix:
    """Learn from a fixed share of human rows, and for the rest from the last samples.

    The training set has as many rows n as a generation samples: ⌊f·n + ½⌋ human ones, at least one,
    and others drawn without replacement from the last samples. If a filter left fewer of these,
    there are fewer human rows too, so that the share remains.

    Parameters
    ----------
    real_fraction
        Share f of human rows, between 0 and 1.
    fresh
        ``False``: the same human rows in each generation. ``True``: rows of the human data that no
        generation has learnt from; the first generation then learns from the first n rows of the
        run's random order, and data must be enough for all generations. A callable
        ``fresh(size, rng)`` returns so many new human rows, of the kind that data are.
    """

    real_fraction: float
    fresh: bool | FreshRows = False

    forms: ClassVar = ("mix:SHARE", "mix:SHARE,fresh")
    words: ClassVar = (
        "Each generation learns from a fixed share of human rows and, for the rest, from what the "
        "one before it produced."
    )

    def __post_init__(self) -> None:
        share(self.real_fraction, "real_fraction")
        if not isinstance(self.fresh, bool) and not callable(self.fresh):
            raise InputError(
                argument="fresh",
                expected="True, False or a function of (size, rng)",
                got=shown(self.fresh),
            )

    @property
    def text(self) -> str:
        """The policy as text, whoever gives the fresh rows."""
        return f"mix:{float(self.real_fraction)!r}{',fresh' if self.fresh else ''}"

    def variance_kept(
        self, generations: Generations, size: int, *, first: int | None = None, ddof: Ddof = 0
    ) -> Curve:
        """Return the share of the human variance kept, by as many human rows as are handed over."""
        human = self._human(as_rows(size))
        if self.fresh:
            start = size if self.fresh is True else first
            return fresh_real_variance(generations, size, human / size, first=start, ddof=ddof)
        start = size if first is None else first
        if human == size:
            return _refitted(generations, size, first=start, ddof=ddof)
        return fixed_real_variance(generations, human, size - human, first=start, ddof=ddof)

    def variance_limit(self, size: int, *, ddof: Ddof = 0) -> float:
        """Return the share that is left after infinitely many generations."""
        human = self._human(as_rows(size))
        if as_ddof(ddof) or human == size:
            settled = _settled(human / size)
            return float(np.asarray(self.variance_kept(settled, size, ddof=ddof)))
        if self.fresh:
            return fresh_real_limit(size, human / size)
        return fixed_real_limit(human, size - human)

    def first(self, history: History) -> Portion:
        """Return what the first generation learns from; the rest is the stream of fresh rows."""
        return history.human_rows(0, history.size) if self.fresh is True else history.human

    def check(self, history: History, generations: int) -> None:
        """Refuse a run that human rows are not enough for."""
        human, n = self._human(history.size), history.size
        if self.fresh is True:
            needed, why = n + human * (generations - 1), "that are new in each generation"
        else:
            needed, why = human, "in each generation"
        if not callable(self.fresh) and len(history.human) < needed:
            raise InputError(
                argument="data",
                expected=f"at least {needed} rows to train on, for {human} human rows {why}",
                got=str(len(history.human)),
            )

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:
        """Return human rows and samples."""
        human = self._human(history.size)
        samples = history.samples[-1]
        wanted = history.size - human
        if len(samples) < wanted:
            wanted = len(samples)
            odds = self.real_fraction / (1 - self.real_fraction)
            human = min(human, max(1, _nearest(odds * wanted)))
        return [
            self._real(history, human, rng),
            samples.take(_drawn(rng, len(samples), wanted)),
        ]

    def _human(self, size: int) -> int:
        return min(max(1, _nearest(self.real_fraction * size)), size)

    def _real(self, history: History, count: int, rng: np.random.Generator) -> Portion:
        if self.fresh is False:
            return history.human_rows(0, count)
        if self.fresh is True:
            # Each generation from the second on has a stretch of its own, whether or not it
            # takes all of it.
            start = history.size + (history.generation - 2) * self._human(history.size)
            return history.human_rows(start, start + count)
        rows = self.fresh(count, rng)
        rows_of.check_like(rows, history.human.source(), "policy: fresh rows", rows=count)
        return Portion.of(rows)


@dataclass(frozen=True)
class Augment:
    """Learn from a fixed human set, kept for ever, and the samples of the last generation.

    Parameters
    ----------
    real
        The human set: how many of the human rows (the first so many of the run's random order),
        ``None`` for all of them, or rows of the same kind.
    """

    real: int | Data | None = None

    forms: ClassVar = ("augment", "augment:ROWS")
    words: ClassVar = (
        "Each generation learns from a fixed human set and from what the one before it produced."
    )

    def __post_init__(self) -> None:
        if isinstance(self.real, int):
            integer(self.real, "real")
        elif self.real is not None:
            rows_of.as_data(self.real, "real")

    @property
    def text(self) -> str:
        """The policy as text; ``augment:other`` with rows that are not of the run's data."""
        if self.real is None:
            return "augment"
        return f"augment:{self.real if isinstance(self.real, int) else 'other'}"

    def variance_kept(
        self, generations: Generations, size: int, *, first: int | None = None, ddof: Ddof = 0
    ) -> Curve | None:
        """Return the share of the human variance kept; of other rows nothing is known.

        Without `first` all training sets are of one size, the first one too.
        """
        human = self._human(size, first)
        if human is None:
            return None
        start = size + human if first is None else first
        return fixed_real_variance(generations, human, size, first=start, ddof=ddof)

    def variance_limit(self, size: int, *, ddof: Ddof = 0) -> float | None:
        """Return the share that is left after infinitely many generations."""
        human = self._human(size, None)
        if human is None:
            return None
        if as_ddof(ddof):
            settled = _settled(human / (size + human))
            return float(np.asarray(self.variance_kept(settled, size, ddof=ddof)))
        return fixed_real_limit(human, size)

    def _human(self, size: int, first: int | None) -> int | None:
        """Return how many human rows are kept: without a number all, as many as samples."""
        if self.real is None:
            return as_rows(size) if first is None else first
        return self.real if isinstance(self.real, int) else None

    def check(self, history: History, generations: int) -> None:  # noqa: ARG002
        """Refuse a human set that is not there, or does not fit the data."""
        if isinstance(self.real, int):
            if self.real > len(history.human):
                raise InputError(
                    argument="real",
                    expected=f"at most the {len(history.human)} human rows to train on",
                    got=str(self.real),
                )
        elif self.real is not None:
            rows_of.check_like(self.real, history.human.source(), "real")

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:  # noqa: ARG002
        """Return the human set and the last samples."""
        if self.real is None:
            human = history.human
        elif isinstance(self.real, int):
            human = history.human_rows(0, self.real)
        else:
            human = Portion.of(self.real)
        return [human, history.samples[-1]]


@dataclass(frozen=True)
class HumanOnly:
    """Learn from the human rows alone, as often and as long as under the other policies.

    What changes here from generation to generation is training and not the loop: a control.

    Examples
    --------
    >>> from tailwatch.recursion import HumanOnly
    >>> HumanOnly()
    HumanOnly()
    """

    forms: ClassVar = ("human_only",)
    words: ClassVar = "Each generation learns from the human data alone: a control."

    def variance_kept(
        self, generations: Generations, size: int, *, first: int | None = None, ddof: Ddof = 0
    ) -> Curve:
        """Return the share of the human variance kept: that of one fit."""
        rows = as_rows(size) if first is None else first
        return _refitted(generations, rows, first=rows, ddof=ddof)

    def variance_limit(self, size: int, *, ddof: Ddof = 0) -> float:
        """Return the share that is left after infinitely many generations: that of one fit."""
        return float(np.asarray(self.variance_kept(1, size, ddof=ddof)))

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:  # noqa: ARG002
        """Return the human rows."""
        return [history.human]


@dataclass(frozen=True)
class Verified:
    """Any policy, of the samples that pass a filter.

    Parameters
    ----------
    policy
        What composes the training set. Human rows are not filtered.
    keep
        ``keep(samples)`` returns one boolean per row, and the same ones each time: a verifier, the
        scores of a contamination model against a threshold, a curator that keeps tails.

    Examples
    --------
    >>> from tailwatch.recursion import Replace, Verified
    >>> within = Verified(Replace(), keep=lambda samples: abs(samples[:, 0]) < 3)
    """

    policy: Policy
    keep: Callable[[Data], NDArray[np.bool_]]

    def __post_init__(self) -> None:
        if not callable(getattr(self.policy, "compose", None)):
            raise InputError(argument="policy", expected="a policy", got=type(self.policy).__name__)
        if not callable(self.keep):
            raise InputError(
                argument="keep", expected="a function of samples", got=type(self.keep).__name__
            )

    @property
    def text(self) -> str:
        """The policy as text: ``verified:`` and that of the policy behind the filter."""
        return f"verified:{text_of(self.policy)}"

    @property
    def words(self) -> str:
        """What the policy does, in sentences."""
        passed = "What a generation produced passes a filter before the next one learns from it."
        return f"{words_of(self.policy)} {passed}".lstrip()

    def first(self, history: History) -> Portion:
        """Return what the first generation learns from."""
        first = getattr(self.policy, "first", None)
        return history.human if first is None else first(history)

    def check(self, history: History, generations: int) -> None:
        """Refuse what the policy behind the filter refuses."""
        check = getattr(self.policy, "check", None)
        if check is not None:
            check(history, generations)

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:
        """Compose from what passes."""
        return self.policy.compose(history.filtered(id(self), self._mask), rng=rng)

    def _mask(self, samples: Data) -> NDArray[np.bool_]:
        mask = np.asarray(self.keep(samples))
        expected = (rows_of.length(samples),)
        if mask.dtype != np.bool_ or mask.shape != expected:
            raise InputError(
                argument="keep",
                expected=f"one boolean for each of {expected[0]} rows",
                got=f"{mask.dtype} of shape {mask.shape}",
            )
        return mask


def _refitted(generations: Generations, rows: int, *, first: int, ddof: Ddof) -> Curve:
    """Return the variance of fits of human rows, of `first` and then of others again and again."""
    t = as_generations(generations)
    once, again = (np.asarray(replace_variance(1, each, ddof=ddof)) for each in (first, rows))
    return as_curve(np.where(t == 1, once, again))


def _settled(share_of_humans: float) -> int:
    """Return a generation by which a mixture stands still, to the last bit."""
    return int(40 / share_of_humans) + 40


def _nearest(count: float) -> int:
    return int(np.floor(count + 0.5))


def _drawn(rng: np.random.Generator, rows: int, size: int) -> NDArray[np.int64]:
    """Draw row numbers without replacement, in ascending order."""
    return np.sort(rng.choice(rows, size, replace=False, shuffle=False))

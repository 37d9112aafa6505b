"""Which rows the next generation learns from.

===========================  ===================================================================
policy                       training set of generation t + 1, in this order
===========================  ===================================================================
`Replace`                    samples of generation t
`Accumulate`                 human rows, samples of 1, 2, …, t
`AccumulateSubsample`        `size` rows of that pool, drawn without replacement, in its order
`Mix`                        a share of human rows, then rows of the samples of t
`Augment`                    a human set that is kept for ever, then samples of t
`Verified`                   any of these, of the samples that pass a filter
===========================  ===================================================================

Rows that are drawn keep the order of their source. Human rows of `Mix` and `Augment` come from one
random order of all human rows, which the seed decides: the first n of it, or with ``fresh=True``
the next n each time. Everything else is drawn from the generator of purpose ``"policy"``, in the
order human rows, samples.

A policy of your own is a class with ``compose(history, rng=…)``: see
:class:`tailwatch.recursion.Policy`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.arguments import integer, share
from tailwatch.exceptions import InputError
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.history import Portion
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.history import History
    from tailwatch.recursion.protocols import Policy

__all__ = ["Accumulate", "AccumulateSubsample", "Augment", "Mix", "Replace", "Verified"]


@dataclass(frozen=True)
class Replace:
    """Learn from the samples of the last generation alone.

    Examples
    --------
    >>> from tailwatch.recursion import Replace
    >>> Replace()
    Replace()
    """

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:  # noqa: ARG002
        """Give the last samples."""
        return [history.samples[-1]]


@dataclass(frozen=True)
class Accumulate:
    """Learn from the human rows and all samples so far: the pool grows."""

    def compose(self, history: History, *, rng: np.random.Generator) -> Sequence[Portion]:  # noqa: ARG002
        """Give everything."""
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

    def __post_init__(self) -> None:
        if self.size is not None:
            integer(self.size, "size")

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

    def __post_init__(self) -> None:
        share(self.real_fraction, "real_fraction")
        if not isinstance(self.fresh, bool) and not callable(self.fresh):
            raise InputError(
                argument="fresh",
                expected="True, False or a function of (size, rng)",
                got=shown(self.fresh),
            )

    def first(self, history: History) -> Portion:
        """Give what the first generation learns from; the rest is the stream of fresh rows."""
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
        """Give human rows and samples."""
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

    def __post_init__(self) -> None:
        if isinstance(self.real, int):
            integer(self.real, "real")
        elif self.real is not None:
            rows_of.as_data(self.real, "real")

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
        """Give the human set and the last samples."""
        if self.real is None:
            human = history.human
        elif isinstance(self.real, int):
            human = history.human_rows(0, self.real)
        else:
            human = Portion.of(self.real)
        return [human, history.samples[-1]]


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

    def first(self, history: History) -> Portion:
        """Give what the first generation learns from."""
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


def _nearest(count: float) -> int:
    return int(np.floor(count + 0.5))


def _drawn(rng: np.random.Generator, rows: int, size: int) -> NDArray[np.int64]:
    """Draw row numbers without replacement, in ascending order."""
    return np.sort(rng.choice(rows, size, replace=False, shuffle=False))

"""How fast a loop will collapse under its policy, and what would keep it from doing so.

A plan is theory alone: no data, no model. It holds for learners that keep mean and covariance
(:mod:`tailwatch.recursion.theory.universality`) and speaks of expectations. Where the spread of
single runs has a closed form, it is given: a normal distribution in one column under replace.
Measured runs collapse faster where models are biased, and slower where data have a floor of noise.

A plan of a policy of the user's own shows what its closed form says (:func:`closed_form`); a saved
run keeps these numbers, so that its plan can be made again without the user's code.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from tailwatch.arguments import integer, share
from tailwatch.exceptions import InputError
from tailwatch.recursion import theory
from tailwatch.recursion.policies import Replace
from tailwatch.recursion.policy_text import POLICIES, as_policy, is_shipped
from tailwatch.recursion.theory.categories import as_shares
from tailwatch.recursion.theory.fits import MOST_GENERATIONS, as_ddof, as_rows
from tailwatch.recursion.theory.universality import curve_of, limit_of, variance_kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from tailwatch.recursion.policies import Policy
    from tailwatch.recursion.theory.fits import Ddof

__all__ = ["SCHEMA", "closed_form", "plan", "plan_of"]

SCHEMA: dict[str, type[pl.DataType]] = {
    "quantity": pl.String,
    "generation": pl.Int64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "unit": pl.String,
    "note": pl.String,
}
"""Columns of a plan."""

Row = tuple[str, int | None, float | None, float | None, float | None, str, str]

KEEP = 0.95
"""Share of the human variance that is to be kept, unless another is named."""

NORMAL = 1.959964
"""Quantile of the normal distribution for 95 %."""

EXPECTED = "no interval: an expectation, exact for learners that keep mean and covariance"
ONE_RUN = "expectation; 95 % of single runs of a Gaussian in one column lie from low to high"
NO_SPREAD = "no interval: an expectation; how single runs spread has no closed form here"
BOUND = "no interval: solved from the closed form"


def plan(
    size: int,
    generations: int,
    policy: Policy | str = "replace",
    *,
    keep: float = KEEP,
    ddof: Ddof = 0,
    counts: Mapping[Any, float] | None = None,
) -> pl.DataFrame:
    """Predict what a loop keeps, and how much human data would keep more.

    Parameters
    ----------
    size
        Rows that each generation samples.
    generations
        How many fits, the first of which sees human rows.
    policy
        A policy of :mod:`tailwatch.recursion`, its text such as ``"mix:0.1,fresh"``, or one of your
        own that brings a closed form.
    keep
        Share of the human variance that is to be kept, in (0, 1).
    ddof
        0 for learners that keep the maximum-likelihood covariance, 1 for the unbiased one.
    counts
        Human counts or shares of types, to predict how many types are kept.

    Returns
    -------
    polars.DataFrame
        Columns ``quantity``, ``generation`` (where it has one), ``value``, ``low``, ``high``,
        ``unit`` and ``note``, with these quantities:

        - ``variance_kept`` by generation, and ``variance_limit`` after infinitely many;
        - ``generations_until``: when it falls to `keep` (null: never);
        - ``half_life`` of the variance in single runs, under replace;
        - ``effective_sample_size`` by generation, under replace: labels of one clean sample that
          hold as many types; with `counts`, ``types_kept`` by generation as a share of the human
          types;
        - what keeps `keep`: ``rows_for`` (rows per generation under replace, for so many
          generations), ``real_fraction_for`` and ``fresh_rows_for`` (share and number of fresh
          human rows in each training set of `size`, for ever), ``fixed_real_rows_for`` (human rows
          kept for ever beside `size` samples), ``schedule`` by generation (rows that grow with the
          square of the generation, for ever).

    Raises
    ------
    InputError
        An argument out of range, or a policy that has no closed form.

    Examples
    --------
    >>> import tailwatch as tw
    >>> found = tw.recursion.plan(100, 50, keep=0.9)
    >>> last = found.filter(quantity="variance_kept").row(-1, named=True)
    >>> round(last["value"], 3), round(last["low"], 3), round(last["high"], 3)
    (0.605, 0.05, 2.639)
    >>> found.filter(quantity="rows_for")["value"].item()
    476.0
    """
    n, keep = integer(generations, "generations", most=MOST_GENERATIONS), share(keep, "keep")
    chosen, rows = as_policy(policy), as_rows(size)
    less: Ddof = 1 if as_ddof(ddof) else 0
    curve = np.asarray(variance_kept(np.arange(1, n + 1), rows, policy=chosen, ddof=less))
    limit = limit_of(chosen, rows, ddof=less)
    return _planned(_Loop(chosen, rows, less, curve, limit), keep, counts)


def closed_form(policy: Policy, size: int, generations: int, ddof: Ddof) -> dict[str, Any] | None:
    """Return the closed form of a policy as numbers, for JSON: ``None`` where there is none.

    Parameters
    ----------
    policy
        The policy.
    size, generations, ddof
        As :func:`plan` takes them.
    """
    curve = curve_of(policy, np.arange(1, generations + 1), size, ddof=ddof)
    if curve is None:
        return None
    limit = limit_of(policy, size, ddof=ddof)
    known = None if limit is None or not math.isfinite(limit) else limit
    return {"variance_kept": curve.tolist(), "variance_limit": known}


def plan_of(arguments: Mapping[str, Any]) -> pl.DataFrame | None:
    """Plan a run again, from what it keeps of its arguments.

    Parameters
    ----------
    arguments
        What was run, as :attr:`tailwatch.recursion.Run.arguments` has it.

    Returns
    -------
    polars.DataFrame or None
        What :func:`plan` expects of its policy; ``None`` for a policy that has no closed form.
    """
    ddof: Ddof = 1 if arguments["learner"].get("ddof", 0) == 1 else 0
    size, described = arguments["size"], arguments["policy"]
    numbers = described.get("closed_form")
    if numbers is not None:
        curve = np.asarray(numbers["variance_kept"], dtype=np.float64)
        return _planned(_Loop(None, size, ddof, curve, numbers["variance_limit"]), KEEP, None)
    if described["class"] not in _SHIPPED:
        return None
    # The first generation has all human rows, which are known here.
    text = described["text"]
    text = f"{text}:{arguments['data']['rows']}" if text == "augment" else text
    try:
        return plan(size, arguments["generations"], text, ddof=ddof)
    except InputError:
        # A policy, or a size, of which theory expects nothing.
        return None


_SHIPPED = {f"{kind.__module__}.{kind.__qualname__}" for kind in POLICIES.values()}


class _Loop(NamedTuple):
    """What a loop is in theory; of a policy of a user's own that was saved, the numbers alone."""

    policy: Policy | None
    rows: int
    ddof: Ddof
    curve: NDArray[np.float64]
    limit: float | None

    def until(self, keep: float) -> int | None:
        """Return the generation that has no more than `keep`; of a user's policy, among these."""
        if self.policy is not None and is_shipped(self.policy):
            return theory.generations_until(keep, self.rows, policy=self.policy, ddof=self.ddof)
        within = np.flatnonzero(self.curve <= keep)
        return int(within[0]) + 1 if len(within) else None


def _planned(loop: _Loop, keep: float, counts: Mapping[Any, float] | None) -> pl.DataFrame:
    """Put a plan together."""
    n = len(loop.curve)
    found = [
        *_kept(loop, keep),
        *(_drift(loop, n, counts) if type(loop.policy) is Replace else ()),
        *_needed(loop.rows, n, keep),
    ]
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


def _kept(loop: _Loop, keep: float) -> Iterator[Row]:
    """Predict the variance."""
    n, rows, less = len(loop.curve), loop.rows, loop.ddof
    every = np.arange(1, n + 1)
    lows: list[float | None] = [None] * n
    highs: list[float | None] = [None] * n
    note = NO_SPREAD
    if type(loop.policy) is Replace:
        middle = np.asarray(theory.replace_log_variance(every, rows, ddof=less))
        reach = NORMAL * np.sqrt(np.asarray(theory.variance_of_log_variance(every, rows)))
        lows, highs = np.exp(middle - reach).tolist(), np.exp(middle + reach).tolist()
        note = ONE_RUN
    unit = "share of the human variance"
    for generation, value, low, high in zip(every, loop.curve, lows, highs, strict=True):
        yield ("variance_kept", int(generation), float(value), low, high, unit, note)
    known = "not known: the policy does not say it" if loop.limit is None else EXPECTED
    yield ("variance_limit", None, loop.limit, None, None, unit, known)
    until = loop.until(keep)
    if until is not None:
        when = f"when the variance is expected to be down to {keep:g}"
    elif loop.limit is not None and loop.limit >= keep:
        when = f"never: {loop.limit:.3g} of the variance is expected to be left"
    else:
        when = f"not within {n} generations"
    number = None if until is None else float(until)
    yield ("generations_until", until, number, None, None, "generations", when)


def _drift(loop: _Loop, n: int, counts: Mapping[Any, float] | None) -> Iterator[Row]:
    """Predict what else is known under replace."""
    life = theory.half_life(loop.rows, ddof=loop.ddof)
    note = "when half of the runs of a Gaussian in one column have lost half of the variance"
    yield ("half_life", None, life, None, None, "generations", note)
    every = np.arange(1, n + 1)
    note = "no interval: exact where labels have Poisson numbers of copies"
    sizes = np.atleast_1d(theory.effective_sample_size(every, loop.rows))
    for generation, value in zip(every, sizes, strict=True):
        yield ("effective_sample_size", int(generation), float(value), None, None, "labels", note)
    if counts is None:
        return
    human, unit = len(as_shares(counts)), "share of the human types"
    expected = np.atleast_1d(theory.types_expected(counts, loop.rows, every))
    for generation, types in zip(every, expected, strict=True):
        yield ("types_kept", int(generation), float(types) / human, None, None, unit, NO_SPREAD)


def _needed(size: int, n: int, keep: float) -> Iterator[Row]:
    """Return what keeps so much of the variance."""
    note = f"under replace, to keep {keep:g} until then; {BOUND}"
    rows = float(theory.rows_for(keep, n))
    yield ("rows_for", n, rows, None, None, "rows per generation", note)
    reachable = keep <= 1 - 1 / size
    fraction = theory.real_fraction_for(keep, size) if reachable else None
    why = BOUND if reachable else f"not within reach: {size} human rows alone keep {1 - 1 / size:g}"
    yield ("real_fraction_for", None, fraction, None, None, "share of each training set", why)
    fresh = None if fraction is None else float(math.ceil(fraction * size - 1e-9))
    yield ("fresh_rows_for", None, fresh, None, None, "fresh human rows per generation", why)
    fixed = float(theory.fixed_real_rows_for(keep, size))
    yield ("fixed_real_rows_for", None, fixed, None, None, "human rows kept for ever", BOUND)
    note = f"growing as the square, to keep {keep:g} for ever; {BOUND}"
    for generation, count in enumerate(theory.schedule_for(keep, n), start=1):
        yield ("schedule", generation, float(count), None, None, "rows", note)

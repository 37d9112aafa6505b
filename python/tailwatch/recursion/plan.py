"""How fast a loop will collapse under its policy, and what would keep it from doing so.

A plan is theory alone: no data, no model. It holds for learners that keep mean and covariance
(:mod:`tailwatch.recursion.theory.universality`) and speaks of expectations. Where the spread of
single runs has a closed form, it is given: a normal distribution in one column under replace.
Measured runs collapse faster where models are biased, and slower where data have a floor of noise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from tailwatch.arguments import integer, share
from tailwatch.exceptions import InputError
from tailwatch.recursion import policies, theory
from tailwatch.recursion.bounds import MOST_GENERATIONS
from tailwatch.recursion.theory.categories import as_shares
from tailwatch.recursion.theory.fits import as_ddof, as_rows
from tailwatch.recursion.theory.universality import as_policy
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailwatch.recursion.protocols import Policy
    from tailwatch.recursion.theory.fits import Ddof
    from tailwatch.recursion.theory.universality import PolicyName

__all__ = ["SCHEMA", "plan"]

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

NORMAL = 1.959964
"""Quantile of the normal distribution for 95 %."""

EXPECTED = "no interval: an expectation, exact for learners that keep mean and covariance"
ONE_RUN = "expectation; 95 % of single runs of a Gaussian in one column lie from low to high"
NO_SPREAD = "no interval: an expectation; how single runs spread has no closed form here"
BOUND = "no interval: solved from the closed form"


def plan(
    size: int,
    generations: int,
    policy: PolicyName | Policy = "replace",
    *,
    keep: float = 0.95,
    real_fraction: float | None = None,
    ddof: Ddof = 0,
    counts: Mapping[Any, float] | None = None,
) -> pl.DataFrame:
    """Predict what a loop keeps, and how much human data would keep more.

    Parameters
    ----------
    size
        Rows of each training set; under accumulate the rows that each generation adds.
    generations
        How many fits, the first of which sees human rows.
    policy
        ``"replace"``, ``"accumulate"``, ``"accumulate_subsample"``, ``"fresh_real"``,
        ``"fixed_real"``, or a policy of :mod:`tailwatch.recursion`.
    keep
        Share of the human variance that is to be kept, in (0, 1).
    real_fraction
        Share of human rows in each training set, for ``"fresh_real"`` and ``"fixed_real"``.
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
    loop = _Loop(*_named(policy, as_rows(size), real_fraction), 1 if as_ddof(ddof) else 0)
    found = [
        *_kept(loop, n, keep),
        *(_drift(loop, n, counts) if loop.policy == "replace" else ()),
        *_needed(as_rows(size), n, keep),
    ]
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


class _Loop(NamedTuple):
    """What a loop is in theory."""

    policy: PolicyName
    rows: int
    real_fraction: float | None
    ddof: Ddof


def _named(
    policy: object, size: int, real_fraction: float | None
) -> tuple[PolicyName, int, float | None]:
    """Return a policy's name in theory, the rows of a training set, and its share of human rows."""
    if isinstance(policy, str):
        name, fraction = as_policy(policy, real_fraction)
        return name, size, fraction
    if real_fraction is not None:
        raise InputError(
            argument="real_fraction",
            expected="None beside a policy that knows it",
            got=str(real_fraction),
        )
    match policy:
        case policies.Replace():
            return "replace", size, None
        case policies.Accumulate():
            return "accumulate", size, None
        case policies.AccumulateSubsample(size=drawn) if drawn is None or drawn == size:
            return "accumulate_subsample", size, None
        case policies.Mix(real_fraction=fraction, fresh=fresh):
            return "fresh_real" if fresh else "fixed_real", size, fraction
        case policies.Augment(real=kept) if kept is None or isinstance(kept, int):
            real = size if kept is None else kept
            return "fixed_real", size + real, real / (size + real)
    raise InputError(argument="policy", expected="one that has a closed form", got=shown(policy))


def _kept(loop: _Loop, n: int, keep: float) -> Iterator[Row]:
    """Predict the variance."""
    rows, less = loop.rows, loop.ddof
    options: dict[str, Any] = {
        "policy": loop.policy,
        "real_fraction": loop.real_fraction,
        "ddof": less,
    }
    every = np.arange(1, n + 1)
    curve = np.asarray(theory.variance_kept(every, rows, **options))
    lows: list[float | None] = [None] * n
    highs: list[float | None] = [None] * n
    note = NO_SPREAD
    if loop.policy == "replace":
        middle = np.asarray(theory.replace_log_variance(every, rows, ddof=less))
        reach = NORMAL * np.sqrt(np.asarray(theory.variance_of_log_variance(every, rows)))
        lows, highs = np.exp(middle - reach).tolist(), np.exp(middle + reach).tolist()
        note = ONE_RUN
    unit = "share of the human variance"
    for generation, value, low, high in zip(every, curve, lows, highs, strict=True):
        yield ("variance_kept", int(generation), float(value), low, high, unit, note)
    limit = theory.variance_limit(rows, **options)
    yield ("variance_limit", None, limit, None, None, unit, EXPECTED)
    until = theory.generations_until(keep, rows, **options)
    when = (
        f"never: {limit:.3g} of the variance is expected to be left"
        if until is None
        else f"when the variance is expected to be down to {keep:g}"
    )
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
    """Say what keeps so much of the variance."""
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

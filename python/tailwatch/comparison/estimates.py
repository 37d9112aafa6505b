"""Estimates: the value of a metric, its null, and what their errors are known from.

Standard errors come from half-samples. The rows are dealt to 32 groups and a half is 16 of them.
Two things limit how well the spread of R replicates is known: that there are R of them, and that
there are 32 groups; their degrees of freedom add up as parallel resistances do.

Where a statistic sits at a stationary point (a distance of two equal distributions, the effective
rank of an isotropic one) its error is of second order, and a half-sample shows three times the
variance. Complementary halves tell the orders apart: with θ' and θ" on a half and on the other
half, (θ' − θ")/2 holds what is odd in the deviation and (θ' + θ")/2 what is even. In expectation
the odd part has the first-order variance V₁ plus twice the second-order variance V₂, the even part
V₂; so the variance is odd − even. Where that would make V₁ negative it is zero, and both parts are
measurements of V₂.

Counts (of rows in a ball, of tail rows reached) hold, besides a first-order part, the chance of
which rows happen to be neighbours, of a variance that falls as 1/n at most. Halves show it twice,
so that their intervals are on the long side, up to 1.4 times where chance is all there is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from tailwatch.comparison.halves import GROUPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tailwatch._core import NoValue


__all__ = [
    "Binomial",
    "ClosedVariance",
    "Estimate",
    "HalfSamples",
    "NoInterval",
    "Scale",
    "Spread",
    "degrees_of_freedom",
    "spread_of_null",
    "standard_error",
    "variance",
]

Scale = Literal["share", "ratio", "real", "signed"]
"""On which errors are symmetric: ``share`` on the logit scale, ``ratio`` on the log scale, ``real``
as it is, where nothing is below 0, and ``signed`` as it is."""


@dataclass(frozen=True, slots=True)
class HalfSamples:
    """A metric on the whole samples and on random halves, in the form in which it was counted.

    Attributes
    ----------
    values, nulls
        Whole at index 0, then one entry per half-sample.
    scale
        On which standard errors are taken.
    total
        For shares: the rows of the whole that the share is taken of.
    complementary
        Whether every second half is the complement of the one before it.
    kept
        Share of the rows that a replicate holds.
    present
        From the counted form to the metric: increasing. Masses are shares over their level, odds a
        function of a share.
    most
        What the metric is cut at. Replicates are not, so that they show the error of what is cut.
    """

    values: NDArray[np.float64]
    nulls: NDArray[np.float64]
    scale: Scale
    total: float = 0.0
    complementary: bool = False
    kept: float = 0.5
    present: Callable[[NDArray[np.float64]], NDArray[np.float64]] = lambda counted: counted
    most: float = math.inf


@dataclass(frozen=True, slots=True)
class ClosedVariance:
    """Sampling variances of a distance, its null and their difference, in closed form.

    Attributes
    ----------
    value, null, difference
        Variances where the true distance is zero.
    slope
        What a unit of true distance adds to the variance of the value and of the difference.
    """

    value: float
    null: float
    difference: float
    slope: float = 0.0


@dataclass(frozen=True, slots=True)
class Binomial:
    """Value and null are shares of so many rows, each of which counts or not by itself.

    Attributes
    ----------
    total
        Rows of which either is a share.
    """

    total: int


@dataclass(frozen=True, slots=True)
class NoInterval:
    """No honest interval is known, and this is why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The value and null of one metric at one level.

    Attributes
    ----------
    metric
        Name of the metric.
    level
        Tail level, if it has one.
    value, null
        metric(A, C) and metric(A, B); NaN where there is none.
    error
        What the errors are known from.
    tail_rows
        Of the odds in a pooled tail: rows of C there, tied ones in proportion.
    p_value
        Where a test of its own tells it: of C being a sample of the human distribution.
    """

    metric: str
    level: float | None
    value: float
    null: float
    error: HalfSamples | ClosedVariance | Binomial | NoInterval | NoValue
    tail_rows: float | None = None
    p_value: float | None = None


NEGLIGIBLE = 0.25
"""Even over odd variance: 1/2 at a stationary point, 0 far from one."""


class Spread(NamedTuple):
    """A standard error, and how well it is known."""

    error: float
    degrees_of_freedom: float


def variance(statistic: NDArray[np.float64], error: HalfSamples) -> float:
    """Estimate the sampling variance of a statistic given on the whole (index 0) and on halves."""
    return standard_error(statistic, error) ** 2


def standard_error(statistic: NDArray[np.float64], error: HalfSamples) -> float:
    """Return the square root of :func:`variance`."""
    # Squares of what the data allow may overflow: measure in the largest.
    unit = float(np.abs(statistic[1:]).max())
    if not 0 < unit < np.inf:
        return 0.0 if unit == 0 else math.inf
    return unit * math.sqrt(_variance(statistic[1:] / unit, error)[0])


def degrees_of_freedom(statistic: NDArray[np.float64], error: HalfSamples) -> float:
    """Say how well the variance is known."""
    unit = float(np.abs(statistic[1:]).max())
    halves = statistic[1:] / unit if 0 < unit < np.inf else np.zeros(len(statistic) - 1)
    return 1 / (1 / _variance(halves, error)[1] + 1 / (GROUPS - 1))


def spread_of_null(nulls: NDArray[np.float64], error: HalfSamples) -> Spread:
    """Estimate the standard error of a divergence of two samples of one distribution.

    There a divergence has its minimum, so that V₁ is zero and need not be estimated: of
    complementary halves, odd/2 and even measure V₂ independently, and their mean is it. The
    estimate that leaves V₁ open, :func:`standard_error`, would scatter twice as much.
    """
    unit = float(np.abs(nulls[1:]).max())
    if not error.complementary or not 0 < unit < np.inf:
        return Spread(standard_error(nulls, error), degrees_of_freedom(nulls, error))
    odd, even = _parts(nulls[1:] / unit)
    known = 1 / (1 / (len(nulls) - 1) + 1 / (GROUPS - 1))
    return Spread(unit * math.sqrt((odd / 2 + even) / 2), known)


def _parts(halves: NDArray[np.float64]) -> tuple[float, float]:
    """Return the variances of what is odd in the deviation and of what is even."""
    first, second = halves[0::2], halves[1::2]
    odd = float((((first - second) / 2) ** 2).mean())
    return odd, float(((first + second) / 2).var(ddof=1))


def _variance(halves: NDArray[np.float64], error: HalfSamples) -> tuple[float, float]:
    """Return the variance and from how many independent squares it comes."""
    count = len(halves)
    if not error.complementary:
        # A share f without replacement varies (1 − f)/f times as much as the whole.
        return float(halves.var(ddof=1)) * error.kept / (1 - error.kept), count - 1
    odd, even = _parts(halves)
    if odd < 2 * even:
        # V₁ would be negative, and odd/2 and even are as good a measurement of V₂ each.
        return (odd / 2 + even) / 2, count
    # Where the even part is small there is nothing to take off, and its noise would only shorten.
    return odd if even < NEGLIGIBLE * odd else odd - even, count / 2

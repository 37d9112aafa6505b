"""Standard errors from half-samples.

The rows are dealt to 32 groups and a half is 16 of them. Two things limit how well the spread of R
replicates is known: that there are R of them, and that there are 32 groups; their degrees of
freedom add up as parallel resistances do.

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
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tailwatch.comparison.halves import GROUPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.comparison.estimates import HalfSamples

NEGLIGIBLE = 0.25
"""Even over odd variance: 1/2 at a stationary point, 0 far from one."""

__all__ = ["Spread", "degrees_of_freedom", "spread_of_null", "standard_error", "variance"]


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

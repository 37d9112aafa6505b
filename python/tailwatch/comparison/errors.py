"""Standard errors from half-samples.

The rows are dealt to 32 groups and a half is 16 of them. Two things limit how well the spread of R
replicates is known: that there are R of them, and that there are 32 groups; their degrees of
freedom add up as parallel resistances do.

Where a statistic sits at a stationary point (a distance of two equal distributions, the effective
rank of an isotropic one) its error is of second order, and a half-sample shows three times the
variance. Complementary halves tell the orders apart: with θ' and θ" on a half and on the other
half, (θ' − θ")/2 holds what is odd in the deviation and (θ' + θ")/2 what is even. In expectation
the odd part has the first-order variance plus twice the second-order variance V₂, the even part V₂;
so the variance is odd − even, and V₂ at least.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.comparison.samples import GROUPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.comparison.estimates import HalfSamples

NEGLIGIBLE = 0.25
"""Even over odd variance: 1/2 at a stationary point, 0 far from one."""

__all__ = ["degrees_of_freedom", "standard_error", "variance"]


def variance(statistic: NDArray[np.float64], error: HalfSamples) -> float:
    """Estimate the sampling variance of a statistic given on the whole (index 0) and on halves."""
    return standard_error(statistic, error) ** 2


def _variance(halves: NDArray[np.float64], error: HalfSamples) -> float:
    if not error.complementary:
        # A share f without replacement varies (1 − f)/f times as much as the whole.
        return float(halves.var(ddof=1)) * error.kept / (1 - error.kept)
    first, second = halves[0::2], halves[1::2]
    odd = float((((first - second) / 2) ** 2).mean())
    even = float(((first + second) / 2).var(ddof=1))
    # Where the even part is small there is nothing to take off, and its noise would only shorten.
    return odd if even < NEGLIGIBLE * odd else max(odd - even, even)


def standard_error(statistic: NDArray[np.float64], error: HalfSamples) -> float:
    """Return the square root of :func:`variance`."""
    # Squares of what the data allow may overflow: measure in the largest.
    unit = float(np.abs(statistic[1:]).max())
    if not 0 < unit < np.inf:
        return 0.0 if unit == 0 else math.inf
    return unit * math.sqrt(_variance(statistic[1:] / unit, error))


def degrees_of_freedom(error: HalfSamples) -> float:
    """Say how well the variance is known."""
    replicates = len(error.values) - 1
    of_replicates = replicates / 2 if error.complementary else replicates - 1
    return 1 / (1 / of_replicates + 1 / (GROUPS - 1))

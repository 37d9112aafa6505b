"""The most likely share of synthetic rows and its profile interval.

π̂ maximises the profile log likelihood L of :mod:`~tailwatch.contamination.likelihood` on [0, 1],
and the interval is {π : 2(L(π̂) − L(π)) ≤ χ²₁}, ends 0 and 1 included. A fixed grid, dense towards
both ends, finds the summit and the brackets; a root of L′ then gives π̂, where a maximum itself is
known to half the digits only. Were the likelihood of two summits, the interval would span both.

Cost: some hundred evaluations of L, O(B) each, whatever the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.likelihood import profile, slope

if TYPE_CHECKING:
    from tailwatch.contamination.likelihood import Counts

__all__ = ["Interval", "profile_interval"]

_TAIL = np.geomspace(1e-7, 0.02, 12)
GRID = np.concatenate([[0.0], _TAIL, np.linspace(0.03, 0.97, 48), 1 - _TAIL[::-1], [1.0]])


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate between two bounds.

    Attributes
    ----------
    value
        The estimate; NaN where there is nothing to estimate from.
    low, high
        Bounds, with ``low <= value <= high``.
    """

    value: float
    low: float
    high: float


def profile_interval(counts: Counts, confidence: float) -> Interval:
    """Estimate the share of synthetic rows.

    Parameters
    ----------
    counts
        Histograms of both references and the target.
    confidence
        Of the interval.

    Returns
    -------
    Interval
        NaN in [0, 1] for an empty target, or where one bin is all there is.
    """
    from scipy.stats import chi2

    if not counts.target.sum() or len(counts.target) < 2:
        return Interval(np.nan, 0.0, 1.0)
    found = _summit(counts)
    points = np.unique(np.append(GRID, found))
    shares, heights = profile(counts, points)
    level = float(heights[points == found][0]) - float(chi2.ppf(confidence, 1)) / 2
    inside = np.flatnonzero(heights >= level)
    first, last = int(inside[0]), int(inside[-1])
    low = shares[0] if first == 0 else _crossing(counts, level, *points[first - 1 : first + 1])
    high = (
        shares[-1]
        if last == len(points) - 1
        else _crossing(counts, level, *points[last : last + 2])
    )
    return Interval(found, float(min(low, found)), float(max(high, found)))


def _summit(counts: Counts) -> float:
    from scipy.optimize import brentq

    points = GRID
    for _ in range(2):
        top = int(profile(counts, points)[1].argmax())
        left, summit, right = points[max(top - 1, 0)], points[top], points[top + 1 :][:1]
        # At an end of [0, 1] the slope may point outwards; within, it leads to the maximum.
        rises = slope(counts, summit) > 0
        ends = (summit, right[0] if len(right) else summit) if rises else (left, summit)
        if ends[0] == ends[1]:
            break
        if slope(counts, ends[0]) > 0 > slope(counts, ends[1]):
            return float(brentq(lambda share: slope(counts, share), *ends, xtol=1e-15, rtol=1e-14))
        # Far from any fit, two summits may stand between neighbours of the grid: look closer.
        points = np.linspace(left, right[0] if len(right) else summit, 65)
    return float(summit)


def _crossing(counts: Counts, level: float, left: float, right: float) -> float:
    """Give the share at which the likelihood crosses `level` between two values of π."""
    from scipy.optimize import brentq

    def above(parameter: float) -> float:
        return float(profile(counts, np.array([parameter]))[1][0]) - level

    crossing = float(brentq(above, left, right, xtol=1e-13, rtol=1e-12))
    return float(profile(counts, np.array([crossing]))[0][0])

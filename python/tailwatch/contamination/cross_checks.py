"""Other estimators of the share, from the same histograms, and whether they agree.

- ACC (Rogan & Gladen 1978): rows above the threshold of the largest TPR − FPR, (q − FPR)/(TPR −
  FPR), with a delta interval in which all three shares are random.
- DyS (Maletzke et al. 2019): the share whose mixture of the templates is nearest to the target in
  Hellinger distance.
- Median sweep (Forman 2008): the median of ACC over the thresholds with TPR − FPR of at least 1/4.

They weigh the bins differently, so where the templates do not explain the target they go apart.
That is said where one of them lies outside the interval by more than ACC's own half-length. Cost
O(B).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.distributions import normal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.contamination.likelihood import BinCounts, Interval

__all__ = ["CrossChecks", "cross_checks"]

LEAST_GAP = 0.25
"""TPR − FPR of the thresholds that the median sweep takes."""


@dataclass(frozen=True, slots=True)
class CrossChecks:
    """Other estimates of the share of synthetic rows, each within [0, 1].

    Attributes
    ----------
    acc, acc_low, acc_high
        Adjusted count, with its delta interval.
    dys
        Nearest mixture in Hellinger distance.
    median_sweep
        Median of the adjusted counts; NaN where no threshold separates enough.
    """

    acc: float
    acc_low: float
    acc_high: float
    dys: float
    median_sweep: float

    def agree_with(self, interval: Interval) -> bool:
        """Whether none lies further outside the interval than half of ACC's own."""
        margin = (self.acc_high - self.acc_low) / 2
        low, high = interval.low - margin, interval.high + margin
        found = (self.acc, self.dys, self.median_sweep)
        return all(math.isnan(value) or low <= value <= high for value in found)


def cross_checks(counts: BinCounts, confidence: float) -> CrossChecks:
    """Estimate the share in three other ways; the target has rows, and there are two bins."""
    rows, n0, n1 = counts.target.sum(), counts.human.sum(), counts.synthetic.sum()
    q, fpr, tpr = (_above(each) for each in (counts.target, counts.human, counts.synthetic))
    gap = tpr - fpr
    adjusted = np.divide(q - fpr, gap, out=np.full_like(gap, np.nan), where=gap > 0)
    swept = adjusted[gap >= LEAST_GAP]
    best = int(gap.argmax())
    if gap[best] <= 0:
        return CrossChecks(np.nan, 0.0, 1.0, _nearest(counts), np.nan)
    share = float(np.clip(adjusted[best], 0, 1))
    variance = (
        q[best] * (1 - q[best]) / rows
        + (1 - share) ** 2 * fpr[best] * (1 - fpr[best]) / n0
        + share**2 * tpr[best] * (1 - tpr[best]) / n1
    ) / gap[best] ** 2
    reach = normal_quantile((1 + confidence) / 2) * float(variance) ** 0.5
    low, high = (float(np.clip(adjusted[best] + sign * reach, 0, 1)) for sign in (-1, 1))
    median = float(np.clip(np.median(swept), 0, 1)) if len(swept) else np.nan
    return CrossChecks(share, low, high, _nearest(counts), median)


def _above(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of rows at or above each inner edge."""
    above: NDArray[np.float64] = np.cumsum(counts[::-1])[::-1][1:] / counts.sum()
    return above


def _nearest(counts: BinCounts) -> float:
    """Maximise Σ √(q·((1−π)p₀ + π p₁)), which is concave in π."""
    from scipy.optimize import minimize_scalar

    q = counts.target / counts.target.sum()
    human, synthetic = counts.human / counts.human.sum(), counts.synthetic / counts.synthetic.sum()

    def distance(share: float) -> float:
        return -float(np.sqrt(q * ((1 - share) * human + share * synthetic)).sum())

    found = minimize_scalar(distance, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-9})
    # The method stays inside the bounds, where the ends may be what is nearest.
    return float(min((0.0, float(found.x), 1.0), key=distance))

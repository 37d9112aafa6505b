"""Estimators of the share beside the template fit, from counts over the same bins.

**Human reference only**: what the share is at least. Whatever the synthetic rows look like, a set A
of scores holds at least (1−π) q_H(A) of the target, so π ≥ 1 − q_T(A)/q_H(A). Without more
knowledge of them that is all that can be known. The sets are those of the most human scores, below
a threshold.

- Value: best-bin estimate (Garg et al. 2021), 1 − q_T/q_H at the bin edge that minimises
  q_T/q_H + (1+γ)/q_H · (√(ln(4/δ)/2N) + √(ln(4/δ)/2n_H)), γ = 0.01, δ = 0.1.
- Low: Clopper–Pearson bounds of q_T from above and of q_H from below, at 12 thresholds fixed
  beforehand as quantiles of the human scores, each at (1 − confidence)/24. The largest bound holds.
- High: 1.

**Cross-checks**: other estimates from both references, and whether they agree.

- ACC (Rogan & Gladen 1978): rows above the threshold of the largest TPR − FPR, (q − FPR)/(TPR −
  FPR), with a delta interval in which all three shares are random.
- DyS (Maletzke et al. 2019): the share whose mixture of the templates is nearest to the target in
  Hellinger distance.
- Median sweep (Forman 2008): the median of ACC over the thresholds with TPR − FPR of at least 1/4.

They weigh the bins differently, so where the templates do not explain the target they go apart.
That is said where one of them lies outside the interval by more than ACC's own half-length.

Reference: S. Garg et al., *Mixture Proportion Estimation and PU Learning: A Modern Approach*,
NeurIPS 2021. Cost O(B).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.likelihood import Interval
from tailwatch.distributions import beta_quantile, normal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.contamination.likelihood import BinCounts

__all__ = [
    "THRESHOLD_LEVELS",
    "CrossChecks",
    "best_bin",
    "cross_checks",
    "human_thresholds",
    "lower_bound",
]

THRESHOLD_LEVELS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97)
"""Shares of the human rows below the 12 thresholds."""

GAMMA, DELTA = 0.01, 0.1


def human_thresholds(human: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the thresholds, fewer than 12 where scores are tied."""
    return np.unique(np.quantile(human, THRESHOLD_LEVELS, method="inverted_cdf"))


def best_bin(human: NDArray[np.int64], target: NDArray[np.int64]) -> float:
    """Estimate the share from counts over the same bins; NaN where a single bin is all there is."""
    q_human, q_target = _below(human), _below(target)
    seen = q_human > 0
    if not seen.any():
        return float("nan")
    q_human, q_target = q_human[seen], q_target[seen]
    slack = np.sqrt(np.log(4 / DELTA) / 2) * (target.sum() ** -0.5 + human.sum() ** -0.5)
    bound = (q_target + (1 + GAMMA) * slack) / q_human
    best = int(bound.argmin())
    return float(np.clip(1 - q_target[best] / q_human[best], 0, 1))


def lower_bound(
    human: NDArray[np.int64],
    target: NDArray[np.int64],
    preset: NDArray[np.bool_],
    confidence: float,
) -> Interval:
    """Bound the share from below.

    Parameters
    ----------
    human, target
        BinCounts over the same bins; each has rows.
    preset
        Which inner edges are thresholds fixed beforehand.
    confidence
        Of the bound.
    """
    level = (1 - confidence) / (2 * len(THRESHOLD_LEVELS))
    below_human, below_target = (np.cumsum(each)[:-1][preset] for each in (human, target))
    n, rows = int(human.sum()), int(target.sum())
    # Bounds of Clopper and Pearson; where all rows lie below, the share may be 1.
    least = np.where(below_human > 0, beta_quantile(level, below_human, n - below_human + 1), 0)
    missing = np.maximum(rows - below_target, 1)
    most = np.where(below_target < rows, beta_quantile(1 - level, below_target + 1, missing), 1)
    bounds = 1 - np.divide(most, least, out=np.ones_like(least), where=least > 0)
    low = float(max(bounds.max(initial=0.0), 0.0))
    # The best bin is an estimate without a promise: it does not lie below what is certain.
    return Interval(float(np.fmax(best_bin(human, target), low)), low, 1.0)


def _below(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of rows below each inner edge."""
    below: NDArray[np.float64] = np.cumsum(counts)[:-1] / counts.sum()
    return below


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

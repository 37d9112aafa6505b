"""Human reference only: what the share of synthetic rows is at least.

Whatever the synthetic rows look like, a set A of scores holds at least (1−π) q_H(A) of the target,
so π ≥ 1 − q_T(A)/q_H(A). Without more knowledge of them that is all that can be known. The sets are
those of the most human scores, below a threshold.

- Value: best-bin estimate (Garg et al. 2021), 1 − q_T/q_H at the bin edge that minimises
  q_T/q_H + (1+γ)/q_H · (√(ln(4/δ)/2N) + √(ln(4/δ)/2n_H)), γ = 0.01, δ = 0.1.
- Low: Clopper–Pearson bounds of q_T from above and of q_H from below, at 12 thresholds fixed
  beforehand as quantiles of the human scores, each at (1 − confidence)/24. The largest bound holds.
- High: 1.

Reference: S. Garg et al., *Mixture Proportion Estimation and PU Learning: A Modern Approach*,
NeurIPS 2021. Cost O(B).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.likelihood import Interval
from tailwatch.distributions import beta_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["THRESHOLD_LEVELS", "best_bin", "human_thresholds", "lower_bound"]

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

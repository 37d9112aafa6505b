"""Drift between human strata: the error that no number of rows removes.

A human score that shifts between reference and target moves the estimate. How far it does so is
seen on the strata (months, domains, languages) of the human reference, each a target of known share
0. To first order the estimator is linear, π̂ − π = Σ_b u_b (m_b/N − f_b/N) with

    u_b = (d_b/V_b) / Σ d²/V,   d = p₁ − p₀,   V = f/N + (1−π)²p₀/n₀ + π²p₁/n₁,

so π_k = Σ_b u_b (h_kb − p₀b) is the estimate that stratum k would give. Its sampling variance is
v_k = (Σ u²p₀ − (Σ up₀)²)/n_k, and what the K strata vary beyond it is drift:
τ² = max(0, var_k(π_k) − mean v_k).

The target is one more draw, of which a share 1−π is human, against the mean over the reference's
rows, in which stratum k weighs w_k = n_k/n₀. The interval is widened in quadrature by
t_{K−1}·(1−π)·√(s²(1+Σw²)) with s² = var_k(π_k), sampling included: for strata of one size, where
Σw² = 1/K, that is the interval of one more draw of normal variables, whose coverage holds for any K
and τ. With τ² in
place of s² it would not, since τ² is 0 by chance where drift is no larger than the sampling error
of a stratum: 0.85 instead of 0.95 for 8 strata and v = τ². So strata of few rows cost length, and
large ones do not.

Cost O(K·B).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.likelihood import BinCounts, Interval, fit_templates
from tailwatch.distributions import t_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Drift", "drift_between", "widen"]


@dataclass(frozen=True, slots=True)
class Drift:
    """What human strata tell about drift.

    Attributes
    ----------
    strata
        Number of strata K.
    sd
        τ, the standard deviation of the estimate from one stratum to another, beyond sampling.
    spread
        s, the same with sampling.
    half_width
        What is added in quadrature to both sides of the interval.
    shares
        π_k, the estimate that each stratum would give if it were the target; the truth is 0.
    """

    strata: int
    sd: float
    spread: float
    half_width: float
    shares: tuple[float, ...]


def drift_between(
    strata: NDArray[np.int64],
    synthetic: NDArray[np.int64],
    target: NDArray[np.int64],
    share: float,
    confidence: float,
) -> Drift:
    """Measure drift between strata in units of the share that is estimated from a target.

    Parameters
    ----------
    strata
        Counts of the human reference, strata × bins; at least two strata, each with rows.
    synthetic, target
        Counts of the synthetic reference and the target.
    share
        The share estimated from the target.
    confidence
        Of the interval that is to be widened.
    """
    counts = BinCounts.of(strata.sum(axis=0), synthetic, target)
    u, human = _influence(counts, share)
    rows = strata.sum(axis=1)
    shares = (strata / rows[:, np.newaxis]) @ u - human @ u
    sampling = (human @ u**2 - (human @ u) ** 2) * (1 / rows).mean()
    count, weights = len(strata), rows / rows.sum()
    variance = float(shares.var(ddof=1))
    reach = t_quantile((1 + confidence) / 2, count - 1) * (1 - share)
    return Drift(
        strata=count,
        sd=math.sqrt(max(0.0, variance - sampling)),
        spread=math.sqrt(variance),
        half_width=reach * math.sqrt(variance * (1 + float(weights @ weights))),
        shares=tuple(map(float, shares)),
    )


def widen(interval: Interval, half_width: float) -> Interval:
    """Add `half_width` in quadrature to both sides, within [0, 1]."""
    below = math.hypot(interval.value - interval.low, half_width)
    above = math.hypot(interval.high - interval.value, half_width)
    return Interval(
        interval.value, max(0.0, interval.value - below), min(1.0, interval.value + above)
    )


def _influence(counts: BinCounts, share: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return u and p₀."""
    fitted = fit_templates(counts, np.array([share]))
    n0, n1, rows = counts.human.sum(), counts.synthetic.sum(), counts.target.sum()
    human, synthetic = fitted.human[0] / n0, fitted.synthetic[0] / n1
    variance = (
        fitted.target[0] / rows**2 + (1 - share) ** 2 * human / n0 + share**2 * synthetic / n1
    )
    difference = synthetic - human
    weight = np.divide(difference, variance, out=np.zeros_like(variance), where=variance > 0)
    information = float(weight @ difference)
    return (weight / information if information > 0 else weight), counts.human / n0

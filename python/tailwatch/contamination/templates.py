"""Templates of the references: the share of a target that they give, and drift between strata.

Drift is the error that no number of rows removes. A human score that shifts between reference and
target moves the estimate. How far it does so is seen on the strata (months, domains, languages) of
the human reference, each a target of known share 0. To first order the estimator is linear,
π̂ − π = Σ_b u_b (m_b/N − f_b/N) with

    u_b = (d_b/V_b) / Σ d²/V,   d = p₁ − p₀,   V = f/N + (1−π)²p₀/n₀ + π²p₁/n₁,

so π_k = Σ_b u_b (h_kb − p₀b) is the estimate that stratum k would give. Its sampling variance is
v_k = (Σ u²p₀ − (Σ up₀)²)/n_k, and what the K strata vary beyond it is drift:
τ² = max(0, var_k(π_k) − mean v_k).

The target is one more draw, of which a share 1−π is human, against the mean over the reference's
rows, in which stratum k weighs w_k = n_k/n₀. The interval is widened in quadrature by
t_{K−1}·(1−π)·√(s²(1+Σw²)) with s² = var_k(π_k), sampling included: for strata of one size, where
Σw² = 1/K, that is the interval of one more draw of normal variables, whose coverage holds for any K
and τ. With τ² in place of s² it would not, since τ² is 0 by chance where drift is no larger than
the sampling error of a stratum: 0.85 instead of 0.95 for 8 strata and v = τ². So strata of few rows
cost length, and large ones do not.

The p-value of a share above a limit is the least α such that the interval of confidence 1 − α lies
above the limit. It is valid for every share up to the limit, since the interval errs on that side
in at most α of all samples: in about α/2, as it has two sides, or less, with a lower bound.

Cost O(K·B) for each interval, after some hundred evaluations of the likelihood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.estimators import lower_bound
from tailwatch.contamination.likelihood import (
    BinCounts,
    Interval,
    fit_templates,
    profile,
    profile_interval,
)
from tailwatch.distributions import chi_squared_tail, t_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAST_P", "Drift", "Templates", "drift_between", "fit_share", "widen"]

LEAST_P = 1e-15
"""The least p-value: below it a confidence is no longer told from 1."""

_LOG_P_STEP = 1e-9


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


@dataclass(frozen=True, slots=True)
class Templates:
    """Counts of the references over the bins of the score.

    Attributes
    ----------
    edges
        Inner edges of the bins, ascending.
    thresholds
        Those edges that the lower bound uses; none with a synthetic reference.
    human
        Counts of the human reference: parts × bins.
    synthetic
        Counts of the synthetic reference, or zeros without one.
    stratified
        Whether the parts are strata, between which drift shows.
    """

    edges: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    human: NDArray[np.int64]
    synthetic: NDArray[np.int64]
    stratified: bool

    @property
    def human_only(self) -> bool:
        """Whether there is no synthetic reference, so that only a lower bound is known."""
        return not self.synthetic.any()

    def bound(self, target: NDArray[np.int64], confidence: float) -> Interval:
        """Bound the share from below, by the human reference alone."""
        preset = np.isin(self.edges, self.thresholds)
        return lower_bound(self.human.sum(axis=0), target, preset, confidence)

    def share(self, target: NDArray[np.int64], confidence: float) -> Interval:
        """Estimate the share with its interval, drift included: the bound without a synthetic one.

        Parameters
        ----------
        target
            Counts in each bin, with a row at least.
        confidence
            Of the interval.
        """
        if self.human_only:
            return self.bound(target, confidence)
        found, _, _ = fit_share(
            self.human,
            self.synthetic,
            target,
            stratified=self.stratified,
            confidence=confidence,
        )
        return found

    def p_above(self, target: NDArray[np.int64], value: float, limit: float) -> float:
        """Return the p-value of a share above a limit, of at least `LEAST_P`.

        Parameters
        ----------
        target
            Counts in each bin, with a row at least.
        value
            The estimate from them.
        limit
            The largest share under the hypothesis, from 0 to below 1.
        """
        if not value > limit:
            return 1.0
        found = (
            self._p_of_bound(target, limit)
            if self.human_only
            else self._p_of_fit(target, value, limit)
        )
        return max(found, LEAST_P)

    def _p_of_bound(self, target: NDArray[np.int64], limit: float) -> float:
        """Halve the range of ln α until the least at which the bound exceeds the limit is known."""

        def exceeds(log_p: float) -> bool:
            return self.bound(target, 1 - math.exp(log_p)).low > limit

        low, high = math.log(LEAST_P), 0.0
        if not exceeds(high):
            return 1.0
        while high - low > _LOG_P_STEP:
            middle = (low + high) / 2
            low, high = (low, middle) if exceeds(middle) else (middle, high)
        return math.exp(high)

    def _p_of_fit(self, target: NDArray[np.int64], value: float, limit: float) -> float:
        """Find the point below the estimate whose interval, widened by drift, ends at the limit."""
        from scipy.optimize import brentq

        counts = BinCounts.of(self.human.sum(axis=0), self.synthetic, target)
        top = float(profile(counts, np.array([value]))[1][0])
        unit, freedom = 0.0, len(self.human) - 1
        if self.stratified and freedom:
            drift = drift_between(self.human, self.synthetic, target, value, 0.5)
            unit = drift.half_width / t_quantile(0.75, freedom)

        def level(parameter: float) -> tuple[float, float]:
            shares, heights = profile(counts, np.array([parameter]))
            p = chi_squared_tail(max(0.0, 2 * (top - float(heights[0]))), 1)
            return float(shares[0]), max(p, LEAST_P)

        def beyond(parameter: float) -> float:
            point, p = level(parameter)
            widening = -t_quantile(p / 2, freedom) * unit if unit > 0 else 0.0
            return math.hypot(value - point, widening) - (value - limit)

        if beyond(value) >= 0:
            return 1.0
        if beyond(0.0) <= 0:
            return level(0.0)[1]
        return level(float(brentq(beyond, 0.0, value, xtol=1e-12)))[1]


def fit_share(
    human: NDArray[np.int64],
    synthetic: NDArray[np.int64],
    target: NDArray[np.int64],
    *,
    stratified: bool,
    confidence: float,
) -> tuple[Interval, Interval, Drift | None]:
    """Fit the share of synthetic rows.

    Parameters
    ----------
    human
        Counts, parts × bins.
    synthetic, target
        Counts in each bin.
    stratified
        Whether the parts are strata, of which there are two at least, and drift is to be seen.
    confidence
        Of the interval.

    Returns
    -------
    Interval
        With the drift.
    Interval
        Without.
    Drift or None
        What the strata tell.
    """
    alone = profile_interval(BinCounts.of(human.sum(axis=0), synthetic, target), confidence)
    if not stratified or len(human) < 2 or np.isnan(alone.value):
        return alone, alone, None
    drift = drift_between(human, synthetic, target, alone.value, confidence)
    return widen(alone, drift.half_width), alone, drift


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

"""Intervals of a value, of its null, and of what is retained.

A half-sample drawn without replacement varies about the whole sample as the whole sample varies about
the truth, so the standard deviation over half-sample replicates is the standard error. It is taken on
the scale on which the metric spreads symmetrically (logit for shares, log for ratios) and the interval
is brought back. Where a share sits at its bound and the replicates cannot vary, the binomial interval
(Clopper–Pearson) is given instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.inference.estimates import ClosedVariance, Estimate, HalfSamples, NoInterval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.inference.registry import Direction

__all__ = ["Intervals", "intervals_of"]

Interval = tuple[float | None, float | None]
NONE: Interval = (None, None)


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of one estimate, and what the candidate retains."""

    value: Interval
    null: Interval
    retention: float | None
    retained: Interval
    method: str


def intervals_of(estimate: Estimate, direction: Direction, confidence: float) -> Intervals:
    """Give an estimate its intervals.

    Parameters
    ----------
    estimate
        The estimate.
    direction
        Of a divergence (``"lower"``), what is retained is (value − null) in standard errors of the
        null; else it is value / null.
    confidence
        Of each interval.
    """
    error = estimate.error
    if isinstance(error, NoInterval):
        retention = _ratio(estimate) if direction != "lower" else None
        return Intervals(NONE, NONE, retention, NONE, f"no interval; {error.reason}")
    if isinstance(error, ClosedVariance):
        return _closed(estimate, error, confidence)
    if direction == "lower":
        return _half_sampled_divergence(estimate, error, confidence)
    return _half_sampled(estimate, error, confidence)


def _ratio(estimate: Estimate) -> float | None:
    return estimate.value / estimate.null if estimate.null > 0 else None


def _closed(estimate: Estimate, error: ClosedVariance, confidence: float) -> Intervals:
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + confidence / 2))
    spread = math.sqrt(error.null)
    retention, retained = _excess(estimate, spread, z * math.sqrt(error.difference))
    return Intervals(
        _around(estimate.value, z * math.sqrt(error.value)),
        _around(estimate.null, z * spread),
        retention,
        retained,
        "closed variance",
    )


def _half_sampled_divergence(
    estimate: Estimate, error: HalfSamples, confidence: float
) -> Intervals:
    t = _t(len(error.values), confidence)
    spread = float(error.nulls.std(ddof=1))
    margin = t * float((error.values - error.nulls).std(ddof=1))
    retention, retained = _excess(estimate, spread, margin)
    return Intervals(
        _on_scale(estimate.value, error.values, error, t, confidence),
        _on_scale(estimate.null, error.nulls, error, t, confidence),
        retention,
        retained,
        "half-sampling",
    )


def _half_sampled(estimate: Estimate, error: HalfSamples, confidence: float) -> Intervals:
    t = _t(len(error.values), confidence)
    retention, retained = _ratio(estimate), NONE
    logs = _log(error.values, error, half=True) - _log(error.nulls, error, half=True)
    centre = _log(estimate.value, error) - _log(estimate.null, error)
    if retention is not None and np.isfinite(logs).all() and np.isfinite(centre):
        margin = t * math.hypot(float(logs.std(ddof=1)), _boundary_error(estimate, error))
        low, high = float(np.exp(centre - margin)), float(np.exp(centre + margin))
        retained = (min(low, retention), max(high, retention))
    return Intervals(
        _on_scale(estimate.value, error.values, error, t, confidence),
        _on_scale(estimate.null, error.nulls, error, t, confidence),
        retention,
        retained,
        "half-sampling",
    )


def _boundary_error(estimate: Estimate, error: HalfSamples) -> float:
    """Standard error of the log ratio that replicates stuck at a bound cannot show (binomial)."""
    if error.scale != "share":
        return 0.0
    squares = 0.0
    for value, replicates in ((estimate.value, error.values), (estimate.null, error.nulls)):
        if np.ptp(replicates) == 0:
            share = (value * error.unit * error.total + 0.5) / (error.total + 1)
            squares += (1 - share) / (share * error.total)
    return math.sqrt(squares)


def _excess(estimate: Estimate, spread: float, margin: float) -> tuple[float | None, Interval]:
    """(value − null) in units of the null's standard error."""
    if not spread > 0:
        return None, NONE
    excess = (estimate.value - estimate.null) / spread
    return excess, _around(excess, margin / spread)


def _t(replicates: int, confidence: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.5 + confidence / 2, replicates - 1))


def _around(centre: float, margin: float) -> Interval:
    return centre - margin, centre + margin


def _smoothed(
    values: NDArray[np.float64] | float, error: HalfSamples, *, half: bool
) -> NDArray[np.float64]:
    """Shares with half a count added to both sides, so that none is 0 or 1."""
    total = error.total / 2 if half else error.total
    return (np.asarray(values) * error.unit * total + 0.5) / (total + 1)


def _log(
    values: NDArray[np.float64] | float, error: HalfSamples, *, half: bool = False
) -> NDArray[np.float64]:
    if error.scale == "share":
        return np.log(_smoothed(values, error, half=half))
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(values, dtype=np.float64))


def _on_scale(
    value: float,
    replicates: NDArray[np.float64],
    error: HalfSamples,
    t: float,
    confidence: float,
) -> Interval:
    if error.scale == "share":
        return _of_share(value, replicates, error, t, confidence)
    if value > 0 and (replicates > 0).all():
        margin = t * float(np.log(replicates).std(ddof=1))
        return value * math.exp(-margin), value * math.exp(margin)
    low, high = _around(value, t * float(replicates.std(ddof=1)))
    return max(low, 0.0), high


def _of_share(
    value: float,
    replicates: NDArray[np.float64],
    error: HalfSamples,
    t: float,
    confidence: float,
) -> Interval:
    from scipy.special import expit, logit
    from scipy.stats import beta

    if np.ptp(replicates) == 0:
        count, tail = value * error.unit * error.total, (1 - confidence) / 2
        low = float(beta.ppf(tail, count, error.total - count + 1)) if count > 0 else 0.0
        rest = error.total - count
        high = float(beta.ppf(1 - tail, count + 1, rest)) if rest > 0 else 1.0
    else:
        margin = t * float(logit(_smoothed(replicates, error, half=True)).std(ddof=1))
        centre = float(logit(_smoothed(value, error, half=False)))
        low, high = float(expit(centre - margin)), float(expit(centre + margin))
    return min(low / error.unit, value), max(high / error.unit, value)

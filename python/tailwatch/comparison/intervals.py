"""Intervals of a value, of its null, and of what is retained.

A half-sample drawn without replacement varies about the whole sample as the whole sample varies
about the truth, so the standard deviation over half-sample replicates is the standard error. It is
taken on the scale on which the metric spreads symmetrically (logit for shares, log for ratios) and
the interval is brought back. Where a share counts few rows on either side, replicates cannot show
its error, and the interval reaches at least as far as the binomial one (mid-P: Clopper–Pearson's
holds far more often than it says where counts are small).

**Distances.** Squared MMD and energy distance are sums over eigenfunctions of the kernel, of λδ²
with δ the difference of means along one. Near zero they are weighted sums of χ², skewed to the
right, and their variance rises with the distance: V(θ) = V₂ + sθ. A variance estimated at the value
rises with the value's own error, so that value ± z·SE errs on one side only; here the variance and
the skewness are those of the *hypothesised* distance instead, as in Wilson's interval of a share,
and the interval holds each θ under which the value would not be surprising.

Were all λ equal, the value would be a noncentral χ² with a = s/4 its scale, ν = V₂/2a² its degrees
of freedom and θ/a its noncentrality, of third cumulant 8a³(ν + 3θ/a) = sV₂ + 1.5s²θ. The
distribution under θ is the Pearson III (a shifted gamma) that has θ, V(θ) and that cumulant. The
difference of a value and its null is symmetric where C is as A and B are: sV₂ is left out.

The file is long because every kind of error has its interval of a value, of a null and of what is
retained, and its p-value, from the same numbers.

References: Wilson (1927), Probable inference; Pearson (1895), on the type III curve; Serfling
(1980), Approximation Theorems, 5.5 (degenerate U-statistics); Zou & Donner (2008), Construction of
confidence limits about effect measures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch._core import NoValue
from tailwatch.comparison.estimates import (
    Binomial,
    ClosedVariance,
    Estimate,
    HalfSamples,
    NoInterval,
    degrees_of_freedom,
    spread_of_null,
    standard_error,
    variance,
)
from tailwatch.distributions import (
    NEGLIGIBLE,
    chi_squared_quantile,
    pearson_tail,
    t_quantile,
    t_tail,
)
from tailwatch.metrics.embeddings.directions import Area

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.comparison.estimates import Spread
    from tailwatch.comparison.registry import Direction

__all__ = [
    "FEW_ROWS",
    "Intervals",
    "Triple",
    "around",
    "binomial_interval",
    "counts_few",
    "difference_of",
    "farther_than_zero",
    "interval_of_distance",
    "intervals_of",
    "present_binomial",
    "ratio_of",
    "smoothed",
]

Bounds = tuple[float | None, float | None]
NONE: Bounds = (None, None)

Triple = tuple[float, float | None, float | None]
"""An estimate with the lower and the upper end of its interval."""

FEW_ROWS = 10
"""Counts below this get at least the binomial error."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of one estimate, and what the candidate retains.

    Attributes
    ----------
    value, null
        Intervals.
    retention, retained
        What is retained, and its interval.
    standard_error
        Of the null of a divergence.
    p_value
        Of value and null being of one distribution: of a distance in closed form one-sided, that
        the value is so far above 0, else two-sided.
    method
        How the intervals were made.
    reason
        Why there are none.
    """

    value: Bounds = NONE
    null: Bounds = NONE
    retention: float | None = None
    retained: Bounds = NONE
    standard_error: float | None = None
    p_value: float | None = None
    method: str | None = None
    reason: str | None = None


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
    if isinstance(error, NoValue):
        return Intervals(reason=error.reason)
    if isinstance(error, NoInterval):
        retention = _ratio(estimate) if direction != "lower" else None
        return Intervals(retention=retention, reason=error.reason)
    if isinstance(error, ClosedVariance):
        return _closed(estimate, error, confidence)
    if isinstance(error, Binomial):
        return _binomial(estimate, error, confidence)
    if isinstance(error, Area):
        return _area(estimate, error, confidence)
    method = "half-sampling" if error.kept == 0.5 else "three-quarter sampling"
    spread = None
    if direction == "lower":
        spread = spread_of_null(error.nulls, error)
        retained = _excess_of_halves(error, spread, confidence)
    else:
        retained = _retained(estimate, error, confidence)
    return Intervals(
        _interval(error.values, error, confidence),
        _interval(error.nulls, error, confidence),
        *retained[:2],
        None if spread is None else spread.error,
        retained[2],
        method,
    )


def _closed(estimate: Estimate, error: ClosedVariance, confidence: float) -> Intervals:
    value = interval_of_distance(estimate.value, error.value, error.slope, confidence)
    null = interval_of_distance(estimate.null, error.null, 0.0, confidence)
    spread = math.sqrt(error.null)
    p_value = farther_than_zero(estimate.value, error)
    if spread == 0:
        return Intervals(
            value, null, standard_error=spread, p_value=p_value, method="closed variance"
        )
    difference = estimate.value - estimate.null
    low, high = interval_of_distance(
        difference, error.difference, error.slope, confidence, symmetric=True
    )
    retained = (low / spread, high / spread)
    return Intervals(value, null, difference / spread, retained, spread, p_value, "closed variance")


def farther_than_zero(value: float, error: ClosedVariance) -> float | None:
    """Return the probability of so large a value where the distance is 0."""
    spread = math.sqrt(error.value)
    if not 0 < spread < math.inf:
        return None
    # The third cumulant there is the slope times the variance.
    return pearson_tail(value / spread, error.slope / spread)


def _binomial(estimate: Estimate, error: Binomial, confidence: float) -> Intervals:
    value, null = (
        binomial_interval(share * total, total, confidence)
        for share, total in ((estimate.value, error.total), (estimate.null, error.of_null))
    )
    retention, *retained = ratio_of((estimate.value, *value), (estimate.null, *null))
    return Intervals(value, null, retention, (retained[0], retained[1]), method="binomial")


def _area(estimate: Estimate, error: Area, confidence: float) -> Intervals:
    """Return the interval of an area beside its null, which is known exactly."""
    value, spread = error.interval(confidence), error.null_error
    null = (estimate.null, estimate.null)
    if spread == 0:
        return Intervals(value, null, method="closed variance")
    excess, *ends = ((each - estimate.null) / spread for each in (estimate.value, *value))
    return Intervals(
        value, null, excess, (ends[0], ends[1]), spread, error.p_value, "closed variance"
    )


def _ratio(estimate: Estimate) -> float | None:
    return estimate.value / estimate.null if 0 < estimate.null < math.inf else None


def _retained(
    estimate: Estimate, error: HalfSamples, confidence: float
) -> tuple[float | None, Bounds, float | None]:
    """Value over null, its error on the log scale, and its p-value."""
    retention = _ratio(estimate)
    with np.errstate(invalid="ignore"):
        logs = _log(error.values, error) - _log(error.nulls, error)
    if retention is None or not np.isfinite(logs).all():
        return retention, NONE, None
    least = _binomial_variance(error.values, error) + _binomial_variance(error.nulls, error)
    spread = math.sqrt(max(variance(logs, error), least))
    margin = _t(logs, error, confidence) * spread
    low, high = float(np.exp(logs[0] - margin)), float(np.exp(logs[0] + margin))
    p_value = _two_sided(logs, spread, error)
    return retention, (min(low, retention), max(high, retention)), p_value


def _two_sided(statistic: NDArray[np.float64], spread: float, error: HalfSamples) -> float | None:
    """Return the probability of a statistic as far from 0 as this."""
    if not 0 < spread < math.inf:
        return None
    return 2 * t_tail(abs(float(statistic[0])) / spread, degrees_of_freedom(statistic, error))


def _excess_of_halves(
    error: HalfSamples, null: Spread, confidence: float
) -> tuple[float | None, Bounds, float | None]:
    """(value − null) in standard errors of the null, which is itself estimated.

    The unit has a chi-squared interval, which is not symmetric; its ends and those of the
    difference are put together as variances are (Zou & Donner 2008), so that each alone would give
    its own interval.
    """
    spread, known = null
    if spread == 0:
        return None, NONE, None
    # In the form in which it was counted, on whose scale errors are.
    difference = error.values - error.nulls
    excess = float(difference[0]) / spread
    own = standard_error(difference, error)
    of_difference = _t(difference, error, confidence) * own / spread
    shrunk, grown = (excess * (factor - 1) for factor in _per_spread(known, confidence))
    low, high = min(shrunk, grown), max(shrunk, grown)
    interval = (
        excess - math.hypot(of_difference, low),
        excess + math.hypot(of_difference, high),
    )
    return excess, interval, _two_sided(difference, own, error)


def _per_spread(degrees_of_freedom: float, confidence: float) -> tuple[float, float]:
    """Bounds of an estimated standard error over the true one."""
    tails = 0.5 - confidence / 2, 0.5 + confidence / 2
    low, high = (
        (chi_squared_quantile(tail, degrees_of_freedom) / degrees_of_freedom) ** 0.5
        for tail in tails
    )
    return low, high


def _t(statistic: NDArray[np.float64], error: HalfSamples, confidence: float) -> float:
    return t_quantile(0.5 + confidence / 2, degrees_of_freedom(statistic, error))


def _margin(statistic: NDArray[np.float64], error: HalfSamples, confidence: float) -> float:
    return _t(statistic, error, confidence) * standard_error(statistic, error)


def smoothed(error: HalfSamples) -> NDArray[np.float64]:
    """Return the values of shares with half a count added to both sides, so that none is 0 or 1."""
    return _smoothed(error.values, error)


def _smoothed(counted: NDArray[np.float64], error: HalfSamples) -> NDArray[np.float64]:
    total = np.full(counted.shape, error.total * error.kept)
    total[0] = error.total
    smoothed: NDArray[np.float64] = (counted * total + 0.5) / (total + 1)
    return smoothed


def _log(counted: NDArray[np.float64], error: HalfSamples) -> NDArray[np.float64]:
    inside = _smoothed(counted, error) if error.scale == "share" else counted
    presented = np.array(error.present(inside))
    presented[0] = min(presented[0], error.most)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(presented)


def counts_few(error: HalfSamples) -> bool:
    """Return whether the value is a share of few rows, or of nearly all."""
    return _is_few(error.values, error)


def present_binomial(error: HalfSamples, confidence: float) -> tuple[float, float, float]:
    """Return a share, as the metric is shown, with its binomial interval."""
    share = float(error.values[0])
    low, high = binomial_interval(share * error.total, error.total, confidence)
    ends = _presented(np.array([min(low, share), max(high, share)]), error)
    return (float(np.minimum(error.present(error.values[:1]), error.most)[0]), *ends)


def _is_few(counted: NDArray[np.float64], error: HalfSamples) -> bool:
    return bool(min(counted[0], 1 - counted[0]) * error.total < FEW_ROWS)


def _binomial_variance(counted: NDArray[np.float64], error: HalfSamples) -> float:
    """Variance on the log scale of a share that counts few rows; else 0."""
    if error.scale != "share" or not _is_few(counted, error):
        return 0.0
    share = float(_smoothed(counted, error)[0])
    step = 1e-6 * min(share, 1 - share)
    around = np.log(error.present(np.array([share - step, share + step])))
    slope = float(around[1] - around[0]) / (2 * step)
    return slope**2 * share * (1 - share) / error.total


def _interval(counted: NDArray[np.float64], error: HalfSamples, confidence: float) -> Bounds:
    """Bounds of the whole, on the scale on which halves spread symmetrically."""
    if error.scale == "share":
        return _of_share(counted, error, confidence)
    value = float(counted[0])
    if error.scale == "ratio" and (counted > 0).all():
        margin = _margin(np.log(counted), error, confidence)
        return value * math.exp(-margin), value * math.exp(margin)
    margin = _margin(counted, error, confidence)
    low, high = around(value, margin)
    bounds = np.array([low if error.scale == "signed" else max(low, 0.0), high])
    return _presented(bounds, error)


def _of_share(counted: NDArray[np.float64], error: HalfSamples, confidence: float) -> Bounds:
    from scipy.special import expit, logit

    logits = logit(_smoothed(counted, error))
    margin = _margin(logits, error, confidence)
    bounds = [counted[0], float(expit(logits[0] - margin)), float(expit(logits[0] + margin))]
    if _is_few(counted, error):
        bounds += binomial_interval(counted[0] * error.total, error.total, confidence)
    return _presented(np.array([min(bounds), max(bounds)]), error)


def _presented(bounds: NDArray[np.float64], error: HalfSamples) -> tuple[float, float]:
    low, high = np.minimum(error.present(bounds), error.most)
    return float(low), float(high)


def binomial_interval(count: float, total: float, confidence: float) -> tuple[float, float]:
    """Return bounds of a binomial share in which the count is worth half its probability."""
    from scipy.optimize import brentq
    from scipy.special import betainc

    tail, rest = (1 - confidence) / 2, total - count

    def at_most(share: float) -> float:
        """Probability of less than the count, and half of that of the count itself."""
        less = betainc(rest + 1, count, 1 - share) if count > 0 else 0.0
        no_more = betainc(rest, count + 1, 1 - share) if rest > 0 else 1.0
        return float(less + no_more) / 2

    low = brentq(lambda share: at_most(share) - (1 - tail), 0, 1) if count > 0 else 0.0
    high = brentq(lambda share: at_most(share) - tail, 0, 1) if rest > 0 else 1.0
    return float(low), float(high)


def ratio_of(value: Triple, null: Triple) -> tuple[float | None, float | None, float | None]:
    """Return value/null with its interval, from estimates whose intervals are known.

    The interval of ln(value/null) is put together from those of value and null, each taken as it
    reaches up and down: MOVER (Zou & Donner 2008), which needs no common scale of the two.

    Parameters
    ----------
    value, null
        Each with the lower and the upper end of its interval.

    Returns
    -------
    tuple of float or None
        The ratio and its ends; a part that has no honest number is None.

    Examples
    --------
    >>> from tailwatch.comparison.intervals import ratio_of
    >>> [round(number, 3) for number in ratio_of((0.5, 0.4, 0.6), (1.0, 0.9, 1.1))]
    [0.5, 0.392, 0.617]
    """
    v, low, high = value
    n, null_low, null_high = null
    if not n > 0:
        return None, None, None
    if low is None or high is None or null_low is None or null_high is None or not v > 0:
        return v / n, None, None
    log = math.log(v / n)
    up = math.hypot(math.log(high / v), math.log(n / null_low) if null_low > 0 else math.inf)
    down = math.hypot(math.log(v / low) if low > 0 else math.inf, math.log(null_high / n))
    return v / n, math.exp(log - down), None if math.isinf(up) else math.exp(log + up)


def difference_of(
    new: tuple[float, float, float],
    old: tuple[float, float, float],
    correlation: float = 0.0,
) -> tuple[float, float]:
    """Return the interval of new − old, from estimates whose intervals are known.

    Each is taken as it reaches up and down: MOVER (Zou & Donner 2008), with the correlation of the
    two estimates (Zou 2007).

    Parameters
    ----------
    new, old
        Each with the lower and the upper end of its interval.
    correlation
        Of the two.

    Examples
    --------
    >>> from tailwatch.comparison.intervals import difference_of
    >>> difference_of((0.5, 0.2, 0.8), (0.5, 0.1, 0.9))
    (-0.5, 0.5)
    """
    (n, n_low, n_high), (o, o_low, o_high) = new, old

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0))

    change = n - o
    return change - reach(n - n_low, o_high - o), change + reach(n_high - n, o - o_low)


def around(centre: float, margin: float) -> tuple[float, float]:
    """Return the symmetric interval."""
    return centre - margin, centre + margin


def interval_of_distance(
    value: float, variance: float, slope: float, confidence: float, *, symmetric: bool = False
) -> tuple[float, float]:
    """Give the distances under which a value would not be surprising.

    Parameters
    ----------
    value
        The estimate; below zero at times, as an unbiased one of zero must be.
    variance
        Its variance where the distance is zero, V₂.
    slope
        What a unit of distance adds to the variance, s. Without it the interval is the normal one.
    confidence
        Of the interval, half of the rest on each side.
    symmetric
        Whether the value is spread symmetrically where the distance is zero.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtri

    upper = 0.5 + confidence / 2
    z = float(ndtri(upper))
    # In units of its own, since powers of what the data allow may overflow.
    unit = max(math.sqrt(variance), slope)
    if slope == 0 or not math.isfinite(unit):
        return around(value, z * math.sqrt(variance))
    value, variance, slope = value / unit, (math.sqrt(variance) / unit) ** 2, slope / unit

    def surprise(distance: float, share: float) -> float:
        first_order = slope * max(distance, 0.0)
        spread = variance + first_order
        if spread == 0:
            return distance - value
        cumulant = slope * (1.5 * first_order + (0.0 if symmetric else variance))
        quantile = _pearson_quantile(share, cumulant / spread**1.5)
        return distance + quantile * math.sqrt(spread) - value

    # Quantiles lie within 5 z standard deviations, whatever the skewness.
    reach = 5 * z * (math.sqrt(variance + slope * max(value, 0.0)) + slope * z)
    low, high = (
        float(brentq(surprise, value - reach, value + reach, args=(share,)))
        for share in (upper, 1 - upper)
    )
    return low * unit, high * unit


def _pearson_quantile(share: float, skewness: float) -> float:
    """Return a quantile of the Pearson III distribution of mean 0 and variance 1."""
    from scipy.special import gammaincinv, ndtri

    if skewness < NEGLIGIBLE:
        return float(ndtri(share))
    shape = 4 / skewness**2
    return float((gammaincinv(shape, share) - shape) / math.sqrt(shape))

"""What a metric retains over some generations, with an interval of any confidence.

Human halves A and B are the same ones in every generation. Given A, and if nothing happened, B and
the samples C₁, C₂, … are exchangeable: so values of different generations err independently, each
as its own interval says, and all are compared with one null, which errs as *its* interval says.
With the mean value v over w generations and the null n, the interval of the ratio v/n comes from
those of both (MOVER: Zou & Donner 2008; Donner & Zou 2012), on the log scale for variances and
ranks. The intervals of the frame hold A's error too, so this is on the long side.

Intervals are given at the confidence of the frame. They are stretched to another one by the ratio
of the quantiles of t with 10 degrees of freedom, which is the fewest that half-samples have: with
more of them, or with a normal error, the ratio would be smaller. The alarm, whose looks have errors
of a few in ten thousand, counts the degrees of freedom of both parts (Satterthwaite 1946).

Odds of rare rows are better known: if nothing happened, the count of samples in the pooled tail is
hypergeometric whatever the distribution. It depends on A and on the samples alike, so that A, which
generations share, brings at most half of its variance (Hoeffding 1948), and the mean count of w
generations has at most (1 + 1/w)/2 times the variance of one. The interval of the odds is Wilson's
score interval with this variance, of Fisher's noncentral hypergeometric distribution. Where rows
are tied at the edge of the tail and count in proportion, the count varies by less than that, and
the interval is on the long side. Of one generation alone there is an exact interval too
(:func:`exact_odds`), which holds at any level, however small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.arguments import tail_size
from tailwatch.comparison.metrics.neighbors import odds_ratio
from tailwatch.distributions import normal_quantile
from tailwatch.recursion.verdicts.series import pooled_stretch, stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.recursion.verdicts.series import Series

    Array = NDArray[np.float64]

__all__ = ["Span", "between", "exact_odds", "retained"]

LOGARITHMIC = frozenset(
    {
        "effective_rank",
        "participation_ratio",
        "total_variance",
        "variance",
        "vendi_score",
    }
)
"""Metrics that are positive and spread by factors."""


LARGEST_SAMPLE = 100_000_000
"""Rows beyond which no interval of the odds is computed: its law takes a number for each."""


@dataclass(frozen=True, slots=True)
class Span:
    """A number over some generations, with its interval.

    Attributes
    ----------
    name
        The metric, with its level.
    first, last
        Generations.
    value, low, high
        The number; infinite limits where nothing bounds it.
    """

    name: str
    first: int
    last: int
    value: float
    low: float
    high: float

    @property
    def generations(self) -> str:
        """First and last generation in words."""
        return str(self.last) if self.first == self.last else f"{self.first}–{self.last}"


def retained(
    series: Series,
    *,
    confidence: float,
    error: float,
    null_error: float | None = None,
    pooled: bool = False,
) -> Span | None:
    """Return what a metric retains of its null over the generations of a series.

    Parameters
    ----------
    series
        Those generations.
    confidence
        Of the intervals of the frame.
    error
        Probability that the interval misses on one side.
    null_error
        Where many intervals share one null, that by which it is bounded, once for all of them;
        `error` is then that of the value. Odds have no null that errs.
    pooled
        Whether an interval that holds both errors stands on the degrees of freedom of both, in
        place of the fewest that either may have.

    Returns
    -------
    Span or None
        ``None`` where no interval is claimed.
    """
    if series.metric == "tail_odds_ratio":
        return _odds(series, error)
    known = np.isfinite(series["low"]) & np.isfinite(series["high"]) & np.isfinite(series["value"])
    known &= np.isfinite(series["null_low"]) & np.isfinite(series["null_high"])
    if not known.any():
        return None
    some = series.part(known)
    by_factors = some.metric in LOGARITHMIC
    if by_factors and min(some["low"].min(), some["null_low"].min()) <= 0:
        return None
    if some["null"].min() <= 0:
        return None
    if null_error is None and pooled:
        limits = _of_both(some, confidence, error, by_factors=by_factors)
        return Span(series.name, int(some.generations[0]), int(some.generations[-1]), *limits)
    of_value = _mean(some, "", stretch(confidence, error), by_factors=by_factors)
    # One null for all: where rows used differ a little, so does it, and its errors are one error.
    reach = stretch(confidence, error if null_error is None else null_error)
    of_null = _mean(some, "null_", reach, by_factors=by_factors, same=True)
    if null_error is not None:
        limits = _of_bounds(of_value, of_null, by_factors=by_factors)
    else:
        limits = (_factor if by_factors else _ratio)(of_value, of_null)
    return Span(series.name, int(some.generations[0]), int(some.generations[-1]), *limits)


def between(first: Series, last: Series, *, confidence: float, error: float) -> Span | None:
    """Return the ratio of a metric in some generations to that in earlier ones.

    Parameters
    ----------
    first, last
        Those generations.
    confidence, error
        As in :func:`retained`.

    Returns
    -------
    Span or None
        ``None`` where no interval is claimed. The null is not needed, and its error is not in it.
    """
    parts = []
    for series in (first, last):
        known = np.isfinite(series["low"]) & np.isfinite(series["high"])
        if not known.any():
            return None
        parts.append(series.part(known))
    before, after = parts
    by_factors = after.metric in LOGARITHMIC
    if by_factors and min(before["low"].min(), after["low"].min()) <= 0:
        return None
    if before["value"].mean() <= 0:
        return None
    reach = stretch(confidence, error)
    of_before, of_after = (_mean(part, "", reach, by_factors=by_factors) for part in parts)
    limits = (_factor if by_factors else _ratio)(of_after, of_before)
    return Span(last.name, int(after.generations[0]), int(after.generations[-1]), *limits)


def _mean(
    series: Series, prefix: str, reach: float, *, by_factors: bool, same: bool = False
) -> tuple[float, float, float]:
    """Return a mean over generations, and how far its interval reaches below and above."""
    low, high = series[f"{prefix}low"], series[f"{prefix}high"]
    value = series["null" if prefix else "value"]
    if by_factors:
        value, low, high = np.log(value), np.log(low), np.log(high)
    below, above = (value - low) * reach, (high - value) * reach
    if same:
        return float(value.mean()), float(below.mean()), float(above.mean())
    count = len(value)
    return (
        float(value.mean()),
        float(np.sqrt((below**2).sum())) / count,
        float(np.sqrt((above**2).sum())) / count,
    )


def _factor(
    of_value: tuple[float, float, float], of_null: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Return a ratio of two estimates and its interval, from those of their logarithms."""
    (value, below, above), (null, null_below, null_above) = of_value, of_null
    middle = value - null
    low, high = middle - np.hypot(below, null_above), middle + np.hypot(above, null_below)
    return float(np.exp(middle)), float(np.exp(low)), float(np.exp(high))


def _of_both(
    series: Series, confidence: float, error: float, *, by_factors: bool
) -> tuple[float, float, float]:
    """Return a ratio and its interval, each side by the degrees of freedom of its two errors."""
    value, below, above = _mean(series, "", 1.0, by_factors=by_factors)
    null, null_below, null_above = _mean(series, "null_", 1.0, by_factors=by_factors, same=True)
    down = pooled_stretch(below, null_above, confidence, error)
    up = pooled_stretch(above, null_below, confidence, error)
    return (_factor if by_factors else _ratio)(
        (value, down * below, up * above), (null, up * null_below, down * null_above)
    )


def _of_bounds(
    of_value: tuple[float, float, float],
    of_null: tuple[float, float, float],
    *,
    by_factors: bool,
) -> tuple[float, float, float]:
    """Return a ratio of two estimates, and what their bounds leave: they miss one by one."""
    (value, below, above), (null, null_below, null_above) = of_value, of_null
    if by_factors:
        middle = value - null
        low, high = middle - below - null_above, middle + above + null_below
        return float(np.exp(middle)), float(np.exp(low)), float(np.exp(high))
    least = null - null_below
    high = (value + above) / least if least > 0 else math.inf
    return value / null, max(value - below, 0.0) / (null + null_above), high


def _ratio(
    of_value: tuple[float, float, float], of_null: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Return a ratio of two estimates of at least 0 and its interval, from theirs (MOVER)."""
    # In units of their own, powers of two: squares of large numbers must not overflow.
    units = [
        math.ldexp(1.0, math.frexp(max(map(abs, each)))[1] - 1) for each in (of_value, of_null)
    ]
    (value, below, above), (null, null_below, null_above) = (
        tuple(number / unit for number in each)
        for each, unit in zip((of_value, of_null), units, strict=True)
    )
    unit = units[0] / units[1]
    middle, product = value / null, value * null
    low_value, high_value = max(value - below, 0.0), value + above
    low_null, high_null = max(null - null_below, 0.0), null + null_above

    def parts(top: float, bottom: float) -> tuple[float, float, float]:
        a, b = top * (2 * value - top), bottom * (2 * null - bottom)
        return a, b, product + float(np.sqrt(max(product**2 - a * b, 0.0)))

    a, _, root = parts(low_value, high_null)
    low = a / root if root > 0 else 0.0
    _, b, root = parts(high_value, low_null)
    high = root / b if b > 0 else np.inf
    limits = (middle, min(max(low, 0.0), middle), max(high, middle))
    return float(limits[0]) * unit, float(limits[1]) * unit, float(limits[2]) * unit


def exact_odds(series: Series, error: float, *, below: float = math.inf) -> Span | None:
    """Return the odds of the count of one generation in the pooled tail, with an exact interval.

    It holds the odds at which neither so few nor so many rows in the tail have a probability below
    `error`, as Clopper and Pearson's does for a share. Counts with tied rows in proportion are
    rounded to the side on which the interval is longer.

    Parameters
    ----------
    series
        That generation.
    error
        Probability that the interval misses on one side.
    below
        What is asked for: an interval that does not lie below it is not looked for.

    Returns
    -------
    Span or None
        ``None`` where the counts are not known, or the interval is not below what is asked for.
    """
    found = _counts(series)
    if found is None:
        return None
    counts, tail, n, m = found
    count, known, weights = counts[0], *_weights(tail, n, m)
    # Sums of shares of ties are off by roundings.
    most, least = math.ceil(count - 1e-9), math.floor(count + 1e-9)
    if below < math.inf and _chance(known <= most, known, weights, math.log(below)) >= error:
        return None
    high = math.inf if most >= known[-1] else _odds_at(known <= most, known, weights, error)
    low = 0.0 if least <= known[0] else _odds_at(known >= least, known, weights, error)
    value = float(odds_ratio(np.array([count / tail]), tail=tail, reference=n, candidate=m)[0])
    at = int(series.generations[0])
    return Span(series.name, at, at, value, min(low, value), max(high, value))


HALVINGS = 48
"""Of an interval of the logarithm of odds, until it is shorter than a rounding."""


def _odds_at(within: NDArray[np.bool_], known: Array, weights: Array, error: float) -> float:
    """Return the odds at which the count is within a range at one end with probability `error`."""
    low, high = -40.0, 40.0
    falls = bool(within[0])
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if (_chance(within, known, weights, middle) > error) == falls:
            low = middle
        else:
            high = middle
    return math.exp((low + high) / 2)


def _chance(within: NDArray[np.bool_], known: Array, weights: Array, logs: float) -> float:
    """Return the probability that the count is within a range, at odds by their logarithm."""
    terms = weights + logs * known
    shares = np.exp(terms - terms.max())
    return float(shares[within].sum()) / float(shares.sum())


def _odds(series: Series, error: float) -> Span | None:
    """Return the odds of the mean count in the pooled tail, with their score interval."""
    found = _counts(series)
    if found is None:
        return None
    counts, tail, n, m = found
    mean, w = float(np.mean(counts)), len(counts)
    logs, expected, variance = _noncentral(tail, n, m)
    reach = -normal_quantile(error) * np.sqrt(variance * (1 + 1 / w) / 2)
    # Half a count for its being whole, of each generation.
    low = _crossing(logs, expected + reach - (mean - 0.5 / w))
    high = _crossing(logs, expected - reach - (mean + 0.5 / w))
    value = float(odds_ratio(np.array([mean / tail]), tail=tail, reference=n, candidate=m)[0])
    first, last = int(series.generations[0]), int(series.generations[-1])
    return Span(series.name, first, last, value, min(low, value), max(high, value))


def _counts(series: Series) -> tuple[list[float], int, int, int] | None:
    """Return the counts in the tail, its size, and those of both samples; None if not known."""
    sizes = {(row["level"], row["n_reference"], row["n_candidate"]) for row in series.rows}
    if len(sizes) > 1:
        return None
    ((level, n, m),) = sizes
    counts = [row["tail_rows"] for row in series.rows]
    if None in (level, n, m, *counts) or not 0 < min(n, m) <= max(n, m) <= LARGEST_SAMPLE:
        return None
    tail = tail_size(level, n + m)
    if not 0 <= min(counts) <= max(counts) <= tail:
        return None
    return counts, tail, n, m


def _crossing(logs: Array, rising: Array) -> float:
    """Return the odds at which a rising function crosses 0; 0 or infinity if it never does."""
    if rising[0] >= 0:
        return 0.0
    if rising[-1] <= 0:
        return np.inf
    place = int(np.flatnonzero(rising <= 0)[-1])
    share = rising[place] / (rising[place] - rising[place + 1])
    return float(np.exp(logs[place] + share * (logs[place + 1] - logs[place])))


@lru_cache(maxsize=64)
def _weights(tail: int, n: int, m: int) -> tuple[Array, Array]:
    """Return what the count in the tail can be, and logarithms of the weights at odds of 1."""
    from scipy.special import gammaln

    count = np.arange(max(0, tail - n), min(tail, m) + 1, dtype=np.float64)
    weights = -gammaln(count + 1) - gammaln(m - count + 1)
    weights -= gammaln(tail - count + 1) + gammaln(n - tail + count + 1)
    return count, weights


@lru_cache(maxsize=64)
def _noncentral(tail: int, n: int, m: int) -> tuple[Array, Array, Array]:
    """Return logarithms of odds, and mean and variance of the count in the tail at each of them."""
    count, weights = _weights(tail, n, m)
    logs = np.linspace(-12.0, 12.0, 481)
    terms = weights + np.outer(logs, count)
    shares = np.exp(terms - terms.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    mean = shares @ count
    return logs, mean, shares @ count**2 - mean**2

"""Estimates: the value of a metric, its null, and what their errors are known from.

Standard errors come from half-samples. The rows are dealt to 32 groups and a half is 16 of them.
Two things limit how well the spread of R replicates is known: that there are R of them, and that
there are 32 groups; their degrees of freedom add up as parallel resistances do.

Where a statistic sits at a stationary point (a distance of two equal distributions, the effective
rank of an isotropic one) its error is of second order, and a half-sample shows three times the
variance. Complementary halves tell the orders apart: with θ' and θ" on a half and on the other
half, (θ' − θ")/2 holds what is odd in the deviation and (θ' + θ")/2 what is even. In expectation
the odd part has the first-order variance V₁ plus twice the second-order variance V₂, the even part
V₂; so the variance is odd − even. Where that would make V₁ negative it is zero, and both parts are
measurements of V₂.

Counts (of rows in a ball, of tail rows reached) hold, besides a first-order part, the chance of
which rows happen to be neighbours, of a variance that falls as 1/n at most. Halves show it twice,
so that their intervals are on the long side, up to 1.4 times where chance is all there is.

**Heavy tails.** The sampling error of a covariance rests on fourth moments. Where the squared
distance of a row from the centre has a tail index of 2 or less, its variance is infinite:
covariances, and all that is made from them, follow no central limit theorem, and an interval from
any resampling misses the truth far more often than it says. The index is Hill's estimator on the
2.5 % of rows farthest from the centre.

Hill's estimator takes a tail to be a power of the distance itself. A sum over many columns is a
power tail beyond a bulk that all rows have, and then the estimate is too high at any threshold that
a sample of this size reaches: 1.9 for 32 t₃ columns, 2.9 for t₄ ones, whose index is 2. What
decides is therefore the index of the *excess* over the median (peaks over a random threshold, PORT;
1.6 and 2.1). By it a pair of 2,000 and 1,000 rows of t₃ columns passes as light once in 10⁵ times.

References: Hill (1975), A simple general approach to inference about the tail of a distribution;
Araújo Santos, Fraga Alves and Gomes (2006), Peaks over random threshold methodology.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from tailwatch import _core
from tailwatch.comparison.halves import GROUPS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tailwatch._core import NoValue, Rows
    from tailwatch.metrics.embeddings.directions import Area
    from tailwatch.progress import Settings

__all__ = [
    "LEAST_INDEX",
    "Binomial",
    "ClosedVariance",
    "CountedRows",
    "Estimate",
    "HalfSamples",
    "NoInterval",
    "Scale",
    "Spread",
    "TailIndex",
    "complementary_parts",
    "degrees_of_freedom",
    "spread_of_null",
    "standard_error",
    "tail_index",
    "too_heavy",
    "variance",
]

Scale = Literal["share", "ratio", "real", "signed"]
"""On which errors are symmetric: ``share`` on the logit scale, ``ratio`` on the log scale, ``real``
as it is, where nothing is below 0, and ``signed`` as it is."""


@dataclass(frozen=True, slots=True)
class HalfSamples:
    """A metric on the whole samples and on random halves, in the form in which it was counted.

    Attributes
    ----------
    values, nulls
        Whole at index 0, then one entry per half-sample.
    scale
        On which standard errors are taken.
    total
        For shares: the rows of the whole that the share is taken of.
    complementary
        Whether every second half is the complement of the one before it.
    kept
        Share of the rows that a replicate holds.
    present
        From the counted form to the metric: increasing. Masses are shares over their level, odds a
        function of a share.
    most
        What the metric is cut at. Replicates are not, so that they show the error of what is cut.
    """

    values: NDArray[np.float64]
    nulls: NDArray[np.float64]
    scale: Scale
    total: float = 0.0
    complementary: bool = False
    kept: float = 0.5
    present: Callable[[NDArray[np.float64]], NDArray[np.float64]] = lambda counted: counted
    most: float = math.inf


@dataclass(frozen=True, slots=True)
class ClosedVariance:
    """Sampling variances of a distance, its null and their difference, in closed form.

    Attributes
    ----------
    value, null, difference
        Variances where the true distance is zero.
    slope
        What a unit of true distance adds to the variance of the value and of the difference.
    """

    value: float
    null: float
    difference: float
    slope: float = 0.0


@dataclass(frozen=True, slots=True)
class Binomial:
    """Value and null are shares of rows, each of which counts or not by itself.

    Attributes
    ----------
    total
        Rows of which the value is a share; where they do not count one by one, independent ones
        that tell as much.
    of_null
        Those of the null.
    """

    total: float
    of_null: float


@dataclass(frozen=True, slots=True)
class CountedRows:
    """What is known of a share on all rows.

    Attributes
    ----------
    rows
        Rows that entered.
    total
        Independent rows that tell as much.
    p_value
        Of the candidate being a sample of the human distribution.
    """

    rows: int
    total: float
    p_value: float


@dataclass(frozen=True, slots=True)
class NoInterval:
    """No honest interval is known, and this is why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The value and null of one metric at one level.

    Attributes
    ----------
    metric
        Name of the metric.
    level
        Tail level, if it has one.
    value, null
        metric(A, C) and metric(A, B); NaN where there is none.
    error
        What the errors are known from.
    tail_rows
        Of the odds in a pooled tail: rows of C there, tied ones in proportion.
    p_value
        Where a test of its own tells it: of C being a sample of the human distribution.
    """

    metric: str
    level: float | None
    value: float
    null: float
    error: HalfSamples | ClosedVariance | Binomial | Area | NoInterval | NoValue
    tail_rows: float | None = None
    p_value: float | None = None


NEGLIGIBLE = 0.25
"""Even over odd variance: 1/2 at a stationary point, 0 far from one."""


class Spread(NamedTuple):
    """A standard error, and how well it is known."""

    error: float
    degrees_of_freedom: float


def variance(statistic: NDArray[np.float64], error: HalfSamples) -> float:
    """Estimate the sampling variance of a statistic given on the whole (index 0) and on halves."""
    return standard_error(statistic, error) ** 2


def standard_error(statistic: NDArray[np.float64], error: HalfSamples) -> float:
    """Return the square root of :func:`variance`."""
    # Squares of what the data allow may overflow: measure in the largest.
    unit = float(np.abs(statistic[1:]).max())
    if not 0 < unit < np.inf:
        return 0.0 if unit == 0 else math.inf
    return unit * math.sqrt(_variance(statistic[1:] / unit, error)[0])


def degrees_of_freedom(statistic: NDArray[np.float64], error: HalfSamples) -> float:
    """Say how well the variance is known."""
    unit = float(np.abs(statistic[1:]).max())
    halves = statistic[1:] / unit if 0 < unit < np.inf else np.zeros(len(statistic) - 1)
    return 1 / (1 / _variance(halves, error)[1] + 1 / (GROUPS - 1))


def spread_of_null(nulls: NDArray[np.float64], error: HalfSamples) -> Spread:
    """Estimate the standard error of a divergence of two samples of one distribution.

    There a divergence has its minimum, so that V₁ is zero and need not be estimated: of
    complementary halves, odd/2 and even measure V₂ independently, and their mean is it. The
    estimate that leaves V₁ open, :func:`standard_error`, would scatter twice as much.
    """
    unit = float(np.abs(nulls[1:]).max())
    if not error.complementary or not 0 < unit < np.inf:
        return Spread(standard_error(nulls, error), degrees_of_freedom(nulls, error))
    odd, even = complementary_parts(nulls[1:] / unit)
    known = 1 / (1 / (len(nulls) - 1) + 1 / (GROUPS - 1))
    return Spread(unit * math.sqrt((odd / 2 + even) / 2), known)


def complementary_parts(halves: NDArray[np.float64]) -> tuple[float, float]:
    """Return the variances of what is odd in the deviation and of what is even."""
    first, second = halves[0::2], halves[1::2]
    odd = float((((first - second) / 2) ** 2).mean())
    return odd, float(((first + second) / 2).var(ddof=1))


def _variance(halves: NDArray[np.float64], error: HalfSamples) -> tuple[float, float]:
    """Return the variance and from how many independent squares it comes."""
    count = len(halves)
    if not error.complementary:
        # A share f without replacement varies (1 − f)/f times as much as the whole.
        return float(halves.var(ddof=1)) * error.kept / (1 - error.kept), count - 1
    odd, even = complementary_parts(halves)
    if odd < 2 * even:
        # V₁ would be negative, and odd/2 and even are as good a measurement of V₂ each.
        return (odd / 2 + even) / 2, count
    # Where the even part is small there is nothing to take off, and its noise would only shorten.
    return odd if even < NEGLIGIBLE * odd else odd - even, count / 2


LEAST_INDEX = 2.5
"""Below this there is no interval: 2, and some room for the error of the estimate."""

ENOUGH_ROWS = 25
"""With fewer rows in the tail, an index must be below by more than its error to count as heavy."""

CENTRE_ROWS = 1024
SHARE = 0.025

APART = 1e-6
"""Relative difference of distances below which rounding would decide about their excess."""


class TailIndex(NamedTuple):
    """Tail index of the squared distance from the centre.

    Attributes
    ----------
    of_distance
        Hill's estimate: about 3/2 for t₃ columns, 10 and more for many Gaussian ones; infinite if
        the farthest rows are equally far.
    heavy
        Whether that of the excess is too low for second moments to have an interval.
    of_excess
        Of the excess over the median: the same far out in a power tail, about 5 for many Gaussian
        columns.
    """

    of_distance: float
    heavy: bool
    of_excess: float


def tail_index(samples: Sequence[Rows], settings: Settings) -> TailIndex:
    """Estimate the tail index of the squared distance from the centre.

    Parameters
    ----------
    samples
        Samples of one distribution, their rows in random order.
    settings
        Of the core.
    """
    leading = samples[0].take(np.arange(min(samples[0].shape[0], CENTRE_ROWS)))
    centre = leading.to_numpy().astype(np.float64).mean(axis=0)
    base = _core.Rows.from_numpy([centre[np.newaxis]], "centre")
    found = [_core.nearest_neighbors(rows, base, 1, False, settings)[0] for rows in samples]  # noqa: FBT003
    distances = np.sort(np.concatenate(found)[:, 0])[::-1]
    farthest = distances[: int(SHARE * len(distances)) + 2]
    spacings = len(farthest) - 1
    if farthest[-1] == 0 or farthest[0] == farthest[-1]:
        return TailIndex(np.inf, heavy=False, of_excess=np.inf)
    median = float(np.median(distances))
    of_distance = of_excess = _hill(farthest, 0.0)
    if farthest[-1] - median > APART * farthest[-1]:
        of_excess = _hill(farthest, median)
    # Hill's estimate has a relative error of one over the root of the spacings.
    room = 1.0 if spacings >= ENOUGH_ROWS else 1 + 1.64 / spacings**0.5
    return TailIndex(of_distance, of_excess * room < LEAST_INDEX, of_excess)


def _hill(farthest: NDArray[np.float64], median: float) -> float:
    """Return Hill's estimate for squares of falling distances less that of the median."""
    # A difference of squares would overflow for distances that do not.
    logs = np.log(farthest - median) + np.log(farthest + median)
    return float(1 / (logs[:-1] - logs[-1]).mean())


def too_heavy(*samples: TailIndex) -> NoInterval | None:
    """Say why second moments of samples with these indices have no interval, if they have none."""
    index = next((each.of_excess for each in samples if each.heavy), None)
    if index is None:
        return None
    return NoInterval(
        "tails too heavy for one: squared distances from the centre exceed their median with tail "
        f"index {index:.1f}, and their variance is finite above 2 only"
    )

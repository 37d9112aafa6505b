"""The change of each metric from a baseline to a candidate, with its interval.

Old and new candidate, cut to C₀ and C of as many rows, are held against the same half A of the
reference, and the change is metric(A, C) − metric(A, C₀). What chance there is in A moves both
alike and cancels as far as it does so; rows that both have stand at the same places in C and C₀
(:func:`~tailwatch.comparison.halves.paired_orders`) and cancel too. So the interval rests on the
variance of the difference, which is known in one way or another for each kind of error:

- **Counts of neighbours** (all but density): complementary halves (A', C', C₀') and (A", C", C₀")
  are independent samples of half the size. Half the difference of their changes has variance
  2·Var(half)/4, and a count, with what chance there is in who is whose neighbour, has a variance in
  proportion to 1/n; so this is the variance of the whole. The mean of its squares over 15 pairs of
  halves is unbiased whatever C and C₀ share. Random halves about the whole, which make the interval
  of a value, would show the chance of neighbours twice.
- **Density, directional tails**: the parts that the interval of a value is made of, in which rows
  of one place are together: the variance over parts of the difference.
- **Total variance, effective rank, participation ratio**: they are of C and C₀ alone, and what each
  row adds to them is known
  (:meth:`~tailwatch.comparison.metrics.moments.MomentMetrics.influences`). Differences place by
  place have the first-order variance V₁ and, at a sample instead of the truth, twice the
  second-order one, V₁ + 2V₂. What is even in complementary halves is V₂, and the variance V₁ + V₂
  is what is left; half of the sum where that is less, since V₁ is not negative.
- **Other distances of moments, Vendi score**: odd and even parts of complementary halves, as for a
  value (:mod:`~tailwatch.comparison.estimates`), of the difference.
- **Kernels**: the same with all pairs of rows in place of halves
  (:meth:`~tailwatch.comparison.metrics.kernels.Kernels.changes`).
- **Duplicates**: what each value adds to the share of repeated rows of C and of C₀
  (:func:`~tailwatch.comparison.metrics.neighbors.variance_of_change`).
- **Copies**: of A as it is, rows of C and C₀ that are not common are copies or not by themselves:
  two binomial shares, whose intervals (mid-P) are put together (MOVER, Zou & Donner 2008).

Halves vary on the scale of their metric (logit, log); deviations there are brought to that of the
metric by its slope at the whole, so that a share whose level is another in halves does not look
more variable. Clipped metrics are cut at 1 and their halves are not. A value at the cut does not
move with the other one, so that nothing cancels: there the interval is MOVER of the intervals of
both values, none where both are at the cut, and elsewhere it reaches no farther than that. Where a
share counts fewer than ten rows on one side, halves do not tell, and the interval reaches at least
as far as MOVER of the two binomial ones under their correlation (Zou 2007): of candidate rows the
share ρ that is common; of reference rows, which common, new and old rows miss independently, with q
missed of either, (q^(2−ρ) − q²)/(q − q²).

The file is long because every kind of error has its interval here, from the same two candidates.

References: Efron & Stein (1981), The jackknife estimate of variance; Zou (2007), Toward using
confidence intervals to compare correlations; Zou & Donner (2008), Construction of confidence limits
about effect measures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import polars as pl

from tailwatch._core import NoValue
from tailwatch.comparison.estimates import (
    Binomial,
    ClosedVariance,
    HalfSamples,
    NoInterval,
    Spread,
    complementary_parts,
    degrees_of_freedom,
    standard_error,
)
from tailwatch.comparison.halves import GROUPS, hashes_of
from tailwatch.comparison.intervals import (
    FEW_ROWS,
    binomial_interval,
    counts_few,
    difference_of,
    present_binomial,
    smoothed,
)
from tailwatch.comparison.metrics.clusters import Modes
from tailwatch.comparison.metrics.kernels import Kernels
from tailwatch.comparison.metrics.moments import MomentMetrics
from tailwatch.comparison.metrics.neighbors import Copies, Duplicates, variance_of_change
from tailwatch.comparison.registry import METRICS
from tailwatch.distributions import (
    binomial_at_least,
    normal_quantile,
    normal_tail,
    t_quantile,
    t_tail,
)
from tailwatch.metrics.embeddings.directions import Area

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.frame import Row
    from tailwatch.comparison.preparation import Pairing
    from tailwatch.progress import Settings

    Estimates: TypeAlias = Mapping[str, Sequence[Estimate]]
    Key: TypeAlias = tuple[str, float | None]

__all__ = ["SCHEMA", "Change", "change_frame", "changes_of"]

OF_REFERENCE: Final = frozenset(
    {"recall", "coverage", "clipped_coverage", "tail_coverage", "tail_recall"}
)
"""Shares of reference rows; other shares are of candidate rows."""


MODES: Final = "mode_coverage"
ROUNDING: Final = 1e-6
OF_ITS_OWN: Final = (
    "each probe is fitted to its own candidate, and no error of a difference of two is known"
)
IN_COMMON: Final = "all rows in common"
REPEATED: Final = (
    "rows are repeated within a sample, and no error of a change is known of such rows"
)

CUT: Final = frozenset({"clipped_density", "clipped_coverage"})
"""Metrics that are cut at 1, and parts of which are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is known of the change of one metric at one level.

    Attributes
    ----------
    metric, level, direction
        As in the frame of a comparison.
    value, baseline
        metric(A, C) and metric(A, C₀), for one half A of the reference.
    change, low, high
        value − baseline with its interval.
    retention, retention_low, retention_high
        What the candidate retains of the null, as in the frame.
    baseline_retention
        What the baseline does.
    baseline_low, baseline_high
        Interval of what the baseline retains.
    n_reference, n_candidate, n_common
        Rows of A, of C and C₀ each, and of those in both.
    p_value
        Of no change; two-sided.
    method
        How the interval was made; none without an interval.
    reason
        Why there is no interval, or no change.
    """

    metric: str
    level: float | None
    direction: str | None
    value: float | None
    baseline: float | None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    retention: float | None = None
    retention_low: float | None = None
    retention_high: float | None = None
    baseline_retention: float | None = None
    baseline_low: float | None = None
    baseline_high: float | None = None
    n_reference: int | None = None
    n_candidate: int | None = None
    n_common: int | None = None
    p_value: float | None = None
    method: str | None = None
    reason: str | None = None


_TYPES: dict[str, type[pl.DataType]] = {"str": pl.String, "float": pl.Float64, "int": pl.Int64}

SCHEMA = {field.name: _TYPES[str(field.type).split()[0]] for field in fields(Change)}
"""Columns of the frame of changes."""


def change_frame(changes: Iterable[Change]) -> pl.DataFrame:
    """Make a frame of changes."""
    rows = [tuple(getattr(one, name) for name in SCHEMA) for one in changes]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@dataclass(frozen=True, slots=True)
class _Interval:
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    method: str | None = None
    reason: str | None = None


def changes_of(
    pairing: Pairing,
    new: tuple[Estimates, Sequence[Row]],
    old: tuple[Estimates, Sequence[Row]],
    confidence: float,
    settings: Settings,
) -> list[Change]:
    """Return the change of each metric, in the order of the frame.

    Parameters
    ----------
    pairing
        Candidate and baseline beside the same human halves.
    new, old
        Estimates of candidate and baseline, each with the rows of a frame that were made of them.
    confidence
        Of each interval.
    settings
        Of the core.
    """
    of_new, of_old = (
        {(each.metric, each.level): each for some in found.values() for each in some}
        for found, _ in (new, old)
    )
    known = _Known(pairing, confidence, settings)
    changes = []
    for row, before in zip(new[1], old[1], strict=True):
        key, metric = (str(row.metric), row.level), METRICS[str(row.metric)]
        common = known.common_bounded if metric.quadratic else known.common
        made = known.interval(of_new[key], of_old[key])
        if metric.name in CUT:
            made = _beside_cut(made, row, before, confidence)
        both = row.value is not None and before.value is not None
        changes.append(
            Change(
                metric=metric.name,
                level=row.level,
                direction=row.direction,
                value=row.value,
                baseline=before.value,
                change=of_new[key].value - of_old[key].value if both else None,
                low=made.low,
                high=made.high,
                retention=row.retention,
                retention_low=row.retention_low,
                retention_high=row.retention_high,
                baseline_retention=before.retention,
                baseline_low=before.retention_low,
                baseline_high=before.retention_high,
                n_reference=row.n_reference,
                n_candidate=row.n_candidate,
                n_common=int(common.sum()),
                p_value=made.p_value,
                method=made.method,
                reason=made.reason,
            )
        )
    return changes


def _beside_cut(made: _Interval, new: Row, old: Row, confidence: float) -> _Interval:
    """Return the interval of a change of a metric that is cut at 1.

    Of a value at the cut nothing moves with the other one, though its halves do.
    """
    ends = new.value, new.low, new.high, old.value, old.low, old.high
    n, n_low, n_high, o, o_low, o_high = (math.nan if end is None else end for end in ends)
    low, high = difference_of((n, n_low, n_high), (o, o_low, o_high))
    if made.low is None or made.high is None or not math.isfinite(low + high):
        return made
    if min(n, o) >= 1 and made.method != IN_COMMON:
        return _Interval(
            p_value=1.0, reason="both values are cut at 1, and how far beyond is not seen"
        )
    if max(n, o) < 1 or made.method == IN_COMMON:
        return replace(made, low=max(made.low, low), high=min(made.high, high))
    change = n - o
    side = change - low if change > 0 else high - change
    z = normal_quantile(0.5 + confidence / 2)
    p_value = min(2 * normal_tail(z * abs(change) / side), 1.0) if side > 0 else None
    return _Interval(low, high, p_value, "both intervals")


class _Known:
    """What the errors of changes are known from, besides those of values."""

    def __init__(self, pairing: Pairing, confidence: float, settings: Settings) -> None:
        self._confidence = confidence
        new, old = pairing.new.candidate, pairing.old.candidate
        hashes = hashes_of(new.rows, settings), hashes_of(old.rows, settings)
        self.common = hashes[0] == hashes[1]
        self._of_repeated = 0.0
        self.common_bounded = self.common[: new.bounded.shape[0]]
        self._counted: list[dict[Key, Estimate]] = []
        if pairing.counted is not None:
            self._counted = [
                {
                    (each.metric, each.level): each
                    for family in pairing.counted.families(settings)
                    for each in family.estimates(candidate, settings)
                }
                for candidate in (new, old)
            ]
        self._kernels: dict[str, tuple[float, float]] = {}
        self._influences: dict[str, NDArray[np.float64]] = {}
        self._copies: dict[str, tuple[int, int]] = {}
        self._chance_of_modes: dict[float, float] = {}
        apart = np.flatnonzero(~self.common)
        of_bounded = np.flatnonzero(~self.common_bounded)
        self._apart = len(apart)
        for family in pairing.new.prepared.families(settings):
            if isinstance(family, Kernels):
                self._kernels = {name: (d, v) for name, d, v in family.changes(new, old)}
            elif isinstance(family, MomentMetrics):
                now, before = (family.influences(each, settings) for each in (new, old))
                both = now.keys() & before.keys()
                self._influences = {name: now[name] - before[name] for name in both}
            elif isinstance(family, Copies) and len(apart):
                of_new = family.alone(new.rows.take(apart), settings)
                of_old = family.alone(old.rows.take(apart), settings)
                self._copies = {name: (of_new[name], of_old[name]) for name in of_new}
            elif isinstance(family, Duplicates):
                self._of_repeated = variance_of_change(*hashes)
            elif isinstance(family, Modes) and len(of_bounded):
                sides = new.bounded.take(of_bounded), old.bounded.take(of_bounded)
                self._chance_of_modes = family.chances(*sides, settings)

    def interval(self, new: Estimate, old: Estimate) -> _Interval:
        """Return the interval of a change."""
        for error in (new.error, old.error):
            if isinstance(error, NoValue):
                return _Interval(reason=error.reason)
        for error in (new.error, old.error):
            if isinstance(error, NoInterval):
                chance = None
                if new.metric == MODES and new.level is not None:
                    chance = self._chance_of_modes.get(new.level)
                return _Interval(p_value=chance, reason=error.reason)
        change = new.value - old.value
        if not math.isfinite(change):
            return _Interval(reason="a value is infinite")
        if self.common.all():
            return _Interval(change, change, None, IN_COMMON)
        return self._of_numbers(new, old, change)

    def _of_numbers(self, new: Estimate, old: Estimate, change: float) -> _Interval:
        """Return the interval of a finite change of values that have intervals."""
        if isinstance(new.error, Area):
            return _Interval(reason=OF_ITS_OWN)
        if isinstance(new.error, ClosedVariance):
            return self._of_kernel(new.metric, change)
        if isinstance(new.error, Binomial) and isinstance(old.error, Binomial):
            if new.metric == Duplicates.NAME:
                return self._of_duplicates((new.value, new.error), (old.value, old.error), change)
            return self._of_binomial(new.metric, new.error.total)
        return self._of_parts(new, old, change)

    def _of_kernel(self, metric: str, change: float) -> _Interval:
        if metric not in self._kernels:
            return _Interval(reason="all rows are equal")
        of_draws, variance = self._kernels[metric]
        if abs(of_draws - change) > ROUNDING * (abs(change) + math.sqrt(variance)):
            return _Interval(reason=REPEATED)
        return self._normal(change, math.sqrt(variance), "closed variance of the difference")

    def _normal(self, change: float, spread: float, method: str) -> _Interval:
        margin = normal_quantile(0.5 + self._confidence / 2) * spread
        if not math.isfinite(margin):
            return _Interval(reason="its variance is not finite")
        p_value = min(2 * normal_tail(abs(change) / spread), 1.0) if spread > 0 else None
        return _Interval(change - margin, change + margin, p_value, method)

    def _of_binomial(self, metric: str, rows: float) -> _Interval:
        # Common rows are copies in both, or in neither.
        share, (new, old) = self._apart / rows, self._copies[metric]
        of_new, of_old = (
            (count / self._apart, *binomial_interval(count, self._apart, self._confidence))
            for count in (new, old)
        )
        low, high = difference_of(of_new, of_old)
        # Which of as many rows are copies is a coin's choice if there is no change.
        tails = binomial_at_least(new, new + old), binomial_at_least(old, new + old)
        p_value = min(2 * min(tails), 1.0)
        return _Interval(share * low, share * high, p_value, "binomial")

    def _of_duplicates(
        self, new: tuple[float, Binomial], old: tuple[float, Binomial], change: float
    ) -> _Interval:
        """Return the interval of a change of repeated rows: from values, or of few by counts."""
        made = self._normal(change, math.sqrt(self._of_repeated), "variance over values")
        of_new, of_old = (
            (value, *binomial_interval(value * error.total, error.total, self._confidence))
            for value, error in (new, old)
        )
        few = min(min(value, 1 - value) * error.total for value, error in (new, old)) < FEW_ROWS
        if not few or made.low is None or made.high is None:
            return made
        least = difference_of(of_new, of_old, correlation=float(self.common.mean()))
        low, high = min(made.low, least[0]), max(made.high, least[1])
        side = change - low if change > 0 else high - change
        z = normal_quantile(0.5 + self._confidence / 2)
        p_value = min(2 * normal_tail(z * abs(change) / side), 1.0) if side > 0 else None
        return replace(made, low=low, high=high, p_value=p_value)

    def _of_parts(self, new: Estimate, old: Estimate, change: float) -> _Interval:
        key, method = (new.metric, new.level), "paired complementary halves"
        errors = new.error, old.error
        is_counted = bool(self._counted) and key in self._counted[0]
        if is_counted:
            errors = self._counted[0][key].error, self._counted[1][key].error
        now, before = errors
        if not isinstance(now, HalfSamples) or not isinstance(before, HalfSamples):
            return _Interval(reason="halves of the samples have no value")
        moved = _deviations(now) - _deviations(before)
        if not np.isfinite(moved).all():
            return _Interval(reason="halves of the samples have no finite value")
        if new.metric in self._influences:
            of_rows = self._of_rows(self._influences[new.metric])
            even = complementary_parts(moved[1:])[1]
            variance = max(of_rows - even, of_rows / 2)
            return self._normal(change, math.sqrt(variance), "paired influences")
        if is_counted:
            known = 1 / (2 / (len(moved) - 1) + 1 / (GROUPS - 1))
            spread = Spread(math.sqrt(complementary_parts(moved[1:])[0]), known)
        else:
            spread = Spread(standard_error(moved, now), degrees_of_freedom(moved, now))
            if not now.complementary:
                method = "paired three-quarters" if now.kept > 0.5 else "paired halves"
        margin = t_quantile(0.5 + self._confidence / 2, spread.degrees_of_freedom)
        low, high = change - margin * spread.error, change + margin * spread.error
        if now.scale == "share" and (counts_few(now) or counts_few(before)):
            least = difference_of(
                present_binomial(now, self._confidence),
                present_binomial(before, self._confidence),
                correlation=self._correlation(new.metric, now, before),
            )
            low, high = min(low, least[0]), max(high, least[1])
        # By the side of the interval that is nearest to no change.
        side = change - low if change > 0 else high - change
        p_value = None
        if side > 0:
            statistic = margin * abs(change) / side
            p_value = min(2 * t_tail(statistic, spread.degrees_of_freedom), 1.0)
        return _Interval(low, high, p_value, method)

    def _of_rows(self, influences: NDArray[np.float64]) -> float:
        """Return the variance of the mean of what rows add, common rows and others apart."""
        sums = [
            float(part.var(ddof=1)) * len(part) if len(part) > 1 else float((part**2).sum())
            for part in (influences[self.common], influences[~self.common])
        ]
        return sum(sums) / len(influences) ** 2

    def _correlation(self, metric: str, new: HalfSamples, old: HalfSamples) -> float:
        """Return the correlation of two shares that count few rows."""
        common = self.common_bounded if METRICS[metric].quadratic else self.common
        share = float(common.mean())
        if metric not in OF_REFERENCE:
            return share
        missed = 1 - (float(smoothed(new)[0]) + float(smoothed(old)[0])) / 2
        return float((missed ** (2 - share) - missed**2) / (missed - missed**2))


def _deviations(error: HalfSamples) -> NDArray[np.float64]:
    """Return how far parts are from the whole, on the scale of the metric."""
    counted = error.values
    value = float(counted[0])
    if error.scale == "share":
        from scipy.special import logit

        shares = smoothed(error)
        share = float(shares[0])
        slope = _slope(error, share, 1e-6 * min(share, 1 - share)) * share * (1 - share)
        away: NDArray[np.float64] = slope * (logit(shares) - logit(share))
        return away
    if error.scale == "ratio" and (counted > 0).all():
        return value * (np.log(counted) - math.log(value))
    slope = _slope(error, value, 1e-6 * abs(value) or 1e-6)
    return slope * (counted - value)


def _slope(error: HalfSamples, at: float, step: float) -> float:
    ends = error.present(np.array([at - step, at + step]))
    return float(ends[1] - ends[0]) / (2 * step)

"""The frame of a comparison: one row per metric and level, with all that is known of its number."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, fields, replace
from typing import TYPE_CHECKING

import polars as pl

from tailwatch._core import NoValue
from tailwatch.comparison.estimates import Binomial, ClosedVariance, CountedRows
from tailwatch.comparison.intervals import (
    farther_than_zero,
    interval_of_distance,
    intervals_of,
)
from tailwatch.comparison.registry import METRICS
from tailwatch.distributions import clopper_pearson_interval
from tailwatch.metrics.embeddings.directions import Area
from tailwatch.metrics.embeddings.tail_test import TailCounts, tail_test_of_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.metrics.family import Whole
    from tailwatch.comparison.preparation import Meeting

__all__ = ["SCHEMA", "Row", "frame_of", "rows_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is known of one metric at one level.

    Attributes
    ----------
    metric, level
        Name of the metric, and its tail level if it has one; no metric for a class that was not
        compared.
    value, low, high
        metric(A, C) with its interval, for halves A and B of the reference and C of the candidate.
    null, null_low, null_high
        metric(A, B) with its interval.
    standard_error
        Of the null of a divergence: the unit that its retention counts in.
    retention, retention_low, retention_high
        value / null, or for divergences (``direction`` ``"lower"``) (value − null) in standard
        errors of the null.
    value_all
        The metric on all rows of the reference and of the candidate (within ``max_rows``).
    direction
        ``"higher"``, ``"lower"``, or ``"match"`` (the null).
    n_reference, n_candidate
        Rows of A and of C that entered.
    low_all, high_all
        Interval of `value_all`: exact for the odds in a pooled tail, for copies and for duplicates,
        in closed form for squared distances and areas.
    n_reference_all, n_candidate_all
        Rows that entered `value_all`.
    tail_rows, tail_rows_all
        Of the odds in a pooled tail: rows of C, or of the whole candidate, in it, those tied at its
        edge in proportion.
    variance_ratio_all
        Variance of `tail_rows_all` over that of rows no two of which are equally rare or copies of
        each other; 1 for continuous data.
    p_value
        Of the candidate being another sample of the human distribution: exact for the odds in
        a pooled tail, for copies, duplicates and modes, one-sided for squared distances; else
        two-sided.
    method
        How the interval was made; none without an interval.
    reason
        Why there is no interval, or no value.
    """

    metric: str | None = None
    level: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    null: float | None = None
    null_low: float | None = None
    null_high: float | None = None
    standard_error: float | None = None
    retention: float | None = None
    retention_low: float | None = None
    retention_high: float | None = None
    value_all: float | None = None
    low_all: float | None = None
    high_all: float | None = None
    direction: str | None = None
    n_reference: int | None = None
    n_candidate: int | None = None
    n_reference_all: int | None = None
    n_candidate_all: int | None = None
    tail_rows: float | None = None
    tail_rows_all: float | None = None
    variance_ratio_all: float | None = None
    p_value: float | None = None
    method: str | None = None
    reason: str | None = None


_TYPES: dict[str, type[pl.DataType]] = {"str": pl.String, "float": pl.Float64, "int": pl.Int64}

SCHEMA = {field.name: _TYPES[str(field.type).split()[0]] for field in fields(Row)}
"""Columns of the frame."""


def frame_of(rows: Iterable[Row]) -> pl.DataFrame:
    """Make a frame of rows."""
    return pl.DataFrame([astuple(row) for row in rows], schema=SCHEMA, orient="row")


def _has_variance(estimate: Estimate) -> bool:
    """Return whether a distance is known to have a variance: of heavy tails it has none."""
    return isinstance(estimate.error, ClosedVariance)


def rows_of(
    meeting: Meeting,
    found: Mapping[str, Sequence[Estimate]],
    confidence: float,
    wholes: Sequence[Whole] = (),
) -> list[Row]:
    """Give the estimates their intervals and the values on all rows, in the order of the frame."""
    candidate, sizes = meeting.candidate, meeting.prepared.sizes
    on_all = {(metric, level): (value, known) for metric, level, value, known in wholes}
    rows = []
    for metric in METRICS.values():
        if metric.name not in meeting.prepared.panel.names:
            continue
        if metric.quadratic:
            n, n_all = sizes.bounded_half, sizes.bounded_whole
            c, y = candidate.bounded, candidate.bounded_whole
        else:
            n, n_all = sizes.half, sizes.whole
            c, y = candidate.rows, candidate.whole
        for estimate in found[metric.name]:
            made = intervals_of(estimate, metric.direction, confidence)
            missing = isinstance(estimate.error, NoValue) or math.isnan(estimate.value)
            row = Row(
                metric=metric.name,
                level=estimate.level,
                value=None if missing else estimate.value,
                low=made.value[0],
                high=made.value[1],
                null=None if math.isnan(estimate.null) else estimate.null,
                null_low=made.null[0],
                null_high=made.null[1],
                standard_error=made.standard_error,
                retention=made.retention,
                retention_low=made.retained[0],
                retention_high=made.retained[1],
                direction=metric.direction,
                n_reference=n,
                n_candidate=c.shape[0],
                tail_rows=estimate.tail_rows,
                p_value=made.p_value if estimate.p_value is None else estimate.p_value,
                method=made.method,
                reason=made.reason,
            )
            whole = on_all.get((metric.name, estimate.level))
            if whole is not None:
                value, known = whole
                row = replace(
                    row,
                    value_all=value,
                    n_reference_all=n_all,
                    n_candidate_all=y.shape[0],
                )
                if isinstance(known, CountedRows):
                    row = replace(row, n_candidate_all=known.rows, p_value=known.p_value)
                if isinstance(estimate.error, Binomial) and value is not None:
                    total = known.total if isinstance(known, CountedRows) else y.shape[0]
                    low, high = clopper_pearson_interval(value * total, total, confidence)
                    row = replace(row, low_all=low, high_all=high)
                if isinstance(known, TailCounts):
                    tested = tail_test_of_counts(known, confidence)
                    row = replace(
                        row,
                        low_all=tested.low,
                        high_all=tested.high,
                        tail_rows_all=known.candidate,
                        variance_ratio_all=known.variance_ratio,
                        p_value=tested.p_value,
                    )
                elif isinstance(known, Area):
                    low, high = known.interval(confidence)
                    row = replace(row, low_all=low, high_all=high, p_value=known.p_value)
                elif isinstance(known, float):
                    row = replace(row, p_value=known)
                elif (
                    isinstance(known, ClosedVariance)
                    and value is not None
                    and _has_variance(estimate)
                ):
                    low, high = interval_of_distance(value, known.value, known.slope, confidence)
                    row = replace(
                        row,
                        low_all=low,
                        high_all=high,
                        p_value=farther_than_zero(value, known),
                    )
            rows.append(row)
    return rows

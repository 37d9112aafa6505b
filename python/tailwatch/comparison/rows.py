"""The rows of a comparison's frame, from estimates and values on all rows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from tailwatch._core import NoValue
from tailwatch.comparison.frame import Row
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.metrics.family import Whole
    from tailwatch.comparison.reference import Meeting

__all__ = ["rows_of"]


def rows_of(
    meeting: Meeting,
    found: Mapping[str, Sequence[Estimate]],
    confidence: float,
    wholes: Sequence[Whole] = (),
) -> list[Row]:
    """Give the estimates their intervals and the values on all rows, in the order of the frame."""
    prepared, candidate, human = meeting.prepared, meeting.candidate, meeting.human
    on_all = {(metric, level): (value, tail) for metric, level, value, tail in wholes}
    rows = []
    for metric in METRICS.values():
        if metric.name not in prepared.panel.names:
            continue
        if metric.quadratic:
            a, c = prepared.halves.bounded[0], candidate.bounded
            x, y = human.bounded_whole, candidate.bounded_whole
        else:
            a, c = prepared.halves.rows[0], candidate.rows
            x, y = human.whole, candidate.whole
        for estimate in found[metric.name]:
            made = intervals_of(estimate, metric.direction, confidence)
            missing = isinstance(estimate.error, NoValue)
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
                n_reference=a.shape[0],
                n_candidate=c.shape[0],
                tail_rows=estimate.tail_rows,
                method=made.method,
                reason=made.reason,
            )
            whole = on_all.get((metric.name, estimate.level))
            if whole is not None:
                value, tail = whole
                row = replace(
                    row,
                    value_all=value,
                    n_reference_all=x.shape[0],
                    n_candidate_all=y.shape[0],
                    tail_rows_all=None if tail is None else tail.candidate,
                )
            rows.append(row)
    return rows

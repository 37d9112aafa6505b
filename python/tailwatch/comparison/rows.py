"""The rows of a comparison's frame, family by family."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tailwatch._core import NoValue
from tailwatch.comparison.families import FAMILIES
from tailwatch.comparison.frame import Row
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.families.panel import Panel
    from tailwatch.comparison.metric import Family, Metric
    from tailwatch.comparison.samples import Samples
    from tailwatch.metrics.embeddings.tail_test import TailCounts
    from tailwatch.progress import Settings

__all__ = ["Whole", "estimates_of", "rows_of", "wholes_of"]


class Whole(NamedTuple):
    """The value of a metric on all rows; with the odds in a pooled tail, what they are made of."""

    metric: str
    level: float | None
    value: float | None
    tail: TailCounts | None = None


def estimates_of(samples: Samples, panel: Panel, settings: Settings) -> dict[str, list[Estimate]]:
    """Compute the estimates of each metric, one per level."""
    found: dict[str, list[Estimate]] = {}
    for family in _families(panel):
        for estimate in FAMILIES[family].estimates(samples, panel, settings):
            found.setdefault(estimate.metric, []).append(estimate)
    return found


def rows_of(
    found: Mapping[str, Sequence[Estimate]],
    samples: Samples,
    panel: Panel,
    confidence: float,
    wholes: Sequence[Whole] = (),
) -> list[Row]:
    """Give the estimates their intervals and the values on all rows, in the order of the frame."""
    on_all = {(whole.metric, whole.level): whole for whole in wholes}
    rows = []
    for metric in _chosen(panel):
        a, _, c = samples.bounded if metric.quadratic else samples.halves
        reference, candidate = samples.bounded_wholes if metric.quadratic else samples.wholes
        for estimate in found[metric.name]:
            made = intervals_of(estimate, metric.direction, confidence)
            missing = isinstance(estimate.error, NoValue)
            row = Row(
                metric=metric.name,
                level=estimate.level,
                value=None if missing else estimate.value,
                low=made.value[0],
                high=made.value[1],
                null=None if missing else estimate.null,
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
                row = replace(
                    row,
                    value_all=whole.value,
                    n_reference_all=reference.shape[0],
                    n_candidate_all=candidate.shape[0],
                    tail_rows_all=None if whole.tail is None else whole.tail.candidate,
                )
            rows.append(row)
    return rows


def wholes_of(samples: Samples, panel: Panel, settings: Settings) -> list[Whole]:
    """Compute the values on all rows."""
    return [
        Whole(*found)
        for family in _families(panel)
        for found in FAMILIES[family].full(samples, panel, settings)
    ]


def _chosen(panel: Panel) -> list[Metric]:
    return [metric for metric in METRICS.values() if metric.name in panel.names]


def _families(panel: Panel) -> list[Family]:
    return list(dict.fromkeys(metric.family for metric in _chosen(panel)))

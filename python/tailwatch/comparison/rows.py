"""The rows of a comparison's frame, family by family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tailwatch.comparison.estimates import NoValue
from tailwatch.comparison.families import FAMILIES
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.families.panel import Panel
    from tailwatch.comparison.metric import Family, Metric
    from tailwatch.comparison.samples import Samples
    from tailwatch.metrics.tail_test import TailCounts
    from tailwatch.running import Settings

__all__ = ["Whole", "estimates_of", "full_rows", "rows_of", "split_rows", "wholes_of"]

Row = tuple[Any, ...]


class Whole(NamedTuple):
    """The value of a metric on all rows; with the odds in a pooled tail, what they are made of."""

    metric: str
    level: float | None
    value: float | None
    tail: TailCounts | None = None


def split_rows(
    samples: Samples, panel: Panel, confidence: float, settings: Settings
) -> list[tuple[Any, ...]]:
    """Compute the rows of the frame that have a null."""
    return rows_of(estimates_of(samples, panel, settings), samples, panel, confidence)


def estimates_of(samples: Samples, panel: Panel, settings: Settings) -> dict[str, list[Estimate]]:
    """Compute the estimates of each metric, one per level."""
    found: dict[str, list[Estimate]] = {}
    for family in _families(panel):
        for estimate in FAMILIES[family].estimates(samples, panel, settings):
            found.setdefault(estimate.metric, []).append(estimate)
    return found


def rows_of(
    found: Mapping[str, Sequence[Estimate]], samples: Samples, panel: Panel, confidence: float
) -> list[Row]:
    """Give the estimates their intervals, in the order of the frame."""
    rows = []
    for metric in _chosen(panel):
        used = samples.bounded if metric.quadratic else samples.halves
        for estimate in found[metric.name]:
            made = intervals_of(estimate, metric.direction, confidence)
            missing = isinstance(estimate.error, NoValue)
            value, null = (None, None) if missing else (estimate.value, estimate.null)
            numbers = (value, *made.value, null, *made.null)
            retained = (made.retention, *made.retained)
            counts = (used[0].shape[0], used[2].shape[0])
            rows.append(
                (
                    metric.name,
                    estimate.level,
                    *numbers,
                    *retained,
                    metric.direction,
                    *counts,
                    estimate.tail_rows,
                    made.method,
                )
            )
    return rows


def wholes_of(samples: Samples, panel: Panel, settings: Settings) -> list[Whole]:
    """Compute the values on all rows."""
    return [
        Whole(*found)
        for family in _families(panel)
        for found in FAMILIES[family].full(samples, panel, settings)
    ]


def full_rows(wholes: Sequence[Whole], samples: Samples, panel: Panel) -> list[Row]:
    """Lay out the values on all rows, in the order of the frame."""
    rows = []
    for metric in _chosen(panel):
        used = samples.bounded_wholes if metric.quadratic else samples.wholes
        counts = (used[0].shape[0], used[1].shape[0])
        for whole in wholes:
            if whole.metric == metric.name:
                number = (whole.value, *(None,) * 8)
                tail_rows = None if whole.tail is None else whole.tail.candidate
                leading = (metric.name, whole.level, *number)
                rows.append((*leading, metric.direction, *counts, tail_rows, "full"))
    return rows


def _chosen(panel: Panel) -> list[Metric]:
    return [metric for metric in METRICS.values() if metric.name in panel.names]


def _families(panel: Panel) -> list[Family]:
    return list(dict.fromkeys(metric.family for metric in _chosen(panel)))

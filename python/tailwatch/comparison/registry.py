"""What each metric of a comparison is: one entry per metric."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["METRICS", "PANELS", "Direction", "Metric", "select"]

Direction = Literal["higher", "lower", "match"]
"""Which way is better: up, down, or equal to the null (below it is loss, above it widening)."""

Family = Literal["neighbors", "modes", "directional", "gaussian", "kernels"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a comparison.

    Attributes
    ----------
    name
        In the ``metric`` column of the frame.
    direction
        Which way is better.
    family
        Metrics of one family are computed together.
    by_level
        Whether there is a row per tail level.
    quadratic
        Whether the cost grows with the square of the rows, so that ``max_rows`` bounds it.
    """

    name: str
    direction: Direction
    family: Family
    by_level: bool = False
    quadratic: bool = False


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("precision", "higher", "neighbors", quadratic=True),
        Metric("recall", "higher", "neighbors", quadratic=True),
        Metric("density", "match", "neighbors", quadratic=True),
        Metric("coverage", "higher", "neighbors", quadratic=True),
        Metric("tail_coverage", "higher", "neighbors", by_level=True, quadratic=True),
        Metric("tail_recall", "higher", "neighbors", by_level=True, quadratic=True),
        Metric("tail_mass", "match", "neighbors", by_level=True, quadratic=True),
        Metric("tail_supported_mass", "match", "neighbors", by_level=True, quadratic=True),
        Metric("tail_odds_ratio", "match", "neighbors", by_level=True, quadratic=True),
        Metric("mode_coverage", "higher", "modes", quadratic=True),
        Metric("directional_tails", "match", "directional"),
        Metric("frechet_distance", "lower", "gaussian"),
        Metric("mmd_polynomial", "lower", "kernels", quadratic=True),
        Metric("mmd_gaussian", "lower", "kernels", quadratic=True),
        Metric("energy_distance", "lower", "kernels", quadratic=True),
        Metric("total_variance", "match", "gaussian"),
        Metric("effective_rank", "match", "gaussian"),
        Metric("participation_ratio", "match", "gaussian"),
    )
}
"""All metrics, in the order of the frame."""

PANELS: dict[str, tuple[str, ...]] = {
    "standard": tuple(METRICS),
    "fast": tuple(name for name, metric in METRICS.items() if not metric.quadratic),
}
"""Named selections."""


def select(metrics: str | Sequence[str]) -> tuple[Metric, ...]:
    """Return the metrics that a panel's name or a list of names asks for, in the frame's order."""
    given: object = metrics
    if not isinstance(given, Iterable) or not all(isinstance(name, str) for name in given):
        message = f"metrics: expected a panel's name or names of metrics, got {metrics!r}"
        raise InputError(message)
    names = PANELS.get(metrics, (metrics,)) if isinstance(metrics, str) else tuple(metrics)
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        known = ", ".join([*(repr(panel) for panel in PANELS), *METRICS])
        what = f"unknown {unknown[0]!r}" if unknown else "none"
        message = f"metrics: {what}; expected a panel or metrics out of {known}"
        raise InputError(message)
    return tuple(metric for name, metric in METRICS.items() if name in names)

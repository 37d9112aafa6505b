"""From the frame of a loop to plots: one metric at one level, a curve for each run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.report.labels import percent
from tailwatch.report.numbers import Estimate
from tailwatch.report.recursion.words import describe_loop

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tailwatch.report.labels import Label
    from tailwatch.report.recursion.arms import Arm

__all__ = ["NEAREST_LEVEL", "Curve", "Plot", "Point", "finite", "plots_of", "spread_out"]

NEAREST_LEVEL = 0.05
"""Of the levels of a tail metric, the one nearest to this is drawn."""

_COLUMNS = (
    *("group", "metric", "level", "run", "generation", "theory"),
    *("value", "low", "high", "null", "null_low", "null_high"),
)


@dataclass(frozen=True, slots=True)
class Point:
    """What one generation of one run shows."""

    generation: int
    value: Estimate
    null: Estimate
    theory: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """What a run shows of one metric, by generation."""

    arm: Arm
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """One metric at one level; `group` says what of a run it is about."""

    group: str
    metric: str
    level: float | None
    curves: tuple[Curve, ...]

    @property
    def label(self) -> Label:
        """The words for the metric."""
        return describe_loop(self.metric, self.group)

    @property
    def name(self) -> str:
        """The metric and its level, in words."""
        return self.label.name + (f", {percent(self.level)}" if self.level is not None else "")

    @property
    def points(self) -> list[Point]:
        """The points of all curves."""
        return [point for curve in self.curves for point in curve.points]

    @property
    def generations(self) -> list[int]:
        """All generations, in order."""
        return sorted({point.generation for point in self.points})

    @property
    def null_band(self) -> list[tuple[int, Estimate]]:
        """What a fresh human sample would show: the mean null, and the widest of its intervals.

        Runs have nulls of their own where the sizes of their data differ.
        """
        found: dict[int, list[Estimate]] = {}
        for point in self.points:
            if finite(point.null.value) is not None:
                found.setdefault(point.generation, []).append(point.null)
        return [(generation, _around(found[generation])) for generation in sorted(found)]


def plots_of(
    frame: pl.DataFrame, arms: Sequence[Arm], metrics: Iterable[str] | None = None
) -> list[Plot]:
    """Return a plot for each metric, at the level nearest to 5 % where it has levels.

    Parameters
    ----------
    frame
        Rows of a loop's frame.
    arms
        The runs to draw.
    metrics
        Which, in order; by default all, as they first appear.

    Returns
    -------
    list of Plot
        Metrics without any value are left out.
    """
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in frame.filter(pl.col("value").is_not_null()).select(_COLUMNS).to_dicts():
        found.setdefault((row["group"], row["metric"]), []).append(row)
    drawn = [_plot(group, metric, rows, arms) for (group, metric), rows in found.items()]
    plots = [plot for plot in drawn if plot.curves]
    if metrics is None:
        return plots
    return [plot for name in metrics for plot in plots if plot.metric == name]


def spread_out(generations: Sequence[int], most: int) -> list[int]:
    """Choose at most `most` of the generations, evenly, the first and the last among them."""
    if len(generations) <= most:
        return list(generations)
    last = len(generations) - 1
    return [generations[round(i * last / (most - 1))] for i in range(most)]


def finite(number: float | None) -> float | None:
    """Return a number that can be drawn, or None."""
    return number if number is not None and math.isfinite(number) else None


def _plot(group: str, metric: str, rows: Sequence[dict[str, Any]], arms: Sequence[Arm]) -> Plot:
    levels = sorted({row["level"] for row in rows if row["level"] is not None})
    level = min(levels, key=lambda it: abs(it - NEAREST_LEVEL)) if levels else None
    chosen: dict[str, dict[int, Point]] = {}
    for row in rows:
        if level is None or row["level"] == level:
            chosen.setdefault(row["run"], {}).setdefault(row["generation"], _point(row))
    curves = [
        Curve(arm, tuple(points[generation] for generation in sorted(points)))
        for arm in arms
        if (points := chosen.get(arm.name))
    ]
    return Plot(group, metric, level, tuple(curves))


def _point(row: dict[str, Any]) -> Point:
    return Point(
        generation=row["generation"],
        value=Estimate(row["value"], row["low"], row["high"]),
        null=Estimate(row["null"], row["null_low"], row["null_high"]),
        theory=row["theory"],
    )


def _around(nulls: Sequence[Estimate]) -> Estimate:
    values = [value for null in nulls if (value := finite(null.value)) is not None]
    lows = [low for null in nulls if (low := finite(null.low)) is not None]
    highs = [high for null in nulls if (high := finite(null.high)) is not None]
    return Estimate(
        fmean(values),
        min(lows) if lows else None,
        max(highs) if highs else None,
    )

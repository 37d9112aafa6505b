"""From the frame of a loop to plots: one metric at one level, a curve for each run.

The runs of a page are its arms, told apart by a colour and by a shape of marker.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.report.html import LINES, element, escape
from tailwatch.report.loop.words import SPREAD, TAILS, describe_loop
from tailwatch.report.svg import outline
from tailwatch.report.words import Number, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tailwatch.report.svg import Shape
    from tailwatch.report.words import Label

__all__ = [
    "MOST_ARMS",
    "NEAREST_LEVEL",
    "Arm",
    "Curve",
    "Plot",
    "Point",
    "arms_of",
    "finite",
    "opening_plots",
    "plots_of",
    "spread_out",
    "swatch",
]

NEAREST_LEVEL = 0.05
"""Of the levels of a tail metric, the one nearest to this is drawn."""

MOST_TAILS = 3
"""Metrics of tails in the opening."""

_COLUMNS = (
    *("group", "metric", "level", "run", "generation", "theory"),
    *("value", "low", "high", "null", "null_low", "null_high"),
)

_SHAPES: tuple[Shape, ...] = ("circle", "square", "triangle-up", "diamond", "triangle-down")

MOST_ARMS = len(LINES) * len(_SHAPES)
"""As many differ in colour or shape: the two lists have no common divisor."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A run among those that are drawn together.

    `colour` is a name of the palette, `alarm` the generation of its alarm, if it rang.
    """

    name: str
    place: int
    colour: str
    shape: Shape
    alarm: int | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """What one generation of one run shows."""

    generation: int
    value: Number
    null: Number
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
    label: Label
    level: float | None
    curves: tuple[Curve, ...]

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
    def null_band(self) -> list[tuple[int, Number]]:
        """What a fresh human sample would show: the mean null, and the widest of its intervals.

        Runs have nulls of their own where the sizes of their data differ.
        """
        found: dict[int, list[Number]] = {}
        for point in self.points:
            if finite(point.null.value) is not None:
                found.setdefault(point.generation, []).append(point.null)
        return [(generation, _around(found[generation])) for generation in sorted(found)]


def arms_of(frame: pl.DataFrame, alarms: pl.DataFrame | None = None) -> list[Arm]:
    """Return the arms of a frame, in the order in which its runs first appear.

    Parameters
    ----------
    frame
        Rows of a loop's frame.
    alarms
        The alarm of the run; under a column ``run`` if there are several.
    """
    names = frame["run"].unique(maintain_order=True).to_list()
    rang: dict[str, int] = {}
    if alarms is not None:
        runs = alarms["run"].to_list() if "run" in alarms.columns else names
        rang = dict(zip(runs, alarms["generation"].to_list(), strict=False))
    return [
        Arm(name, place, LINES[place % len(LINES)], _SHAPES[place % len(_SHAPES)], rang.get(name))
        for place, name in enumerate(names[:MOST_ARMS])
    ]


def swatch(arm: Arm) -> str:
    """Return a short piece of the line of an arm, and its name."""
    line = element("path", d="M-8,6h28", stroke="currentColor", stroke_width="2")
    key = element(
        "svg",
        line + element("g", outline(arm.shape, 6, 6, 8), fill="currentColor"),
        class_="tw-key",
        viewBox="-8 0 28 12",
        aria_hidden="true",
        style=f"color:var(--tw-{arm.colour})",
    )
    return f"{key}{escape(arm.name)}"


def plots_of(
    frame: pl.DataFrame,
    arms: Sequence[Arm],
    labels: Mapping[str, Label],
    metrics: Iterable[str] | None = None,
) -> list[Plot]:
    """Return a plot for each metric, at the level nearest to 5 % where it has levels.

    Parameters
    ----------
    frame
        Rows of a loop's frame.
    arms
        The runs to draw.
    labels
        What each metric of a comparison is called.
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
    plots = []
    for (group, metric), rows in found.items():
        level, curves = _curves(rows, arms)
        if curves:
            label = describe_loop(metric, labels, group)
            plots.append(Plot(group, metric, label, level, curves))
    if metrics is None:
        return plots
    return [plot for name in metrics for plot in plots if plot.metric == name]


def opening_plots(
    frame: pl.DataFrame, arms: Sequence[Arm], labels: Mapping[str, Label]
) -> list[Plot]:
    """Return the plots of tails and variance: what tells most, and what has a theory."""
    samples = frame.filter(pl.col("group").is_in(["panel", "moments", "model"]))
    fitted = frame.filter(pl.col("group") == "parameter", pl.col("theory").is_not_null())
    return [
        *plots_of(samples, arms, labels, TAILS)[:MOST_TAILS],
        *plots_of(samples, arms, labels, SPREAD),
        *plots_of(fitted, arms, labels, SPREAD),
    ]


def spread_out(generations: Sequence[int], most: int) -> list[int]:
    """Choose at most `most` of the generations, evenly, the first and the last among them."""
    if len(generations) <= most:
        return list(generations)
    last = len(generations) - 1
    return [generations[round(i * last / (most - 1))] for i in range(most)]


def finite(number: float | None) -> float | None:
    """Return a number that can be drawn, or None."""
    return number if number is not None and math.isfinite(number) else None


def _curves(
    rows: Sequence[dict[str, Any]], arms: Sequence[Arm]
) -> tuple[float | None, tuple[Curve, ...]]:
    """Return the level of a metric that is drawn, and its curves."""
    levels = sorted({row["level"] for row in rows if row["level"] is not None})
    level = min(levels, key=lambda it: abs(it - NEAREST_LEVEL)) if levels else None
    chosen: dict[str, dict[int, Point]] = {}
    for row in rows:
        if level is None or row["level"] == level:
            chosen.setdefault(row["run"], {}).setdefault(row["generation"], _point(row))
    return level, tuple(
        Curve(arm, tuple(points[generation] for generation in sorted(points)))
        for arm in arms
        if (points := chosen.get(arm.name))
    )


def _point(row: dict[str, Any]) -> Point:
    return Point(
        generation=row["generation"],
        value=Number(row["value"], row["low"], row["high"]),
        null=Number(row["null"], row["null_low"], row["null_high"]),
        theory=row["theory"],
    )


def _around(nulls: Sequence[Number]) -> Number:
    values = [value for null in nulls if (value := finite(null.value)) is not None]
    lows = [low for null in nulls if (low := finite(null.low)) is not None]
    highs = [high for null in nulls if (high := finite(null.high)) is not None]
    return Number(
        fmean(values),
        min(lows) if lows else None,
        max(highs) if highs else None,
    )

"""A forest plot: a line per reading, with its label, its interval against the null, its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import isnan
from typing import TYPE_CHECKING

from tailwatch.report.labels import percent
from tailwatch.report.numbers import ABSENT
from tailwatch.report.svg import Drawing, Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.report.readings import Reading, Status
    from tailwatch.report.svg import Shape

__all__ = ["NARROW", "WIDE", "Axis", "Layout", "forest"]

_COLOURS: dict[Status, str] = {
    "worse": "worse",
    "same": "muted",
    "beyond": "beyond",
    "unknown": "muted",
}
_SHAPES: dict[Status, Shape] = {
    "worse": "circle",
    "same": "circle",
    "beyond": "diamond",
    "unknown": "square",
}
_HOLLOW = ("same", "unknown")

_TOP, _BOTTOM = 34, 52
_HEADING = -18
_TITLE = 40
_SPACE = 6
_POINT = 9


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis: its title, the place of the null, and what lies on either side of it.

    `ticks` are texts by number; `linear_to` is that of its :class:`~tailwatch.report.svg.Scale`;
    `lines` heads the names on the left.
    """

    title: str
    numbers: str
    intervals: str
    neutral: float
    domain: tuple[float, float]
    ticks: dict[float, str]
    below: str
    above: str
    linear_to: float | None = None
    lines: str = "Metric"


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes in pixels; `stacked` sets a metric's name above its lines instead of beside them."""

    left: int
    plot: int
    right: int
    line: int
    gap: int
    font: int
    stacked: bool

    @property
    def numbers(self) -> float:
        """Where the values end; their intervals follow."""
        return self.plot + 0.4 * self.right


WIDE = Layout(left=216, plot=508, right=156, line=24, gap=12, font=13, stacked=False)
NARROW = Layout(left=42, plot=172, right=130, line=22, gap=8, font=12, stacked=True)


def forest(readings: Sequence[Reading], axis: Axis, layout: Layout) -> Drawing:
    """Draw `readings` from top to bottom.

    Parameters
    ----------
    readings
        What to draw; those of one metric must be neighbours.
    axis
        The horizontal axis.
    layout
        The sizes, :data:`WIDE` or :data:`NARROW`.

    Returns
    -------
    Drawing
        Where an interval leaves the axis, an arrow stands at the edge.
    """
    lines, names, height = _place(readings, layout)
    x = Scale(*axis.domain, 0, layout.plot, axis.linear_to)
    drawing = Drawing(
        layout.plot, height, left=layout.left, right=layout.right, top=_TOP, bottom=_BOTTOM
    )
    drawing.segments([(x(tick), 0, x(tick), height) for tick in axis.ticks], "line", 1)
    drawing.axis_below(x, axis.ticks, height, layout.font - 1, title=axis.title, far=_TITLE)
    half = 0.36 * layout.line
    drawing.bars(
        [
            (x.clipped(r.null_band[0]), y - half, x.clipped(r.null_band[1]), y + half)
            for r, y in lines
            if r.null_band
        ],
        "band",
    )
    drawing.segments([(x(axis.neutral), 0, x(axis.neutral), height)], "ink", 1)
    for status in _COLOURS:
        _draw(drawing, [(r, y) for r, y in lines if r.status == status], status, x)
    _write(drawing, lines, names, layout)
    _head(drawing, axis, layout, x(axis.neutral), tails=any(r.level is not None for r in readings))
    return drawing


def _place(
    readings: Sequence[Reading], layout: Layout
) -> tuple[list[tuple[Reading, float]], list[tuple[str, float]], float]:
    """Return where each reading and each metric's name stands, and the height of all."""
    lines: list[tuple[Reading, float]] = []
    names: list[tuple[str, float]] = []
    top = 0.0
    for _, group in groupby(readings, key=lambda reading: reading.metric):
        members = list(group)
        names.append((members[0].label.name, top + layout.line / 2))
        top += layout.line if layout.stacked else 0
        for reading in members:
            lines.append((reading, top + layout.line / 2))
            top += layout.line
        top += layout.gap
    return lines, names, top - layout.gap


def _draw(
    drawing: Drawing, lines: Sequence[tuple[Reading, float]], status: Status, x: Scale
) -> None:
    """Draw the readings of one status: intervals, points, arrows where either leaves the axis."""
    colour = _COLOURS[status]
    bars, points, lefts, rights = [], [], [], []
    for reading, y in lines:
        value, low, high = (reading.retention.value, reading.retention.low, reading.retention.high)
        if low is not None and high is not None and status != "unknown":
            bars.append((x.clipped(low), y, x.clipped(high), y))
        if value is not None and x.low <= value <= x.high:
            points.append((x(value), y))
        numbers = [n for n in (value, low, high) if n is not None and not isnan(n)]
        lefts += [(x.start, y)] if numbers and min(numbers) < x.low else []
        rights += [(x.end, y)] if numbers and max(numbers) > x.high else []
    drawing.segments(bars, colour, 2.5, stroke_linecap="round")
    drawing.points(lefts, "triangle-left", _POINT, fill=colour, stroke=colour, width=2)
    drawing.points(rights, "triangle-right", _POINT, fill=colour, stroke=colour, width=2)
    fill = "paper" if status in _HOLLOW else colour
    drawing.points(points, _SHAPES[status], _POINT, fill=fill, stroke=colour, width=2)


def _write(
    drawing: Drawing,
    lines: Sequence[tuple[Reading, float]],
    names: Sequence[tuple[str, float]],
    layout: Layout,
) -> None:
    """Write the labels on the left and the numbers on the right."""
    right, size = layout.numbers, layout.font
    written = [(reading.written_retention, y) for reading, y in lines]
    levels = [(-16, y, percent(r.level)) for r, y in lines if r.level is not None]
    values = [(right, y, text.value) for text, y in written]
    intervals = [
        (right + _SPACE, y, text.interval or ("" if text.value == ABSENT else "no interval"))
        for text, y in written
    ]
    drawing.texts([(-layout.left, y, name) for name, y in names], "ink", size, halo=True)
    drawing.texts(levels, "muted", size, anchor="end", halo=True)
    drawing.texts(values, "ink", size, anchor="end", weight=600, halo=True)
    drawing.texts(intervals, "muted", size, halo=True)


def _head(drawing: Drawing, axis: Axis, layout: Layout, null: float, *, tails: bool) -> None:
    """Write the line above the plot: what the columns hold and what lies beside the null."""
    left = "" if layout.stacked else f"{axis.lines}, tail" if tails else axis.lines
    starts = [
        (-layout.left, _HEADING, left),
        (layout.numbers + _SPACE, _HEADING, axis.intervals),
        (null + 8, _HEADING, axis.above),
    ]
    ends = [(layout.numbers, _HEADING, axis.numbers), (null - 8, _HEADING, axis.below)]
    drawing.texts(starts, "muted", layout.font, halo=True)
    drawing.texts(ends, "muted", layout.font, anchor="end", halo=True)

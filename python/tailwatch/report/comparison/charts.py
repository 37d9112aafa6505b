"""The charts of a comparison: a line per reading, its interval against the null, its numbers.

Each chart comes as a wide and a narrow drawing of the same readings; the style sheet shows the one
that fits. Ratios stand on a linear axis around 1, standard errors on one that is logarithmic away
from 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from tailwatch.report.html import element
from tailwatch.report.svg import LARGEST, Drawing, Scale, tick_labels
from tailwatch.report.words import ABSENT, MINUS, NARROW_SPACE, percent, power_of_ten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.report.comparison.readings import Reading, Status
    from tailwatch.report.svg import Shape

__all__ = ["AxisWords", "divergence_chart", "retention_chart"]

# Retention beyond this is drawn as an arrow at the edge: next to 30 times the null, the losses on
# the other lines would be squeezed into a sliver.
_LARGEST_RETENTION = 3.0
# Ticks of the axis of standard errors, which is logarithmic away from 0.
_STEPS = (3, 10, 30, 100, 300, 1000)

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
class AxisWords:
    """What an axis of ratios shows: its title, the head of the numbers, what the lines are."""

    title: str
    numbers: str
    lines: str


RETENTION = AxisWords("Retention: value ÷ null", "Retention", "Metric")


@dataclass(frozen=True, slots=True)
class _Axis:
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
class _Layout:
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


_WIDE = _Layout(left=216, plot=508, right=156, line=24, gap=12, font=13, stacked=False)
_NARROW = _Layout(left=42, plot=172, right=130, line=22, gap=8, font=12, stacked=True)


def retention_chart(
    readings: Sequence[Reading],
    *,
    name: str,
    title: str,
    confidence: str,
    from_zero: bool = True,
    words: AxisWords = RETENTION,
) -> str:
    """Draw retentions (value ÷ null), or other ratios, against 1.

    Parameters
    ----------
    readings
        Readings whose retention is a ratio.
    name
        Identifier of the figure, unique in the page.
    title
        Title for readers who do not see the chart.
    confidence
        The confidence of the intervals, as text.
    from_zero
        Whether the axis starts at 0 even when all readings are near 1.
    words
        What is drawn.
    """
    low, high = _extent(readings, 1.0, 1.0, bands=not from_zero)
    low, high = max(low, 0.0), min(high + 0.02, _LARGEST_RETENTION)
    if from_zero or low < 0.5:
        step, first = 0.5, 0
    else:
        step = 0.2 if high - low > 0.3 else 0.1
        first = math.floor((low - 0.02) / step)
    last = max(math.ceil(high / step), round(1 / step) + 2)
    ticks = tuple(round(i * step, 1) for i in range(first, last + 1))
    axis = _Axis(
        title=words.title,
        numbers=words.numbers,
        intervals=f"[{confidence}]",
        neutral=1.0,
        domain=(ticks[0], ticks[-1]),
        ticks=tick_labels(ticks)[0],
        below="← less",
        above="more →",
        lines=words.lines,
    )
    return _figure(readings, axis, name=name, title=title, confidence=confidence)


def divergence_chart(readings: Sequence[Reading], *, name: str, title: str, confidence: str) -> str:
    """Draw divergences in standard errors of the null, against 0; parameters as for retention."""
    low, high = _extent(readings, -2.0, 5.0, bands=True)
    steps = _STEPS if high > 30 else (1, *_STEPS)
    if high > _STEPS[-1]:
        # Powers of ten, as many apart as leaves room for their labels.
        apart = math.ceil(math.log10(high) / 5)
        steps = tuple(10**power for power in range(apart, 309, apart))
    candidates = (*(-step for step in reversed(steps)), 0, *steps)
    axis = _Axis(
        title="(value − null) ÷ standard error of the null",
        numbers="SE",
        intervals=f"[{confidence}]",
        neutral=0.0,
        domain=(1.1 * low, 1.1 * high),
        ticks={float(tick): _labelled(tick) for tick in candidates if low <= tick <= high},
        below="← closer",
        above="further →",
        linear_to=2,
    )
    return _figure(readings, axis, name=name, title=title, confidence=confidence)


def _labelled(tick: int) -> str:
    """Write a tick of standard errors: as it is, or as a power of ten."""
    if abs(tick) <= _STEPS[-1]:
        return f"{tick:,}".replace(",", NARROW_SPACE).replace("-", MINUS)
    return (MINUS if tick < 0 else "") + power_of_ten(round(math.log10(abs(tick))))


def _extent(
    readings: Sequence[Reading], low: float, high: float, *, bands: bool
) -> tuple[float, float]:
    """Return the ends of `low` to `high`, the retentions and, if asked for, their null bands."""
    numbers: list[float | None] = [low, high]
    for reading in readings:
        numbers += [reading.retention.value, reading.retention.low, reading.retention.high]
        numbers += (reading.null_band or ()) if bands else ()
    finite = [n for n in numbers if n is not None and math.isfinite(n)]
    most = LARGEST / 10
    return max(min(finite), -most), min(max(finite), most)


def _figure(
    readings: Sequence[Reading], axis: _Axis, *, name: str, title: str, confidence: str
) -> str:
    """Return both drawings; the style sheet shows the one that fits."""
    description = _describe(readings, axis, confidence)
    drawings = (
        element(
            "div",
            _forest(readings, axis, layout).inline(
                name=f"{name}-{variant}", title=title, description=description
            ),
            class_=f"tw-{variant}",
        )
        for variant, layout in (("wide", _WIDE), ("narrow", _NARROW))
    )
    return element("div", "".join(drawings), class_="tw-chart")


def _describe(readings: Sequence[Reading], axis: _Axis, confidence: str) -> str:
    """Return in words what the chart shows, number by number."""
    parts = []
    for reading in readings:
        written = reading.written_retention
        parts.append(f"{reading.name}: {written.value} {written.interval or '(no interval)'}")
    return f"{axis.title}, with {confidence} intervals. " + "; ".join(parts) + "."


def _forest(readings: Sequence[Reading], axis: _Axis, layout: _Layout) -> Drawing:
    """Draw `readings` from top to bottom; those of one metric must be neighbours.

    Where an interval leaves the axis, an arrow stands at the edge.
    """
    layout = _roomy(readings, layout)
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


def _roomy(readings: Sequence[Reading], layout: _Layout) -> _Layout:
    """Return a layout that has room beside the plot for the longest number and interval."""
    written = [reading.written_retention for reading in readings]
    value = max(len(text.value) for text in written)
    interval = max(len(text.interval or "") for text in written)
    wanted = (1.6 * layout.font * (value + 1), (0.53 * layout.font * interval + 8) / 0.6)
    return replace(layout, right=max(layout.right, *map(round, wanted)))


def _place(
    readings: Sequence[Reading], layout: _Layout
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
        # An end that is no number is below none.
        if low is not None and high is not None and low <= high and status != "unknown":
            bars.append((x.clipped(low), y, x.clipped(high), y))
        if value is not None and x.low <= value <= x.high:
            points.append((x(value), y))
        numbers = [n for n in (value, low, high) if n is not None and not math.isnan(n)]
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
    layout: _Layout,
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


def _head(drawing: Drawing, axis: _Axis, layout: _Layout, null: float, *, tails: bool) -> None:
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

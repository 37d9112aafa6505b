"""A forest plot: one line per reading with its label, its interval against the null, its numbers.

Everything is placed in pixels by hand (no automatic sizing), so that the drawing does not depend on
the fonts of the machine that renders it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

import altair as alt

from tailwatch.report.labels import percent
from tailwatch.report.numbers import ABSENT
from tailwatch.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.report.readings import Reading

__all__ = ["NARROW", "WIDE", "Axis", "Layout", "forest"]

_COLOURS = {
    "worse": LIGHT["worse"],
    "same": LIGHT["muted"],
    "beyond": LIGHT["beyond"],
    "unknown": LIGHT["muted"],
}
_SHAPES = {"worse": "circle", "same": "circle", "beyond": "diamond", "unknown": "square"}
_HOLLOW = ("same", "unknown")

_PADDING_TOP = 34
_PADDING_BOTTOM = 52
_HEADING_Y = -18
_TITLE_Y = 40
_SPACE = 6


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis: its title, the place of the null, and what lies on either side of it.

    `lines` heads the names on the left.
    """

    title: str
    numbers: str
    intervals: str
    neutral: float
    domain: tuple[float, float]
    ticks: tuple[float, ...]
    scale: Literal["linear", "symlog"]
    below: str
    above: str
    lines: str = "Metric"

    def clip(self, number: float) -> float:
        """Return the nearest number on the axis."""
        return min(max(number, self.domain[0]), self.domain[1])


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


def forest(readings: Sequence[Reading], axis: Axis, layout: Layout) -> alt.LayerChart:
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
    altair.LayerChart
        The chart. Where an interval leaves the axis, an arrow stands at the edge.
    """
    lines, names, height = _place(readings, layout)
    x = alt.X(
        "x:Q",
        title=axis.title,
        scale=alt.Scale(
            type=axis.scale,
            domain=list(axis.domain),
            nice=False,
            zero=False,
            constant=2 if axis.scale == "symlog" else alt.Undefined,
        ),
        axis=alt.Axis(values=list(axis.ticks), format="~s" if axis.scale == "symlog" else "~g"),
    )
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, height], reverse=True, nice=False))
    half = 0.36 * layout.line
    bands = [
        {
            "x": axis.clip(r.null_band[0]),
            "x2": axis.clip(r.null_band[1]),
            "y": y - half,
            "y2": y + half,
        }
        for r, y in lines
        if r.null_band
    ]
    neutral = [{"x": axis.neutral, "y": 0, "y2": height}]
    points = [point for r, y in lines for point in _points(r, y, axis)]
    layers = [
        _over(bands).mark_rect(color=LIGHT["band"]).encode(x, y, alt.X2("x2"), alt.Y2("y2")),
        _over(neutral).mark_rule(color=LIGHT["ink"]).encode(x, y, alt.Y2("y2")),
        _over([bar for r, y in lines for bar in _bars(r, y, axis)])
        .mark_rule(strokeWidth=2.5, strokeCap="round")
        .encode(x, y, alt.X2("x2"), color=alt.Color("colour:N", scale=None)),
        _over(points)
        .mark_point(opacity=1, strokeWidth=2)
        .encode(
            x,
            y,
            shape=alt.Shape("shape:N", scale=None),
            size=alt.Size("size:Q", scale=None),
            stroke=alt.Stroke("colour:N", scale=None),
            fill=alt.Fill("fill:N", scale=None),
        ),
        *_texts(lines, names, layout, y),
        *_headings(axis, layout, x, y, tails=any(r.level is not None for r in readings)),
    ]
    chart: alt.LayerChart = (
        alt.layer(*layers)
        .properties(
            width=layout.plot,
            height=height,
            background="transparent",
            autosize=alt.AutoSizeParams(type="none"),
            padding={
                "left": layout.left,
                "right": layout.right,
                "top": _PADDING_TOP,
                "bottom": _PADDING_BOTTOM,
            },
        )
        .configure(aria=False)
        .configure_view(stroke=None)
        .configure_text(fontSize=layout.font, baseline="middle")
        .configure_axisX(
            domain=False,
            ticks=False,
            gridColor=LIGHT["line"],
            labelColor=LIGHT["muted"],
            labelFontSize=layout.font - 1,
            labelPadding=8,
            labelFlush=False,
            labelOverlap=False,
            titleColor=LIGHT["muted"],
            titleFontSize=layout.font - 1,
            titleFontWeight="normal",
            titleY=_TITLE_Y,
            titleX=layout.plot / 2,
            titleBaseline="middle",
        )
    )
    return chart


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


def _bars(reading: Reading, y: float, axis: Axis) -> list[dict[str, Any]]:
    """Return the interval of a reading as far as the axis shows it."""
    low, high = reading.retention.low, reading.retention.high
    if low is None or high is None or reading.status == "unknown":
        return []
    colour = _COLOURS[reading.status]
    return [{"x": axis.clip(low), "x2": axis.clip(high), "y": y, "colour": colour}]


def _points(reading: Reading, y: float, axis: Axis) -> list[dict[str, Any]]:
    """Return the point of a reading, and an arrow at each edge of the axis it reaches beyond."""
    estimate = reading.retention
    present = (estimate.value, estimate.low, estimate.high)
    numbers = [n for n in present if n is not None and not isnan(n)]
    if not numbers:
        return []
    colour = _COLOURS[reading.status]
    ends = [
        {"x": edge, "y": y, "shape": shape, "size": 64, "colour": colour, "fill": colour}
        for edge, shape, leaves in (
            (axis.domain[0], "triangle-left", min(numbers) < axis.domain[0]),
            (axis.domain[1], "triangle-right", max(numbers) > axis.domain[1]),
        )
        if leaves
    ]
    value = estimate.value
    if value is None or not axis.domain[0] <= value <= axis.domain[1]:
        return ends
    fill = LIGHT["paper"] if reading.status in _HOLLOW else colour
    shape = _SHAPES[reading.status]
    return [*ends, {"x": value, "y": y, "shape": shape, "size": 64, "colour": colour, "fill": fill}]


def _texts(
    lines: list[tuple[Reading, float]],
    names: list[tuple[str, float]],
    layout: Layout,
    y: alt.Y,
) -> list[alt.Chart]:
    """Return the labels on the left and the numbers on the right."""
    right = layout.numbers
    written = [(r.written_retention, at) for r, at in lines]
    levels = [(percent(r.level), at) for r, at in lines if r.level is not None]
    values = [(text.value, at) for text, at in written]
    gaps = ["" if text.value == ABSENT else "no interval" for text, _ in written]
    intervals = [(text.interval or gap, at) for (text, at), gap in zip(written, gaps, strict=True)]
    return [
        _column(names, -layout.left, "left", "ink", y),
        _column(levels, -16, "right", "muted", y),
        _column(values, right, "right", "ink", y, weight=600),
        _column(intervals, right + _SPACE, "left", "muted", y),
    ]


def _headings(axis: Axis, layout: Layout, x: alt.X, y: alt.Y, *, tails: bool) -> list[alt.Chart]:
    """Return the line above the plot: what the columns hold and what lies beside the null."""
    at = [{"x": axis.neutral, "y": _HEADING_Y}]
    left = "" if layout.stacked else f"{axis.lines}, tail" if tails else axis.lines
    right = layout.numbers
    below = _over(at).mark_text(align="right", dx=-8, text=axis.below, color=LIGHT["muted"])
    above = _over(at).mark_text(align="left", dx=8, text=axis.above, color=LIGHT["muted"])
    return [
        _column([(left, _HEADING_Y)], -layout.left, "left", "muted", y),
        _column([(axis.numbers, _HEADING_Y)], right, "right", "muted", y),
        _column([(axis.intervals, _HEADING_Y)], right + _SPACE, "left", "muted", y),
        below.encode(x, y),
        above.encode(x, y),
    ]


def _column(
    texts: list[tuple[str, float]],
    x: float,
    align: Literal["left", "right"],
    colour: str,
    y: alt.Y,
    *,
    weight: Literal[400, 600] = 400,
) -> alt.Chart:
    data = [{"text": text, "y": at} for text, at in texts]
    # The style sheet paints the stroke first, so that it sets the text off from lines behind it.
    mark = _over(data).mark_text(
        align=align,
        color=LIGHT[colour],
        fontWeight=weight,
        stroke=LIGHT["paper"],
        strokeWidth=4,
        strokeJoin="round",
    )
    # Channels, not their names: Altair takes milliseconds to find the channel of a name.
    chart: alt.Chart = mark.encode(y, alt.XValue(x), alt.Text("text:N"))
    return chart


def _over(rows: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.Data(values=rows))

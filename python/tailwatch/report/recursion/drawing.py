"""A plot drawn: lines with intervals by generation, the band of the null, the curve of theory.

Everything is placed in pixels by hand (no automatic sizing), so that the drawing does not depend on
the fonts of the machine that renders it. Drawings are Vega-Lite specifications as they are: a page
has some thirty, and checking each against the schema costs more than drawing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from tailwatch.report.palette import LIGHT
from tailwatch.report.recursion.plots import finite, spread_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tailwatch.report.recursion.plots import Curve, Plot, Point

    Spec = dict[str, Any]

__all__ = ["FEW", "LARGE", "MOST", "SMALL", "Size", "draw", "is_cut"]

FEW = 12
"""Up to as many generations, each has its marker and its bar; beyond, some have, and the interval
of a single curve is a ribbon."""

MOST = 60
"""Generations that are drawn."""

_MARKERS = 6
_PADDING_TOP, _PADDING_BOTTOM, _PADDING_RIGHT = 26, 40, 8
_APART = 0.14
_OTHER_END = {"field": "y2"}
_PIECE = {"field": "piece", "type": "nominal"}


@dataclass(frozen=True, slots=True)
class Size:
    """Sizes in pixels: of the plot, of what is left of it, and of letters."""

    width: int
    height: int
    left: int
    font: int


LARGE = Size(width=352, height=216, left=52, font=13)
SMALL = Size(width=212, height=132, left=48, font=12)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all layers of a drawing share."""

    x: Spec
    y: Spec
    drawn: frozenset[int]
    few: bool
    low: float
    high: float

    def layer(self, rows: Sequence[dict[str, Any]], mark: Spec, **more: Spec) -> Spec:
        """Return a layer that draws `rows` on the axes of the drawing."""
        encoding = {"x": self.x, "y": self.y, **more}
        return {"data": {"values": rows}, "mark": mark, "encoding": encoding}

    def row(self, x: float, low: float, high: float) -> dict[str, float]:
        """Return a vertical piece, as far as the axis shows it."""
        return {
            "x": x,
            "y": min(max(low, self.low), self.high),
            "y2": min(max(high, self.low), self.high),
        }


def draw(plot: Plot, size: Size, *, from_zero: bool = False) -> dict[str, Any]:
    """Draw a plot.

    Parameters
    ----------
    plot
        What to draw.
    size
        :data:`LARGE` or :data:`SMALL`.
    from_zero
        Whether 0 is on the axis wherever the values are.

    Returns
    -------
    dict
        The drawing as a Vega-Lite specification. Intervals are cut where they reach far beyond all
        values: :func:`is_cut`.
    """
    drawn = spread_out(plot.generations, MOST)
    low, high = _extent(plot, from_zero=from_zero)
    frame = _Frame(
        x=_generations(drawn),
        y=_values(plot, low, high, size),
        drawn=frozenset(drawn),
        few=len(drawn) <= FEW,
        low=low,
        high=high,
    )
    return {
        "layer": [*_null(plot, frame), *_measured(plot, frame)],
        "width": size.width,
        "height": size.height,
        "background": "transparent",
        "autosize": {"type": "none"},
        "padding": {
            "left": size.left,
            "right": _PADDING_RIGHT,
            "top": _PADDING_TOP,
            "bottom": _PADDING_BOTTOM,
        },
        "config": {
            "aria": False,
            "view": {"stroke": None},
            "axis": {
                "domain": False,
                "ticks": False,
                "gridColor": LIGHT["line"],
                "labelColor": LIGHT["muted"],
                "labelFontSize": size.font - 1,
                "labelPadding": 6,
                "labelFlush": False,
                "titleColor": LIGHT["muted"],
                "titleFontSize": size.font - 1,
                "titleFontWeight": "normal",
            },
        },
    }


def is_cut(plot: Plot) -> bool:
    """Tell whether an interval goes on beyond the axis of a plot."""
    low, high = _extent(plot, from_zero=False)
    ends = _ends(plot)
    return bool(ends) and (min(ends) < low or max(ends) > high)


def _generations(drawn: Sequence[int]) -> Spec:
    first, last = drawn[0], drawn[-1]
    step = next(step for step in _steps() if last - first <= 8 * step)
    # Round numbers, and the first generation unless the next tick is too near to it.
    ticks = [tick for tick in range(step, last + 1, step) if tick - first >= step / 2]
    return {
        "field": "x",
        "type": "quantitative",
        "title": "generation",
        "scale": {"domain": [first - 0.5, last + 0.5], "nice": False, "zero": False},
        "axis": {"values": [first, *ticks], "format": "d", "grid": False, "titleY": 30},
    }


def _steps() -> Iterator[int]:
    """Give 1, 2, 5, 10, 20, 50, …."""
    return (factor * 10**power for power in count() for factor in (1, 2, 5))


def _values(plot: Plot, low: float, high: float, size: Size) -> Spec:
    largest = max(abs(low), abs(high))
    form = "~s" if largest >= 10_000 else "~f" if largest >= 0.001 else ".1~e"
    return {
        "field": "y",
        "type": "quantitative",
        "title": plot.label.unit or "value",
        "scale": {"domain": [low, high], "nice": False, "zero": False},
        "axis": {
            "format": form,
            "labelExpr": "datum.value === 0 ? '0' : datum.label",
            "tickCount": 4,
            "titleAngle": 0,
            "titleAlign": "left",
            "titleBaseline": "bottom",
            "titleX": -size.left,
            "titleY": -9,
        },
    }


def _extent(plot: Plot, *, from_zero: bool) -> tuple[float, float]:
    """Return the ends of the axis: all values, and of intervals what is not far beyond them."""
    points, band = plot.points, [null for _, null in plot.null_band]
    core = [p.value.value for p in points] + [p.theory for p in points] + [n.value for n in band]
    inner = [number for it in core if (number := finite(it)) is not None] or [0.0]
    low, high = min(inner), max(inner)
    apart = max(high - low, 0.5 * max(abs(low), abs(high))) or 1.0
    outer = _ends(plot)
    within = [min(max(number, low - apart), high + apart) for number in outer]
    low, high = min([low, *within]), max([high, *within])
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    room = 0.05 * (high - low or abs(high) or 1.0)
    # Most numbers have a natural 0, and room below it would look as if they could fall further.
    least = min([*inner, *outer])
    return (max(low - room, 0.0) if least >= 0 else low - room), high + room


def _ends(plot: Plot) -> list[float]:
    """Return the finite ends of all intervals, those of the null among them."""
    estimates = [point.value for point in plot.points] + [null for _, null in plot.null_band]
    ends = (end for estimate in estimates for end in (estimate.low, estimate.high))
    return [number for it in ends if (number := finite(it)) is not None]


def _null(plot: Plot, frame: _Frame) -> list[Spec]:
    """Return the band of the null and its line, both from edge to edge of the plot."""
    found = [(g, null) for g, null in plot.null_band if g in frame.drawn]
    if not found:
        return []
    edges = [(found[0][0] - 0.5, found[0][1]), *found, (found[-1][0] + 0.5, found[-1][1])]
    band = [
        frame.row(x, null.low, null.high)
        for x, null in edges
        if null.low is not None and null.high is not None
    ]
    line = [{"x": x, "y": null.value} for x, null in edges if null.value is not None]
    return [
        frame.layer(band, {"type": "area", "color": LIGHT["band"]}, y2=_OTHER_END),
        frame.layer(line, {"type": "line", "color": LIGHT["muted"], "strokeWidth": 1}),
    ]


def _measured(plot: Plot, frame: _Frame) -> list[Spec]:
    """Return the layers of all curves: intervals below, then theory, lines and markers."""
    below, above = [], []
    for curve in plot.curves:
        shift = _shift(curve, plot) if frame.few else 0.0
        points = [point for point in curve.points if point.generation in frame.drawn]
        marked = points if frame.few else _some(points, curve, len(plot.curves))
        ribbon = not frame.few and len(plot.curves) == 1
        colour = LIGHT[curve.arm.colour]
        below += _intervals(points if ribbon else marked, shift, colour, frame, ribbon=ribbon)
        mark = {"type": "line", "color": colour}
        lines = {
            "theory": [(p.generation, finite(p.theory)) for p in points],
            "value": [(p.generation, finite(p.value.value)) for p in points],
        }
        theory, line = (_pieces(lines[name], shift) for name in ("theory", "value"))
        above += [
            frame.layer(theory, {**mark, "strokeWidth": 1.5, "strokeDash": [5, 4]}, detail=_PIECE),
            frame.layer(line, {**mark, "strokeWidth": 1.75}, detail=_PIECE),
            _markers(marked, shift, curve, frame),
        ]
    return [*below, *above]


def _some(points: Sequence[Point], curve: Curve, curves: int) -> list[Point]:
    """Choose the points that get a marker, at other generations for each curve.

    Ribbons of several curves would hide each other: these have a bar at each marker instead.
    """
    step = max(1, len(points) // _MARKERS)
    return list(points[(curve.arm.place * max(1, step // curves)) % step :: step])


def _shift(curve: Curve, plot: Plot) -> float:
    """Return how far a curve stands aside, so that its bars do not hide those of others."""
    apart = min(_APART, 0.7 / len(plot.curves))
    return apart * (plot.curves.index(curve) - (len(plot.curves) - 1) / 2)


def _intervals(
    points: Sequence[Point], shift: float, colour: str, frame: _Frame, *, ribbon: bool
) -> list[Spec]:
    rows = [
        frame.row(point.generation + shift, low, high)
        for point in points
        if (low := point.value.low) is not None
        and (high := point.value.high) is not None
        and finite(point.value.value) is not None
        and low <= high
    ]
    mark = (
        {"type": "area", "color": colour, "opacity": 0.22}
        if ribbon
        else {"type": "rule", "color": colour, "strokeWidth": 2, "opacity": 0.55}
    )
    return [frame.layer(rows, mark, y2=_OTHER_END)] if rows else []


def _pieces(line: Sequence[tuple[int, float | None]], shift: float) -> list[dict[str, float]]:
    """Return the points of a line, which is broken where a generation has no value."""
    rows, piece = [], 0
    for generation, number in line:
        if number is None:
            piece += 1
        else:
            rows.append({"x": generation + shift, "y": number, "piece": piece})
    return rows


def _markers(points: Sequence[Point], shift: float, curve: Curve, frame: _Frame) -> Spec:
    rows = [
        {"x": point.generation + shift, "y": number}
        for point in points
        if (number := finite(point.value.value)) is not None
    ]
    mark = {
        "type": "point",
        "shape": curve.arm.shape,
        "size": 46,
        "opacity": 1,
        "fill": LIGHT[curve.arm.colour],
        "stroke": LIGHT["paper"],
        "strokeWidth": 1,
    }
    return frame.layer(rows, mark)

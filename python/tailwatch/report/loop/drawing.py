"""A plot drawn: lines with intervals by generation, the band of the null, the curve of theory."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from tailwatch.report.loop.plots import finite, spread_out
from tailwatch.report.svg import LARGEST, Drawing, Scale, tick_labels, ticks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tailwatch.report.loop.plots import Curve, Plot, Point

__all__ = [
    "FEW",
    "LARGE",
    "MOST",
    "SMALL",
    "Size",
    "draw",
    "generation_ticks",
    "is_cut",
    "is_marked",
]

FEW = 12
"""Up to as many generations, each has its marker and its bar; beyond, some have, and the interval
of a single curve is a ribbon."""

MOST = 60
"""Generations that are drawn."""

_MARKERS = 6
_TOP, _BOTTOM, _RIGHT = 26, 40, 8
_APART = 0.14
_TICKS = 4
_MARKER = 8
# The room around numbers is some of them.
_MOST = LARGEST / 100


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
class _Scales:
    """What all layers of a drawing share: its scales, the generations drawn, whether few."""

    x: Scale
    y: Scale
    drawn: frozenset[int]
    few: bool

    def reach(self, generation: float, low: float, high: float) -> tuple[float, float, float]:
        """Return the pixels of a generation and of both ends, as far as the axis shows them."""
        return self.x(generation), self.y.clipped(low), self.y.clipped(high)


def draw(plot: Plot, size: Size, *, from_zero: bool = False, step: str = "generation") -> Drawing:
    """Draw a plot.

    Parameters
    ----------
    plot
        What to draw.
    size
        :data:`LARGE` or :data:`SMALL`.
    from_zero
        Whether 0 is on the axis wherever the values are.
    step
        What the horizontal axis counts.

    Returns
    -------
    Drawing
        Intervals are cut where they reach far beyond all values: :func:`is_cut`.
    """
    drawn = spread_out(plot.generations, MOST)
    low, high = _extent(plot, from_zero=from_zero)
    scales = _Scales(
        x=Scale(drawn[0] - 0.5, drawn[-1] + 0.5, 0, size.width),
        y=Scale(low, high, size.height, 0),
        drawn=frozenset(drawn),
        few=len(drawn) <= FEW,
    )
    drawing = Drawing(
        size.width, size.height, left=size.left, right=_RIGHT, top=_TOP, bottom=_BOTTOM
    )
    _axes(drawing, scales, size, plot.label.unit or "value", step)
    _null(drawing, scales, plot)
    _alarms(drawing, scales, plot)
    _measured(drawing, scales, plot)
    return drawing


def is_cut(plot: Plot) -> bool:
    """Tell whether an interval goes on beyond the axis of a plot."""
    low, high = _extent(plot, from_zero=False)
    ends = _ends(plot)
    return bool(ends) and (min(ends) < low or max(ends) > high)


def generation_ticks(first: int, last: int) -> list[int]:
    """Return round generations, and the first unless the next tick is too near to it."""
    step = next(step for step in _steps() if last - first <= 8 * step)
    return [first, *(t for t in range(step, last + 1, step) if t - first >= step / 2)]


def _steps() -> Iterator[int]:
    """Give 1, 2, 5, 10, 20, 50, …."""
    return (factor * 10**power for power in count() for factor in (1, 2, 5))


def _axes(drawing: Drawing, scales: _Scales, size: Size, unit: str, step: str) -> None:
    x, y = scales.x, scales.y
    labels, factor = tick_labels(ticks(y.low, y.high, _TICKS))
    drawing.segments([(x.start, y(tick), x.end, y(tick)) for tick in labels], "line", 1)
    font = size.font - 1
    drawing.axis_beside(y, labels, 0, font)
    drawing.texts([(-size.left, -15, f"{unit} {factor}".rstrip())], "muted", font)
    shown = generation_ticks(min(scales.drawn), max(scales.drawn))
    generations = {float(generation): str(generation) for generation in shown}
    drawing.axis_below(x, generations, size.height, font, title=step, far=33)


def _extent(plot: Plot, *, from_zero: bool) -> tuple[float, float]:
    """Return the ends of the axis: all values, and of intervals what is not far beyond them."""
    points, band = plot.points, [null for _, null in plot.null_band]
    core = [p.value.value for p in points] + [p.theory for p in points] + [n.value for n in band]
    inner = [number for it in core if (number := _drawable(it)) is not None] or [0.0]
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
    return [number for it in ends if (number := _drawable(it)) is not None]


def _drawable(number: float | None) -> float | None:
    """Return a number as far as an axis can show it, or None."""
    found = finite(number)
    return None if found is None else min(max(found, -_MOST), _MOST)


def _null(drawing: Drawing, scales: _Scales, plot: Plot) -> None:
    """Draw the band of the null and its line, both from edge to edge of the plot."""
    found = [(g, null) for g, null in plot.null_band if g in scales.drawn]
    if not found:
        return
    edges = [(found[0][0] - 0.5, found[0][1]), *found, (found[-1][0] + 0.5, found[-1][1])]
    band = [
        scales.reach(generation, null.low, null.high)
        for generation, null in edges
        if null.low is not None and null.high is not None
    ]
    line = [(scales.x(g), scales.y.clipped(n.value)) for g, n in edges if n.value is not None]
    drawing.area(band, "band")
    drawing.line([line], "muted", 1)


def _alarms(drawing: Drawing, scales: _Scales, plot: Plot) -> None:
    """Draw where alarms rang: a dotted line from top to bottom, and a mark above it."""
    y = scales.y
    for curve in plot.curves:
        if is_marked(curve):
            x = scales.x(float(curve.arm.alarm or 0))
            drawing.segments(
                [(x, y.start, x, y.end)], curve.arm.colour, 1.5, stroke_dasharray="1.5,3"
            )
            drawing.points(
                [(x, y.end)],
                "triangle-down",
                _MARKER,
                fill=curve.arm.colour,
                stroke="paper",
                width=1,
            )


def is_marked(curve: Curve) -> bool:
    """Tell whether the alarm of a run rang at a generation of its curve."""
    at = curve.arm.alarm
    return at is not None and curve.points[0].generation <= at <= curve.points[-1].generation


def _measured(drawing: Drawing, scales: _Scales, plot: Plot) -> None:
    """Draw all curves: intervals below, then theory, lines and markers."""
    marked = {}
    for curve in plot.curves:
        points = [point for point in curve.points if point.generation in scales.drawn]
        marked[curve.arm] = points if scales.few else _some(points, curve, len(plot.curves))
        ribbon = not scales.few and len(plot.curves) == 1
        shift = _shift(curve, plot, scales)
        reaches = _intervals(points if ribbon else marked[curve.arm], shift, scales)
        if ribbon:
            drawing.area(reaches, curve.arm.colour, opacity="0.22")
        else:
            ends = [(x, low, x, high) for x, low, high in reaches]
            drawing.segments(ends, curve.arm.colour, 2, opacity="0.55")
    for curve in plot.curves:
        points = [point for point in curve.points if point.generation in scales.drawn]
        shift, colour = _shift(curve, plot, scales), curve.arm.colour
        theory = [(p.generation, p.theory) for p in points]
        value = [(p.generation, p.value.value) for p in points]
        drawing.line(_pieces(theory, shift, scales), colour, 1.5, stroke_dasharray="5,4")
        drawing.line(_pieces(value, shift, scales), colour, 1.75)
        places = _pieces([(p.generation, p.value.value) for p in marked[curve.arm]], shift, scales)
        drawing.points(
            [at for piece in places for at in piece],
            curve.arm.shape,
            _MARKER,
            fill=colour,
            stroke="paper",
            width=1,
        )


def _some(points: Sequence[Point], curve: Curve, curves: int) -> list[Point]:
    """Choose the points that get a marker, at other generations for each curve.

    Ribbons of several curves would hide each other: these have a bar at each marker instead.
    """
    step = max(1, len(points) // _MARKERS)
    return list(points[(curve.arm.place * max(1, step // curves)) % step :: step])


def _shift(curve: Curve, plot: Plot, scales: _Scales) -> float:
    """Return how far a curve stands aside, so that its bars do not hide those of others."""
    if not scales.few:
        return 0.0
    apart = min(_APART, 0.7 / len(plot.curves))
    return apart * (plot.curves.index(curve) - (len(plot.curves) - 1) / 2)


def _intervals(
    points: Sequence[Point], shift: float, scales: _Scales
) -> list[tuple[float, float, float]]:
    return [
        scales.reach(point.generation + shift, low, high)
        for point in points
        if (low := point.value.low) is not None
        and (high := point.value.high) is not None
        and finite(point.value.value) is not None
        and low <= high
    ]


def _pieces(
    line: Sequence[tuple[int, float | None]], shift: float, scales: _Scales
) -> list[list[tuple[float, float]]]:
    """Return the places of a line, which is broken where a generation has no value."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for generation, number in line:
        drawable = finite(number)
        if drawable is not None:
            pieces[-1].append((scales.x(generation + shift), scales.y.clipped(drawable)))
        elif pieces[-1]:
            pieces.append([])
    return pieces

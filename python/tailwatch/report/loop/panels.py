"""Plots as HTML: a grid of drawings that takes the width it finds, and a table of their numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tailwatch.report.html import SWATCH, details, escape, legend, scrolling_table
from tailwatch.report.loop.drawing import FEW, LARGE, MOST, SMALL, draw, is_cut, is_marked
from tailwatch.report.loop.plots import spread_out, swatch
from tailwatch.report.words import ABSENT, Number, Written, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.report.loop.plots import Arm, Curve, Plot, Point

__all__ = ["FRESH", "figures"]

FRESH = "a fresh human sample"
"""What a null is, unless it is said to be another."""

LINES_OF_TABLE = 12
"""Generations in the table of a run."""

_DASHES = (
    '<svg class="tw-key" viewBox="-8 0 28 12" aria-hidden="true"><path d="M-8,6h28" '
    'stroke="currentColor" stroke-width="2" stroke-dasharray="5 4"></path></svg>'
)


_DOTS = (
    '<svg class="tw-key" viewBox="-8 0 28 12" aria-hidden="true"><path d="M6,3v9" '
    'stroke="currentColor" stroke-width="1.5" stroke-dasharray="1.5 3"></path>'
    '<path d="M2,0h8l-4,6z" fill="currentColor"></path></svg>'
)


def figures(
    plots: Sequence[Plot],
    arms: Sequence[Arm],
    *,
    name: str,
    confidence: str,
    large: bool = False,
    from_zero: bool = False,
    step: str = "generation",
    null: str = FRESH,
) -> str:
    """Return a figure of drawings side by side, their legend, and their numbers to unfold.

    Parameters
    ----------
    plots
        At least one.
    arms
        All runs of the page.
    name
        Prefix of ids, unique in the page.
    confidence
        Of the intervals, as text.
    large
        Whether the drawings are those of the opening.
    from_zero
        Whether 0 is on every axis.
    step
        What the horizontal axis counts.
    null
        What the grey band is.
    """
    size = LARGE if large else SMALL
    panels = []
    for place, plot in enumerate(plots):
        svg = draw(plot, size, from_zero=from_zero, step=step).inline(
            name=f"{name}-{place}",
            title=f"{plot.name} by {step}",
            description=_describe(plot, confidence, step, null),
        )
        panels.append(f'<div class="tw-panel"><p>{escape(plot.name)}</p>{svg}</div>')
    kind = "tw-panels tw-large" if large else "tw-panels"
    return (
        f'<figure><div class="{kind}">{"".join(panels)}</div>'
        f"<figcaption>{_legend(plots, arms, confidence, step, null)}</figcaption></figure>"
        + details(_summary(plots), _table(plots, confidence, step, null))
    )


def _legend(
    plots: Sequence[Plot], arms: Sequence[Arm], confidence: str, step: str, null: str
) -> str:
    """Explain the signs that the drawings use, and only those."""
    points = [point for plot in plots for point in plot.points]
    shown = {curve.arm.name for plot in plots for curve in plot.curves}
    items = [swatch(arm) for arm in arms if arm.name in shown]
    few = max(len(plot.generations) for plot in plots) <= FEW
    alone = max(len(plot.curves) for plot in plots) == 1
    if any(point.value.has_interval for point in points):
        cut = ", those that reach far cut at the edge" if any(map(is_cut, plots)) else ""
        what = "Shade" if alone and not few else "Bars"
        where = "" if few or alone else f" of some {step}s"
        items.append(f"{what}: {confidence} intervals{where}{cut}")
    if any(point.theory is not None for point in points):
        items.append(f"{_DASHES}expected by theory")
    if any(plot.null_band for plot in plots):
        items.append(f"{SWATCH}{null}, with its interval")
    if any(is_marked(curve) for plot in plots for curve in plot.curves):
        items.append(f"{_DOTS}the alarm rang")
    thinned = max(len(plot.generations) for plot in plots)
    if thinned > MOST:
        items.append(f"{MOST} of {thinned} {step}s are drawn")
    return legend(items)


def _describe(plot: Plot, confidence: str, step: str, null: str) -> str:
    """Return in words what a drawing shows: first and last step of each run, and the null."""
    parts = [f"{plot.name} ({plot.label.unit or 'value'}) with {confidence} intervals."]
    for curve in plot.curves:
        ends = dict.fromkeys((curve.points[0], curve.points[-1]))
        said = [f"{step} {p.generation}: {_spoken(p)}" for p in ends]
        rang = f"; its alarm rang at {step} {curve.arm.alarm}" if is_marked(curve) else ""
        parts.append(f"{curve.arm.name}, {'; '.join(said)}{rang}.")
    if plot.null_band:
        written = write(plot.null_band[-1][1])
        parts.append(f"{_begun(null)}: {written.value} {written.interval or ''}".strip() + ".")
    return " ".join(parts)


def _spoken(point: Point) -> str:
    written = write(point.value)
    theory = "" if point.theory is None else f", theory {write(Number(point.theory)).value}"
    return f"{written.value} {written.interval or '(no interval)'}{theory}"


def _summary(plots: Sequence[Plot]) -> str:
    return "The numbers of this chart" if len(plots) == 1 else "The numbers of these charts"


def _begun(words: str) -> str:
    """Return words as they begin a sentence."""
    return words[:1].upper() + words[1:]


def _table(plots: Sequence[Plot], confidence: str, step: str, null: str) -> str:
    """Return the numbers of the drawings: a line for each run and generation."""
    names = list(dict.fromkeys(curve.arm.name for plot in plots for curve in plot.curves))
    cells: dict[tuple[str, int], dict[int, str]] = {}
    for column, plot in enumerate(plots):
        for curve in plot.curves:
            for point in _told(curve):
                cell = _cell(point)
                cells.setdefault((curve.arm.name, point.generation), {})[column] = cell
    order = sorted(cells, key=lambda it: (names.index(it[0]), it[1]))
    lines = []
    for run, generation in order:
        numbers = "".join(
            f"<td>{cells[run, generation].get(column, ABSENT)}</td>" for column in range(len(plots))
        )
        lines.append(f"<tr><th scope=row>{escape(run)}, {generation}</th>{numbers}</tr>")
    nulls = "".join(
        f"<td>{_numbers(plot.null_band[-1][1]) if plot.null_band else ABSENT}</td>"
        for plot in plots
    )
    heads = [
        f"Run, {step}",
        *(f"{escape(plot.name)}<i>{escape(plot.label.unit)}</i>" for plot in plots),
    ]
    shortened = any(len(c.points) > LINES_OF_TABLE for plot in plots for c in plot.curves)
    more = f" Some {step}s are left out; the frame has all." if shortened else ""
    return scrolling_table(
        heads,
        f"<tr><th scope=row>{_begun(null)}</th>{nulls}</tr>{''.join(lines)}",
        label="Table of numbers",
        caption=f"Brackets hold {confidence} intervals.{more}",
    )


def _told(curve: Curve) -> list[Point]:
    chosen = set(spread_out([p.generation for p in curve.points], LINES_OF_TABLE))
    return [point for point in curve.points if point.generation in chosen]


def _cell(point: Point) -> str:
    theory = point.theory
    expected = (
        ""
        if theory is None or math.isnan(theory)
        else f"<i>theory {write(Number(theory)).value}</i>"
    )
    return _numbers(point.value) + expected


def _numbers(estimate: Number) -> str:
    written: Written = write(estimate)
    return f"<b>{written.value}</b><i>{written.interval or 'no interval'}</i>"

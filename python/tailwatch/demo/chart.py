"""Retention by generation: small charts side by side, with intervals and the null at 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tailwatch.comparison.registry import LABELS
from tailwatch.demo.generations import LEVEL, WATCHED
from tailwatch.report.numbers import Number, percent, write
from tailwatch.report.svg import Drawing, Scale, tick_labels, ticks
from tailwatch.report.words import describe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["generations_svg"]

WIDTH, HEIGHT, APART = 166, 200, 22
LEFT, RIGHT, TOP, BOTTOM = 50, 24, 50, 52
FONT = 12
# The scale follows the data, but no wide interval may press everything else to the floor.
LOWEST_TOP, HIGHEST_TOP = 1.1, 2.0


def generations_svg(frame: pl.DataFrame) -> str:
    """Draw what each generation retained of the human data.

    Parameters
    ----------
    frame
        The comparison rows of the watched metrics under a column ``generation``.

    Returns
    -------
    str
        An SVG file's text. One panel per metric on a shared scale: retention, its interval, and a
        line at 1, where a fresh set of human pictures would lie.
    """
    highest = max(*frame["retention"], *frame["retention_high"].drop_nulls())
    y = Scale(0, min(max(highest, LOWEST_TOP), HIGHEST_TOP), HEIGHT, 0)
    width = len(WATCHED) * (WIDTH + APART) - APART
    drawing = Drawing(width, HEIGHT, left=LEFT, right=RIGHT, top=TOP, bottom=BOTTOM)
    labels, _ = tick_labels(ticks(y.low, y.high, 5))
    drawing.axis_beside(y, labels, 0, FONT)
    drawing.texts([(-34, -13, "retention")], "muted", FONT)
    said = []
    for place, metric in enumerate(WATCHED):
        rows = frame.filter(pl.col("metric") == metric).sort("generation").to_dicts()
        left = place * (WIDTH + APART)
        x = Scale(0.5, len(rows) + 0.5, left, left + WIDTH)
        drawing.segments([(x.start, y(tick), x.end, y(tick)) for tick in labels], "line", 1)
        _panel(drawing, rows, x, y, _title(metric))
        said.append(f"{_title(metric)}: {_spoken(rows[0])}; {_spoken(rows[-1])}.")
    drawing.texts(
        [(width, y(1) - 9, "a fresh human sample")], "ink", FONT - 1, anchor="end", halo=True
    )
    return drawing.file(title="Retention by generation", description=" ".join(said))


def _panel(
    drawing: Drawing, rows: Sequence[dict[str, Any]], x: Scale, y: Scale, title: str
) -> None:
    """Draw one metric."""
    drawing.texts([(x.start, -34, title)], "ink", FONT + 2, weight=600)
    shown = rows[:: 1 + len(rows) // 8]
    labels = {float(row["generation"]): str(row["generation"]) for row in shown}
    drawing.axis_below(x, labels, HEIGHT, FONT, title="generation", far=32)
    drawing.segments([(x.start, y(1), x.end, y(1))], "ink", 1, stroke_dasharray="4,3")
    intervals = [
        (at, y.clipped(row["retention_low"]), at, y.clipped(row["retention_high"]))
        for row in rows
        if row["retention_low"] is not None
        for at in [x(row["generation"])]
    ]
    drawing.segments(intervals, "worse", 3, opacity="0.4")
    places = [(x(row["generation"]), row["retention"]) for row in rows]
    drawing.line([[(at, y.clipped(value)) for at, value in places]], "worse", 1.5)
    # A point beyond the scale is left out, where the line at its edge tells that it goes on.
    inside = [(at, y(value)) for at, value in places if value <= y.high]
    drawing.points(inside, "circle", 7.5, fill="worse", stroke="worse", width=0)


def _title(metric: str) -> str:
    name = describe(metric, LABELS).name
    return f"{name}, rarest {percent(LEVEL)}" if metric == "tail_mass" else name


def _spoken(row: dict[str, Any]) -> str:
    numbers = (row["retention"], row["retention_low"], row["retention_high"])
    written = write(Number(*numbers), places=2)
    interval = written.interval or "(no interval)"
    return f"generation {row['generation']} {written.value} {interval}"

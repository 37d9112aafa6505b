"""The charts of a contamination run, each as a wide and a narrow drawing.

Scores: references and target by bin. Groups: the share of each with its interval, along time where
the groups are dates or numbers, else from the largest share down.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tailwatch.report.html import SWATCH, element, legend, paint
from tailwatch.report.svg import Drawing, Scale, tick_labels, ticks
from tailwatch.report.words import (
    ABSENT,
    MINUS,
    NARROW_SPACE,
    Number,
    written_share,
    written_shares,
)
from tailwatch.text_form import shortened, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["group_chart", "in_chart_order", "score_chart", "shares_by_bin", "written_edges"]

# Of the references; a bin of fewer rows, whose bar would stand for nothing, joins the next one.
_LEAST_SHARE = 1 / 60
_WIDTHS = {"wide": 780, "narrow": 330}
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 30, 48
_HEIGHT = 220
_FONT = 12
_LINE = 20
# The page stays small whatever the number of groups; its table and the summary have more.
_MOST_ALONG, _MOST_DOWN = 120, 40
_GROUP_COLOURS = {False: "muted", True: "worse"}
_DASHES = {"human": None, "synthetic": "6 3"}
_COLOURS = {"human": "beyond", "synthetic": "worse"}


def score_chart(histogram: dict[str, Any]) -> str:
    """Draw the shares of rows in each bin of the score.

    Parameters
    ----------
    histogram
        Counts of ``human``, ``synthetic`` (or None) and ``target`` in each bin, between ``edges``.

    Returns
    -------
    str
        Both drawings, with what they show in words; the style sheet shows the one that fits.
    """
    edges, series = shares_by_bin(histogram)
    title = "Shares of reference and target rows by score"
    description = _describe(edges, series)
    drawings = "".join(
        element(
            "div",
            _drawn(edges, series, width).inline(
                name=f"scores-{variant}", title=title, description=description
            ),
            class_=f"tw-{variant}",
        )
        for variant, width in _WIDTHS.items()
    )
    return element("div", drawings, class_="tw-chart") + element("figcaption", _legend(series))


def shares_by_bin(histogram: dict[str, Any]) -> tuple[list[float], dict[str, list[float]]]:
    """Return inner edges, and the shares of rows between them, of bins with enough rows."""
    names = [name for name in ("human", "synthetic", "target") if histogram[name] is not None]
    counts = {name: histogram[name] for name in names}
    shares = {name: [each / max(sum(counts[name]), 1) for each in counts[name]] for name in names}
    ends, held = [], 0.0
    for at in range(len(histogram["edges"])):
        held += sum(shares[name][at] for name in names[:-1]) / len(names[:-1])
        if held >= _LEAST_SHARE:
            ends.append(at + 1)
            held = 0.0
    bounds = [0, *ends, len(histogram["edges"]) + 1]
    series = {
        name: [sum(shares[name][low:high]) for low, high in pairwise(bounds)] for name in names
    }
    return [histogram["edges"][end - 1] for end in ends], series


def group_chart(groups: dict[str, Any]) -> str:
    """Draw the share of each group with its interval, beside what human rows alone may give.

    Parameters
    ----------
    groups
        ``table`` of groups, the ``limit`` of the null floor, what they go ``by``, and whether they
        are ``ordered`` numbers or dates.

    Returns
    -------
    str
        Both drawings, with what they show in words.
    """
    shown = in_chart_order(groups)
    by = visible(shortened(groups["by"], 40))
    description = "; ".join(
        f"{visible(shortened(row['group'], 60))}: {share.value} {share.interval or ABSENT}"
        for row in shown
        for share in [written_shares(Number(row["value"], row["low"], row["high"]))]
    )
    draw = _along if groups["ordered"] else _down
    drawings = "".join(
        element(
            "div",
            draw(shown, groups["limit"], by, width).inline(
                name=f"groups-{variant}",
                title=f"Share of synthetic rows by {by}",
                description=f"Share and interval of each group. {description}.",
            ),
            class_=f"tw-{variant}",
        )
        for variant, width in _WIDTHS.items()
    )
    signs = [
        f"{SWATCH}human rows alone: up to {written_share(groups['limit'])}",
        "filled: above that, others not found to be",
    ]
    return element("div", drawings, class_="tw-chart") + element("figcaption", legend(signs))


def in_chart_order(groups: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the groups that are drawn: numbers and dates as they come, others by their share."""
    table: list[dict[str, Any]] = groups["table"]
    if groups["ordered"]:
        return table[-_MOST_ALONG:]
    return sorted(table, key=lambda row: (-(row["value"] or 0), row["group"]))[:_MOST_DOWN]


def _along(rows: Sequence[dict[str, Any]], limit: float, by: str, width: int) -> Drawing:
    """Draw groups from left to right, their intervals upright."""
    plot = width - _LEFT - _RIGHT
    x, y = Scale(0, len(rows), 0, plot), Scale(0, _highest(rows, limit), _HEIGHT, 0)
    drawing = Drawing(plot, _HEIGHT, left=_LEFT, right=_RIGHT, top=_TOP, bottom=_BOTTOM)
    labels = _share_labels(y.high)
    drawing.bars([(0, y(0), plot, y(min(limit, y.high)))], "band")
    drawing.segments([(0, y(share), plot, y(share)) for share in labels], "line", 1)
    drawing.axis_beside(y, labels, 0, _FONT)
    drawing.texts([(-_LEFT, -16, "Share of synthetic rows")], "muted", _FONT)
    names = [visible(shortened(row["group"], 16)) for row in rows]
    room = max(map(len, names)) * 0.6 * _FONT + 8
    step = max(1, math.ceil(room * len(rows) / plot))
    drawing.axis_below(
        x,
        {at + 0.5: names[at] for at in range(0, len(rows), step)},
        _HEIGHT,
        _FONT,
        title=by,
        far=36,
    )
    _draw_intervals(drawing, rows, lambda at, share: (x(at + 0.5), y.clipped(share)))
    return drawing


def _down(rows: Sequence[dict[str, Any]], limit: float, by: str, width: int) -> Drawing:
    """Draw groups from top to bottom, each name beside its interval."""
    letters = 26 if width > _WIDTHS["narrow"] else 14
    left = round(letters * 0.58 * _FONT) + 12
    plot, height = width - left - _RIGHT, _LINE * len(rows)
    x, y = Scale(0, _highest(rows, limit), 0, plot), Scale(0, len(rows), 0, height)
    drawing = Drawing(plot, height, left=left, right=_RIGHT, top=_TOP, bottom=_BOTTOM)
    labels = _share_labels(x.high)
    drawing.bars([(0, 0, x(min(limit, x.high)), height)], "band")
    drawing.segments([(x(share), 0, x(share), height) for share in labels], "line", 1)
    drawing.axis_below(x, labels, height, _FONT, title="Share of synthetic rows", far=36)
    drawing.texts([(-left, -16, by)], "muted", _FONT)
    names = [visible(shortened(row["group"], letters)) for row in rows]
    drawing.texts(
        [(-7, y(at + 0.5), name) for at, name in enumerate(names)], "ink", _FONT, anchor="end"
    )
    _draw_intervals(drawing, rows, lambda at, share: (x.clipped(share), y(at + 0.5)))
    return drawing


def _draw_intervals(
    drawing: Drawing,
    rows: Sequence[dict[str, Any]],
    place: Callable[[int, float], tuple[float, float]],
) -> None:
    """Draw interval and value of each group, at the pixels that `place` gives for a share."""
    for above, colour in _GROUP_COLOURS.items():
        chosen = [(at, row) for at, row in enumerate(rows) if row["above"] is above]
        ends = [(*place(at, row["low"]), *place(at, row["high"])) for at, row in chosen]
        drawing.segments(ends, colour, 2)
        drawing.points(
            [place(at, row["value"]) for at, row in chosen if row["value"] is not None],
            "circle",
            7,
            fill=colour if above else "paper",
            stroke=colour,
            width=2,
        )


def _highest(rows: Sequence[dict[str, Any]], limit: float) -> float:
    """Return the end of the axis; bounds of 1 that say nothing do not stretch it."""
    bounds = [limit, *(row["high"] for row in rows)]
    ends = [row["value"] or 0.0 for row in rows] + [bound for bound in bounds if bound < 1]
    return min(1.0, max(0.01, 1.1 * float(max(ends))))


def _share_labels(high: float) -> dict[float, str]:
    shares = ticks(0, 100 * high, 4)
    return {share / 100: f"{text}{NARROW_SPACE}%" for share, text in tick_labels(shares)[0].items()}


def _drawn(edges: Sequence[float], series: dict[str, list[float]], width: int) -> Drawing:
    bins = len(series["target"])
    highest = max(max(shares) for shares in series.values())
    plot = width - _LEFT - _RIGHT
    x, y = Scale(0, bins, 0, plot), Scale(0, 1.05 * highest, _HEIGHT, 0)
    drawing = Drawing(plot, _HEIGHT, left=_LEFT, right=_RIGHT, top=_TOP, bottom=_BOTTOM)
    labels = _share_labels(y.high)
    drawing.segments([(0, y(share), plot, y(share)) for share in labels], "line", 1)
    drawing.axis_beside(y, labels, 0, _FONT)
    drawing.texts([(-_LEFT, -16, "Share of rows")], "muted", _FONT)
    far = "synthetic" if "synthetic" in series else "other"
    step = max(1, -(-bins * 64 // width))
    texts = written_edges(edges)
    drawing.axis_below(
        x,
        {at: texts[at - 1] for at in range(step, bins, step)},
        _HEIGHT,
        _FONT,
        title=f"Score, human to {far} (edges of the bins)",
        far=36,
    )
    drawing.bars(
        [(x(at + 0.06), y(share), x(at + 0.94), y(0)) for at, share in enumerate(series["target"])],
        "band",
    )
    for name, colour in _COLOURS.items():
        steps = [
            (x(at + side), y(share))
            for at, share in enumerate(series.get(name, ()))
            for side in (0, 1)
        ]
        drawing.line([steps], colour, 2, stroke_dasharray=_DASHES[name])
    return drawing


def written_edges(edges: Sequence[float]) -> list[str]:
    """Write numbers to two digits of the largest, with a minus sign as is drawn elsewhere."""
    largest = max((abs(edge) for edge in edges), default=0.0)
    places = max(0, 1 - math.floor(math.log10(largest))) if largest > 0 else 0
    texts = [f"{edge:.{places}f}" for edge in edges]
    return ["0" if float(text) == 0 else text.replace("-", MINUS) for text in texts]


def _legend(series: dict[str, list[float]]) -> str:
    signs = {
        "human": f"{_key('human')} human reference",
        "synthetic": f"{_key('synthetic')} synthetic reference",
        "target": f"{SWATCH}target",
    }
    return legend(signs[name] for name in series)


def _key(name: str) -> str:
    """Draw a piece of a line as it is in the chart."""
    line = element(
        "path",
        d="M0 5H24",
        stroke=paint(_COLOURS[name]),
        stroke_width="2",
        stroke_dasharray=_DASHES[name],
    )
    return element("svg", line, width="24", height="10", aria_hidden="true")


def _describe(edges: Sequence[float], series: dict[str, list[float]]) -> str:
    bounds = ["-∞", *(f"{edge:.3g}" for edge in edges), "∞"]
    lines = [
        f"{bounds[at]} to {bounds[at + 1]}: "
        + ", ".join(f"{name} {100 * shares[at]:.3g} %" for name, shares in series.items())
        for at in range(len(series["target"]))
    ]
    return "Share of rows in each bin of the score. " + "; ".join(lines) + "."

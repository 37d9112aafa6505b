"""The chart of the scores: references and target by bin, as a wide and a narrow drawing."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import altair as alt

from tailwatch.report.palette import LIGHT
from tailwatch.report.svg import inline_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["score_chart"]

# Of the references; a bin of fewer rows, whose bar would stand for nothing, joins the next one.
_LEAST_SHARE = 1 / 60
_WIDTHS = {"wide": 780, "narrow": 330}
_HEIGHT = 220
_DASH = {"human": [1, 0], "synthetic": [6, 3]}
_DASHED = 'stroke-dasharray="6 3"'
_COLOUR = {"human": LIGHT["beyond"], "synthetic": LIGHT["worse"]}


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
    edges, series = _shares(histogram)
    title = "Shares of reference and target rows by score"
    description = _describe(edges, series)
    drawings = "".join(
        f'<div class="tw-{variant}">'
        + inline_svg(
            _drawn(edges, series, width),
            name=f"scores-{variant}",
            title=title,
            description=description,
        )
        + "</div>"
        for variant, width in _WIDTHS.items()
    )
    return f'<div class="tw-chart">{drawings}</div>{_legend(series)}'


def _shares(histogram: dict[str, Any]) -> tuple[list[float], dict[str, list[float]]]:
    """Give inner edges, and the shares of rows between them, of bins with enough rows."""
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


def _drawn(edges: Sequence[float], series: dict[str, list[float]], width: int) -> alt.LayerChart:
    bins = len(series["target"])
    highest = max(max(shares) for shares in series.values())
    far = "synthetic" if "synthetic" in series else "other"
    x = alt.X(
        "left:Q",
        title=f"Score, human to {far} (edges of the bins)",
        scale=alt.Scale(domain=[0, bins], nice=False),
        axis=alt.Axis(values=_ticks(bins, width), labelExpr=_labels(edges), grid=False),
    )
    y = alt.Y(
        "share:Q",
        title="Share of rows",
        scale=alt.Scale(domain=[0, 1.05 * highest], nice=False),
        axis=alt.Axis(format="~%", tickCount=4),
    )
    bars = [
        {"left": at + 0.06, "right": at + 0.94, "share": share}
        for at, share in enumerate(series["target"])
    ]
    layers = [
        alt.Chart(alt.Data(values=bars))
        .mark_bar(color=LIGHT["band"])
        .encode(x, y, alt.X2("right:Q"), alt.Y2Datum(0))
    ]
    for name in ("human", "synthetic"):
        if name in series:
            steps = [
                {"left": at + side, "share": share}
                for at, share in enumerate(series[name])
                for side in (0, 1)
            ]
            layers.append(
                alt.Chart(alt.Data(values=steps))
                .mark_line(
                    color=_COLOUR[name], strokeWidth=2, strokeDash=_DASH[name], strokeJoin="miter"
                )
                .encode(x, y)
            )
    chart: alt.LayerChart = (
        alt.layer(*layers)
        .properties(
            width=width - 70,
            height=_HEIGHT,
            background="transparent",
            autosize=alt.AutoSizeParams(type="none"),
            padding={"left": 58, "right": 12, "top": 8, "bottom": 48},
        )
        .configure(aria=False)
        .configure_view(stroke=None)
        .configure_axis(
            domainColor=LIGHT["line"],
            ticks=False,
            gridColor=LIGHT["line"],
            labelColor=LIGHT["muted"],
            labelFontSize=12,
            labelPadding=6,
            titleColor=LIGHT["muted"],
            titleFontSize=12,
            titleFontWeight="normal",
        )
    )
    return chart


def _ticks(bins: int, width: int) -> list[int]:
    """Choose inner edges that leave room for their numbers."""
    step = max(1, -(-bins * 64 // width))
    return list(range(step, bins, step))


def _labels(edges: Sequence[float]) -> str:
    """Write a Vega expression that gives the edge at each tick."""
    numbers = ",".join(f"'{text}'" for text in _written(edges))
    return f"[{numbers}][datum.value - 1]"


def _written(edges: Sequence[float]) -> list[str]:
    """Write numbers to two digits of the largest, with a minus sign as is drawn elsewhere."""
    largest = max((abs(edge) for edge in edges), default=0.0)
    places = max(0, 1 - math.floor(math.log10(largest))) if largest > 0 else 0
    texts = [f"{edge:.{places}f}" for edge in edges]
    return ["0" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}") for text in texts]


def _legend(series: dict[str, list[float]]) -> str:
    marks = {
        "human": f"{_key('beyond', '')}human reference",
        "synthetic": f"{_key('worse', _DASHED)}synthetic reference",
        "target": '<span class="tw-swatch" aria-hidden="true"></span>target',
    }
    items = "".join(f"<li>{marks[name]}</li>" for name in series)
    return f'<figcaption><ul class="tw-legend">{items}</ul></figcaption>'


def _key(colour: str, dash: str) -> str:
    """Draw a piece of a line as it is in the chart."""
    stroke = f'stroke="var(--tw-{colour}, {LIGHT[colour]})" stroke-width="2" {dash}'
    return f'<svg width="24" height="10" aria-hidden="true"><path d="M0 5H24" {stroke}/></svg> '


def _describe(edges: Sequence[float], series: dict[str, list[float]]) -> str:
    bounds = ["-∞", *(f"{edge:.3g}" for edge in edges), "∞"]
    lines = [
        f"{bounds[at]} to {bounds[at + 1]}: "
        + ", ".join(f"{name} {100 * shares[at]:.3g} %" for name, shares in series.items())
        for at in range(len(series["target"]))
    ]
    return "Share of rows in each bin of the score. " + "; ".join(lines) + "."

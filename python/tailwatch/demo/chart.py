"""Retention by generation: small charts side by side, with intervals and the null at 1."""

from __future__ import annotations

import altair as alt
import polars as pl

from tailwatch.demo.generations import LEVEL, WATCHED
from tailwatch.report.drawer import svg_of
from tailwatch.report.labels import describe, percent
from tailwatch.report.palette import LIGHT

__all__ = ["generations_svg", "retention_by_generation"]

PANEL_WIDTH, PANEL_HEIGHT = 150, 200
# The scale follows the data, but no wide interval may press everything else to the floor.
LOWEST_TOP, HIGHEST_TOP = 1.1, 2.0


def retention_by_generation(frame: pl.DataFrame) -> alt.HConcatChart:
    """Draw what each generation retained of the human data.

    Parameters
    ----------
    frame
        The comparison rows of the watched metrics under a column ``generation``.

    Returns
    -------
    altair.HConcatChart
        One panel per metric on a shared scale: retention, its interval, and a line at 1, where a
        fresh set of human pictures would lie.
    """
    highest = max(*frame["retention"], *frame["retention_high"].drop_nulls())
    top = min(max(highest, LOWEST_TOP), HIGHEST_TOP)
    panels = [_panel(frame.filter(pl.col("metric") == metric), metric, top) for metric in WATCHED]
    chart: alt.HConcatChart = (
        alt.HConcatChart(hconcat=panels, spacing=18, background=LIGHT["paper"], padding=16)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=LIGHT["muted"],
            titleColor=LIGHT["muted"],
            gridColor=LIGHT["line"],
            domainColor=LIGHT["line"],
            tickColor=LIGHT["line"],
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
        .configure_title(color=LIGHT["ink"], fontSize=14, anchor="start", fontWeight=600)
    )
    return chart


def generations_svg(frame: pl.DataFrame) -> str:
    """Return the chart of :func:`retention_by_generation` as an SVG file's text."""
    return svg_of(retention_by_generation(frame).to_dict())


def _panel(frame: pl.DataFrame, metric: str, top: float) -> alt.LayerChart:
    """Draw one metric; the first panel labels the shared axis, the last one the line at 1."""
    first, last = metric == WATCHED[0], metric == WATCHED[-1]
    name = describe(metric).name
    title = f"{name}, rarest {percent(LEVEL)}" if metric == "tail_mass" else name
    generations = frame["generation"].to_list()
    x = alt.X(
        "generation:Q",
        title="generation",
        axis=alt.Axis(values=generations[:: 1 + len(generations) // 8], format="d", grid=False),
        scale=alt.Scale(domain=[0.5, len(generations) + 0.5], nice=False),
    )
    y = alt.Y(
        "retention:Q",
        title="retention" if first else None,
        axis=alt.Axis(format=".1f", labels=first, ticks=first, domain=False, tickCount=5),
        scale=alt.Scale(domain=[0, top], nice=False),
    )
    rows = frame.select("generation", "retention", "retention_low", "retention_high").to_dicts()
    measured = alt.Chart(alt.Data(values=rows)).encode(x=x, y=y)
    null = alt.Chart(alt.Data(values=[{"retention": 1}])).encode(y=y)
    interval = measured.transform_filter("datum.retention_low !== null").encode(
        y=alt.Y("retention_low:Q"), y2="retention_high:Q"
    )
    # Half of a point at 0 lies below the panel: points are left out, not cut off.
    inside = measured.transform_filter(f"datum.retention <= {top}")
    words = "a fresh human sample" if last else ""
    layers = [
        null.mark_rule(color=LIGHT["ink"], strokeDash=[4, 3]),
        null.mark_text(align="right", x=PANEL_WIDTH, dy=-8, color=LIGHT["ink"], text=words),
        interval.mark_rule(color=LIGHT["worse"], strokeWidth=3, opacity=0.4, clip=True),
        measured.mark_line(color=LIGHT["worse"], strokeWidth=1.5, clip=True),
        inside.mark_circle(color=LIGHT["worse"], size=55, opacity=1),
    ]
    return alt.LayerChart(layer=layers, title=title, width=PANEL_WIDTH, height=PANEL_HEIGHT)

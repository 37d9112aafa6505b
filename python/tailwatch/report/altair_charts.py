"""Results as Altair charts, to look at and to change: what ``.plot()`` of each result returns.

A chart holds the numbers that it draws and needs nothing else. Altair is the extra ``plot``, and
is imported when a chart is asked for; pages are drawn without it, by :mod:`.svg`.
"""

from __future__ import annotations

import importlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tailwatch.background import uses_polars
from tailwatch.exceptions import InputError, MissingDependencyError, meant
from tailwatch.report.comparison.classes import read_classes
from tailwatch.report.comparison.readings import read, to_draw
from tailwatch.report.contamination.charts import shares_by_bin, written_edges
from tailwatch.report.html import LIGHT, LINES
from tailwatch.report.loop.drawing import MOST
from tailwatch.report.loop.plots import arms_of, finite, opening_plots, plots_of, spread_out
from tailwatch.report.words import describe
from tailwatch.text_form import shown, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from altair import FacetChart, InlineData, LayerChart, VConcatChart

    from tailwatch.report.comparison.readings import Reading
    from tailwatch.report.loop.plots import Plot
    from tailwatch.report.words import Label, Number

__all__ = ["plot_classes", "plot_comparison", "plot_generations", "plot_scores"]

_STATUSES = {"worse": "worse", "same": "muted", "beyond": "beyond", "unknown": "muted"}
_SERIES = {"human": "beyond", "synthetic": "worse"}
_PLOTS_IN_A_ROW = 3
_MARKS = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


def plot_comparison(frame: pl.DataFrame, labels: Mapping[str, Label]) -> LayerChart | VConcatChart:
    """Draw what each metric of a comparison retains, with intervals against the null.

    Parameters
    ----------
    frame
        The comparison frame.
    labels
        What each metric is called.

    Returns
    -------
    altair.LayerChart or altair.VConcatChart
        Ratios on a linear axis around 1 and divergences in standard errors of the null, on an axis
        that is logarithmic away from 0; both below each other where there are both.
    """
    alt = _altair()
    uses_polars("drawing a chart")
    readings = to_draw(read(frame, labels))
    ratios = [reading for reading in readings if not reading.is_divergence]
    divergences = [reading for reading in readings if reading.is_divergence]
    charts = []
    if ratios or not divergences:
        charts.append(_forest(ratios, "retention: value ÷ null", "linear"))
    if divergences:
        title = "(value − null) ÷ standard error of the null"
        charts.append(_forest(divergences, title, "symlog"))
    return charts[0] if len(charts) == 1 else alt.VConcatChart(vconcat=charts)


def plot_classes(classes: pl.DataFrame, labels: Mapping[str, Label]) -> LayerChart:
    """Draw the number that decides about the tails of each class, the surest losses first.

    Parameters
    ----------
    classes
        The summary of a comparison by class.
    labels
        What each metric is called.
    """
    _altair()
    uses_polars("drawing a chart")
    decided = classes["metric"].drop_nulls()[:1].to_list()
    title = describe(decided[0], labels).name if decided else "retention"
    return _forest(read_classes(classes), title, "linear")


def plot_generations(
    frame: pl.DataFrame, labels: Mapping[str, Label], metrics: str | Sequence[str] | None = None
) -> FacetChart:
    """Draw metrics by generation: a plot for each of them, a line for each run.

    Parameters
    ----------
    frame
        The frame of a loop, or those of several below each other.
    labels
        What each metric of a comparison is called.
    metrics
        Names of metrics; by default those of tails and of variance, or all where there are none. A
        tail metric is drawn at the level nearest to 5 %.

    Returns
    -------
    altair.FacetChart
        Values with their intervals, what theory expects (dashed), and the band in which a fresh
        human sample lies. Of many generations sixty are drawn.

    Raises
    ------
    InputError
        A metric that the frame does not have.
    """
    alt = _altair()
    uses_polars("drawing a chart")
    arms = arms_of(frame)
    if metrics is None:
        plots = opening_plots(frame, arms, labels) or plots_of(frame, arms, labels)
    else:
        plots = plots_of(frame, arms, labels, _checked(metrics, frame))
    runs = [visible(arm.name) for arm in arms]
    palette = [LIGHT[LINES[place % len(LINES)]] for place in range(len(runs))]
    x = alt.X("generation:Q", title="generation", axis=alt.Axis(format="d", tickMinStep=1))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False))
    colour = alt.Color(
        "run:N",
        title=None,
        sort=runs,
        scale=alt.Scale(domain=runs, range=palette),
        legend=alt.Legend(symbolOpacity=1),
    )
    # Of more runs than there are colours, those of one colour have marks of their own.
    shapes = [_MARKS[place // len(LINES) % len(_MARKS)] for place in range(len(runs))]
    shape = alt.Shape("run:N", title=None, sort=runs, scale=alt.Scale(domain=runs, range=shapes))
    told = [f"{name}:Q" for name in ("generation", "value", "low", "high", "theory")]
    fresh = alt.Chart().transform_filter("!isValid(datum.run)").encode(x)
    runs_alone = alt.Chart().transform_filter("isValid(datum.run)").encode(x, y, colour)
    layers = [
        fresh.mark_area(color=LIGHT["band"]).encode(alt.Y("low:Q"), alt.Y2("high")),
        fresh.mark_line(color=LIGHT["muted"], strokeWidth=1).encode(y),
        runs_alone.mark_line(strokeDash=[5, 4]).encode(alt.Y("theory:Q")),
        runs_alone.mark_rule(opacity=0.55).encode(alt.Y("low:Q"), alt.Y2("high")),
        runs_alone.mark_line(),
        runs_alone.mark_point(filled=True, opacity=1).encode(shape, tooltip=["run:N", *told]),
    ]
    names = [plot.name for plot in plots]
    chart: FacetChart = (
        alt.layer(*layers, data=_data([row for plot in plots for row in _rows(plot)]))
        .properties(width=220, height=140)
        .facet(alt.Facet("metric:N", sort=names, title=None), columns=_PLOTS_IN_A_ROW)
        .resolve_scale(y="independent")
    )
    return chart


def plot_scores(histogram: dict[str, Any]) -> LayerChart:
    """Draw the shares of references and target in each bin of the score.

    Parameters
    ----------
    histogram
        Counts of ``human``, ``synthetic`` (or None) and ``target`` in each bin, between ``edges``.
    """
    alt = _altair()
    edges, series = shares_by_bin(histogram)
    written = ["−∞", *written_edges(edges), "∞"]
    bins = [f"{low} to {high}" for low, high in pairwise(written)]
    rows = [
        {"bin": name, "rows": of, "share": share}
        for of, shares in series.items()
        for name, share in zip(bins, shares, strict=True)
    ]
    references = [name for name in _SERIES if name in series]
    x = alt.X("bin:N", title="score", sort=bins)
    y = alt.Y("share:Q", title="share of rows", axis=alt.Axis(format="~%"))
    colours = [LIGHT[_SERIES[name]] for name in references]
    scale = alt.Scale(domain=references, range=colours)
    chart = alt.Chart(_data(rows)).encode(x, y, tooltip=["rows:N", "bin:N", "share:Q"])
    drawn: LayerChart = alt.layer(
        chart.transform_filter("datum.rows === 'target'").mark_bar(color=LIGHT["band"]),
        chart.transform_filter("datum.rows !== 'target'")
        .mark_line(interpolate="step", strokeWidth=2)
        .encode(alt.Color("rows:N", title="reference", scale=scale)),
    )
    return drawn


def _forest(readings: Sequence[Reading], title: str, scale: str) -> LayerChart:
    """Draw a line for each reading: its interval, its value, and what a fresh sample scores."""
    alt = _altair()
    rows = [
        {
            "metric": visible(reading.name),
            "retention": finite(reading.retention.value),
            "low": finite(reading.retention.low),
            "high": finite(reading.retention.high),
            "value": finite(reading.value.value),
            "null": finite(reading.null.value),
            "status": reading.status,
        }
        for reading in readings
    ]
    null = readings[0].neutral if readings else 1.0
    if scale == "linear":
        x = {"title": title, "scale": alt.Scale(zero=False)}
    else:
        # Vega's own ticks stand too near to each other on this scale.
        axis = alt.Axis(values=_steps(rows), format="~s")
        x = {"title": title, "scale": alt.Scale(type=scale, constant=2), "axis": axis}
    colours = [LIGHT[name] for name in _STATUSES.values()]
    colour = alt.Color(
        "status:N", legend=None, scale=alt.Scale(domain=list(_STATUSES), range=colours)
    )
    order = [row["metric"] for row in rows]
    chart = alt.Chart(_data(rows)).encode(alt.Y("metric:N", title=None, sort=order), colour)
    told = ["metric:N", "retention:Q", "low:Q", "high:Q", "value:Q", "null:Q"]
    drawn: LayerChart = alt.layer(
        alt.Chart(_data([{"null": null}])).mark_rule(color=LIGHT["ink"]).encode(alt.X("null:Q")),
        chart.mark_rule(strokeWidth=2.5).encode(alt.X("low:Q", **x), alt.X2("high")),
        chart.mark_point(filled=True, opacity=1, size=64).encode(
            alt.X("retention:Q", **x), tooltip=told
        ),
    )
    return drawn


def _steps(rows: Sequence[dict[str, Any]]) -> list[int]:
    """Return the ticks of an axis of standard errors: 0, and every half power of ten."""
    reach = [row[name] for row in rows for name in ("retention", "low", "high")]
    numbers = [0.0, *(number for number in reach if number is not None)]
    sizes = [factor * 10**power for power in range(1, 16) for factor in (1, 3)]
    steps = [*(-size for size in reversed(sizes)), 0, *sizes]
    return [step for step in steps if min(numbers) <= step <= max(numbers)]


def _rows(plot: Plot) -> list[dict[str, Any]]:
    """Return the numbers of a plot by run and generation; those of a fresh sample have no run."""
    drawn = set(spread_out(plot.generations, MOST))
    found: list[tuple[str | None, int, Number, float | None]] = [
        (None, generation, null, None) for generation, null in plot.null_band
    ]
    found += [
        (visible(curve.arm.name), point.generation, point.value, point.theory)
        for curve in plot.curves
        for point in curve.points
    ]
    return [
        {
            "metric": plot.name,
            "run": run,
            "generation": generation,
            "value": finite(number.value),
            "low": finite(number.low),
            "high": finite(number.high),
            "theory": finite(theory),
        }
        for run, generation, number, theory in found
        if generation in drawn
    ]


def _checked(metrics: str | Sequence[str], frame: pl.DataFrame) -> list[str]:
    """Return the names of metrics, all of which the frame has."""
    asked = [metrics] if isinstance(metrics, str) else list(metrics)
    known = frame["metric"].unique(maintain_order=True).to_list()
    for name in asked:
        if name not in known:
            raise InputError(
                argument="metrics",
                expected=f"metrics of the frame: {', '.join(known)}",
                got=shown(name),
                hint=meant(str(name), known),
            )
    return asked


def _data(rows: Sequence[dict[str, Any]]) -> InlineData:
    """Return rows as the data of a chart, of any number: Altair bounds those of a frame."""
    data: InlineData = _altair().InlineData(values=list(rows))
    return data


def _altair() -> Any:  # noqa: ANN401  (a module that is not always there)
    try:
        return importlib.import_module("altair")
    except ImportError as error:
        raise MissingDependencyError.of_extra(
            extra="plot", argument="plot", expected="Altair, which makes charts"
        ) from error

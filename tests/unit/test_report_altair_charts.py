"""``.plot()``: an Altair chart that is valid and holds the numbers of the frame, or one error."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.comparison.registry import LABELS
from tailwatch.exceptions import InputError, MissingDependencyError
from tailwatch.recursion import Gaussian, Replace
from tailwatch.report.altair_charts import plot_comparison, plot_generations
from tests.support import recursion_sample
from tests.support.datasets import model, write_shards
from tests.support.report_sample import frame, records

if TYPE_CHECKING:
    import altair as alt


def specification(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return what a notebook gets, checked against the schema of Vega-Lite, as strict JSON."""
    document = chart.to_dict(validate=True)
    return json.loads(json.dumps(document, allow_nan=False))


def values(chart: dict[str, Any], part: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the rows that a part of a chart draws."""
    return chart["datasets"][(part or chart)["data"]["name"]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    random = np.random.default_rng(0)
    human, other = random.standard_normal((2, 300, 2))
    labels = ["a", "b"] * 150
    metrics = ["tail_odds_ratio", "energy_distance"]
    folder = tmp_path_factory.mktemp("plot")
    run = tw.recursion.run(
        Gaussian(), human, policy=Replace(), generations=2, metrics=["total_variance"]
    )
    return {
        "comparison": tw.compare(human, other, metrics=metrics),
        "classes": tw.compare(human, other, metrics=metrics, per=(labels, labels)),
        "run": run,
        "overlay": tw.recursion.overlay([run]),
        "report": model().score_dataset(write_shards(folder / "in", 2), folder / "out"),
    }


NAMES = ["comparison", "classes", "run", "overlay", "report"]


@pytest.mark.parametrize("name", NAMES)
def test_each_result_is_drawn(name: str, results: dict[str, Any]) -> None:
    chart = results[name].plot()
    specification(chart)
    # It can be changed as any chart of Altair.
    assert specification(chart.properties(title="mine"))["title"] == "mine"


@pytest.mark.parametrize("name", NAMES)
def test_without_the_extra_it_is_one_error_that_names_it(
    name: str, results: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(MissingDependencyError) as caught:
        results[name].plot()
    assert caught.value.argument == "plot"
    assert "pip install 'tailwatch[plot]'" in (caught.value.hint or "")


def test_a_comparison_holds_the_numbers_of_its_frame() -> None:
    chart = specification(plot_comparison(frame(), LABELS))
    ratios, divergences = chart["vconcat"]
    rows = [row for row in records() if row["direction"] != "lower"]
    _, interval, points = ratios["layer"]
    assert values(chart, points) == values(chart, interval)
    for drawn, row in zip(values(chart, points), rows, strict=True):
        assert drawn["retention"] == row["retention"]
        assert (drawn["low"], drawn["high"]) == (row["retention_low"], row["retention_high"])
    assert values(chart, ratios["layer"][0]) == [{"null": 1.0}]
    assert values(chart, divergences["layer"][0]) == [{"null": 0.0}]
    axis = divergences["layer"][2]["encoding"]["x"]
    assert axis["scale"]["type"] == "symlog"
    assert axis["axis"]["values"] == [0, 10, 30, 100]


@pytest.mark.parametrize("filler", [None, math.nan, math.inf, 1e300])
def test_any_number_can_stand_anywhere(filler: float | None) -> None:
    numbers = ["value", "low", "high", "null", "retention", "retention_low", "retention_high"]
    filled = frame().with_columns(pl.lit(filler, pl.Float64).alias(name) for name in numbers)
    specification(plot_comparison(filled, LABELS))
    specification(plot_comparison(filled.head(0), LABELS))
    columns = ["value", "low", "high", "null", "null_low", "null_high", "theory"]
    loop = recursion_sample.frame()
    loop = loop.with_columns(pl.lit(filler, pl.Float64).alias(name) for name in columns)
    specification(plot_generations(loop, LABELS))


def test_generations_hold_the_numbers_of_the_frame() -> None:
    runs = tuple(recursion_sample.FRACTIONS)
    table = recursion_sample.frame(runs)
    chart = specification(plot_generations(table, LABELS, ["total_variance", "tail_mass"]))
    every = pl.DataFrame(values(chart))
    drawn = every.filter(pl.col("run").is_not_null())
    variance = drawn.filter(metric="Total variance").select("run", "generation", "value", "theory")
    expected = table.filter(metric="total_variance").select("run", "generation", "value", "theory")
    assert variance.sort("run", "generation").equals(expected.sort("run", "generation"))
    tails = drawn.filter(pl.col("metric").str.starts_with("Tail mass"))
    wanted = table.filter(metric="tail_mass", level=0.05)
    assert tails["low"].sort().to_list() == wanted["low"].sort().to_list()
    fresh = every.filter(pl.col("run").is_null(), metric="Total variance")
    nulls = (
        table.filter(metric="total_variance")
        .group_by("generation")
        .agg(pl.col("null").mean(), pl.col("null_low").min(), pl.col("null_high").max())
    )
    columns = ["generation", "value", "low", "high"]
    assert fresh.select(columns).rows() == [
        pytest.approx(r) for r in nulls.sort("generation").rows()
    ]
    assert chart["facet"]["sort"] == ["Total variance", tails["metric"][0]]
    one = specification(plot_generations(table, LABELS, "recall"))
    assert {row["metric"] for row in values(one)} == {"Recall"}


def test_no_two_runs_look_alike() -> None:
    one = recursion_sample.frame()
    runs = [f"run {number}" for number in range(20)]
    table = pl.concat(one.with_columns(run=pl.lit(run)) for run in runs)
    chart = specification(plot_generations(table, LABELS, "total_variance"))
    channels = [layer["encoding"] for layer in chart["spec"]["layer"]]
    points = next(encoding for encoding in channels if "shape" in encoding)
    looks = zip(*(points[channel]["scale"]["range"] for channel in ("color", "shape")), strict=True)
    assert len(set(looks)) == len(runs)


def test_a_metric_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError) as caught:
        plot_generations(recursion_sample.frame(), LABELS, ["tail_mas"])
    assert (caught.value.argument, caught.value.got) == ("metrics", "'tail_mas'")
    assert "tail_mass" in (caught.value.hint or "")


def test_thousands_of_points_are_drawn() -> None:
    # Altair refuses frames of more than 5,000 rows.
    one = recursion_sample.frame().filter(metric="total_variance", generation=1)
    many = pl.concat(
        one.with_columns(
            pl.lit(generation, pl.Int64).alias("generation"), pl.lit(f"{run}").alias("run")
        )
        for run in range(29)
        for generation in range(1, 201)
    )
    assert len(values(specification(plot_generations(many, LABELS)))) == 30 * 60


def test_scores_hold_the_shares_of_the_histogram(results: dict[str, Any]) -> None:
    chart = specification(results["report"].plot())
    bars, lines = chart["layer"]
    shares_of = values(chart)
    assert (bars["mark"]["type"], lines["mark"]["type"]) == ("bar", "line")
    for name in ("human", "synthetic", "target"):
        shares = [row["share"] for row in shares_of if row["rows"] == name]
        assert sum(shares) == pytest.approx(1)
    assert bars["encoding"]["x"]["sort"][0].startswith("−∞ to ")

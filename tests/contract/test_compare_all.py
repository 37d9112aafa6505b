"""The panel of all metrics: the standard one and more, on any data, with the same promises."""

from __future__ import annotations

import json
import math
import re
from html import escape

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.comparison.registry import METRICS
from tailwatch.comparison.request import PANELS
from tests.support import samples
from tests.support.edge_samples import INTERVALS, PAIRS, RETAINED

MORE = [name for name in PANELS["all"] if name not in PANELS["standard"]]

X = samples.clusters(1, 401, 7).astype(np.float32)
Y = (0.9 * samples.clusters(2, 301, 7, centres=6)).astype(np.float32)


@pytest.fixture(scope="module")
def whole() -> tw.Comparison:
    return tw.compare(X, Y, metrics="all", threads=2)


def test_it_begins_as_the_standard_panel_and_says_the_same(whole: tw.Comparison) -> None:
    standard = tw.compare(X, Y, threads=2)
    kept = whole.frame.filter(pl.col("metric").is_in(PANELS["standard"]))
    assert kept.equals(standard.frame)
    # The area of the probe stands beside the finding that it is about.
    assert re.sub(r" A classifier tells them apart with AUC .*?\]\.", "", whole.sentence) == (
        standard.sentence
    )
    assert whole.frame["metric"].unique(maintain_order=True).to_list() == list(METRICS)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_matter(threads: int, whole: tw.Comparison) -> None:
    again = tw.compare(X, Y, metrics=MORE, threads=threads).frame
    assert again.equals(whole.frame.filter(pl.col("metric").is_in(MORE)))


@pytest.mark.parametrize("metric", MORE)
def test_a_metric_is_the_same_alone_and_in_company(metric: str, whole: tw.Comparison) -> None:
    own = tw.compare(X, Y, metrics=[metric], threads=2).frame
    assert own.equals(whole.frame.filter(pl.col("metric") == metric))


def test_methods_are_those_of_the_registry(whole: tw.Comparison) -> None:
    for metric, method, reason in whole.frame.select("metric", "method", "reason").iter_rows():
        known = METRICS[metric].interval.method
        assert (method or "no interval") == known
        assert (reason is None) == (known != "no interval")


def test_rows_are_bounded_where_the_registry_says_so() -> None:
    frame = tw.compare(X, Y, metrics=MORE, max_rows=140, threads=2).frame
    for row in frame.to_dicts():
        bounded = METRICS[row["metric"]].quadratic
        halves = (row["n_reference"], row["n_candidate"])
        whole = (row["n_reference_all"], row["n_candidate_all"])
        expected = ((70, 70), (140, 140)) if bounded else ((200, 200), (401, 301))
        assert (halves, whole) == expected, row["metric"]


def test_the_page_has_all(whole: tw.Comparison) -> None:
    page = whole.to_html()
    assert len(page.encode()) < 1_000_000
    assert all(escape(metric.label.name) in page for metric in METRICS.values())


@pytest.fixture(scope="module", params=PAIRS)
def found(request: pytest.FixtureRequest) -> tw.Comparison:
    return tw.compare(*PAIRS[request.param](), metrics=MORE, threads=2)


def test_intervals_hold_their_estimates_and_have_both_ends_or_none(found: tw.Comparison) -> None:
    for row in found.frame.to_dicts():
        for low, middle, high in (*INTERVALS, RETAINED):
            name = row["metric"], middle
            assert (row[low] is None) == (row[high] is None), name
            if row[low] is not None:
                assert row[low] <= row[middle] <= row[high], name


def test_what_has_no_value_says_why_and_nothing_is_nan(found: tw.Comparison) -> None:
    assert not found.frame.select(pl.any_horizontal(pl.col(pl.Float64).is_nan().any())).item()
    for row in found.frame.to_dicts():
        assert (row["low"] is None) == (row["method"] is None), row["metric"]
        assert (row["method"] is None) == (row["reason"] is not None), row["metric"]
        if row["null"] is None or math.isinf(row["null"]) or row["null"] == 0:
            assert row["retention"] is None or row["direction"] == "lower", row["metric"]
    assert json.loads(found.to_json())["frame"]

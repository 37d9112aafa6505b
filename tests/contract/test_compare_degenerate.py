"""Data at the edge of what has tails: an answer without a crash, a warning, or nonsense.

pytest turns warnings into errors, so whatever NumPy or SciPy have to say fails these tests.
"""

from __future__ import annotations

import json
import math

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tests.support import samples
from tests.support.edge_samples import INTERVALS, PAIRS, RETAINED

X, Y = samples.gaussian(1, 300, 5), samples.gaussian(2, 150, 5)


@pytest.fixture(scope="module", params=PAIRS)
def found(request: pytest.FixtureRequest) -> tw.Comparison:
    return tw.compare(*PAIRS[request.param](), threads=2)


def test_intervals_hold_their_estimates_and_have_both_ends_or_none(found: tw.Comparison) -> None:
    for row in found.frame.to_dicts():
        for low, middle, high in (*INTERVALS, RETAINED):
            name = row["metric"], row["level"], middle
            assert (row[low] is None) == (row[high] is None), name
            if row[low] is not None:
                assert row[low] <= row[middle] <= row[high], name


def test_no_number_is_nan_and_values_are_there(found: tw.Comparison) -> None:
    assert not found.frame.select(pl.any_horizontal(pl.col(pl.Float64).is_nan().any())).item()
    assert found.frame["value"].null_count() == 0
    assert found.frame["null"].null_count() == 0
    shares = found.frame.filter(pl.col("metric").is_in(["precision", "recall", "coverage"]))
    assert shares["value"].is_between(0, 1).all()


def test_nothing_is_retained_of_an_infinite_or_missing_null(found: tw.Comparison) -> None:
    split = found.frame.filter(pl.col("direction") != "lower")
    for row in split.to_dicts():
        if math.isinf(row["null"]) or row["null"] == 0:
            assert row["retention"] is None, (row["metric"], row["level"])


def test_it_can_be_said_and_kept(found: tw.Comparison) -> None:
    assert found.sentence
    assert "nan" not in found.sentence
    assert found.sentence in repr(found)
    assert json.loads(found.to_json())["frame"]


@pytest.mark.parametrize("pair", ["one point", "the same point", "one column", "huge", "elsewhere"])
def test_it_can_be_drawn(pair: str) -> None:
    assert "<svg" in tw.compare(*PAIRS[pair](), threads=2)._repr_html_()


@pytest.mark.parametrize("k", [1, 2, 37])
def test_any_neighbour(k: int) -> None:
    found = tw.compare(X, Y, metrics=["precision", "tail_odds_ratio"], k=k)
    assert found.frame["value"].is_between(0, 20).all()


def test_copies_of_the_reference_lose_no_tail() -> None:
    # A candidate that is the reference: nothing was lost, and no distance was travelled.
    found = tw.compare(X, X.copy(), threads=2)
    assert found.sentence == "All candidate rows are copies of human rows."
    whole = found.frame.filter(pl.col("level").is_null()).select("metric", "value_all")
    full = dict(whole.iter_rows())
    for metric in ("precision", "recall", "coverage"):
        assert full[metric] == 1.0
    for metric in ("frechet_distance", "mmd_gaussian", "energy_distance"):
        assert full[metric] <= 1e-9


def test_a_constant_column_changes_no_neighbour() -> None:
    names = ["precision", "recall", "density", "tail_odds_ratio"]
    plain = tw.compare(X, Y, metrics=names).frame
    padded = [np.pad(z, ((0, 0), (0, 3)), constant_values=2.5) for z in (X, Y)]
    assert tw.compare(*padded, metrics=names).frame.equals(plain)


@pytest.mark.parametrize("level", [0.5, 0.6, 0.9, 0.99])
def test_levels_beyond_a_half_are_answered_or_refused(level: float) -> None:
    # More than half of all rows may be called a tail, if the odds of that are still odds.
    try:
        frame = tw.compare(X, Y, tail_levels=[level], threads=2).frame
    except tw.exceptions.InputError as error:
        assert error.argument == "tail_levels"  # noqa: PT017
        return
    odds = frame.filter(pl.col("metric") == "tail_odds_ratio")
    numbers = odds.select("value", "low", "high", "null", "null_low", "null_high").row(0)
    assert all(number is not None and number >= 0 for number in numbers)
    assert numbers[1] <= numbers[0] <= numbers[2]
    assert numbers[4] <= numbers[3] <= numbers[5]


def test_a_bounded_sample_is_drawn_from_all_rows() -> None:
    # Rows sorted by size: a prefix would hold none but the smallest.
    order = np.argsort(np.linalg.norm(X, axis=1))
    frame = tw.compare(
        np.repeat(X[order], 4, axis=0), Y, metrics=["energy_distance"], max_rows=200
    ).frame
    assert frame["n_reference_all"].to_list() == [200]
    assert abs(frame["value_all"].item()) < 0.2


def test_a_kernel_that_overflows_fails_alone() -> None:
    # The cube of 1e240 is no number; distances of 1e120 are.
    names = ["mmd_polynomial", "mmd_gaussian", "energy_distance"]
    found = tw.compare(1e120 * X, 1e120 * Y, metrics=names, threads=2)
    rows = {row["metric"]: row for row in found.frame.to_dicts()}
    lost = rows["mmd_polynomial"]
    assert lost["value"] is lost["null"] is lost["retention"] is lost["value_all"] is None
    assert lost["method"] is None
    assert lost["reason"] == (
        "polynomial kernel: values overflow; rescale the data, or leave this metric out"
    )
    plain = tw.compare(X, Y, metrics=names[1:], threads=2).frame
    assert rows["mmd_gaussian"]["value"] == pytest.approx(
        plain.filter(pl.col("metric") == "mmd_gaussian")["value"][0], rel=1e-9
    )
    assert rows["energy_distance"]["value"] > 0
    assert found.sentence
    assert "values overflow" in found._repr_html_()

"""Tail indices of squared distances: where moments have an error and where they have none."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.comparison.heaviness import LEAST_INDEX, tail_index
from tests.reference import samples
from tests.reference.anchored import SETTINGS, rows_of

OF_MOMENTS = {
    "frechet_distance",
    "mmd_polynomial",
    "total_variance",
    "effective_rank",
    "participation_ratio",
}


def index_of(*arrays: np.ndarray) -> float:
    return tail_index([rows_of(array) for array in arrays], SETTINGS)[0]


def is_heavy(array: np.ndarray) -> bool:
    return tail_index([rows_of(array)], SETTINGS)[1]


@pytest.mark.parametrize("index", [0.8, 1.5, 3.0, 6.0])
def test_the_index_of_a_pareto_tail_is_found(index: float) -> None:
    # Squared distance r with P(r > x) = x^−index, in random directions. 40,000 rows, seed 1:
    # Hill's estimate from 1,001 of them has a relative error of 1/√1,001; z ≤ 4.
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(40_000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    squared = rng.uniform(size=(40_000, 1)) ** (-1 / index)
    found = index_of(directions * np.sqrt(squared))
    assert found == pytest.approx(index, rel=4 / np.sqrt(1001) + 0.05)


def test_neither_place_nor_unit_nor_parts_matter() -> None:
    x = samples.student(1, 2000, 4)
    whole = index_of(x)
    assert index_of(1000 * x) == pytest.approx(whole, rel=1e-9)
    assert index_of(x + 50) == pytest.approx(whole, rel=1e-6)
    assert index_of(x[:1200], x[1200:]) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("columns", [2, 16, 64])
def test_gaussian_rows_are_not_heavy_and_t3_rows_are(columns: int) -> None:
    assert index_of(samples.gaussian(2, 4000, columns)) > LEAST_INDEX + 1
    assert index_of(samples.student(2, 4000, columns)) < LEAST_INDEX
    assert not is_heavy(samples.gaussian(2, 4000, columns))
    assert is_heavy(samples.student(2, 4000, columns))


def test_rows_that_are_all_equal_or_equally_far_are_not_heavy() -> None:
    assert index_of(np.ones((100, 3))) == np.inf
    square = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    assert index_of(np.tile(square, (50, 1))) == np.inf


@pytest.mark.parametrize(("reference", "candidate"), [(3, None), (None, 3), (3, 3)])
def test_heavy_tails_in_either_sample_take_the_interval(
    reference: int | None, candidate: int | None
) -> None:
    draw = {None: samples.gaussian, 3: samples.student}
    x, y = draw[reference](4, 4000, 8), draw[candidate](5, 2000, 8)
    frame = tw.compare(x, y, metrics=[*sorted(OF_MOMENTS), "energy_distance"], threads=2).frame
    split = frame.filter(pl.col("method") != "full")
    for row in split.to_dicts():
        if row["metric"] in OF_MOMENTS:
            assert row["method"].startswith("no interval; tails too heavy for one: ")
            assert "tail index" in row["method"]
            assert {row[name] for name in ("low", "high", "null_low", "retention_low")} == {None}
            assert row["value"] is not None
        else:
            assert row["low"] < row["value"] < row["high"]


@pytest.mark.parametrize("columns", [1, 2, 4])
def test_a_small_gaussian_sample_is_seldom_called_heavy(columns: int) -> None:
    # 400 samples of the smallest size, seed 6: at most 5 % false alarms (z ≤ 4 above that).
    rng = np.random.default_rng(6)
    called = [is_heavy(rng.normal(size=(64, columns))) for _ in range(400)]
    assert np.mean(called) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)

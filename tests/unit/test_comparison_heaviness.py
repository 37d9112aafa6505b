"""Tail indices of squared distances: where moments have an error and where they have none."""

from __future__ import annotations

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.comparison.estimates import LEAST_INDEX, TailIndex, tail_index
from tests.support import samples
from tests.support.anchored import SETTINGS, rows_of

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


@pytest.mark.parametrize(
    ("reference", "candidate"), [(3, None), (None, 3), pytest.param(3, 3, marks=pytest.mark.slow)]
)
def test_heavy_tails_in_either_sample_take_the_interval(
    reference: int | None, candidate: int | None
) -> None:
    draw = {None: samples.gaussian, 3: samples.student}
    x, y = draw[reference](4, 4000, 8), draw[candidate](5, 2000, 8)
    frame = tw.compare(x, y, metrics=[*sorted(OF_MOMENTS), "energy_distance"], threads=2).frame
    for row in frame.to_dicts():
        if row["metric"] in OF_MOMENTS:
            assert row["method"] is None
            assert row["reason"].startswith("tails too heavy for one: ")
            assert "tail index" in row["reason"]
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


@pytest.mark.parametrize("columns", [1, 2, 32])
def test_a_gaussian_sample_of_a_thousand_rows_is_seldom_called_heavy(columns: int) -> None:
    # 200 samples, seed 7: at most 5 % false alarms (z ≤ 4 above that).
    rng = np.random.default_rng(7)
    called = [is_heavy(rng.normal(size=(1000, columns))) for _ in range(200)]
    assert np.mean(called) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 200)


def test_what_all_rows_have_does_not_hide_a_tail() -> None:
    # Squared distance c + r with P(r > x) = x^-1.5, in random directions and their opposites, whose
    # centre is zero. 4,000 rows, seed 8.
    rng = np.random.default_rng(8)
    directions = rng.normal(size=(2000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    excess = rng.uniform(size=(2000, 1)) ** (-1 / 1.5)

    def found(common: float) -> TailIndex:
        one = directions * np.sqrt(common + excess)
        return tail_index([rows_of(np.stack([one, -one], axis=1).reshape(-1, 3))], SETTINGS)

    plain, beyond_a_bulk = found(0.0), found(100.0)
    assert plain.heavy
    assert beyond_a_bulk.heavy
    assert beyond_a_bulk.of_distance > 2 * LEAST_INDEX
    # The excess is what rounding leaves of distances a hundred times as large in the square.
    assert beyond_a_bulk.of_excess == pytest.approx(plain.of_excess, rel=1e-6)


def test_the_excess_is_that_over_the_median() -> None:
    # Squared distances 1 but for 1 + 16, 8, 4, 2, and rows in opposite pairs: the centre is zero.
    # Of 160 rows the farthest are 6, so that the last of them, at 1 + 4, is the threshold.
    distances = np.sqrt(np.concatenate([np.ones(76), [17.0, 9, 5, 3]]))
    pairs = np.stack([distances, -distances], axis=1).reshape(-1, 1)
    found = tail_index([rows_of(pairs * np.array([[0.6, 0.8]]))], SETTINGS)
    of_spacings = np.log(np.array([16.0, 16, 8, 8, 4]) / 4)
    assert found.of_excess == pytest.approx(1 / of_spacings.mean(), rel=1e-9)


def test_t3_columns_practically_never_pass_as_light() -> None:
    # 500 samples of 1,000 rows of 32 t₃ columns, seed 9: at most 2 % (z ≤ 4 above that); a pair of
    # samples passes only if both do. Hill's estimate of the distance itself lets 10 % pass.
    rng = np.random.default_rng(9)
    found = [
        tail_index([rows_of(rng.standard_t(3, size=(1000, 32)))], SETTINGS) for _ in range(500)
    ]
    passed = np.mean([not each.heavy for each in found])
    assert passed <= 0.02 + 4 * np.sqrt(0.02 * 0.98 / 500)
    assert np.mean([each.of_distance >= LEAST_INDEX for each in found]) >= 0.05

"""Exact neighbours: every index, and every distance to the last bit, ties included."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

import tailwatch as tw
from tests.support import oracle, samples

SHAPES = [
    # queries, base, columns, k: one row, sides that are no multiple of any tile, long and wide
    (1, 1, 1, 1),
    (3, 7, 1, 2),
    (17, 33, 3, 5),
    (64, 64, 4, 64),
    (100, 257, 5, 4),
    (65, 130, 64, 10),
    (130, 65, 65, 65),
    (50, 300, 129, 7),
    (20, 41, 770, 3),
    (9, 1100, 16, 1),
    (1100, 9, 16, 9),
]


@pytest.mark.parametrize(
    ("dtype", "bits"),
    [(np.float16, 6), (np.float32, 12), (np.float64, 12)],
    ids=["f16", "f32", "f64"],
)
@pytest.mark.parametrize(("rows", "base_rows", "columns", "k"), SHAPES)
def test_every_shape_and_dtype(
    rows: int, base_rows: int, columns: int, k: int, dtype: type, bits: int
) -> None:
    queries = samples.dyadic(1, rows, columns, bits=bits).astype(dtype)
    base = samples.dyadic(2, base_rows, columns, bits=bits).astype(dtype)
    distances, indices = tw.metrics.nearest_neighbors(queries, base, k=k)
    expected_distances, expected_indices = oracle.nearest_neighbors(queries, base, k)
    assert distances.dtype == np.float64
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_array_equal(distances, expected_distances)


@pytest.mark.parametrize("columns", [1, 2, 3, 9])
@pytest.mark.parametrize("exclude_self", [False, True])
def test_ties_go_to_the_lower_index(columns: int, exclude_self: bool) -> None:
    x = samples.lattice(3, 240, columns)
    distances, indices = tw.metrics.nearest_neighbors(x, x, k=9, exclude_self=exclude_self)
    expected = oracle.nearest_neighbors(x, x, 9, exclude_self=exclude_self)
    np.testing.assert_array_equal(distances, expected[0])
    np.testing.assert_array_equal(indices, expected[1])


def test_excluding_self_leaves_duplicates_in() -> None:
    x = np.repeat(samples.dyadic(4, 50, 6), 2, axis=0)
    distances, indices = tw.metrics.nearest_neighbors(x, x, k=1, exclude_self=True)
    # Rows 2i and 2i+1 are copies of each other.
    np.testing.assert_array_equal(indices[:, 0], np.arange(100) ^ 1)
    assert not distances.any()


def test_all_rows_can_be_asked_for() -> None:
    x = samples.dyadic(5, 70, 5)
    _, indices = tw.metrics.nearest_neighbors(x, x, k=69, exclude_self=True)
    others = [np.setdiff1d(np.arange(70), [row]) for row in range(70)]
    np.testing.assert_array_equal(np.sort(indices, axis=1), others)


def test_continuous_data_as_scikit_learn() -> None:
    queries, base = samples.gaussian(6, 400, 24), samples.clusters(7, 900, 24)
    distances, indices = tw.metrics.nearest_neighbors(queries, base, k=5)
    peer = NearestNeighbors(n_neighbors=5, algorithm="kd_tree").fit(base)
    peer_distances, peer_indices = peer.kneighbors(queries)
    np.testing.assert_array_equal(indices, peer_indices)
    np.testing.assert_allclose(distances, peer_distances, rtol=1e-14)


def test_mixed_dtypes_are_compared_as_the_numbers_they_hold() -> None:
    queries = samples.dyadic(8, 60, 20, bits=6).astype(np.float16)
    base = samples.dyadic(9, 90, 20, bits=12)
    distances, indices = tw.metrics.nearest_neighbors(queries, base, k=4)
    expected = oracle.nearest_neighbors(queries, base, 4)
    np.testing.assert_array_equal(indices, expected[1])
    np.testing.assert_array_equal(distances, expected[0])


def test_one_heavy_column_hides_no_neighbour() -> None:
    # The eighth column is a thousand times wider than the others: hard on any coarse coding.
    scale = np.ones(32)
    scale[7] = 1000.0
    queries, base = samples.gaussian(10, 200, 32) * scale, samples.gaussian(11, 500, 32) * scale
    distances, indices = tw.metrics.nearest_neighbors(queries, base, k=6)
    expected = oracle.nearest_neighbors(queries, base, 6)
    np.testing.assert_array_equal(indices, expected[1])
    np.testing.assert_allclose(distances, expected[0], rtol=1e-14)


def test_near_duplicates_are_told_apart() -> None:
    # Distances of 1e-9 between rows of norm 1: a difference of norms could not resolve them.
    base = samples.gaussian(12, 40, 16)
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    step = np.random.default_rng(13).uniform(1.0, 2.0, size=(40, 1)) * 1e-9
    queries = base + step / 4.0
    distances, indices = tw.metrics.nearest_neighbors(queries, base, k=1)
    np.testing.assert_array_equal(indices[:, 0], np.arange(40))
    np.testing.assert_allclose(distances, oracle.nearest_neighbors(queries, base, 1)[0], rtol=1e-14)
    np.testing.assert_allclose(distances, step, rtol=1e-6)

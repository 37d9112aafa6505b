"""Cases that today's libraries get wrong, one group of tests for each.

Data lie on dyadic grids where an offset or a scale must change nothing: the shifted or scaled rows
are then exactly the shifted or scaled rows, even in float32, and results can be compared to the
last bit or to a tolerance that has no room for the fault.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import scipy.stats

import tailwatch as tw
from tailwatch.exceptions import DimensionError, InputError, NonFiniteError
from tests.support import oracle, samples
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Metric = Callable[[NDArray[np.floating], NDArray[np.floating]], object]

metrics = tw.metrics

NEIGHBOUR_METRICS: dict[str, Metric] = {
    "nearest_neighbors": lambda x, y: metrics.nearest_neighbors(y, x, k=5),
    "prdc": metrics.precision_recall_density_coverage,
    "tail_coverage": lambda x, y: metrics.tail_coverage(x, y).rows(),
    "tail_test": metrics.tail_test,
}
SCALAR_METRICS: dict[str, Metric] = {
    "energy": metrics.energy_distance,
    "gaussian mmd": lambda x, y: metrics.mmd(x, y, kernel="gaussian"),
    "frechet": metrics.frechet_distance,
}
OTHERS: dict[str, Metric] = {
    "polynomial mmd": lambda x, y: metrics.mmd(x, y, kernel="polynomial"),
    "directional_tails": metrics.directional_tails,
    "mode_coverage": metrics.mode_coverage,
    "mauve": metrics.mauve,
    "mmd_test": lambda x, y: metrics.mmd_test(x, y).statistic,
    "frechet extrapolated": lambda x, y: metrics.frechet_distance_extrapolated(x, y).value,
    "spectrum": lambda x, y: (metrics.spectrum(x), metrics.spectrum(y)),
}
ALL = NEIGHBOUR_METRICS | SCALAR_METRICS | OTHERS
PAIRED = {name: metric for name, metric in ALL.items() if name != "spectrum"}
OFFSETS = [100.0, 1_000.0, 10_000.0]


def equal(first: object, second: object) -> bool:
    """Equality to the last bit of two results."""
    if isinstance(first, tuple):
        return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    return bool(first == second)


# --- offset data


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("name", NEIGHBOUR_METRICS)
def test_offset_changes_no_neighbour(name: str, offset: float) -> None:
    x, y = samples.dyadic(1, 300, 48), samples.dyadic(2, 250, 48, scale=0.9)
    metric = NEIGHBOUR_METRICS[name]
    moved = [(rows + offset).astype(np.float32) for rows in (x, y)]
    assert equal(metric(*moved), metric(x, y))


@pytest.mark.parametrize("offset", OFFSETS)
def test_offset_neighbours_are_the_true_ones(offset: float) -> None:
    # Any float32 rows, not only those of a grid: the oracle measures what float32 holds.
    x = (samples.gaussian(3, 700, 64) + offset).astype(np.float32)
    y = (samples.gaussian(4, 300, 64) + offset).astype(np.float32)
    distances, indices = metrics.nearest_neighbors(y, x, k=10)
    expected = oracle.nearest_neighbors(y, x, 10)
    np.testing.assert_array_equal(indices, expected[1])
    np.testing.assert_allclose(distances, expected[0], rtol=1e-14)


def test_neighbours_do_not_depend_on_the_batch() -> None:
    x = (samples.gaussian(5, 900, 64) + 1_000.0).astype(np.float32)
    distances, indices = metrics.nearest_neighbors(x, x, k=7)
    for rows in (slice(0, 1), slice(0, 10), slice(389, 402)):
        few = metrics.nearest_neighbors(x[rows], x, k=7)
        np.testing.assert_array_equal(few[0], distances[rows])
        np.testing.assert_array_equal(few[1], indices[rows])


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("name", SCALAR_METRICS)
def test_offset_changes_no_divergence(name: str, offset: float) -> None:
    x, y = samples.dyadic(6, 200, 24), samples.dyadic(7, 180, 24, scale=0.8)
    moved = [(rows + offset).astype(np.float32) for rows in (x, y)]
    assert SCALAR_METRICS[name](*moved) == pytest.approx(SCALAR_METRICS[name](x, y), rel=1e-10)


@pytest.mark.parametrize("shift", [0.0, 0.5])
@pytest.mark.parametrize("offset", [0.0, 10.0, *OFFSETS])
def test_offset_does_not_cancel_in_the_polynomial_kernel(offset: float, shift: float) -> None:
    # The kernel is not translation-invariant; terms of size offset⁶ cancel down to offset⁴.
    x = samples.dyadic(8, 60, 4) + offset
    y = samples.dyadic(9, 50, 4, scale=0.75) + offset + shift
    found = metrics.mmd(x.astype(np.float32), y.astype(np.float32), kernel="polynomial")
    assert found == pytest.approx(oracle.exact_polynomial_mmd(x, y), rel=1e-10)


# --- millions of rows


def test_moments_of_two_million_rows_do_not_drift() -> None:
    rng = np.random.default_rng(10)
    x, y = (
        rng.standard_normal((2_000_000, 4), dtype=np.float32) + np.float32(100.0) for _ in range(2)
    )
    found = metrics.frechet_distance(x, y)
    assert found == pytest.approx(oracle.frechet_by_eigenvalues(x, y), rel=1e-6)
    assert 0.0 < found < 1e-4
    # The same rows in another order.
    assert 0.0 <= metrics.frechet_distance(x, x[::-1]) <= 1e-12 * 4


# --- duplicates and ties


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 512.0])
def test_copies_lie_in_balls_of_radius_zero(offset: float, dtype: type) -> None:
    # Every row six times and k = 5: all radii are 0, and each ball holds six rows.
    x = (samples.dyadic(11, 40, 8, bits=0, scale=2.0) + offset).astype(dtype)
    x = np.unique(x, axis=0).repeat(6, axis=0)
    found = metrics.precision_recall_density_coverage(x, x, k=5)
    assert (found.precision, found.recall, found.coverage) == (1.0, 1.0, 1.0)
    assert found.density == pytest.approx(6 / 5, rel=1e-15)
    frame = metrics.tail_coverage(x, x)
    assert frame["coverage"].to_list() == frame["recall"].to_list() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("offset", [0.0, *OFFSETS])
def test_rows_on_the_sphere_are_inside(offset: float) -> None:
    # Steps of one on a line, k = 1: every neighbour lies exactly on the sphere. Of the rows of y,
    # eighteen lie in three balls, the last two in two and one.
    x = (np.arange(20.0)[:, None] + offset).astype(np.float32)
    y = x + np.float32(1.0)
    found = metrics.precision_recall_density_coverage(x, y, k=1)
    assert (found.precision, found.recall, found.coverage) == (1.0, 1.0, 1.0)
    assert found.density == pytest.approx(57 / 20, rel=1e-15)


def test_a_copied_reference_is_covered_whole() -> None:
    # Open balls and a norm-minus-dot distance flip these between 0 and 1.
    x = (samples.gaussian(12, 200, 32) + 1_000.0).astype(np.float32)
    found = metrics.precision_recall_density_coverage(x, x.copy(), k=1)
    assert (found.precision, found.recall, found.coverage, found.density) == (1.0, 1.0, 1.0, 2.0)


# --- values that are no numbers


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", PAIRED)
def test_one_bad_row_is_refused_by_its_number(name: str, dtype: type, bad: float) -> None:
    x, y = (samples.gaussian(seed, 60, 5).astype(dtype) for seed in (13, 14))
    spoiled = y.copy()
    spoiled[37, 2] = bad
    first, second = (
        ("base", "queries") if name == "nearest_neighbors" else ("reference", "candidate")
    )
    with refused(NonFiniteError, second, "finite numbers", where="row 37, column 2"):
        PAIRED[name](x, spoiled)
    with refused(NonFiniteError, first, "finite numbers", where="row 37, column 2"):
        PAIRED[name](spoiled, y)


def test_rows_are_counted_across_chunks() -> None:
    y = samples.gaussian(48, 60, 5)
    y[41, 3] = np.nan
    chunks = pl.Series(y[:7]).append(pl.Series(y[7:40])).append(pl.Series(y[40:]))
    with refused(NonFiniteError, "candidate", "finite numbers", "NaN", "row 41, column 3"):
        metrics.energy_distance(samples.gaussian(49, 60, 5), chunks)


def test_bad_row_of_a_spectrum() -> None:
    x = samples.gaussian(15, 60, 5)
    x[59, 4] = np.nan
    with refused(NonFiniteError, "embeddings", "finite numbers", "NaN", "row 59, column 4"):
        metrics.spectrum(x)


# --- scale

# 2⁸³ ≈ 1e25: its square overflows float32, and its inverse's square is 0 there.
HUGE, TINY = 2.0**83, 2.0**-83


@pytest.mark.parametrize("scale", [TINY, HUGE])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_scale(dtype: type, scale: float) -> None:
    x, y = samples.dyadic(16, 200, 12), samples.dyadic(17, 180, 12, scale=0.8)
    big_x, big_y = ((rows * scale).astype(dtype) for rows in (x, y))

    distances, indices = metrics.nearest_neighbors(big_y, big_x, k=5)
    expected = metrics.nearest_neighbors(y, x, k=5)
    np.testing.assert_array_equal(indices, expected[1])
    np.testing.assert_array_equal(distances, expected[0] * scale)
    for name in ("prdc", "tail_coverage", "tail_test"):
        assert NEIGHBOUR_METRICS[name](big_x, big_y) == NEIGHBOUR_METRICS[name](x, y), name
    for name, power in (("energy", 1), ("gaussian mmd", 0), ("frechet", 2)):
        found = SCALAR_METRICS[name](big_x, big_y)
        assert found == pytest.approx(SCALAR_METRICS[name](x, y) * scale**power, rel=1e-10), name

    spectrum, unscaled = metrics.spectrum(big_x), metrics.spectrum(x)
    np.testing.assert_allclose(
        spectrum.eigenvalues, unscaled.eigenvalues * scale**2, rtol=1e-10, atol=0.0
    )
    assert spectrum.effective_rank == pytest.approx(unscaled.effective_rank, rel=1e-10)
    assert spectrum.log_det == pytest.approx(unscaled.log_det + 24 * np.log(scale), rel=1e-10)
    ratios = metrics.directional_tails(big_x, big_y, level=0.1).ratios
    np.testing.assert_allclose(ratios, metrics.directional_tails(x, y, level=0.1).ratios)


@pytest.mark.parametrize("scale", [TINY, HUGE])
def test_polynomial_kernel_at_extreme_scale(scale: float) -> None:
    x, y = (samples.gaussian(seed, 80, 6) * scale for seed in (18, 19))

    def kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return oracle.polynomial_kernel(a, b, 2, 1.0 / scale**2, 1.0)

    expected = oracle.mmd(kernel(x, x), kernel(y, y), kernel(x, y), unbiased=True)
    found = metrics.mmd(x, y, kernel="polynomial", degree=2, gamma=1.0 / scale**2)
    assert found == pytest.approx(expected, rel=1e-10)


# --- columns without variance


@pytest.mark.parametrize("value", [0.0, 1.0, 1e4])
def test_constant_columns_add_nothing(value: float) -> None:
    x, y = samples.dyadic(20, 150, 6), samples.dyadic(21, 140, 6, scale=0.8)
    wide_x, wide_y = (
        np.column_stack([np.full(len(rows), value), rows, np.full(len(rows), -value)])
        for rows in (x, y)
    )
    for name, metric in NEIGHBOUR_METRICS.items():
        assert equal(metric(wide_x, wide_y), metric(x, y)), name
    for name, metric in SCALAR_METRICS.items():
        assert metric(wide_x, wide_y) == pytest.approx(metric(x, y), rel=1e-10), name
    spectrum = metrics.spectrum(wide_x)
    assert spectrum.effective_rank == pytest.approx(metrics.spectrum(x).effective_rank, rel=1e-10)
    assert spectrum.log_det == -np.inf


RANK_DEFICIENT = {
    "fewer rows than columns": samples.gaussian(22, 20, 50),
    "rank three of fifty": samples.gaussian(23, 200, 3) @ samples.gaussian(24, 3, 50),
    "columns twice": np.tile(samples.gaussian(25, 200, 20), (1, 2)),
    "far from zero": samples.gaussian(26, 200, 3) @ samples.gaussian(27, 3, 50) + 1_000.0,
    "one direction": np.outer(np.arange(10.0), np.ones(30)),
    "full rank": samples.gaussian(28, 300, 40),
}


@pytest.mark.parametrize("name", RANK_DEFICIENT)
def test_frechet_of_a_sample_against_itself(name: str) -> None:
    x = RANK_DEFICIENT[name]
    limit = 1e-12 * np.trace(np.cov(x, rowvar=False))
    assert 0.0 <= metrics.frechet_distance(x, x) <= limit
    shuffled = np.random.default_rng(29).permutation(x)
    assert 0.0 <= metrics.frechet_distance(x, shuffled) <= limit


@pytest.mark.parametrize("offset", [0.0, 1_000.0])
@pytest.mark.parametrize("name", ["constant column", *RANK_DEFICIENT])
def test_no_tail_is_read_along_a_direction_without_variance(name: str, offset: float) -> None:
    # Such an axis holds rounding errors, or equal values with nothing beyond them: a ratio there
    # would report tails that were lost or widened although nothing happened.
    x = RANK_DEFICIENT.get(name, samples.gaussian(47, 500, 6) * [1.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    directions = metrics.directional_tails(x + offset, x + offset).directions
    covariance = np.cov(x, rowvar=False)
    variance = ((directions @ covariance) * directions).sum(axis=1)
    assert variance.min() >= 1e-12 * np.trace(covariance)


# --- few rows, wrong shapes


def test_one_row_more_than_k_is_enough() -> None:
    x, y = samples.dyadic(30, 6, 3), samples.dyadic(31, 6, 3)
    found = dataclasses.asdict(metrics.precision_recall_density_coverage(x, y, k=5))
    assert found == pytest.approx(vars(oracle.prdc(x, y, 5)), rel=1e-15)
    tails = metrics.tail_coverage(x, y, k=5).rows(named=True)
    for tail, row in zip(tails, oracle.tail_coverage(x, y, (0.10, 0.05, 0.01), 5), strict=True):
        assert tail == pytest.approx(vars(row), rel=1e-13)


@pytest.mark.parametrize(
    "metric", [metrics.precision_recall_density_coverage, metrics.tail_coverage]
)
def test_k_must_leave_other_rows(metric: Metric) -> None:
    enough, few = samples.gaussian(32, 50, 3), samples.gaussian(33, 7, 3)
    with refused(InputError, "k", "at most the 6 other rows of reference", "k = 8 with 7 rows"):
        metric(few, enough, k=8)
    with refused(InputError, "k", "at most the 6 other rows of candidate", "k = 7 with 7 rows"):
        metric(enough, few, k=7)


def test_k_beyond_the_rows_names_both() -> None:
    x = samples.gaussian(34, 7, 3)
    with refused(InputError, "k", "at most the 7 rows of base", "k = 8 with 7 rows"):
        metrics.nearest_neighbors(x, x, k=8)
    with refused(InputError, "k", "at most the 6 other rows of base", "k = 7 with 7 rows"):
        metrics.nearest_neighbors(x, x, k=7, exclude_self=True)
    with refused(
        InputError, "k", "at most the 13 other rows of the pooled sample", "k = 14 with 14 rows"
    ):
        metrics.tail_test(x, x, k=14)
    with refused(InputError, "k", "an integer of at least 1", "0"):
        metrics.nearest_neighbors(x, x, k=0)


@pytest.mark.parametrize(
    "name", ["prdc", "tail_coverage", "frechet", "energy", "gaussian mmd", "polynomial mmd"]
)
def test_one_row_is_too_few(name: str) -> None:
    one, many = samples.gaussian(35, 1, 3), samples.gaussian(36, 50, 3)
    for argument, pair in (("reference", (one, many)), ("candidate", (many, one))):
        with refused(InputError, got="…1…") as caught:
            ALL[name](*pair)
        assert argument in f"{caught.value.argument} {caught.value.expected}"


def test_one_row_has_no_spectrum() -> None:
    with refused(InputError, "embeddings", "at least 2 rows", "1"):
        metrics.spectrum(samples.gaussian(37, 1, 3))


def test_one_row_is_enough_where_nothing_is_left_out() -> None:
    one, many = samples.dyadic(38, 1, 3), samples.dyadic(39, 50, 3)
    distances, indices = metrics.nearest_neighbors(many, one, k=1)
    assert not indices.any()
    np.testing.assert_array_equal(distances, oracle.distances(many, one))
    expected = oracle.energy_distance(one, many, unbiased=False)
    assert metrics.energy_distance(one, many, unbiased=False) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", PAIRED)
def test_no_rows(name: str) -> None:
    none, many = np.empty((0, 3)), samples.gaussian(40, 50, 3)
    first, second = (
        ("base", "queries") if name == "nearest_neighbors" else ("reference", "candidate")
    )
    with refused(InputError, first, "at least one row", "none"):
        PAIRED[name](none, many)
    with refused(InputError, second, "at least one row", "none"):
        PAIRED[name](many, none)


@pytest.mark.parametrize("name", PAIRED)
def test_columns_must_agree(name: str) -> None:
    with refused(DimensionError, expected="31 columns as in …", got="29"):
        PAIRED[name](samples.gaussian(41, 60, 31), samples.gaussian(42, 60, 29))


# --- float16


@pytest.mark.parametrize("name", ALL)
def test_sums_of_float16_do_not_overflow(name: str) -> None:
    # Values near 1,000: one square is fifteen times the largest float16.
    x, y = ((samples.gaussian(seed, 300, 20) * 500.0).astype(np.float16) for seed in (43, 44))
    narrow, wide = ALL[name](x, y), ALL[name](x.astype(np.float64), y.astype(np.float64))
    if name in NEIGHBOUR_METRICS:
        assert equal(narrow, wide)
    elif name == "spectrum":
        np.testing.assert_allclose(narrow[0].eigenvalues, wide[0].eigenvalues, rtol=1e-12)
        assert np.isfinite(narrow[0].log_det)
    elif name == "directional_tails":
        np.testing.assert_allclose(narrow.ratios, wide.ratios)
    elif name == "mode_coverage":
        assert narrow.table.equals(wide.table)
    else:
        assert narrow == pytest.approx(wide, rel=1e-12)
        assert np.isfinite(narrow)


# --- what "energy" means


def test_energy_distance_is_neither_a_root_nor_a_half() -> None:
    # Two points three apart: E = 2·3 where others give √6 or 3.
    x, y = np.zeros((2, 1)), np.full((2, 1), 3.0)
    assert metrics.energy_distance(x, y) == 6.0
    a, b = samples.gaussian(45, 200, 1), samples.gaussian(46, 150, 1) + 1.0
    root = scipy.stats.energy_distance(a.ravel(), b.ravel())
    assert metrics.energy_distance(a, b, unbiased=False) == pytest.approx(root**2, rel=1e-10)
    assert "E itself" in metrics.energy_distance.__doc__

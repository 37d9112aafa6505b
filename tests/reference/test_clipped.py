"""Clipped density and coverage: equal to their definition, and linear in the share of good rows."""

from __future__ import annotations

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError
from tests.support import oracle, samples
from tests.support.errors import refused

clipped_density, clipped_coverage = tw.metrics.clipped_density, tw.metrics.clipped_coverage

PAIRS = {
    "gaussian": (samples.gaussian(1, 500, 12), samples.gaussian(2, 400, 12, scale=0.9)),
    "student": (samples.student(3, 301, 6), samples.student(4, 450, 6)),
    "clusters": (samples.clusters(5, 450, 33), samples.clusters(6, 300, 33, centres=5)),
    "line": (samples.gaussian(7, 200, 1), samples.gaussian(8, 150, 1) + 0.5),
    "offset": (samples.dyadic(9, 300, 17) + 2.0**20, samples.dyadic(10, 200, 17) + 2.0**20),
    "apart": (samples.gaussian(11, 100, 5), samples.gaussian(12, 100, 5) + 50.0),
    "wide": (samples.gaussian(13, 120, 600), samples.gaussian(14, 140, 600)),
    # Distances tie for more rows than any list holds.
    "ties in few columns": (
        samples.lattice(15, 330, 2, side=4),
        samples.lattice(16, 210, 2, side=4) + 1.0,
    ),
    "ties in many columns": (
        samples.lattice(17, 300, 18, side=2),
        samples.lattice(18, 200, 18, side=2),
    ),
    "copies": (np.repeat(samples.gaussian(19, 40, 20), 6, axis=0), samples.gaussian(19, 40, 20)),
}


@pytest.mark.parametrize("k", [1, 5, 60])
@pytest.mark.parametrize("name", PAIRS)
def test_both_equal_the_definition(name: str, k: int) -> None:
    x, y = PAIRS[name]
    found = clipped_density(x, y, k=k), clipped_coverage(x, y, k=k)
    expected = oracle.clipped_density(x, y, k), oracle.clipped_coverage(x, y, k)
    assert found == pytest.approx(expected, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_floats_mean_the_numbers_they_hold(dtype: type) -> None:
    x, y = samples.gaussian(15, 200, 18).astype(dtype), samples.gaussian(16, 210, 18).astype(dtype)
    wide = x.astype(np.float64), y.astype(np.float64)
    for metric in (clipped_density, clipped_coverage):
        assert metric(x, y) == metric(*wide)


def test_the_median_of_an_even_number_is_that_of_both_in_the_middle() -> None:
    # Radii 1, 1, 3, 3 by k = 1: the median is 2, and the rows of the far pair are clipped away.
    x = np.array([[0.0], [1.0], [10.0], [13.0]])
    for at, balls in ((11.9, 1), (12.1, 1), (12.0, 1), (7.9, 0)):
        found = oracle.clipped_density_of(x, np.array([[at]]), 1)
        assert found == balls
        assert clipped_density(x, np.array([[at]]), k=1) == pytest.approx(min(balls / 0.5, 1.0))


def test_a_law_on_itself_has_a_mean_of_one_before_it_is_cut() -> None:
    # n = m = 150, k = 4, 150 repetitions; z ≤ 4. Cutting takes off what is above 1, so shares of
    # good rows are measured at 0.6, where none is cut.
    found = []
    for seed in range(150):
        x, y = samples.student(1000 + seed, 150, 3), samples.student(5000 + seed, 150, 3)
        y[90:] += 1e4
        found.append(
            (clipped_density(x, y, k=4, threads=1), clipped_coverage(x, y, k=4, threads=1))
        )
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    # The inverse of a concave function is convex: a mean of shares is a little above the share.
    assert (np.abs(np.mean(found, axis=0) - 0.6) <= 4.0 * error + [0.0, 0.01]).all()


SHARES = (1.0, 0.9, 0.7, 0.5, 0.3, 0.1, 0.0)
ROWS = 1500


def measured(columns: int, outliers: float, candidate_outliers: float) -> np.ndarray:
    """Density and coverage at each share of good rows: means over 4 seeds."""
    total = np.zeros((len(SHARES), 2))
    for seed in range(4):
        rng = np.random.default_rng([columns, seed])
        x, good = rng.normal(size=(2, ROWS, columns))
        x[: round(outliers * ROWS)] *= 10.0
        good[rng.random(ROWS) < candidate_outliers] *= 10.0
        good = rng.permutation(good)
        for row, share in enumerate(SHARES):
            y = good.copy()
            y[round(share * ROWS) :] += 500.0
            total[row] += clipped_density(x, y), clipped_coverage(x, y)
    return total / 4


@pytest.mark.parametrize(
    "columns", [8, *(pytest.param(d, marks=pytest.mark.slow) for d in (2, 64))]
)
@pytest.mark.parametrize("outliers", [0.0, 0.05])
def test_both_are_linear_in_the_share_of_good_rows(columns: int, outliers: float) -> None:
    found = measured(columns, outliers, outliers)
    assert np.abs(found - np.array(SHARES)[:, None]).max() <= 0.03


@pytest.mark.slow
@pytest.mark.parametrize("columns", [2, 64])
def test_outliers_that_the_candidate_has_not_divide_density_and_no_more(columns: int) -> None:
    # Precision reads 1 for each share above 0 there: the balls of outliers hold everything.
    density, coverage = measured(columns, 0.05, 0.0).T
    shares = np.array(SHARES)
    assert np.abs(density - np.minimum(shares / 0.95, 1.0)).max() <= 0.03
    assert np.abs(coverage - shares).max() <= 0.06


def test_degenerate_samples_have_values() -> None:
    one_point, other = np.ones((9, 3)), np.zeros((4, 3))
    assert clipped_density(one_point, one_point, k=3) == 1.0
    assert clipped_coverage(one_point, one_point, k=3) == 1.0
    assert clipped_density(one_point, other, k=3) == clipped_coverage(one_point, other, k=3) == 0.0
    x = samples.gaussian(20, 6, 2)
    # One candidate row, and balls of all others.
    assert clipped_density(x, x[:1], k=5) == 1.0
    assert clipped_coverage(x, x[:1], k=5) == pytest.approx(1.0)
    for metric in (clipped_density, clipped_coverage):
        assert metric(1e140 * x, 1e140 * x[:3], k=2) == metric(x, x[:3], k=2)
        assert metric(1e-25 * x, 1e-25 * x[:3], k=2) == metric(x, x[:3], k=2)


@pytest.mark.parametrize("metric", [clipped_density, clipped_coverage])
def test_what_cannot_be_measured_is_refused(metric: object) -> None:
    assert callable(metric)
    x = samples.gaussian(21, 6, 2)
    for k in (0, 6):
        with refused(InputError, "k"):
            metric(x, x, k=k)
    with refused(InputError, "candidate", "2 columns …", "1"):
        metric(x, x[:, :1])
    with refused(InputError, "candidate", where="row 1…"):
        metric(x, np.where(np.arange(6)[:, None] == 1, np.nan, x))

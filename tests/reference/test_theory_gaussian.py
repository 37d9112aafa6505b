"""A Gaussian that learns from its own samples, against rows that are really drawn.

Monte-Carlo tests state their runs and their seed; z is at most 4.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tailwatch.recursion import theory
from tests.support.monte_carlo import Z, assert_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ROWS = st.integers(2, 10**6)
GENERATIONS = st.integers(1, 200)


def replaced(rows: int, generations: int, runs: int, seed: int, ddof: int) -> tuple[Array, Array]:
    """Means and variances of the last fits, from rows that are really drawn."""
    rng = np.random.default_rng(seed)
    mean, deviation = np.zeros((runs, 1)), np.ones((runs, 1))
    for _ in range(generations):
        x = mean + deviation * rng.normal(size=(runs, rows))
        mean, deviation = x.mean(axis=1, keepdims=True), x.std(axis=1, ddof=ddof, keepdims=True)
    return mean[:, 0], deviation[:, 0] ** 2


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize(("rows", "generations"), [(2, 1), (5, 2), (20, 7), (40, 10)])
def test_replace_moments(rows: int, generations: int, ddof: int) -> None:
    # 20,000 runs, seed 1; at most rows/2 generations, so that the mean of σ² can be seen.
    mean, variance = replaced(rows, generations, 20_000, 1, ddof)
    assert_mean(variance, theory.replace_variance(generations, rows, ddof=ddof))
    assert_mean(mean**2, theory.replace_mean_square(generations, rows, ddof=ddof))
    assert_mean(np.sqrt(variance), theory.replace_deviation(generations, rows, ddof=ddof))
    distance = mean**2 + (np.sqrt(variance) - 1) ** 2
    assert_mean(distance, theory.replace_wasserstein(generations, rows, ddof=ddof))


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize(("rows", "generations"), [(4, 1), (10, 30), (50, 60)])
def test_replace_on_the_log_scale(rows: int, generations: int, ddof: int) -> None:
    # 5,000 runs, seed 2.
    mean, variance = replaced(rows, generations, 5_000, 2, ddof)
    logs = np.log(variance)
    expected = theory.replace_log_variance(generations, rows, ddof=ddof)
    assert_mean(logs, expected)
    spread = theory.variance_of_log_variance(generations, rows)
    assert_mean((logs - expected) ** 2, spread)
    if generations == 1:
        divergence = (mean**2 + variance - 1 - logs) / 2
        assert_mean(divergence, theory.replace_divergence(1, rows, ddof=ddof))


@pytest.mark.parametrize("ddof", [0, 1])
def test_divergence_after_several_generations(ddof: int) -> None:
    # 40,000 runs of 5 generations, seed 3.
    mean, variance = replaced(30, 5, 40_000, 3, ddof)
    divergence = (mean**2 + variance - 1 - np.log(variance)) / 2
    assert_mean(divergence, theory.replace_divergence(5, 30, ddof=ddof))


@pytest.mark.parametrize("ddof", [0, 1])
def test_half_of_the_runs_have_lost_half_at_the_half_life(ddof: int) -> None:
    # 4,000 runs, seed 4: a share of one half, binomially.
    rows = 20
    half_life = theory.half_life(rows, ddof=ddof)
    before, after = math.floor(half_life), math.ceil(half_life)
    shares = [float((replaced(rows, n, 4_000, 4, ddof)[1] < 0.5).mean()) for n in (before, after)]
    # ln σ² is a sum of logarithms of χ², skewed to the left by 2/√(M−1)/√n: the median lies above
    # the mean by less than a sixth of that, in standard deviations.
    slack = Z * 0.5 / math.sqrt(4_000) + 0.4 / 6 * 2 / math.sqrt((rows - 1) * before)
    assert shares[0] <= 0.5 + slack
    assert shares[1] >= 0.5 - slack


def test_the_relative_variance_of_the_variance() -> None:
    # 40,000 runs of 4 generations, seed 5.
    _, variance = replaced(30, 4, 40_000, 5, 1)
    assert_mean((variance - 1) ** 2, theory.relative_variance_of_variance(4, 30))


def test_a_biased_sampling_is_passed_on_once_less_than_it_is_done() -> None:
    # 20,000 runs of 3 generations in 3 columns with λ = 0.7, seed 6. What generation 3 fits has
    # seen two biased samplings, what it hands out has seen three.
    rng = np.random.default_rng(6)
    bias, rows, runs, columns = 0.7, 12, 20_000, 3
    x = rng.normal(size=(runs, rows, columns))
    for generation in (1, 2, 3):
        mean = x.mean(axis=1, keepdims=True)
        centred = x - mean
        covariance = np.einsum("rij,rik->rjk", centred, centred) / (rows - 1)
        traces = np.trace(covariance, axis1=1, axis2=2) / columns
        assert_mean(traces, bias ** (generation - 1))
        assert_mean(bias * traces, theory.biased_sampling_variance(generation, bias))
        factor = np.linalg.cholesky(bias * covariance)
        x = mean + rng.normal(size=(runs, rows, columns)) @ factor.transpose(0, 2, 1)


def test_the_covariance_shrinks_as_a_matrix() -> None:
    # 20,000 runs of 3 generations, seed 7: every entry of E Σ by the same factor.
    rng = np.random.default_rng(7)
    target = np.array([[2.0, 0.6], [0.6, 0.5]])
    x = rng.normal(size=(20_000, 8, 2)) @ np.linalg.cholesky(target).T
    for _ in range(3):
        mean = x.mean(axis=1, keepdims=True)
        covariance = np.einsum("rij,rik->rjk", x - mean, x - mean) / 8
        x = mean + rng.normal(size=x.shape) @ np.linalg.cholesky(covariance).transpose(0, 2, 1)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        assert_mean(covariance[:, i, j], target[i, j] * theory.replace_variance(3, 8))


@given(rows=ROWS)
def test_c4_is_the_mean_of_chi(rows: int) -> None:
    assert math.isclose(
        theory.c4(rows), stats.chi(rows - 1).mean() / math.sqrt(rows - 1), rel_tol=1e-7
    )


@given(rows=ROWS, n=GENERATIONS, ddof=st.sampled_from([0, 1]))
def test_replace_identities(rows: int, n: int, ddof: int) -> None:
    variance = theory.replace_variance(n, rows, ddof=ddof)
    square = theory.replace_mean_square(n, rows, ddof=ddof)
    deviation = theory.replace_deviation(n, rows, ddof=ddof)
    # By maximum likelihood what the variance loses, the mean gains.
    assert math.isclose(variance + square, 1 + ddof * n / rows, rel_tol=1e-9)
    assert deviation**2 <= variance * (1 + 1e-12)
    assert theory.replace_log_variance(n, rows, ddof=ddof) <= 2 * math.log(deviation) + 1e-9
    expected = variance + square + 1 - 2 * deviation
    assert math.isclose(
        theory.replace_wasserstein(n, rows, ddof=ddof), expected, rel_tol=1e-9, abs_tol=1e-12
    )


def test_half_life_is_about_rows_times_ln_2() -> None:
    for rows in (1_000, 10_000):
        assert math.isclose(theory.half_life(rows, ddof=1), rows * math.log(2), rel_tol=2 / rows)
        ratio = theory.half_life(rows, ddof=1) / theory.half_life(rows)
        assert math.isclose(ratio, 2, rel_tol=2 / rows)

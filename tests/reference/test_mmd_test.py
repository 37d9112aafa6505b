"""The cross-MMD test: its formula by brute force, its level, its power."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

import tailwatch as tw
from tailwatch import _core
from tailwatch.exceptions import InputError
from tests.support import oracle, samples
from tests.support.errors import fields, refused

CASES = {
    "gaussian": (samples.gaussian(1, 90, 7), samples.gaussian(2, 71, 7, scale=0.8)),
    "student": (samples.student(3, 51, 3), samples.student(4, 120, 3)),
    "clusters": (samples.clusters(5, 80, 20), samples.clusters(6, 80, 20, centres=5)),
    "far away": (1e4 + samples.gaussian(7, 60, 5), 1e4 + samples.gaussian(8, 60, 5)),
    "line": (samples.gaussian(9, 4, 1), samples.gaussian(10, 5, 1)),
}


def halves(rows: np.ndarray, seed: int, sample: str) -> tuple[np.ndarray, np.ndarray]:
    order = _core.sample(len(rows), len(rows), seed, f"cross-MMD {sample}")
    return rows[order[: len(rows) // 2]], rows[order[len(rows) // 2 :]]


@pytest.mark.parametrize("kernel", ["gaussian", "polynomial"])
@pytest.mark.parametrize("name", CASES)
def test_formula(name: str, kernel: str) -> None:
    x, y = CASES[name]
    found = tw.metrics.mmd_test(x, y, kernel=kernel, seed=3)
    # The median heuristic is that of `mmd`, which does not depend on order.
    sigma = oracle.median_distance(x, y)
    assert found.bandwidth == (pytest.approx(sigma, rel=1e-12) if kernel == "gaussian" else None)
    (x1, x2), (y1, y2) = halves(x, 3, "reference"), halves(y, 3, "candidate")

    def values(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        if kernel == "gaussian":
            return oracle.gaussian_kernel(a, b, sigma)
        return oracle.polynomial_kernel(a, b, 3, 1 / x.shape[1], 1.0)

    matrices = [values(a, b) for a in (x1, y1) for b in (x2, y2)]
    squared, error = oracle.cross_mmd(*matrices)
    # What brute force loses of large values whose differences are small: a few roundings.
    size = max(1e-10, 1e-14 * np.abs(matrices[0]).max() / error)
    assert found.squared_mmd == pytest.approx(squared, rel=1e-10, abs=size * error)
    assert found.standard_error == pytest.approx(error, rel=size)
    assert found.statistic == pytest.approx(squared / error, rel=1e-10, abs=size)
    assert found.p_value == pytest.approx(scipy.stats.norm.sf(found.statistic), rel=1e-12)


def test_parameters_of_the_kernel() -> None:
    x, y = CASES["gaussian"]
    (x1, x2), (y1, y2) = halves(x, 0, "reference"), halves(y, 0, "candidate")
    pairs = [(a, b) for a in (x1, y1) for b in (x2, y2)]
    found = tw.metrics.mmd_test(x, y, bandwidth=0.7)
    squared, error = oracle.cross_mmd(*(oracle.gaussian_kernel(a, b, 0.7) for a, b in pairs))
    assert (found.bandwidth, found.statistic) == (0.7, pytest.approx(squared / error, rel=1e-9))
    found = tw.metrics.mmd_test(x, y, kernel="polynomial", degree=2, gamma=0.5, coef0=2.0)
    squared, error = oracle.cross_mmd(
        *(oracle.polynomial_kernel(a, b, 2, 0.5, 2.0) for a, b in pairs)
    )
    assert found.statistic == pytest.approx(squared / error, rel=1e-9)


NULLS = 200
NULL_CASES = {
    "gaussian": (samples.gaussian, 200, 8, "gaussian"),
    "student": (samples.student, 200, 4, "gaussian"),
    "clusters": (samples.clusters, 200, 16, "gaussian"),
    "wide": (samples.gaussian, 200, 300, "gaussian"),
    "polynomial": (samples.gaussian, 200, 8, "polynomial"),
}


@pytest.mark.parametrize("name", NULL_CASES)
def test_level(name: str) -> None:
    # 200 + 200 rows, 200 pairs of seeds from 100,000: the rejections at 5 % are binomial (z ≤ 4),
    # and Kolmogorov's distance of the p-values from uniform has √200·D ≤ 2.2 with probability
    # 0.9999. Both leave the normal approximation no room that would be seen at 200 rows.
    draw, rows, columns, kernel = NULL_CASES[name]
    seeds = range(100_000, 100_000 + NULLS)
    p_values = [
        tw.metrics.mmd_test(
            draw(2 * seed, rows, columns),
            draw(2 * seed + 1, rows, columns),
            kernel=kernel,
            # The median of pooled distances, known in advance: measuring it takes the time.
            bandwidth=math.sqrt(2 * columns) if kernel == "gaussian" else None,
            seed=seed,
            threads=1,
        ).p_value
        for seed in seeds
    ]
    rejected = np.mean(np.array(p_values) < 0.05)
    assert abs(rejected - 0.05) <= 4 * math.sqrt(0.05 * 0.95 / NULLS), rejected
    distance = scipy.stats.kstest(p_values, "uniform").statistic
    assert distance * math.sqrt(NULLS) <= 2.2, distance


@pytest.mark.parametrize("change", ["moved", "shrunk"])
def test_power(change: str) -> None:
    # 300 + 300 rows, 16 columns, seeds 200 to 239. The differences are 4 standard errors and more.
    scale, shift = {"moved": (1.0, 0.3), "shrunk": (0.7, 0.0)}[change]
    found = [
        tw.metrics.mmd_test(
            samples.gaussian(2 * seed, 300, 16),
            shift + samples.gaussian(2 * seed + 1, 300, 16, scale=scale),
            seed=seed,
        ).p_value
        for seed in range(200, 240)
    ]
    assert np.mean(np.array(found) < 0.01) >= 0.95


def test_the_cross_mmd_is_an_unbiased_estimate_of_the_squared_mmd() -> None:
    # Over the random halves of two fixed samples its mean is their MMD² without the pairs of a row
    # with itself. 400 seeds, z ≤ 4.
    x, y = CASES["gaussian"]
    values = [
        tw.metrics.mmd_test(x, y, bandwidth=3.0, seed=seed).squared_mmd for seed in range(400)
    ]
    expected = tw.metrics.mmd(x, y, kernel="gaussian", bandwidth=3.0)
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    assert abs(np.mean(values) - expected) <= 4 * error


def test_equal_rows_and_different_points() -> None:
    ones = np.ones((10, 3))
    same = tw.metrics.mmd_test(ones, ones)
    assert (same.statistic, same.p_value, same.squared_mmd) == (0.0, 0.5, 0.0)
    apart = tw.metrics.mmd_test(ones, 2 * ones)
    assert (apart.statistic, apart.p_value) == (math.inf, 0.0)


BAD = {
    "kernel": ({"kernel": "linear"}, fields("kernel", "'polynomial' or 'gaussian'", "'linear'")),
    "bandwidth": ({"bandwidth": 0.0}, fields("bandwidth", "a positive number", "0.0")),
    "bandwidth of a polynomial": (
        {"kernel": "polynomial", "bandwidth": 1.0},
        fields("bandwidth", "None with the polynomial kernel", "1.0"),
    ),
    "gamma of a Gaussian": (
        {"gamma": 1.0},
        fields("gamma", "None with the Gaussian kernel", "1.0", hint="its scale is `bandwidth`"),
    ),
    "degree": (
        {"kernel": "polynomial", "degree": 0},
        fields("degree", "an integer of at least 1", "0"),
    ),
    "seed": ({"seed": -1}, fields("seed", "an integer of at least 0", "-1")),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name: str) -> None:
    arguments, said = BAD[name]
    x = samples.gaussian(20, 70, 3)
    with refused(InputError, **said):
        tw.metrics.mmd_test(x, x, **arguments)


def test_too_few_rows() -> None:
    x = samples.gaussian(21, 70, 3)
    for name, pair in (("reference", (x[:3], x)), ("candidate", (x, x[:3]))):
        with refused(InputError, name, "at least 4 rows", "3"):
            tw.metrics.mmd_test(*pair)

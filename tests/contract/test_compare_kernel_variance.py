"""Closed variances of U-statistics against their spread over fresh samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tailwatch import _core
from tests.support import samples
from tests.support.anchored import SETTINGS, rows_of
from tests.support.meetings import kernel_estimates

KERNELS: dict[str, tuple[str, list[float]]] = {
    "polynomial": ("polynomial", [3.0, 0.25, 1.0]),
    "gaussian": ("gaussian", [2.0]),
    "energy": ("distance", []),
}
ROWS, COLUMNS = 96, 4


def simulated(kernel: str, scale: float, runs: int) -> np.ndarray:
    """Value, null, the three variances and the slope of fresh samples: an array (runs, 6)."""
    name, parameters = KERNELS[kernel]
    rng = np.random.default_rng([len(kernel), int(100 * scale)])
    found = []
    for _ in range(runs):
        a, b, c = rng.normal(size=(3, ROWS, COLUMNS))
        trio = rows_of(a), rows_of(b), rows_of(scale * c)
        found += kernel_estimates(trio, [(name, parameters)])
    return np.array(found)


def assert_mean_variance(numbers: np.ndarray, variances: np.ndarray, excess: float) -> None:
    """The mean of `variances` is the variance of `numbers`, up to `excess` above it; z ≤ 4.

    The empirical variance has a relative error of √((κ − 1)/runs), κ the kurtosis; the mean of the
    variances has its own.
    """
    runs = len(numbers)
    true = numbers.var(ddof=1)
    kurtosis = float(((numbers - numbers.mean()) ** 4).mean() / true**2)
    error = true * math.sqrt((kurtosis - 1) / runs) + variances.std() / math.sqrt(runs)
    assert true - 4 * error <= variances.mean() <= (1 + excess) * true + 4 * error


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("scale", [0.5, 0.8])
def test_of_a_shrunk_candidate(kernel: str, scale: float) -> None:
    # n = 250 runs of 3 × 96 rows in 4-d. Second-order variance enters the first-order one through
    # estimates, hence up to 5 % above.
    found = simulated(kernel, scale, 250)
    value, null, of_value, of_null, of_difference, slope = found.T
    first_order = slope * value.mean()
    assert_mean_variance(value, of_value + first_order, 0.05)
    assert_mean_variance(null, of_null, 0.05)
    assert_mean_variance(value - null, of_difference + first_order, 0.05)


@pytest.mark.parametrize("kernel", KERNELS)
def test_of_a_candidate_that_is_human(kernel: str) -> None:
    value, null, of_value, of_null, of_difference, slope = simulated(kernel, 1.0, 250).T
    assert_mean_variance(null, of_null, 0.05)
    assert_mean_variance(value, of_value, 0.05)
    assert_mean_variance(value - null, of_difference, 0.05)
    assert (slope > 0).all()


def test_copies_within_the_samples_bring_no_distance() -> None:
    # Of 96 rows 32 are copies of others; 120 runs, z ≤ 4. As pairs of draws they would add about
    # two standard deviations to the distance.
    rng = np.random.default_rng(5)
    found = []
    for _ in range(120):
        a, b, c = rng.normal(size=(3, ROWS, COLUMNS))
        for rows in (a, c):
            rows[:32] = rows[32 + rng.integers(64, size=32)]
        found += kernel_estimates((rows_of(a), rows_of(b), rows_of(c)), [KERNELS["energy"]])
    value, _, of_value, *_ = np.array(found).T
    assert abs(value.mean()) <= 4 * value.std(ddof=1) / math.sqrt(120)
    assert_mean_variance(value, of_value, 0.05)


LINEAR = ("polynomial", [1.0, 1.0, 0.0])
WIDE, NARROW, MANY = 4, 0.1, 200


def slopes(shift: float) -> np.ndarray:
    """Slopes of the linear kernel in 50 runs: four columns of sd 1, and a narrow one that moves."""
    rng = np.random.default_rng(11)
    deviation = np.array([1.0] * WIDE + [NARROW])
    move = np.array([0.0] * WIDE + [shift])
    found = []
    for _ in range(50):
        a, b, c = deviation * rng.normal(size=(3, MANY, WIDE + 1))
        trio = rows_of(a), rows_of(b), rows_of(c + move)
        found += kernel_estimates(trio, [LINEAR])
    return np.array(found)[:, -1]


def test_a_clear_distance_has_the_slope_of_its_own_direction() -> None:
    # The distance is δ² and its first-order variance 4σ²δ²(1/n + 1/m), σ that of the column that
    # moves; n = 50 runs of 200 rows, z ≤ 4. The slope of the sampling error, which is in the wide
    # columns, is 100 times larger, and has a weight of 9/z² with z = δ²/√V₂ = 35.
    own, of_error = 8 * NARROW**2 / MANY, 8 / MANY
    spread = math.sqrt(8 * WIDE) / MANY
    found = slopes(1.0)
    error = found.std(ddof=1) / math.sqrt(50)
    assert own - 4 * error <= found.mean() <= own + of_error * 9 * spread**2 + 4 * error


def test_without_a_distance_the_slope_is_that_of_the_sampling_error() -> None:
    # Four equal eigenvalues: 8/n to within the weight, at most a tenth at one standard deviation,
    # of a noisy estimate.
    assert np.median(slopes(0.0)) == pytest.approx(8 / MANY, rel=0.1)


def test_numbers_are_those_of_the_metric() -> None:
    a, b, c = samples.gaussian(1, 80, 3), samples.gaussian(2, 80, 3), samples.gaussian(3, 80, 3) + 1
    for name, parameters in KERNELS.values():
        [(value, null, *variances)] = kernel_estimates(
            (rows_of(a), rows_of(b), rows_of(c)), [(name, parameters)]
        )
        for found, other in ((value, c), (null, b)):
            expected = _core.mmd(
                rows_of(a), rows_of(other), name, parameters, unbiased=True, settings=SETTINGS
            )
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-13)
        assert all(variance > 0 for variance in variances)


@pytest.mark.parametrize("kernel", ["gaussian", "energy"])
def test_moving_all_samples_changes_nothing(kernel: str) -> None:
    a, b, c = (samples.gaussian(seed, 64, 3) for seed in (1, 2, 3))
    name, parameters = KERNELS[kernel]
    [plain], [moved] = (
        kernel_estimates((rows_of(a + by), rows_of(b + by), rows_of(c + by)), [(name, parameters)])
        for by in (0.0, 4096.0)
    )
    assert moved == pytest.approx(plain, rel=1e-6)

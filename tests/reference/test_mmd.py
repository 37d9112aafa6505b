"""Squared MMD: the double sums of both kernels, biased and unbiased."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel

import tailwatch as tw
from tests.support import oracle, samples

CASES = {
    "shrunk": (samples.gaussian(1, 300, 16), samples.gaussian(2, 250, 16, scale=0.7)),
    "shifted": (samples.gaussian(3, 200, 5), samples.gaussian(4, 300, 5) + 0.5),
    "student": (samples.student(5, 170, 3), samples.student(6, 190, 3) * 1.5),
    "clusters": (samples.clusters(7, 260, 40), samples.clusters(8, 260, 40, centres=5)),
    "many rows": (samples.gaussian(15, 1050, 4), samples.gaussian(16, 940, 4, scale=1.3)),
    "line": (samples.gaussian(9, 65, 1), samples.gaussian(10, 129, 1) + 1.0),
    "few": (samples.gaussian(11, 2, 4), samples.gaussian(12, 3, 4) + 2.0),
}


def by_double_sum(x: np.ndarray, y: np.ndarray, kernel: object, *, unbiased: bool) -> float:
    return oracle.mmd(kernel(x, x), kernel(y, y), kernel(x, y), unbiased=unbiased)


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize(
    ("degree", "gamma", "coef0"), [(3, None, 1.0), (1, 0.5, 0.0), (2, 0.1, 2.5), (4, None, 0.0)]
)
@pytest.mark.parametrize("name", CASES)
def test_polynomial(
    name: str, degree: int, gamma: float | None, coef0: float, unbiased: bool
) -> None:
    x, y = CASES[name]
    found = tw.metrics.mmd(
        x, y, kernel="polynomial", degree=degree, gamma=gamma, coef0=coef0, unbiased=unbiased
    )
    used = 1.0 / x.shape[1] if gamma is None else gamma

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return oracle.polynomial_kernel(a, b, degree, used, coef0)

    assert found == pytest.approx(by_double_sum(x, y, kernel, unbiased=unbiased), rel=1e-10)


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("bandwidth", [0.5, 3.0, 40.0, None])
@pytest.mark.parametrize("name", CASES)
def test_gaussian(name: str, bandwidth: float | None, unbiased: bool) -> None:
    x, y = CASES[name]
    found = tw.metrics.mmd(x, y, kernel="gaussian", bandwidth=bandwidth, unbiased=unbiased)
    used = oracle.median_distance(x, y) if bandwidth is None else bandwidth

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return oracle.gaussian_kernel(a, b, used)

    assert found == pytest.approx(by_double_sum(x, y, kernel, unbiased=unbiased), rel=1e-10)


def test_defaults_are_the_unbiased_cubic_kernel() -> None:
    x, y = CASES["shrunk"]
    expected = by_double_sum(
        x, y, lambda a, b: polynomial_kernel(a, b, degree=3, coef0=1.0), unbiased=True
    )
    assert tw.metrics.mmd(x, y, kernel="polynomial") == pytest.approx(expected, rel=1e-10)


def test_gaussian_as_scikit_learn() -> None:
    x, y = CASES["shifted"]
    expected = by_double_sum(x, y, lambda a, b: rbf_kernel(a, b, gamma=0.125), unbiased=True)
    found = tw.metrics.mmd(x, y, kernel="gaussian", bandwidth=2.0)
    assert found == pytest.approx(expected, rel=1e-10)


def test_linear_kernel_is_the_squared_difference_of_means() -> None:
    x, y = CASES["shifted"]
    gap = x.mean(axis=0) - y.mean(axis=0)
    found = tw.metrics.mmd(
        x, y, kernel="polynomial", degree=1, gamma=1.0, coef0=0.0, unbiased=False
    )
    assert found == pytest.approx(gap @ gap, rel=1e-10)


def test_median_of_an_even_number_of_pairs_is_the_middle_of_two() -> None:
    # Pooled rows 0, 1, 3, 7 on a line: distances 1, 2, 3, 4, 6, 7 with median 3.5.
    x, y = np.array([[0.0], [1.0]]), np.array([[3.0], [7.0]])
    assert tw.metrics.mmd(x, y, kernel="gaussian") == tw.metrics.mmd(
        x, y, kernel="gaussian", bandwidth=3.5
    )


def test_median_of_many_rows_is_near_that_of_all() -> None:
    # 3,000 pooled rows: the bandwidth comes from a seeded subsample, the sum from all rows.
    x, y = samples.gaussian(13, 1600, 4), samples.gaussian(14, 1400, 4, scale=0.5)
    found = tw.metrics.mmd(x, y, kernel="gaussian")
    assert found == tw.metrics.mmd(x, y, kernel="gaussian")
    bandwidth = oracle.median_distance(x, y)
    narrow, wide = (
        tw.metrics.mmd(x, y, kernel="gaussian", bandwidth=bandwidth * factor)
        for factor in (0.95, 1.05)
    )
    assert min(narrow, wide) < found < max(narrow, wide)


def test_unbiased_under_the_null() -> None:
    # n = 40, m = 30, 3 columns, seeds 900 to 1099; z ≤ 4 about an expectation of exactly 0.
    repetitions = 200
    for kernel in ("polynomial", "gaussian"):
        found = [
            tw.metrics.mmd(
                samples.gaussian(900 + seed, 40, 3),
                samples.gaussian(4900 + seed, 30, 3),
                kernel=kernel,
                bandwidth=2.0 if kernel == "gaussian" else None,
                threads=1,
            )
            for seed in range(repetitions)
        ]
        assert abs(np.mean(found)) <= 4.0 * np.std(found, ddof=1) / np.sqrt(repetitions)


# --- narrow types: 1,024 rows and more, of 64 columns and more, are multiplied in float32

WIDE = {
    "just wide enough": (samples.gaussian(21, 700, 64), samples.gaussian(22, 324, 64, scale=0.7)),
    "not a multiple": (samples.gaussian(23, 600, 131), samples.gaussian(24, 550, 131) + 0.2),
    "embeddings": (samples.gaussian(25, 600, 768), samples.gaussian(26, 580, 768, scale=0.7)),
    "clusters": (samples.clusters(27, 600, 80), samples.clusters(28, 560, 80, centres=5)),
}


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *((name, np.float32) for name in WIDE),
        ("just wide enough", np.float16),
        *(
            pytest.param(name, np.float16, marks=pytest.mark.slow)
            for name in WIDE
            if name != "just wide enough"
        ),
    ],
)
def test_narrow_rows(name: str, dtype: type) -> None:
    # Roundings leave a millionth of the standard error at the null, and these values are many
    # standard errors.
    x, y = (rows.astype(dtype) for rows in WIDE[name])
    wide_x, wide_y = x.astype(np.float64), y.astype(np.float64)
    bandwidth = oracle.median_distance(wide_x, wide_y)
    kernels = {
        "polynomial": lambda a, b: oracle.polynomial_kernel(a, b, 3, 1.0 / a.shape[1], 1.0),
        "gaussian": lambda a, b: oracle.gaussian_kernel(a, b, bandwidth),
    }
    for kernel, matrix in kernels.items():
        pairs = (wide_x, wide_x), (wide_y, wide_y), (wide_x, wide_y)
        matrices = [matrix(a, b) for a, b in pairs]
        for unbiased in (True, False):
            found = tw.metrics.mmd(x, y, kernel=kernel, unbiased=unbiased)
            expected = oracle.mmd(*matrices, unbiased=unbiased)
            assert found == pytest.approx(expected, rel=1e-7), (kernel, unbiased)


@pytest.mark.parametrize("offset", [100.0, 10_000.0])
def test_narrow_rows_far_from_zero(offset: float) -> None:
    # On a grid, so that float32 holds the rows. Kernel values of offset⁶ lose 1e-19 of themselves
    # in extended precision, which is 1e-10 of an MMD² of some offset⁴.
    x, y = samples.dyadic(29, 600, 80), samples.dyadic(30, 500, 80, scale=0.75) + 0.5
    x, y = x + offset, y + offset
    narrow = [rows.astype(np.float32) for rows in (x, y)]

    def cubic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a.astype(np.longdouble) @ b.T.astype(np.longdouble) / 80 + 1) ** 3

    found = tw.metrics.mmd(*narrow, kernel="polynomial")
    assert found == pytest.approx(by_double_sum(x, y, cubic, unbiased=True), rel=1e-7)

    def bell(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return oracle.gaussian_kernel(a, b, 10.0)

    found = tw.metrics.mmd(*narrow, kernel="gaussian", bandwidth=10.0)
    assert found == pytest.approx(by_double_sum(x, y, bell, unbiased=True), rel=1e-7)


@pytest.mark.parametrize("offset", [0.0, 1_000.0])
def test_only_copies_count_under_a_narrow_kernel(offset: float) -> None:
    # No two different rows are nearer than 5, so that the kernel is 1 for copies and 0 for others.
    x = (samples.gaussian(31, 800, 96) + offset).astype(np.float32)
    y = np.concatenate([x[40:300], x[40:70]])
    found = tw.metrics.mmd(x, y, kernel="gaussian", bandwidth=0.05)
    within_y, across = 2 * 30 / (290 * 289), 290 / (800 * 290)
    assert found == pytest.approx(within_y - 2 * across, rel=1e-12)


@pytest.mark.parametrize("columns", [64, 131, 768])
def test_roundings_are_a_millionth_of_the_standard_error_at_the_null(columns: int) -> None:
    # Where the value is a difference of much larger means, its own size is no measure.
    x, y = (samples.gaussian(seed, 600, columns).astype(np.float32) for seed in (33, 34))
    wide_x, wide_y = x.astype(np.float64), y.astype(np.float64)
    bandwidth = oracle.median_distance(wide_x, wide_y)
    kernels = {
        "polynomial": lambda a, b: oracle.polynomial_kernel(a, b, 3, 1.0 / columns, 1.0),
        "gaussian": lambda a, b: oracle.gaussian_kernel(a, b, bandwidth),
    }
    for kernel, matrix in kernels.items():
        pooled = np.concatenate([wide_x, wide_y])
        centred = matrix(pooled, pooled)
        centred -= centred.mean(axis=0)
        centred -= centred.mean(axis=1, keepdims=True)
        # Gretton et al. 2012: MMD² of n + n rows has variance 2(2/n)²·E k̃² where it is degenerate.
        error = np.sqrt(2) * (2 / len(x)) * np.sqrt((centred**2).mean())
        expected = by_double_sum(wide_x, wide_y, matrix, unbiased=True)
        assert abs(expected) < 5 * error, kernel
        found = tw.metrics.mmd(x, y, kernel=kernel)
        assert abs(found - expected) < 1e-6 * error, kernel


def test_the_default_bandwidth_is_that_of_both_in_either_order() -> None:
    # Beyond 2,000 rows it is drawn from each in proportion; at scales whose squares are no floats.
    x, y = samples.gaussian(41, 2600, 3), samples.gaussian(42, 900, 3, scale=0.5)
    usual = tw.metrics.mmd(x, y, kernel="gaussian")
    assert tw.metrics.mmd(y, x, kernel="gaussian") == pytest.approx(usual, rel=1e-9)
    for scale in (1e-100, 1e-40, 1e120):
        found = tw.metrics.mmd_test(x * scale, y * scale)
        assert found.bandwidth == pytest.approx(
            scale * tw.metrics.mmd_test(x, y).bandwidth, rel=1e-12
        )

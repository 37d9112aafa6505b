"""Precision, recall, density, coverage: equal to the oracle always, to the peer without ties."""

from __future__ import annotations

import contextlib
import io
import math

import numpy as np
import prdc
import pytest

import tailwatch as tw
from tests.support import oracle, samples

NAMES = ("precision", "recall", "density", "coverage")


def numbers(x: np.ndarray, y: np.ndarray, k: int) -> list[float]:
    result = tw.metrics.precision_recall_density_coverage(x, y, k=k)
    return [getattr(result, name) for name in NAMES]


def close_to_counts(values: list[float]) -> list[object]:
    """Ratios of counts: one rounding apart, where the next count would be 1/(k·m) apart."""
    return [pytest.approx(value, rel=4e-16, abs=0.0) for value in values]


CONTINUOUS = {
    "gaussian": (samples.gaussian(1, 500, 12), samples.gaussian(2, 400, 12, scale=0.9)),
    "student": (samples.student(3, 300, 6), samples.student(4, 450, 6)),
    "clusters": (samples.clusters(5, 450, 33), samples.clusters(6, 300, 33)),
    "line": (samples.gaussian(7, 200, 1), samples.gaussian(8, 150, 1) + 0.5),
    "apart": (samples.gaussian(9, 100, 5), samples.gaussian(10, 100, 5) + 50.0),
    "many rows": (samples.clusters(17, 2300, 10), samples.clusters(18, 1700, 10, centres=7)),
    "wide": (samples.gaussian(11, 120, 600), samples.gaussian(12, 140, 600, scale=0.9)),
}


@pytest.mark.parametrize("k", [1, 5, 20])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_equals_the_prdc_package(name: str, k: int) -> None:
    x, y = CONTINUOUS[name]
    with contextlib.redirect_stdout(io.StringIO()):
        peer = prdc.compute_prdc(x, y, nearest_k=k)
    assert numbers(x, y, k) == close_to_counts([float(peer[key]) for key in NAMES])


@pytest.mark.parametrize("k", [1, 5, 20])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_equals_the_oracle(name: str, k: int) -> None:
    x, y = CONTINUOUS[name]
    expected = oracle.prdc(x, y, k)
    assert numbers(x, y, k) == close_to_counts([getattr(expected, key) for key in NAMES])


@pytest.mark.parametrize("columns", [1, 2, 4, 8])
@pytest.mark.parametrize("k", [1, 3, 7])
def test_equals_the_oracle_on_ties(columns: int, k: int) -> None:
    x = samples.lattice(13, 130, columns, side=4)
    y = samples.lattice(14, 110, columns, side=4) + 1.0
    expected = oracle.prdc(x, y, k)
    assert numbers(x, y, k) == close_to_counts([getattr(expected, key) for key in NAMES])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_floats_mean_the_numbers_they_hold(dtype: type) -> None:
    x, y = samples.gaussian(15, 200, 10).astype(dtype), samples.gaussian(16, 210, 10).astype(dtype)
    assert numbers(x, y, 5) == numbers(x.astype(np.float64), y.astype(np.float64), 5)


@pytest.mark.parametrize("columns", [2, 20])
def test_null_of_coverage(columns: int) -> None:
    # n = 60, m = 40, k = 3, seeds 1000 to 1399; z ≤ 4.
    n, m, k, repetitions = 60, 40, 3, 400
    found = [
        tw.metrics.precision_recall_density_coverage(
            samples.gaussian(1000 + seed, n, columns),
            samples.gaussian(5000 + seed, m, columns),
            k=k,
            threads=1,
        ).coverage
        for seed in range(repetitions)
    ]
    error = np.std(found, ddof=1) / math.sqrt(repetitions)
    assert abs(np.mean(found) - oracle.coverage_null(n, m, k)) <= 4.0 * error

"""Energy distance: the double sum, SciPy in one dimension, and hand arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import tailwatch as tw
from tests.reference import oracle, samples

CASES = {
    "shrunk": (samples.gaussian(1, 300, 16), samples.gaussian(2, 250, 16, scale=0.7)),
    "shifted": (samples.gaussian(3, 200, 5), samples.gaussian(4, 300, 5) + 0.5),
    "student": (samples.student(5, 170, 3), samples.student(6, 190, 3) * 2.0),
    "clusters": (samples.clusters(7, 260, 70), samples.clusters(8, 260, 70, centres=5)),
    "many rows": (samples.gaussian(15, 1050, 4), samples.gaussian(16, 940, 4, scale=1.3)),
    "line": (samples.gaussian(9, 65, 1), samples.gaussian(10, 129, 1) + 1.0),
    "duplicates": (samples.lattice(11, 150, 3), samples.lattice(12, 140, 3) + 1.0),
    "few": (samples.gaussian(13, 2, 4), samples.gaussian(14, 3, 4) + 2.0),
}


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_equals_the_double_sum(name: str, unbiased: bool) -> None:
    x, y = CASES[name]
    found = tw.metrics.energy_distance(x, y, unbiased=unbiased)
    assert found == pytest.approx(oracle.energy_distance(x, y, unbiased=unbiased), rel=1e-10)


def test_unbiased_by_default() -> None:
    x, y = CASES["shifted"]
    assert tw.metrics.energy_distance(x, y) == tw.metrics.energy_distance(x, y, unbiased=True)


def test_biased_is_the_square_of_scipys_in_one_dimension() -> None:
    x, y = CASES["line"]
    root = scipy.stats.energy_distance(x.ravel(), y.ravel())
    assert tw.metrics.energy_distance(x, y, unbiased=False) == pytest.approx(root**2, rel=1e-10)


def test_one_row_against_one_row() -> None:
    # A 3-4-5 triangle: E = 2·5, with nothing within the samples.
    x, y = np.array([[1.0, 1.0]]), np.array([[4.0, 5.0]])
    assert tw.metrics.energy_distance(x, y, unbiased=False) == 10.0


def test_shifted_normal_closed_form() -> None:
    # E‖x−x'‖ = 2/√π for N(0,1); E|x−y| is a folded normal with mean 1 and variance 2.
    # n = m = 300, seeds 1500 to 1649; z ≤ 4, no bias.
    repetitions = 150
    found = [
        tw.metrics.energy_distance(
            samples.gaussian(1500 + seed, 300, 1),
            samples.gaussian(5500 + seed, 300, 1) + 1.0,
            threads=1,
        )
        for seed in range(repetitions)
    ]
    folded = scipy.stats.foldnorm(c=1.0 / np.sqrt(2.0), scale=np.sqrt(2.0)).mean()
    expected = 2.0 * folded - 4.0 / np.sqrt(np.pi)
    error = np.std(found, ddof=1) / np.sqrt(repetitions)
    assert abs(np.mean(found) - expected) <= 4.0 * error

"""Energy distance: the double sum, SciPy in one dimension, and hand arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import tailwatch as tw
from tests.support import oracle, samples

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


# --- narrow types: 1,024 rows and more, of 64 columns and more, are multiplied in float32

WIDE = {
    "just wide enough": (samples.gaussian(21, 700, 64), samples.gaussian(22, 324, 64, scale=0.7)),
    "not a multiple": (samples.student(23, 600, 131), samples.student(24, 550, 131) * 1.5),
    "embeddings": (samples.gaussian(25, 600, 768), samples.gaussian(26, 580, 768, scale=0.7)),
    "clusters": (samples.clusters(27, 600, 80), samples.clusters(28, 560, 80, centres=5)),
}


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("offset", [0.0, 100.0, 10_000.0])
@pytest.mark.parametrize("name", WIDE)
def test_narrow_rows(name: str, offset: float, unbiased: bool) -> None:
    x, y = ((rows + offset).astype(np.float32) for rows in WIDE[name])
    found = tw.metrics.energy_distance(x, y, unbiased=unbiased)
    assert found == pytest.approx(oracle.energy_distance(x, y, unbiased=unbiased), rel=1e-7)


@pytest.mark.parametrize("name", WIDE)
def test_half_precision(name: str) -> None:
    x, y = (rows.astype(np.float16) for rows in WIDE[name])
    found = tw.metrics.energy_distance(x, y)
    assert found == pytest.approx(oracle.energy_distance(x, y, unbiased=True), rel=1e-7)


@pytest.mark.parametrize("exponent", [-66, -83, 66, 83])
def test_a_power_of_two_scales_the_energy_of_narrow_rows_exactly(exponent: int) -> None:
    x, y = (rows.astype(np.float32) for rows in WIDE["not a multiple"])
    scale = np.float32(2.0**exponent)
    found = tw.metrics.energy_distance(x * scale, y * scale)
    assert found == tw.metrics.energy_distance(x, y) * 2.0**exponent


def test_a_narrow_sample_is_at_no_distance_from_its_copy() -> None:
    # Every pair has the same bits within and across; only the order of the sums differs.
    x = (samples.gaussian(31, 600, 96) + 50.0).astype(np.float32)
    found = tw.metrics.energy_distance(x, x.copy(), unbiased=False)
    assert abs(found) <= 1e-14 * 14

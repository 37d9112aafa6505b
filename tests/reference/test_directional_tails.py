"""Directional tails: counts along the directions reported, and the Gaussian closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

import tailwatch as tw
from tests.support import oracle, samples

CASES = {
    "gaussian": (samples.gaussian(1, 800, 12), samples.gaussian(2, 700, 12, scale=0.8)),
    "student": (samples.student(3, 500, 5), samples.student(4, 900, 5)),
    "clusters": (samples.clusters(5, 600, 40), samples.clusters(6, 600, 40, centres=5)),
    "line": (samples.gaussian(7, 300, 1), samples.gaussian(8, 200, 1)),
    "wide": (samples.gaussian(9, 60, 200), samples.gaussian(10, 70, 200)),
}


@pytest.mark.parametrize("level", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("name", CASES)
def test_ratios_are_counts_along_the_directions(name: str, level: float) -> None:
    x, y = CASES[name]
    found = tw.metrics.directional_tails(x, y, level=level, directions=40, seed=3)
    assert found.directions.shape == (40, x.shape[1])
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1.0, rtol=1e-12)
    expected = oracle.directional_ratios(x, y, level, found.directions)
    np.testing.assert_allclose(found.ratios, expected, rtol=1e-14)


def test_summary_is_of_the_ratios() -> None:
    x, y = CASES["gaussian"]
    found = tw.metrics.directional_tails(x, y, level=0.1)
    assert found.ratios.shape == (256,)
    assert found.mean == pytest.approx(found.ratios.mean(), rel=1e-14)
    assert found.minimum == found.ratios.min()
    assert found.share_under_half == np.mean(found.ratios < 0.5)


def test_first_direction_is_the_leading_principal_axis() -> None:
    scale = np.array([1.0, 1.0, 5.0, 1.0, 2.0])
    rotation = scipy.stats.ortho_group.rvs(5, random_state=11)
    x = (samples.gaussian(12, 400, 5) * scale) @ rotation
    found = tw.metrics.directional_tails(x, x, directions=16)
    axis = np.linalg.eigh(np.cov(x, rowvar=False)).eigenvectors[:, -1]
    assert abs(found.directions[0] @ axis) == pytest.approx(1.0, abs=1e-12)


def test_directions_come_from_the_seed() -> None:
    x, y = CASES["student"]
    one, same, other = (
        tw.metrics.directional_tails(x, y, directions=64, seed=seed).directions
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    # Principal axes may lead both lists; the random directions behind them differ.
    assert not np.isclose(np.abs((one * other).sum(axis=1)), 1.0).all()


@pytest.mark.parametrize("sigma", [0.5, 0.8, 1.0, 1.25])
@pytest.mark.parametrize("level", [0.05, 0.2])
def test_closed_form_of_gaussians(sigma: float, level: float) -> None:
    # Φ(−z/σ)/Φ(−z), z = Φ⁻¹(1−α/2). n = m = 20,000, 2 columns, 16 directions, seeds 300 to 314;
    # the standard error is that of the mean over the seeds, z ≤ 4.
    rows, repetitions = 20_000, 15
    found = [
        tw.metrics.directional_tails(
            samples.gaussian(300 + seed, rows, 2),
            samples.gaussian(700 + seed, rows, 2, scale=sigma),
            level=level,
            directions=16,
            seed=seed,
        ).mean
        for seed in range(repetitions)
    ]
    z = scipy.stats.norm.isf(level / 2)
    expected = scipy.stats.norm.sf(z / sigma) / scipy.stats.norm.sf(z)
    error = np.std(found, ddof=1) / math.sqrt(repetitions)
    assert abs(np.mean(found) - expected) <= 4.0 * error


def test_collapse_to_a_point_leaves_no_tail() -> None:
    x = samples.gaussian(13, 500, 8)
    found = tw.metrics.directional_tails(x, np.repeat(x.mean(axis=0, keepdims=True), 50, axis=0))
    assert (found.mean, found.minimum, found.share_under_half) == (0.0, 0.0, 1.0)


def test_rows_on_a_quantile_count_in_proportion() -> None:
    # Quantiles 0.25 and 0.75 of 0..4 are the rows 1 and 3 themselves: a quarter of them makes 1.25
    # rows beyond either, a quarter of the five.
    x = np.arange(5.0)[:, None]
    y = np.array([[1.0], [3.0], [0.5], [3.5]])
    found = tw.metrics.directional_tails(x, y, level=0.5, directions=2)
    np.testing.assert_array_equal(found.ratios, [1.25, 1.25])
    itself = tw.metrics.directional_tails(x, x, level=0.5, directions=2)
    np.testing.assert_array_equal(itself.ratios, [1.0, 1.0])


def test_where_all_rows_lie_on_the_quantiles_nothing_is_lost() -> None:
    # One column of few values: projections are its multiples, whole multiples of one another.
    rng = np.random.default_rng(4)
    x, y = (rng.integers(0, 2, size=(400, 1)).astype(float) for _ in range(2))
    found = tw.metrics.directional_tails(x, y, level=0.1, directions=4)
    expected = oracle.directional_ratios(x, y, 0.1, found.directions)
    np.testing.assert_allclose(found.ratios, expected, rtol=1e-14)
    assert 0.8 < found.mean < 1.2
    ones = np.ones((100, 3))
    assert tw.metrics.directional_tails(ones, ones, level=0.1, directions=4).mean == 1.0

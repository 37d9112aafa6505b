"""Fréchet distance: three routes of the oracle, and closed forms that hold for samples exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

import tailwatch as tw
from tailwatch import _core
from tailwatch.exceptions import DimensionError
from tests.support import oracle, samples
from tests.support.errors import refused

FULL_RANK = {
    "gaussian": (samples.gaussian(1, 600, 16), samples.gaussian(2, 500, 16, scale=0.8)),
    "student": (samples.student(3, 400, 5), samples.student(4, 300, 5) + 1.0),
    "clusters": (samples.clusters(5, 500, 64), samples.clusters(6, 700, 64, centres=5)),
    "line": (samples.gaussian(7, 50, 1), samples.student(8, 60, 1)),
    "pair": (samples.gaussian(9, 80, 2) @ [[3.0, 1.0], [0.0, 0.1]], samples.gaussian(10, 70, 2)),
}

LOW_RANK = {
    "both short": (samples.gaussian(11, 20, 60), samples.gaussian(12, 25, 60) + 0.1),
    "reference short": (samples.gaussian(13, 20, 60), samples.gaussian(14, 200, 60)),
    "candidate short": (samples.gaussian(15, 200, 60), samples.gaussian(16, 20, 60)),
    "as many rows as columns": (samples.gaussian(17, 30, 30), samples.gaussian(18, 30, 30)),
    "two rows": (samples.gaussian(19, 2, 10), samples.gaussian(20, 2, 10)),
    "in a plane": (
        samples.gaussian(21, 100, 3) @ samples.gaussian(22, 3, 12),
        samples.gaussian(23, 90, 3) @ samples.gaussian(24, 3, 12),
    ),
}


@pytest.mark.parametrize("name", FULL_RANK)
def test_equals_the_matrix_square_root(name: str) -> None:
    x, y = FULL_RANK[name]
    found = tw.metrics.frechet_distance(x, y)
    assert isinstance(found, float)
    assert found == pytest.approx(oracle.frechet_by_sqrtm(x, y), rel=1e-9)
    assert found == pytest.approx(oracle.frechet_by_eigenvalues(x, y), rel=1e-9)


@pytest.mark.parametrize("name", LOW_RANK)
def test_equals_the_singular_values_at_low_rank(name: str) -> None:
    x, y = LOW_RANK[name]
    expected = oracle.frechet_by_rows(x, y)
    assert tw.metrics.frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", FULL_RANK)
def test_the_core_gives_and_takes_moments(name: str) -> None:
    settings: _core.Settings = {"threads": 2, "progress": None}
    fits = []
    for sample in FULL_RANK[name]:
        count, mean, covariance = _core.moments(_core.Rows.from_numpy([sample], name), settings)
        assert count == len(sample)
        np.testing.assert_allclose(mean, sample.mean(axis=0), rtol=0, atol=1e-13)
        expected = np.atleast_2d(np.cov(sample, rowvar=False))
        np.testing.assert_allclose(covariance, expected, rtol=0, atol=1e-13 * expected.max())
        np.testing.assert_array_equal(covariance, covariance.T)
        fits += [mean, covariance]
    whole = tw.metrics.frechet_distance(*FULL_RANK[name], threads=2)
    assert _core.frechet_of_moments(*fits, settings) == whole


def test_moments_of_other_shapes_are_refused() -> None:
    settings: _core.Settings = {"threads": 1, "progress": None}
    three, two = (np.zeros(3), np.eye(3)), (np.zeros(2), np.eye(2))
    for fits in ((*three, *two), (*three, three[0], two[1]), (three[0], two[1], *three)):
        with refused(DimensionError, expected="3 means and 3 x 3 covariances"):
            _core.frechet_of_moments(*fits, settings)


@pytest.mark.parametrize("factor", [0.0, 0.5, 0.999, 1.001, 3.0])
def test_affine_copy(factor: float) -> None:
    # y = a·x + b has covariance a²Σ: the distance is ‖μ_y − μ_x‖² + (1−a)² tr Σ, exactly.
    x = samples.clusters(25, 300, 20)
    y = factor * x + np.linspace(-1.0, 1.0, 20)
    gap = y.mean(axis=0) - x.mean(axis=0)
    expected = gap @ gap + (1.0 - factor) ** 2 * np.trace(np.cov(x, rowvar=False))
    assert tw.metrics.frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


def test_on_a_line_it_is_the_difference_of_means_and_deviations() -> None:
    x, y = FULL_RANK["line"]
    expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert tw.metrics.frechet_distance(x, y) == pytest.approx(expected, rel=1e-12)


def test_gaussian_samples_tend_to_the_distance_of_their_laws() -> None:
    # Two Gaussians whose covariances commute. n = m = 20,000, 3 columns, seeds 400 to 429; z ≤ 4.
    rows, repetitions = 20_000, 30
    first, second = np.array([1.0, 2.0, 0.5]), np.array([1.5, 1.0, 0.5])
    gap = np.array([0.5, 0.0, -1.0])
    rotation = scipy.stats.ortho_group.rvs(3, random_state=5)
    found = [
        tw.metrics.frechet_distance(
            (samples.gaussian(400 + seed, rows, 3) * first) @ rotation,
            (samples.gaussian(800 + seed, rows, 3) * second + gap) @ rotation,
        )
        for seed in range(repetitions)
    ]
    expected = gap @ gap + ((first - second) ** 2).sum()
    error = np.std(found, ddof=1) / math.sqrt(repetitions)
    assert abs(np.mean(found) - expected) <= 4.0 * error


def test_two_point_masses() -> None:
    x, y = np.zeros((4, 3)), np.full((5, 3), 2.0)
    assert tw.metrics.frechet_distance(x, y) == 12.0

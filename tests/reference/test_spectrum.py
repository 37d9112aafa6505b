"""Spectrum of the covariance (ddof = 1)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

import tailwatch as tw
from tests.support import oracle, samples

CASES = {
    "gaussian": samples.gaussian(1, 500, 20),
    "student": samples.student(2, 300, 7) + 5.0,
    "clusters": samples.clusters(3, 400, 65),
    "line": samples.gaussian(4, 60, 1),
    "short": samples.gaussian(5, 20, 50),
    "plane": samples.gaussian(6, 100, 2) @ samples.gaussian(7, 2, 9),
    "constant column": samples.gaussian(8, 100, 6) * [1.0, 1.0, 0.0, 2.0, 1.0, 1.0] + 3.0,
}


@pytest.mark.parametrize("name", CASES)
def test_equals_the_singular_values(name: str) -> None:
    x = CASES[name]
    found, expected = tw.metrics.spectrum(x), oracle.spectrum(x)
    assert found.eigenvalues.shape == (x.shape[1],)
    assert (np.diff(found.eigenvalues) <= 0.0).all()
    assert (found.eigenvalues >= 0.0).all()
    # Eigenvalues of a symmetric matrix are known to a fraction of the largest one.
    np.testing.assert_allclose(
        found.eigenvalues, expected.eigenvalues, rtol=1e-9, atol=1e-13 * expected.trace
    )
    assert found.trace == pytest.approx(expected.trace, rel=1e-12)
    assert found.effective_rank == pytest.approx(expected.effective_rank, rel=1e-9)
    assert found.participation_ratio == pytest.approx(expected.participation_ratio, rel=1e-9)


@pytest.mark.parametrize("name", ["gaussian", "student", "clusters", "line"])
def test_log_determinant(name: str) -> None:
    x = CASES[name]
    expected = np.linalg.slogdet(np.atleast_2d(np.cov(x, rowvar=False))).logabsdet
    assert tw.metrics.spectrum(x).log_det == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ["short", "plane", "constant column"])
def test_log_determinant_of_a_singular_covariance(name: str) -> None:
    assert tw.metrics.spectrum(CASES[name]).log_det == -math.inf


def test_equal_eigenvalues() -> None:
    # The corners of a cube, turned: covariance 2/7 of the identity.
    corners = np.array(np.meshgrid([0.0, 1.0], [0.0, 1.0], [0.0, 1.0])).reshape(3, 8).T
    found = tw.metrics.spectrum(corners @ scipy.stats.ortho_group.rvs(3, random_state=9))
    np.testing.assert_allclose(found.eigenvalues, 2.0 / 7.0, rtol=1e-13)
    assert found.effective_rank == pytest.approx(3.0, rel=1e-13)
    assert found.participation_ratio == pytest.approx(3.0, rel=1e-13)


def test_one_direction_has_rank_one() -> None:
    x = np.linspace(0.0, 1.0, 30)[:, None] * samples.gaussian(10, 1, 12)
    found = tw.metrics.spectrum(x)
    assert found.effective_rank == pytest.approx(1.0, rel=1e-9)
    assert found.participation_ratio == pytest.approx(1.0, rel=1e-12)

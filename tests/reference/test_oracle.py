"""The oracle itself, against peers and arithmetic that share no code with it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.spatial
import scipy.stats
from sklearn.metrics.pairwise import cosine_similarity, polynomial_kernel, rbf_kernel

from tests.support import oracle, samples


def test_neighbors_are_those_of_a_kd_tree() -> None:
    x, y = samples.gaussian(1, 150, 3), samples.gaussian(2, 80, 3)
    distances, indices = oracle.nearest_neighbors(y, x, 4)
    tree_distances, tree_indices = scipy.spatial.cKDTree(x).query(y, k=4)
    np.testing.assert_array_equal(indices, tree_indices)
    np.testing.assert_allclose(distances, tree_distances, rtol=1e-14)


def test_excluding_self_keeps_duplicates() -> None:
    x = np.array([[0.0], [0.0], [3.0]])
    distances, indices = oracle.nearest_neighbors(x, x, 2, exclude_self=True)
    assert indices.tolist() == [[1, 2], [0, 2], [0, 1]]
    assert distances.tolist() == [[0.0, 3.0], [0.0, 3.0], [3.0, 3.0]]


@pytest.mark.parametrize(
    ("level", "rows", "size"),
    [(0.05, 1000, 50), (0.07, 100, 7), (0.1, 30, 3), (0.01, 250, 3), (0.05, 1, 1), (0.29, 100, 29)],
)
def test_tail_size_is_not_pushed_up_by_rounding(level: float, rows: int, size: int) -> None:
    assert oracle.tail_size(level, rows) == size


def test_three_routes_to_frechet_agree() -> None:
    x, y = samples.gaussian(3, 200, 6), samples.clusters(4, 150, 6)
    by_sqrtm = oracle.frechet_by_sqrtm(x, y)
    assert oracle.frechet_by_eigenvalues(x, y) == pytest.approx(by_sqrtm, rel=1e-11)
    assert oracle.frechet_by_rows(x, y) == pytest.approx(by_sqrtm, rel=1e-11)


def test_kernels_are_those_of_scikit_learn() -> None:
    x, y = samples.gaussian(5, 40, 6), samples.gaussian(6, 30, 6)
    np.testing.assert_allclose(
        oracle.polynomial_kernel(x, y, 3, 0.25, 1.5),
        polynomial_kernel(x, y, degree=3, gamma=0.25, coef0=1.5),
        rtol=1e-12,
        atol=1e-12,
    )
    np.testing.assert_allclose(
        oracle.gaussian_kernel(x, y, 2.0), rbf_kernel(x, y, gamma=1.0 / 8.0), rtol=1e-12
    )


def test_energy_is_the_square_of_scipys() -> None:
    x, y = samples.gaussian(7, 200, 1), samples.student(8, 150, 1)
    squared = scipy.stats.energy_distance(x.ravel(), y.ravel()) ** 2
    assert oracle.energy_distance(x, y, unbiased=False) == pytest.approx(squared, rel=1e-10)


def test_spectrum_is_that_of_the_covariance_matrix() -> None:
    x = samples.clusters(9, 300, 5)
    covariance = np.cov(x, rowvar=False)
    spectrum = oracle.spectrum(x)
    np.testing.assert_allclose(
        spectrum.eigenvalues, np.linalg.eigvalsh(covariance)[::-1], rtol=1e-11
    )
    assert spectrum.log_det == pytest.approx(np.linalg.slogdet(covariance).logabsdet, rel=1e-11)
    assert spectrum.trace == pytest.approx(np.trace(covariance), rel=1e-12)


def test_effective_rank_of_equal_eigenvalues_is_their_number() -> None:
    # The eight corners of a cube: covariance a multiple of the identity.
    corners = np.array(np.meshgrid([0.0, 1.0], [0.0, 1.0], [0.0, 1.0])).reshape(3, 8).T
    spectrum = oracle.spectrum(corners)
    assert spectrum.effective_rank == pytest.approx(3.0, rel=1e-14)
    assert spectrum.participation_ratio == pytest.approx(3.0, rel=1e-14)
    assert spectrum.log_det == pytest.approx(3 * math.log(2 / 7), rel=1e-12)


def test_knn_divergence_is_that_of_a_kd_tree() -> None:
    x, y = samples.gaussian(20, 150, 3), samples.student(21, 80, 3)
    to_x = scipy.spatial.cKDTree(x).query(y, k=4)[0][:, 3]
    to_y = scipy.spatial.cKDTree(y).query(y, k=5)[0][:, 4]
    expected = 3 * np.mean(np.log(to_x) - np.log(to_y)) + math.log(150 / 79)
    assert oracle.knn_divergence(x, y, 4, 3) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("q", [0.5, 1.0, 3.0, math.inf])
@pytest.mark.parametrize(("rows", "columns"), [(60, 9), (9, 60)])
def test_vendi_score_is_that_of_all_cosines(rows: int, columns: int, q: float) -> None:
    x = samples.gaussian(22, rows, columns)
    share = np.linalg.eigvalsh(cosine_similarity(x) / rows)
    share = share[share > 1e-12]
    # scipy.stats.entropy knows order 1; the others are powers.
    expected = {
        1.0: math.exp(scipy.stats.entropy(share)),
        math.inf: 1 / share.max(),
    }.get(q) or (share**q).sum() ** (1 / (1 - q))
    assert oracle.vendi_score(x, q) == pytest.approx(expected, rel=1e-10)


def test_the_two_nearest_give_the_dimension_of_a_line_of_known_gaps() -> None:
    # Gaps 1, 2, 4, 8: the two nearest of the five rows are at 1 and 3, 1 and 2, 2 and 3, 4 and 6,
    # 8 and 12.
    x = np.array([[0.0], [1.0], [3.0], [7.0], [15.0]])
    logs = np.log([3.0, 2.0, 1.5, 1.5, 1.5])
    value, _, rows = oracle.intrinsic_dimension(x, 0.0)
    assert rows == 5
    assert value == pytest.approx(4 / logs.sum(), rel=1e-14)


def test_authenticity_by_hand() -> None:
    # From 0 its nearest other is at 1, from 1 at 1, from 5 at 4: 1.4 is nearer to 1 than 0 is, 2.5
    # is farther; 8.9 is nearer to 5 than 1 is and 9 is as far, which is not farther.
    training = np.array([[0.0], [1.0], [5.0]])
    candidate = np.array([[1.4], [2.5], [8.9], [9.0], [9.1]])
    assert oracle.authenticity(training, candidate) == 0.4

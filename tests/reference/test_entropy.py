"""Entropy from nearest neighbours: its formula, closed forms, copies, and what it does not take."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError
from tests.support import oracle, samples
from tests.support.errors import refused

knn_entropy = tw.metrics.knn_entropy

CASES = {
    "gaussian": samples.gaussian(1, 400, 20),
    "student": samples.student(2, 300, 3) + 100.0,
    "clusters": samples.clusters(3, 350, 40),
    "line": samples.gaussian(4, 60, 1),
    "two copies of each": np.repeat(samples.gaussian(5, 150, 18), 2, axis=0),
}


@pytest.mark.parametrize("k", [2, 5, 50])
@pytest.mark.parametrize("name", CASES)
def test_equals_the_formula(name: str, k: int) -> None:
    x = CASES[name]
    for dimension in (None, 2.5):
        expected = oracle.knn_entropy(x, k, float(dimension or x.shape[1]))
        assert knn_entropy(x, k=k, dimension=dimension) == pytest.approx(expected, rel=1e-12)


def test_a_kind_of_dimension_may_be_named() -> None:
    x = np.pad(samples.gaussian(6, 500, 2), ((0, 0), (0, 3)))
    intrinsic = tw.metrics.intrinsic_dimension(x).value
    assert knn_entropy(x, dimension="intrinsic") == knn_entropy(x, dimension=intrinsic)
    assert knn_entropy(x, dimension="ambient") == knn_entropy(x)


# Means over 12 seeds; z ≤ 4 beyond the bias of balls that reach over an edge or a slope, which was
# measured as up to 0.02 at these sizes.
CLOSED = {
    "uniform on a square": (
        lambda rng: rng.uniform(size=(4000, 2)) * [2.0, 3.0],
        math.log(6.0),
        0.03,
    ),
    "gaussian": (
        lambda rng: rng.normal(size=(4000, 2)) @ [[2.0, 0.0], [1.0, 0.5]],
        math.log(2 * math.pi * math.e) + math.log(1.0),
        0.02,
    ),
    "exponential": (lambda rng: rng.exponential(0.5, size=(4000, 1)), 1.0 + math.log(0.5), 0.01),
}


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("law", CLOSED)
def test_closed_forms(law: str, k: int) -> None:
    draw, entropy, bias = CLOSED[law]
    found = [knn_entropy(draw(np.random.default_rng([seed, k])), k=k) for seed in range(12)]
    error = np.std(found, ddof=1) / math.sqrt(len(found))
    assert abs(np.mean(found) - entropy) <= 4 * error + bias


def test_halved_distances_take_off_ln_2_for_each_dimension() -> None:
    x = samples.dyadic(7, 300, 6)
    halved = knn_entropy(x) - 6 * math.log(2.0)
    assert knn_entropy(x / 2) == pytest.approx(halved, abs=1e-12)
    assert knn_entropy(x + 1024.0) == pytest.approx(knn_entropy(x), abs=1e-12)


def test_atoms_have_no_entropy_and_larger_k_leaves_them_behind() -> None:
    x = np.concatenate([samples.gaussian(8, 100, 3), np.zeros((4, 3))])
    for k in (1, 2, 3):
        assert knn_entropy(x, k=k) == -math.inf
    assert math.isfinite(knn_entropy(x, k=4))
    assert knn_entropy(np.ones((9, 2)), k=8) == -math.inf


def test_what_it_does_not_take() -> None:
    x = samples.gaussian(9, 6, 2)
    for k in (0, 6):
        with refused(InputError, "k"):
            knn_entropy(x, k=k)
    for dimension in (0.0, -1.0, math.nan, "wide"):
        with refused(InputError, "dimension"):
            knn_entropy(x, dimension=dimension)  # type: ignore[arg-type]
    with refused(InputError, "embeddings"):
        knn_entropy(x[:1], k=1)

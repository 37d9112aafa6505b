"""Intrinsic dimension: the definition, manifolds of known dimension, its standard error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.stats

import tailwatch as tw
from tailwatch.exceptions import InputError
from tests.support import oracle, samples
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = {
    "gaussian": samples.gaussian(1, 300, 12),
    "student": samples.student(2, 200, 5),
    "clusters": samples.clusters(3, 260, 40),
    "line": samples.gaussian(4, 120, 1),
    "copies": np.repeat(samples.gaussian(5, 80, 6), [1, 2, 3, 4] * 20, axis=0),
    "lattice": samples.lattice(6, 100, 3, side=30),
    "three rows": samples.gaussian(7, 3, 2),
}


@pytest.mark.parametrize("discard", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("name", CASES)
def test_equals_the_definition(name: str, discard: float) -> None:
    x = CASES[name]
    found = tw.metrics.intrinsic_dimension(x, discard=discard)
    value, error, rows = oracle.intrinsic_dimension(x, discard)
    assert found.rows == rows
    assert found.value == pytest.approx(value, rel=1e-11)
    if name != "lattice":  # whose equal distances leave open which two rows are the nearest
        assert found.standard_error == pytest.approx(error, rel=1e-9)


def torus(seed: int, rows: int, dimension: int) -> np.ndarray:
    """Uniform rows on a flat torus, which has no edge, turned; two columns more than it needs."""
    angles = np.random.default_rng(seed).uniform(0, 2 * math.pi, size=(rows, dimension))
    flat = np.concatenate([np.cos(angles), np.sin(angles), np.zeros((rows, 2))], axis=1)
    return flat @ scipy.stats.ortho_group.rvs(flat.shape[1], random_state=dimension)


def swiss_roll(seed: int, rows: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angle, height = 4 * rng.uniform(1, 3, size=rows), 30 * rng.uniform(size=rows)
    return np.stack([angle * np.cos(angle), height, angle * np.sin(angle)], axis=1)


def sphere(seed: int, rows: int) -> np.ndarray:
    normal = samples.gaussian(seed, rows, 3)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("draw", "dimension"),
    [
        (lambda seed: torus(seed, 1000, 1), 1),
        (lambda seed: torus(seed, 1000, 2), 2),
        (lambda seed: torus(seed, 4000, 3), 3),
        (lambda seed: sphere(seed, 1000), 2),
        (lambda seed: swiss_roll(seed, 3000), 2),
    ],
    ids=["circle", "torus", "three-torus", "sphere", "swiss roll"],
)
def test_manifolds_of_known_dimension(draw: Callable[[int], np.ndarray], dimension: int) -> None:
    # Seeds 100 to 119, z ≤ 4 for the mean of twenty estimates, by their own standard errors; two
    # per cent are allowed for what density and curvature change within two neighbours.
    found = [tw.metrics.intrinsic_dimension(draw(seed)) for seed in range(100, 120)]
    mean = np.mean([one.value for one in found])
    error = math.sqrt(sum(one.standard_error**2 for one in found)) / len(found)
    assert abs(mean - dimension) <= 4 * error + 0.02 * dimension


@pytest.mark.parametrize("discard", [0.0, 0.1])
def test_standard_error_is_that_of_repetition(discard: float) -> None:
    # 200 samples of 500 rows of a torus: the relative error of a standard deviation is 1/√400, and
    # that of the average standard error far less; z ≤ 4. Independent ratios would have 0.82 of it.
    found = [
        tw.metrics.intrinsic_dimension(torus(seed, 500, 2), discard=discard)
        for seed in range(1000, 1200)
    ]
    spread = np.std([one.value for one in found], ddof=1)
    stated = math.sqrt(np.mean([one.standard_error**2 for one in found]))
    assert spread / stated == pytest.approx(1.0, abs=4 / math.sqrt(400))


def test_copies_do_not_count() -> None:
    x = samples.gaussian(8, 300, 4)
    alone = tw.metrics.intrinsic_dimension(x)
    repeated = tw.metrics.intrinsic_dimension(np.concatenate([x[:50], x, x[::3]]))
    assert repeated.rows == alone.rows == 300
    assert repeated.value == pytest.approx(alone.value, rel=1e-13)
    assert repeated.standard_error == pytest.approx(alone.standard_error, rel=1e-13)


@pytest.mark.parametrize(
    ("rows", "discard", "said"),
    [
        (np.ones((2, 3)), 0.1, fields("embeddings", "at least 3 rows", "2")),
        (np.ones((9, 3)), 0.1, fields("embeddings", "at least 3 different rows", "1")),
        (
            np.eye(4),
            0.0,
            fields(
                "embeddings",
                "rows at different distances",
                "rows from most of which the two nearest are equally far",
            ),
        ),
        (
            samples.gaussian(9, 10, 2),
            0.8,
            fields("discard", "at least 3 of the 10 different rows to be kept", "2"),
        ),
        (np.eye(4), 1.0, fields("discard", "a number from 0 to below 1", "1.0")),
        (np.eye(4), -0.1, fields("discard", "a number from 0 to below 1", "-0.1")),
        (np.eye(4), "some", fields("discard", "a number", "'some'")),
        (np.eye(4), math.nan, fields("discard", "a number", "nan")),
    ],
    ids=range(8),
)
def test_what_has_no_dimension(rows: np.ndarray, discard: object, said: dict[str, str]) -> None:
    with refused(InputError, **said):
        tw.metrics.intrinsic_dimension(rows, discard=discard)

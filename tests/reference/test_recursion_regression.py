"""The loop meets the closed forms of least squares that learns its own labels, with z ≤ 4.

The excess risk of weights w is |w − w*|², since features are N(0, 1). Noise of labels is 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tailwatch.recursion import Accumulate, LinearRegression, Mix, Replace, theory
from tests.support.recursion_runs import models_of, z_score

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.recursion_learners import Opaque


Z = 4.0
ROWS, FEATURES = 30, 5
TRUE = np.arange(1.0, FEATURES + 1)


def human(
    rows: int, weights: np.ndarray = TRUE, noise: float = 1.0
) -> Callable[[np.random.Generator], np.ndarray]:
    def draw(rng: np.random.Generator) -> np.ndarray:
        x = rng.normal(size=(rows, len(weights)))
        return np.column_stack([x, x @ weights + noise * rng.normal(size=rows)])

    return draw


def excess(runs: list[list[Any]], weights: np.ndarray = TRUE) -> np.ndarray:
    """|w − w*|²: runs × generations."""
    return np.array([[((m.weights - weights) ** 2).sum() for m in models] for models in runs])


def assert_meets(found: np.ndarray, expected: Opaque) -> None:
    for number, (values, value) in enumerate(zip(found.T, expected, strict=True), 1):
        assert abs(z_score(values, float(value))) <= Z, f"generation {number}"


@pytest.mark.parametrize("design", ["fresh", "reuse"])
def test_replace(design: Opaque) -> None:
    # 30 rows of 5 features, 6 generations, 50 runs, seed 400.
    runs = models_of(
        LinearRegression(noise=1.0, design=design),
        human(ROWS),
        policy=Replace(),
        generations=6,
        runs=50,
        seed=400,
    )
    expected = theory.regression_replace_risk(np.arange(1, 7), ROWS, FEATURES)
    assert_meets(excess(runs), expected)


def test_accumulate_with_the_same_design() -> None:
    # 30 rows of 5 features, 6 generations, 50 runs, seed 420.
    runs = models_of(
        LinearRegression(noise=1.0, design="reuse"),
        human(ROWS),
        policy=Accumulate(),
        generations=6,
        runs=50,
        seed=420,
    )
    found = excess(runs)
    expected = np.asarray(theory.regression_accumulate_risk(np.arange(1, 7), ROWS, FEATURES))
    assert_meets(found, expected)
    assert expected[-1] < np.pi**2 / 6 * expected[0]


def test_accumulate_with_fresh_designs_does_better() -> None:
    # 40 rows of 20 features, 6 generations, 150 runs of the same human data, seed 430.
    weights = np.ones(20)
    reused, fresh = (
        excess(
            models_of(
                LinearRegression(noise=1.0, design=design),
                human(40, weights),
                policy=Accumulate(),
                generations=6,
                runs=150,
                seed=430,
            ),
            weights,
        )
        for design in ("reuse", "fresh")
    )
    assert np.allclose(reused[:, 0], fresh[:, 0])
    assert z_score(fresh[:, -1] - reused[:, -1], 0.0) < -Z


def test_more_features_than_rows() -> None:
    # 12 rows of 20 features without noise, 5 generations, 50 runs, seed 440.
    weights = np.ones(20) / 20**0.5
    runs = models_of(
        LinearRegression(noise=0.0),
        human(12, weights, noise=0.0),
        policy=Replace(),
        generations=5,
        runs=50,
        seed=440,
    )
    expected = theory.ridgeless_risk(np.arange(1, 6), 12, 20)
    assert_meets(excess(runs, weights), expected)


class Mislabelling:
    """Learns by least squares, and labels features with weights that are off by `shift`."""

    def __init__(self, shift: np.ndarray) -> None:
        self._shift = shift

    def fit(self, data: np.ndarray, *, rng: np.random.Generator) -> Opaque:
        model = LinearRegression(noise=1.0).fit(data, rng=rng)
        return Mislabelled(model.weights, TRUE + self._shift)


class Mislabelled:
    def __init__(self, weights: np.ndarray, labelling: np.ndarray) -> None:
        self.weights, self._labelling = weights, labelling

    def sample(self, size: int, *, rng: np.random.Generator) -> np.ndarray:
        return human(size, self._labelling)(rng)


def test_a_share_of_wrong_labels_is_a_floor() -> None:
    # 40 rows, a quarter of them labelled by a model off by c² = 4; 150 runs, seed 460.
    def fresh(size: int, rng: np.random.Generator) -> np.ndarray:
        return human(size)(rng)

    shift = np.zeros(FEATURES)
    shift[2] = 2.0
    runs = models_of(
        Mislabelling(shift),
        human(40),
        policy=Mix(0.75, fresh=fresh),
        generations=2,
        runs=150,
        seed=460,
    )
    expected = theory.regression_mixture_risk(30, 10, FEATURES, 4.0)
    assert abs(z_score(excess(runs)[:, 1], expected)) <= Z
    assert expected > 4.0 / 16


def test_noise_is_estimated_where_none_is_given() -> None:
    # 30 rows of 5 features, 50 runs, seed 480: E RSS/(T − d) = 1 at the first fit.
    runs = models_of(
        LinearRegression(), human(ROWS), policy=Replace(), generations=1, runs=50, seed=480
    )
    assert abs(z_score([models[0].noise ** 2 for models in runs], 1.0)) <= Z

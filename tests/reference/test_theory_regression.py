"""Linear regression on the labels of its predecessor, against least squares.

Monte-Carlo tests state their runs and their seed; z is at most 4.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.recursion import theory
from tests.support.monte_carlo import Z, assert_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def solved(x: Array, y: Array) -> Array:
    """Least squares for each run."""
    gram = np.einsum("rij,rik->rjk", x, x)
    return np.linalg.solve(gram, np.einsum("rij,ri->rj", x, y)[..., None])[..., 0]


def test_regression_replace() -> None:
    # 20,000 runs of 4 generations, seed 51: 20 rows, 3 features, noise 0.5.
    rng = np.random.default_rng(51)
    weights = np.zeros((20_000, 3))
    for generation in range(1, 5):
        x = rng.normal(size=(20_000, 20, 3))
        y = np.einsum("rij,rj->ri", x, weights) + math.sqrt(0.5) * rng.normal(size=(20_000, 20))
        weights = solved(x, y)
        expected = theory.regression_replace_risk(generation, 20, 3, noise=0.5)
        assert_mean((weights**2).sum(axis=1), expected)


@pytest.mark.parametrize("same", [True, False])
def test_regression_accumulate(same: bool) -> None:
    # 20,000 runs of 4 generations, seed 52: exact for one design, an upper bound for new ones.
    rng = np.random.default_rng(52)
    runs, rows, features = 20_000, 12, 3
    weights = np.zeros((runs, features))
    x = rng.normal(size=(runs, rows, features))
    xs, ys = [], []
    for _ in range(4):
        y = np.einsum("rij,rj->ri", x, weights) + rng.normal(size=(runs, rows))
        xs.append(x)
        ys.append(y)
        weights = solved(np.concatenate(xs, axis=1), np.concatenate(ys, axis=1))
        x = x if same else rng.normal(size=x.shape)
    risk = (weights**2).sum(axis=1)
    expected = theory.regression_accumulate_risk(4, rows, features)
    if same:
        assert_mean(risk, expected)
    else:
        assert risk.mean() < expected - Z * risk.std() / math.sqrt(runs)


def test_ridgeless() -> None:
    # 10,000 runs of 3 generations, seed 53: 5 rows, 8 features, no noise.
    rng = np.random.default_rng(53)
    truth = np.zeros((10_000, 8))
    truth[:, 0] = 1
    weights = truth
    for generation in (1, 2, 3):
        x = rng.normal(size=(10_000, 5, 8))
        gram = x @ x.transpose(0, 2, 1)
        inner = np.linalg.solve(gram, x @ weights[..., None])
        weights = (x.transpose(0, 2, 1) @ inner)[..., 0]
        risk = ((weights - truth) ** 2).sum(axis=1)
        assert_mean(risk, theory.ridgeless_risk(generation, 5, 8))


@pytest.mark.parametrize(("human", "samples"), [(8, 6), (3, 11), (0, 14), (14, 0)])
def test_regression_mixture(human: int, samples: int) -> None:
    # 100,000 runs, seed 54: 4 features, c² = 2, noise 0.3. At 14 rows the leading order,
    # p₂² + p₂(1−p₂)(d+1)/n, would be off by a tenth.
    rng = np.random.default_rng(54)
    runs, features = 100_000, 4
    x = rng.normal(size=(runs, human + samples, features))
    off = np.zeros((runs, human + samples))
    off[:, human:] = math.sqrt(2) * x[:, human:, 0]
    y = off + math.sqrt(0.3) * rng.normal(size=off.shape)
    risk = (solved(x, y) ** 2).sum(axis=1)
    assert_mean(risk, theory.regression_mixture_risk(human, samples, features, 2.0, noise=0.3))


@given(
    human=st.integers(100, 10**5),
    samples=st.integers(100, 10**5),
    features=st.integers(1, 50),
)
def test_regression_mixture_has_its_leading_order(human: int, samples: int, features: int) -> None:
    n, share = human + samples, samples / (human + samples)
    exact = theory.regression_mixture_risk(human, samples, features, 1.0, noise=1e-12)
    leading = share**2 + share * (1 - share) * (features + 1) / n
    assert abs(exact - leading) <= 2 * (features + 2) ** 2 / n**2 + 1e-9

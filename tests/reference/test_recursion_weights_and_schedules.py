"""The loop meets what theory says of weighted human rows and of samples that grow, with z ≤ 4.

Both are brought as a user would: a learner of a few lines, and a policy of a few lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tailwatch.recursion import Gaussian, Mix, theory
from tests.support.recursion_runs import models_of, normal_rows, z_score

if TYPE_CHECKING:
    from collections.abc import Sequence


Z = 4.0
GENERATIONS = 8


@dataclass(frozen=True)
class Mean:
    """N(value, 1)."""

    value: np.ndarray

    def sample(self, size: int, *, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(self.value, size=(size, len(self.value)))


@dataclass(frozen=True)
class WeightedMean:
    """The mean of the first `real` rows with `weight`, of the others with the rest of it."""

    real: int
    weight: float

    def fit(self, data: np.ndarray, *, rng: np.random.Generator) -> Mean:
        human, synthetic = data[: self.real].mean(axis=0), data[self.real :].mean(axis=0)
        return Mean(self.weight * human + (1 - self.weight) * synthetic)


@pytest.mark.parametrize("weight", [0.3, None])
def test_mixing_weight(weight: float | None) -> None:
    # 8 fresh human rows and 12 samples a generation, 8 generations, 26 runs of 30 columns, which
    # a mean keeps apart, seed 900.
    real, synthetic = 8, 12
    given = theory.mixing_weight(real, synthetic) if weight is None else weight
    runs = models_of(
        WeightedMean(real, given),
        normal_rows(real + synthetic, 30),
        policy=Mix(0.4, fresh=lambda size, rng: rng.normal(size=(size, 30))),
        generations=GENERATIONS,
        runs=26,
        seed=900,
    )
    squares = np.array([[(model.value**2).mean() for model in models] for models in runs])
    # All rows of the first generation are human; then the error is handed down.
    own = given**2 / real + (1 - given) ** 2 / synthetic
    expected = own
    for number in range(GENERATIONS):
        assert abs(z_score(squares[:, number], expected)) <= Z, f"generation {number + 1}"
        expected = own + (1 - given) ** 2 * expected
    settled = theory.mixing_error(given, real, synthetic)
    assert expected == pytest.approx(settled, rel=0.02)
    if weight is None:
        assert settled * real == pytest.approx(given)


@dataclass(frozen=True)
class Growing:
    """Learn from so many of the last samples, in each generation."""

    schedule: tuple[int, ...]

    def first(self, history: Any) -> Any:  # noqa: ANN401
        return history.human.take(np.arange(self.schedule[0]))

    def compose(self, history: Any, *, rng: np.random.Generator) -> Sequence[Any]:  # noqa: ANN401
        return [history.samples[-1].take(np.arange(self.schedule[history.generation - 1]))]


@pytest.mark.parametrize("growth", [0.0, 2.0])
def test_growing_samples(growth: float) -> None:
    # 8 generations, 160 or 408 rows in all, 4 columns, 50 runs, seed 910.
    budget = 160 if growth == 0 else 408
    schedule = theory.sample_schedule(GENERATIONS, budget, growth=growth)
    most = max(schedule)
    runs = models_of(
        Gaussian(),
        normal_rows(most, 4),
        policy=Growing(tuple(schedule)),
        generations=GENERATIONS,
        size=most,
        runs=50,
        seed=910,
    )
    variances = np.array([[np.diag(m.covariance).mean() for m in models] for models in runs])
    for number in range(1, GENERATIONS + 1):
        expected = theory.schedule_kept(schedule[:number])
        assert abs(z_score(variances[:, number - 1], expected)) <= Z, f"generation {number}"

"""Many runs of the loop, and how far their mean is from what theory says.

The unit is a run: what several columns of one run say is averaged first, since they share rows.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

import tailwatch as tw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from tests.support.recursion_learners import Opaque

    Array = NDArray[np.float64]

__all__ = ["Recording", "models_of", "normal_rows", "z_score"]


class _Ended(Exception):
    """There is no more to see in this run."""


class Recording:
    """A learner that keeps the models it has learnt; all else is that learner's."""

    def __init__(self, learner: Opaque) -> None:
        self._learner = learner
        self._models: list[Any] = []

    def fit(self, data: Opaque, *, rng: np.random.Generator) -> Opaque:
        model = self._learner.fit(data, rng=rng)
        self._models.append(model)
        return model


def models_of(
    learner: Opaque,
    human: Callable[[np.random.Generator], Any],
    *,
    policy: Opaque,
    generations: int,
    runs: int,
    seed: int,
    size: int | None = None,
    until: Callable[[Any], bool] | None = None,
) -> list[list[Any]]:
    """Run the loop so many times, each with human data of its own; the models by generation.

    A run ends behind the first model of which `until` is true.
    """
    found = []

    def stop(generation: tw.recursion.Generation) -> None:
        if until is not None and until(generation.model):
            raise _Ended

    for number in range(runs):
        recording = Recording(learner)
        with suppress(_Ended):
            tw.recursion.run(
                recording,
                human(np.random.default_rng([seed, number])),
                policy=policy,
                generations=generations,
                size=size,
                metrics=(),
                seed=seed + number,
                on_generation=stop,
            )
        found.append(recording._models)
    return found


def normal_rows(rows: int, columns: int = 1) -> Callable[[np.random.Generator], Array]:
    """Human data: independent N(0, 1)."""
    return lambda rng: rng.normal(size=(rows, columns))


def z_score(values: Iterable[float] | Array, expected: float) -> float:
    """Distance of the mean of independent values from what it should be, in standard errors."""
    found = np.asarray(list(values) if not isinstance(values, np.ndarray) else values)
    assert found.ndim == 1
    error = found.std(ddof=1) / len(found) ** 0.5
    return float((found.mean() - expected) / error)

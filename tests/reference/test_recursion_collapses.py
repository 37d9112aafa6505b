"""Verdicts on runs of the loop: what collapses is found, what variance cannot see is seen.

Rates over many seeds are in docs/calibration/verdicts.md and docs/calibration/diagnosis.md
(``benches``); here one run of each kind, seed 1, must come out right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benches import simulated_runs
from tailwatch.recursion import Replace, run, theory
from tailwatch.recursion.verdicts import early_collapse, judge, late_collapse
from tailwatch.recursion.verdicts.diagnosis import diagnose

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def statuses(frame: pl.DataFrame) -> dict[str, str]:
    return dict(judge(frame).select("definition", "status").iter_rows())


@pytest.mark.parametrize(
    "scenario",
    [simulated_runs.fresh_gaussian, simulated_runs.fresh_few_rows, simulated_runs.fresh_types],
)
def test_fresh_human_rows_are_no_collapse(scenario: Callable[[int], pl.DataFrame]) -> None:
    frame = scenario(1)
    assert "holds" not in statuses(frame).values()
    assert early_collapse(frame) is None
    assert late_collapse(frame) is None
    assert diagnose(frame).mode == "none"


def test_replace_collapses() -> None:
    frame = simulated_runs.replace_gaussian(1)
    found = statuses(frame)
    assert found["collapsing variance"] == "holds"
    assert found["disappearance of real tails"] == "holds"
    assert found["any increase of population risk"] == "holds"
    early, late = early_collapse(frame), late_collapse(frame)
    assert early is not None
    assert late is not None
    assert 1 < early.generation <= 50
    assert 1 < late.generation <= 50


@pytest.mark.parametrize(
    ("scenario", "mode"),
    [
        (simulated_runs.collapse, "model collapse"),
        (simulated_runs.few_modes, "mode collapse"),
        (simulated_runs.copies, "overfitting"),
        (simulated_runs.forgetting, "catastrophic forgetting"),
        (simulated_runs.healthy, "none"),
    ],
)
def test_failures_are_told_apart(scenario: Callable[[int], pl.DataFrame], mode: str) -> None:
    found = diagnose(scenario(1))
    assert found.mode == mode, found


# Collapses that variance cannot see.


def variance_of(frame: pl.DataFrame) -> Array:
    retained: Array = frame.filter(metric="total_variance")["retention"].to_numpy()
    return retained


def test_a_kernel_density_that_resamples_itself() -> None:
    frame = simulated_runs.kernel_density_replace(1)
    found = statuses(frame)
    assert variance_of(frame)[-1] > 2
    assert found["collapsing variance"] == "does not hold"
    assert found["appearance of hallucinated data"] == "holds"
    assert found["any increase of population risk"] == "holds"


@pytest.mark.slow
def test_accumulation_is_not_always_safe() -> None:
    frame = simulated_runs.kernel_density_accumulate(1)
    found = statuses(frame)
    # A Gaussian that accumulates keeps nearly all of its variance, and all of its shape.
    assert theory.accumulate_limit(250) > 0.99
    assert found["collapsing variance"] == "does not hold"
    assert found["any increase of population risk"] == "holds"


@dataclass(frozen=True)
class PseudoLabels:
    """Two Gaussian classes; new labels are given by the side of 0 on which a row lies."""

    def fit(self, data: Array, *, rng: np.random.Generator) -> TwoClasses:
        x, y = data[:, :-1], data[:, -1]
        parts = [x[y == label] for label in (-1.0, 1.0)]
        means, deviations = ([f(part, axis=0) for part in parts] for f in (np.mean, np.std))
        return TwoClasses(np.array(means), np.array(deviations), float((y > 0).mean()))


@dataclass(frozen=True)
class TwoClasses:
    """Means and deviations of both classes, and the share of the upper one."""

    means: Array
    deviations: Array
    upper: float

    def sample(self, size: int, *, rng: np.random.Generator) -> Array:
        label = (rng.random(size) < self.upper).astype(int)
        x = self.means[label] + self.deviations[label] * rng.normal(size=(size, 1))
        return np.column_stack([x, np.where(x[:, 0] > 0, 1.0, -1.0)])

    def embed(self, data: Array) -> Array:
        return data[:, :-1]

    def parameters(self) -> dict[str, float]:
        return {"within": float((self.deviations[:, 0] ** 2).mean())}


@pytest.mark.slow
def test_hard_pseudo_labels() -> None:
    rng = np.random.default_rng(1)

    def two_classes(rows: int) -> Array:
        y = rng.choice([-1.0, 1.0], size=rows)
        return np.column_stack([y + rng.normal(size=rows), y])

    frame = run(
        PseudoLabels(),
        two_classes(3000),
        policy=Replace(),
        generations=10,
        holdout=two_classes(6000),
        seed=1,
        metrics=("tail_coverage", "tail_odds_ratio", "directional_tails", "total_variance"),
    ).frame
    found = statuses(frame)
    # The total variance stays, up to the sampling errors of a dozen fits.
    assert found["collapsing variance"] == "does not hold"
    assert np.abs(variance_of(frame) - 1).max() < 0.1
    assert found["disappearance of real tails"] == "holds"
    within = frame.filter(metric="within")["value"].to_numpy()
    # Generation 1 sees human labels; of 1,500 rows of a class a variance errs by √(2/1500).
    for generation in (1, 2, 3):
        expected = theory.pseudo_labels(generation - 1).variance
        assert (
            abs(within[generation - 1] - expected) < 4 * generation * expected * (2 / 1500) ** 0.5
        )
    assert within[-1] < 0.4

"""A generation of the loop outside of its panel: the harness must not be the bottleneck.

Each round runs ten generations of a Gaussian that learns from 1,000 rows of 8 columns, without
metrics; a tenth of the time shown is what a generation costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.recursion import Accumulate, Gaussian, Replace

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

    from tailwatch.recursion import Policy

HUMAN = np.random.default_rng(0).normal(size=(1000, 8))
GENERATIONS = 10


@pytest.mark.parametrize("policy", [Replace(), Accumulate()], ids=["replace", "accumulate"])
def bench_ten_generations(benchmark: BenchmarkFixture, policy: Policy) -> None:
    found = benchmark(
        tw.recursion.run, Gaussian(), HUMAN, policy=policy, generations=GENERATIONS, metrics=()
    )
    assert found.frame["generation"].max() == GENERATIONS


def bench_ten_generations_on_disk(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    rounds = iter(range(1_000_000))

    def run() -> tw.recursion.Run:
        return tw.recursion.run(
            Gaussian(),
            HUMAN,
            policy=Replace(),
            generations=GENERATIONS,
            metrics=(),
            directory=tmp_path / str(next(rounds)),
        )

    found = benchmark(run)
    assert found.frame["generation"].max() == GENERATIONS

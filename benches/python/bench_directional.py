"""Tails along directions: linear in the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tailwatch as tw

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.conftest import Pair


def bench_directional_tails(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.directional_tails, *pair)

"""Modes by k-means on the reference, and what the candidate has of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tailwatch as tw

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.conftest import Pair


def bench_mode_coverage(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.mode_coverage, *pair)

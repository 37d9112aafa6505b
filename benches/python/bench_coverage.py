"""Fidelity, diversity and tails by neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tailwatch as tw

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.conftest import Pair


def bench_precision_recall_density_coverage(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.precision_recall_density_coverage, *pair)


def bench_tail_coverage(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.tail_coverage, *pair)


def bench_tail_test(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.tail_test, *pair)

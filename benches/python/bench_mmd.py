"""Squared MMD over all pairs, with both kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tailwatch as tw

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.conftest import Pair


def bench_mmd_polynomial(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.mmd, *pair, kernel="polynomial")


def bench_mmd_gaussian(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.mmd, *pair, kernel="gaussian")

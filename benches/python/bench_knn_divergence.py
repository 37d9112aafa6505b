"""Divergences and dimension from nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.products(2))


def bench_knn_divergence(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.knn_divergence, *pair)


@pytest.mark.work(operations=work.products(3))
def bench_knn_jensen_shannon(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.knn_jensen_shannon, *pair)


@pytest.mark.work(operations=work.products(1))
def bench_intrinsic_dimension(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.intrinsic_dimension, pair.reference)

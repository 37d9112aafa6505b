"""Entropies of one sample: from nearest neighbours, and of a Gaussian kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.products(0.5))


def bench_knn_entropy(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.knn_entropy, pair.reference)


def bench_rke(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.rke, pair.reference)

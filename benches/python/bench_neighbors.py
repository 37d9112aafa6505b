"""Exact nearest neighbours: n·m·d operations, the cost of all that is quadratic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.products(1))


def bench_nearest_neighbors(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.nearest_neighbors, pair.candidate, pair.reference, k=5)


def bench_nearest_neighbors_of_itself(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.nearest_neighbors, pair.reference, pair.reference, k=5, exclude_self=True)

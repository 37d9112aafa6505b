"""Clipped density and coverage: a search within the reference and one across it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.products(2))


def bench_clipped_density(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.clipped_density, *pair)


def bench_clipped_coverage(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.clipped_coverage, *pair)

"""Modes by k-means on the reference, and what the candidate has of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.clusters)


def bench_mode_coverage(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.mode_coverage, *pair)

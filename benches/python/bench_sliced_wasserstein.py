"""Sliced Wasserstein distance: linear in the rows, but for the logarithm of sorting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.slices)


def bench_sliced_wasserstein(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.sliced_wasserstein, *pair)

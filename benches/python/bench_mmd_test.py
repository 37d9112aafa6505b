"""The cross-MMD test: halves of one sample against halves of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.products(1))


def bench_mmd_test(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.mmd_test, *pair)

"""Squared MMD over all pairs, with both kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.products(2))


def bench_mmd_polynomial(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.mmd, *pair, kernel="polynomial")


def bench_mmd_gaussian(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.mmd, *pair, kernel="gaussian")

"""Authenticity: a search within the training data and one across it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.products(2))


def bench_authenticity(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.authenticity, *pair)

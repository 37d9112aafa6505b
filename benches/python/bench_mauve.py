"""MAUVE: k-means of the pooled rows, ten rows of each sample to a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.tenths)


def bench_mauve(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.mauve, *pair)

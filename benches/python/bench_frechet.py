"""Fréchet distance: one pass for the moments, then dense algebra in the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.moments)


def bench_frechet_distance(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.frechet_distance, *pair)

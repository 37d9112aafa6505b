"""The Fréchet distance extrapolated: one pass, and 31 distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.extrapolation)


def bench_frechet_distance_extrapolated(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.frechet_distance_extrapolated, *pair)

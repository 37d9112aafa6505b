"""Vendi score of one sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.moments)


@pytest.mark.parametrize("q", [1.0, 2.0])
def bench_vendi_score(benchmark: BenchmarkFixture, pair: Pair, q: float) -> None:
    benchmark(tw.metrics.vendi_score, pair.reference, q=q)

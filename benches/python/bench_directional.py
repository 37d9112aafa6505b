"""Tails along directions: linear in the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.directions)


def bench_directional_tails(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.directional_tails, *pair)

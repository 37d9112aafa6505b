"""Copies of one sample in another: linear in the rows, but for a sort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.lookups)


def bench_copies(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.metrics.copies, *pair)

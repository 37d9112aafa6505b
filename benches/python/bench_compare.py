"""The main job: both panels, with intervals and nulls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from benches import work

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.products(2.25))


def bench_compare_standard(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.compare, *pair, metrics="standard")


def bench_compare_fast(benchmark: BenchmarkFixture, pair: Pair) -> None:
    benchmark(tw.compare, *pair, metrics="fast")


def bench_compare_with_reference(benchmark: BenchmarkFixture, pair: Pair) -> None:
    """Time the second candidate and all after it: the human side is prepared."""
    human, candidate = pair
    reference = tw.Reference(human, metrics="standard")
    tw.compare(reference, candidate)
    benchmark(tw.compare, reference, candidate)

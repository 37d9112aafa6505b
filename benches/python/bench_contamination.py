"""Scoring a sample, and share with interval from its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tailwatch as tw

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair, Size


def one_pass(size: Size) -> float:
    """Operations of a pass over the rows."""
    return 2.0 * size.rows * size.columns


pytestmark = pytest.mark.work(operations=one_pass)


def bench_score(benchmark: BenchmarkFixture, pair: Pair) -> None:
    model = tw.contamination.fit(pair.reference[:500], pair.candidate[:500])
    benchmark(model.score, pair.candidate)


def bench_prevalence(benchmark: BenchmarkFixture, pair: Pair) -> None:
    model = tw.contamination.fit(pair.reference[:500], pair.candidate[:500])
    counts = model.histogram(pair.reference)
    benchmark(model.prevalence, counts)

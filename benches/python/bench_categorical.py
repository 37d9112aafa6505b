"""Counts and text: linear in the labels, without a Python step for any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
import pytest

import tailwatch as tw

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

LABELS = {
    "smoke": (10_000,),
    "medium": (100_000, 1_000_000),
    "full": (100_000, 1_000_000, 10_000_000),
}
"""Labels, or tokens, of each sample."""

TYPES = 50_000
LENGTH = 200
"""Tokens of a document."""


class Samples(NamedTuple):
    """Words that fall like 1/rank, and a candidate that leans on the common ones."""

    reference: pl.Series
    candidate: pl.Series


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "labels" in metafunc.fixturenames:
        sizes = LABELS[metafunc.config.getoption("--sizes")]
        metafunc.parametrize("labels", sizes, ids=[f"{size:,}" for size in sizes])


@pytest.fixture
def words(labels: int, benchmark: BenchmarkFixture) -> Samples:
    benchmark.extra_info.update(labels=labels, types=TYPES)
    rng = np.random.default_rng(labels)
    drawn = []
    for power in (1.0, 1.2):
        shares = np.arange(1.0, TYPES + 1.0) ** -power
        ranks = np.searchsorted(np.cumsum(shares / shares.sum()), rng.random(labels))
        drawn.append(pl.Series("word", ranks).cast(pl.String))
    return Samples(*drawn)


@pytest.fixture
def documents(words: Samples) -> Samples:
    return Samples(*(word.reshape((-1, LENGTH)).arr.to_list() for word in words))


CATEGORICAL = {
    "total_variation": tw.metrics.categorical.total_variation,
    "jensen_shannon": tw.metrics.categorical.jensen_shannon,
    "type_coverage": tw.metrics.categorical.type_coverage,
    "entropy": lambda x, _: tw.metrics.categorical.entropy(x, correction="chao-shen"),
    "missing_mass": lambda x, _: tw.metrics.categorical.missing_mass(x),
    "rarefaction": lambda x, _: tw.metrics.categorical.rarefaction(x, len(x) // 2),
    "zipf_exponent": lambda x, _: tw.metrics.categorical.zipf_exponent(x),
}

TEXT = {
    "token_counts": lambda x, _: tw.metrics.text.token_counts(x),
    "distinct_2_pooled": lambda x, _: tw.metrics.text.distinct_n_pooled(x, n=2),
    "distinct_2_per_document": lambda x, _: tw.metrics.text.distinct_n_per_document(x, n=2),
    "self_repetition": lambda x, _: tw.metrics.text.self_repetition(x),
    "sample_documents": lambda x, _: tw.metrics.text.sample_documents(x, x.list.len().sum() // 2),
}


@pytest.mark.parametrize("metric", CATEGORICAL)
def bench_categorical(benchmark: BenchmarkFixture, words: Samples, metric: str) -> None:
    benchmark(CATEGORICAL[metric], *words)


@pytest.mark.parametrize("metric", TEXT)
def bench_text(benchmark: BenchmarkFixture, documents: Samples, metric: str) -> None:
    benchmark(TEXT[metric], *documents)


def bench_compare_counts(benchmark: BenchmarkFixture, words: Samples) -> None:
    benchmark(tw.metrics.categorical.compare_counts, *words)


def bench_compare_documents(benchmark: BenchmarkFixture, documents: Samples) -> None:
    benchmark(tw.metrics.text.compare_documents, *documents)

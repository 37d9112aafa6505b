"""Metrics of numbers: sorting both samples, and a walk along them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benches import work
from tailwatch.metrics import univariate

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.samples import Pair

pytestmark = pytest.mark.work(operations=work.sorting)

METRICS = (
    univariate.wasserstein_distance,
    univariate.energy_distance,
    univariate.kolmogorov_smirnov,
    univariate.cramer_von_mises,
    univariate.population_stability_index,
    univariate.jensen_shannon,
)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def bench_univariate(
    benchmark: BenchmarkFixture, pair: Pair, metric: Callable[..., object]
) -> None:
    # All values of the samples as one column of numbers.
    benchmark(metric, *(sample.ravel() for sample in pair))

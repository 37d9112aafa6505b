"""Every family yields exactly its metrics, with the intervals that the registry declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tailwatch.comparison.estimates import Binomial, ClosedVariance, HalfSamples, NoInterval
from tailwatch.comparison.metrics.family import Panel
from tailwatch.comparison.registry import METRICS
from tailwatch.metrics.embeddings.directions import Area
from tests.support import samples
from tests.support.meetings import split

if TYPE_CHECKING:
    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.metrics.family import Family, Metric

LEVELS = (0.1, 0.2)
FAMILIES = list(dict.fromkeys(metric.family for metric in METRICS.values()))
DRAWN = split(samples.gaussian(1, 300, 4), samples.gaussian(2, 150, 4), seed=0)


def panel(*names: str) -> Panel:
    return Panel(frozenset(names), 5, LEVELS, 0)


def of_family(family: type[Family]) -> list[Metric]:
    return [metric for metric in METRICS.values() if metric.family is family]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_a_family_yields_its_metrics_and_no_others(family: type[Family]) -> None:
    metrics = of_family(family)
    asked = panel(*(metric.name for metric in metrics))
    estimates = DRAWN.estimates(family, asked)
    full = DRAWN.on_all(family, asked)
    split = sorted((estimate.metric, estimate.level or 0) for estimate in estimates)
    assert split == sorted((name, level or 0) for name, level, *_ in full)
    assert {name for name, _ in split} == {metric.name for metric in metrics}
    for metric in metrics:
        levels = [level for name, level in split if name == metric.name]
        own = getattr(family, "LEVELS", (levels[0],))
        assert levels == list(LEVELS if metric.by_level else own)


@pytest.mark.parametrize("name", METRICS)
def test_errors_are_known_as_the_registry_says(name: str) -> None:
    metric = METRICS[name]
    found = DRAWN.estimates(metric.family, panel(name))
    for estimate in (one for one in found if one.metric == name):
        assert method_of(estimate) == (metric.interval.method, metric.interval.scale)


def method_of(estimate: Estimate) -> tuple[str, str | None]:
    error = estimate.error
    if isinstance(error, HalfSamples):
        return {0.5: "half-sampling", 0.75: "three-quarter sampling"}[error.kept], error.scale
    kinds = {
        ClosedVariance: "closed variance",
        Binomial: "binomial",
        Area: "closed variance",
        NoInterval: "no interval",
    }
    return kinds[type(error)], None


@pytest.mark.parametrize("name", METRICS)
def test_what_no_interval_is_for_is_what_the_frame_says(name: str) -> None:
    metric = METRICS[name]
    found = DRAWN.estimates(metric.family, panel(name))
    for estimate in (one for one in found if one.metric == name):
        if isinstance(estimate.error, NoInterval):
            assert estimate.error.reason == metric.interval.words

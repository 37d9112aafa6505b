"""P-values of what is retained, of odds, and what is left of them over many classes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

import tailwatch as tw
from tailwatch import _core
from tailwatch.comparison.by_class.judgement import (
    LEAST_P,
    deciding,
    evidence_of_interval,
    evidence_of_odds,
    q_values,
)
from tailwatch.comparison.estimates import (
    Estimate,
    HalfSamples,
    NoInterval,
    degrees_of_freedom,
    standard_error,
)
from tailwatch.comparison.metrics.family import Panel
from tailwatch.embeddings import as_embeddings
from tailwatch.metrics.embeddings.tail_test import TailCounts
from tests.support import samples


def panel(*names: str, levels: tuple[float, ...] = (0.2, 0.1, 0.01)) -> Panel:
    return Panel(frozenset(names), 5, levels, 0)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("tail_odds_ratio", "directional_tails", "tail_mass"), ("tail_odds_ratio", 0.01)),
        (("tail_mass", "directional_tails"), ("directional_tails", None)),
        (("tail_recall", "tail_mass", "recall"), ("tail_mass", 0.01)),
        (("recall", "total_variance"), None),
    ],
)
def test_one_metric_decides(names: tuple[str, ...], chosen: tuple[str, float | None]) -> None:
    assert deciding(panel(*names)) == chosen


def estimate(centre: float, spread: float) -> Estimate:
    """Directional tails of `centre` times the null, and halves of log-normal spread."""
    noise = spread * np.random.default_rng(7).normal(size=30)
    values = centre * np.exp(np.array([0.0, *noise]))
    error = HalfSamples(values, np.ones(31), "ratio")
    return Estimate("directional_tails", 0.01, float(values[0]), 1.0, error)


@pytest.mark.parametrize("centre", [0.7, 0.95, 1.0, 1.3])
def test_the_p_value_of_a_retention_is_that_of_its_t(centre: float) -> None:
    given = estimate(centre, 0.1)
    error = given.error
    assert isinstance(error, HalfSamples)
    logs = np.log(error.values)
    statistic = abs(logs[0]) / standard_error(logs, error)
    expected = 2 * t.sf(statistic, degrees_of_freedom(logs, error))
    found = evidence_of_interval(given, 0.95)
    # The root is sought to 1e-3 in the logarithm.
    assert found.p_value == pytest.approx(expected, rel=2e-3)
    assert found.value == pytest.approx(centre)
    assert found.low is not None
    assert found.high is not None
    assert (found.p_value < 0.05) == (not found.low <= 1 <= found.high)


def test_what_no_doubt_is_left_of_gets_the_least_p_value() -> None:
    assert evidence_of_interval(estimate(0.01, 0.05), 0.95).p_value == LEAST_P


def test_without_an_interval_there_is_no_p_value() -> None:
    found = evidence_of_interval(Estimate("tail_mass", 0.1, 0.5, 1.0, NoInterval("why")), 0.95)
    assert (found.value, found.low, found.high, found.p_value) == (0.5, None, None, None)


@pytest.mark.parametrize("scale", [0.05, 0.8, 1.0, 1.5])
def test_odds_are_tested_on_all_rows(scale: float) -> None:
    x, y = samples.gaussian(1, 301, 3), scale * samples.gaussian(2, 167, 3)
    settings: _core.Settings = {"threads": 1, "progress": None}
    rows = [as_embeddings(sample, "sample").handle() for sample in (x, y)]
    tail = TailCounts.of(_core.pooled_tail(*rows, 0.07, 3, settings), 301, 167)
    found = evidence_of_odds(tail, 0.07, 0.9)
    assert found.level == 0.07
    expected = tw.metrics.tail_test(x, y, level=0.07, k=3, confidence=0.9)
    assert (found.value, found.low, found.high, found.p_value) == (
        expected.odds_ratio,
        expected.low,
        expected.high,
        expected.p_value,
    )


def by_definition(p: list[float]) -> list[float]:
    """The smallest level at which Benjamini and Hochberg's step-up procedure rejects each."""
    count = len(p)
    return [
        min(count * bound / sum(other <= bound for other in p) for bound in p if bound >= one)
        for one in p
    ]


def test_q_values_are_those_of_the_step_up_procedure() -> None:
    p = [0.9, 0.001, 0.02, 0.02, 0.3, 1e-8, 1.0]
    found = q_values([p[0], None, *p[1:], None])
    assert found[1] is found[-1] is None
    assert [q for q in found if q is not None] == pytest.approx(by_definition(p), rel=1e-12)
    assert q_values([None]) == [None]
    assert q_values([]) == []

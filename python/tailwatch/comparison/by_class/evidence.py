"""How sure it is that the tails of a class changed.

One metric decides, as in a sentence about one comparison. Where the tail odds ratio was asked for,
that is the exact test of :func:`tailwatch.metrics.tail_test` on all rows of the class at the level
nearest to 5 %: its null is 1 exactly, so that no row has to be set aside for it. Otherwise it is
the retention of the next tail metric, and the p-value is the smallest α whose 1 − α interval leaves
out 1, so that it says what the interval says.

Over many classes some p-values are small by chance. Rows of different classes are different rows,
so the p-values of unchanged classes are independent, and Benjamini & Hochberg (1995) holds: of
the classes whose q-value is at most α, a share of α at most is expected to be there by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.questions import DECIDING, LEVEL
from tailwatch.comparison.registry import METRICS
from tailwatch.distributions import false_discovery_rates
from tailwatch.metrics.embeddings.tail_test import tail_test_of_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.metrics.family import Panel
    from tailwatch.metrics.embeddings.tail_test import TailCounts

__all__ = ["Evidence", "deciding", "evidence_of_interval", "evidence_of_odds", "q_values"]

LEAST_P = 1e-12
"""Half-samples say nothing about smaller ones."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one metric says about the tails of a class.

    Attributes
    ----------
    level
        Tail level.
    value, low, high
        Odds ratio on all rows, or retention, with its interval; 1 when nothing happened.
    p_value
        Two-sided; ``None`` where there is no interval to read it from.
    """

    level: float | None
    value: float | None
    low: float | None
    high: float | None
    p_value: float | None


def deciding(panel: Panel) -> tuple[str, float | None] | None:
    """Return the metric that decides, and its level if it has several; ``None`` without tails."""
    name = next((name for name in DECIDING if name in panel.names), None)
    if name is None:
        return None
    nearest = min(panel.levels, key=lambda level: abs(level - LEVEL))
    return name, nearest if METRICS[name].by_level else None


def evidence_of_odds(tail: TailCounts, level: float | None, confidence: float) -> Evidence:
    """Test the tails by who is in the pooled tail of all rows."""
    found = tail_test_of_counts(tail, confidence)
    return Evidence(level, found.odds_ratio, found.low, found.high, found.p_value)


def evidence_of_interval(estimate: Estimate, confidence: float) -> Evidence:
    """Test the tails by the interval of what is retained."""
    direction = METRICS[estimate.metric].direction
    made = intervals_of(estimate, direction, confidence)
    return Evidence(estimate.level, made.retention, *made.retained, _inverted(estimate))


def _inverted(estimate: Estimate) -> float | None:
    """Return the smallest α whose 1 − α interval of the retention does not hold 1."""
    from scipy.optimize import brentq

    direction = METRICS[estimate.metric].direction

    def margin(log_alpha: float) -> float:
        """Distance of the interval from 1, in logarithms; below 0 where it holds 1."""
        low, high = intervals_of(estimate, direction, 1 - float(np.exp(log_alpha))).retained
        if low is None or high is None:
            return np.nan
        with np.errstate(divide="ignore"):
            return float(np.clip(max(np.log(low), -np.log(high)), -1e3, 1e3))

    largest, least = np.log(1 - 1e-9), np.log(LEAST_P)
    at_most, at_least = margin(largest), margin(least)
    if np.isnan(at_most):
        return None
    if at_most <= 0:
        return 1.0
    if at_least >= 0:
        return LEAST_P
    return float(np.exp(brentq(margin, least, largest, xtol=1e-3)))


def q_values(p_values: Sequence[float | None]) -> list[float | None]:
    """Return the smallest share of false discoveries at which each test would be one.

    Parameters
    ----------
    p_values
        Of independent tests; ``None`` is not a test, and stays.
    """
    tested = [place for place, p in enumerate(p_values) if p is not None]
    found = false_discovery_rates(np.array([p_values[place] for place in tested], np.float64))
    answers: list[float | None] = [None] * len(p_values)
    for place, q in zip(tested, found.tolist(), strict=True):
        answers[place] = q
    return answers

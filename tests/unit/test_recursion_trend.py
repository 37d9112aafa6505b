"""Intervals of ratios, changes and slopes hold what they claim, by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tailwatch.recursion.verdicts.evidence import between, retained
from tailwatch.recursion.verdicts.series import (
    change,
    check_frame,
    drift,
    series_of,
    slope,
    stretch,
    window_length,
)
from tests.support.recursion_frames import frame, levels

Z = 4.0


def at_most(misses: int, runs: int, error: float) -> bool:
    """Whether so many misses are compatible with that error, within four standard errors."""
    return misses <= runs * error + Z * math.sqrt(runs * error * (1 - error)) + 1


def test_window_is_a_third() -> None:
    assert [window_length(count) for count in (1, 2, 3, 4, 50)] == [1, 1, 1, 2, 17]


def test_stretch_is_a_ratio_of_quantiles() -> None:
    assert stretch(0.95, 0.025) == pytest.approx(1.0)
    assert stretch(0.95, 0.001) == pytest.approx(4.1437 / 2.2281, rel=1e-4)


def test_ratio_of_shares_holds_the_truth() -> None:
    # 1,000 runs of 5 generations, seed 1: shares 0.3 of 200 against a null 0.8 of 200.
    rng = np.random.default_rng(1)
    misses = {"low": 0, "high": 0}
    error = 0.025
    for _ in range(1_000):
        values = rng.binomial(200, 0.3, size=5) / 200
        null = rng.binomial(200, 0.8) / 200
        rows = levels("precision", [float(value) for value in values], null=float(null))
        for row in rows:
            for prefix, name in (("", "value"), ("null_", "null")):
                p = row[name]
                reach = 1.96 * math.sqrt(p * (1 - p) / 200)
                row[f"{prefix}low"], row[f"{prefix}high"] = p - reach, p + reach
        series = series_of(check_frame(frame(rows)), "precision")
        assert series is not None
        span = retained(series, confidence=0.95, error=error)
        assert span is not None
        misses["low"] += span.low > 0.3 / 0.8
        misses["high"] += span.high < 0.3 / 0.8
    assert at_most(misses["low"], 1_000, error)
    assert at_most(misses["high"], 1_000, error)
    # And it is not so long that nothing would ever be decided.
    assert misses["low"] + misses["high"] > 10


def test_a_ratio_to_nothing_is_unbounded() -> None:
    rows = levels("precision", [0.5, 0.5, 0.5], null=0.2, null_low=0.0, null_high=0.9)
    series = series_of(check_frame(frame(rows)), "precision")
    assert series is not None
    span = retained(series, confidence=0.95, error=0.01)
    assert span is not None
    assert span.high == math.inf
    assert 0 <= span.low <= span.value


def test_between_leaves_the_null_out() -> None:
    rows = levels("total_variance", [1.0, 1.0, 0.5, 0.5], null_low=0.01, null_high=100.0)
    series = series_of(check_frame(frame(rows)), "total_variance")
    assert series is not None
    fall = between(series.part(slice(0, 2)), series.part(slice(2, 4)), confidence=0.95, error=0.01)
    assert fall is not None
    assert fall.value == pytest.approx(0.5)
    assert 0.4 < fall.low < fall.high < 0.6


@pytest.mark.parametrize("count", [4, 9, 30])
def test_change_of_nothing_is_rarely_seen(count: int) -> None:
    # 1,000 runs of independent values, seed 2.
    rng = np.random.default_rng(2)
    none = np.zeros(count)
    error = 0.01
    low = high = 0
    for _ in range(1_000):
        found = change(rng.normal(size=count), none, none, confidence=0.95, error=error)
        assert found is not None
        low += found.low > 0
        high += found.high < 0
    # Squared differences of neighbours are no χ²: two in a hundred instead of one is the most.
    assert at_most(low, 1_000, 1.6 * error)
    assert at_most(high, 1_000, 1.6 * error)


def test_a_steep_line_has_no_noise() -> None:
    none = np.zeros(12)
    found = change(np.arange(12.0), none, none, confidence=0.95, error=0.01)
    assert found is not None
    assert found.low == pytest.approx(found.value)


def test_errors_of_values_are_added() -> None:
    reach = np.full(12, 0.5)
    found = change(np.arange(12.0), reach, reach, confidence=0.95, error=0.025)
    assert found is not None
    assert found.value - found.low == pytest.approx(math.hypot(0.5, 0.5))


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_slope_of_nothing_is_rarely_seen(correlation: float) -> None:
    # 1,000 runs of 40 values, seed 3, independent or autoregressive.
    rng = np.random.default_rng(3)
    x, error, seen = np.arange(40.0), 0.01, 0
    for _ in range(1_000):
        shocks = rng.normal(size=40)
        y = np.zeros(40)
        for place in range(40):
            y[place] = correlation * y[place - 1] + shocks[place] if place else shocks[0]
        found = slope(x, y, np.ones(40), error=error)
        seen += found is not None and found.low > 0
    # A correlation that is estimated from 40 residuals is known within 0.15 only.
    assert at_most(seen, 1_000, error if correlation == 0 else 3 * error)


def test_a_slope_is_found() -> None:
    y = 3 * np.arange(30.0) + np.random.default_rng(4).normal(size=30)
    found = slope(np.arange(30.0), y, np.ones(30), error=0.001)
    assert found is not None
    assert 2.8 < found.low < 3.0 < found.high < 3.2


def test_a_walk_is_no_line() -> None:
    walk = np.cumsum(np.random.default_rng(5).normal(size=200))
    assert slope(np.arange(200.0), walk, np.ones(200), error=0.01) is None


def test_drift_of_a_walk_without_any_is_rarely_seen() -> None:
    # 1,000 walks of 20 steps, seed 6: steps are normal, so that t is exact.
    rng = np.random.default_rng(6)
    seen = 0
    for _ in range(1_000):
        found = drift(np.cumsum(rng.normal(size=20)), error=0.01)
        assert found is not None
        seen += found.low > 0
    assert at_most(seen, 1_000, 0.01)
    assert seen > 2


def test_few_values_say_nothing() -> None:
    three = np.arange(3.0)
    assert change(three, 0 * three, 0 * three, confidence=0.95, error=0.1) is None
    assert slope(three, three, np.ones(3), error=0.1) is None
    assert drift(three, error=0.1) is None


@pytest.mark.parametrize("generations", [1, 3, 12])
def test_odds_of_nothing_are_rarely_off(generations: int) -> None:
    # 400 runs, seed 7: ranks of independent numbers; all generations share the reference.
    rng = np.random.default_rng(7)
    error, low, high = 0.01, 0, 0
    for _ in range(400):
        reference = rng.normal(size=100)
        odds, counts = [], []
        for _ in range(generations):
            pooled = np.concatenate([reference, rng.normal(size=100)])
            count = int((np.argsort(-pooled)[:20] >= 100).sum())
            odds.append((count / (100 - count)) / ((20 - count) / (80 + count)))
            counts.append(count)
        rows = levels("tail_odds_ratio", odds, level=0.1, rows=100)
        rows = [row | {"tail_rows": count} for row, count in zip(rows, counts, strict=True)]
        series = series_of(check_frame(frame(rows)), "tail_odds_ratio", level=0.1)
        assert series is not None
        span = retained(series, confidence=0.95, error=error)
        assert span is not None
        assert span.low <= span.value <= span.high
        low += span.low > 1
        high += span.high < 1
    assert at_most(low, 400, error)
    assert at_most(high, 400, error)

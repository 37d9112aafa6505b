"""The pooled tail test: the 2 × 2 table by brute force, its odds and p-value as SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.metrics.embeddings.tail_test import TailCounts
from tests.support import oracle, samples

MOVED = (samples.lattice(9, 200, 2, side=9), samples.lattice(10, 210, 2, side=9) + 1.0)
CASES = {
    "equal": (samples.gaussian(1, 300, 8), samples.gaussian(2, 300, 8)),
    "shrunk": (samples.gaussian(3, 400, 10), samples.gaussian(4, 300, 10, scale=0.9)),
    "widened": (samples.gaussian(5, 250, 10), samples.gaussian(6, 350, 10, scale=1.1)),
    "student": (samples.student(7, 333, 3), samples.student(8, 222, 3)),
    "many rows": (samples.clusters(15, 700, 10), samples.clusters(16, 900, 10, centres=7)),
    "ties": (samples.lattice(9, 200, 2, side=9), samples.lattice(10, 210, 2, side=9)),
    "ties that moved": MOVED,
    "none of the candidate": (samples.gaussian(11, 200, 5), samples.gaussian(12, 200, 5) / 100.0),
    "all of the tail": (samples.gaussian(13, 200, 5) / 100.0, samples.gaussian(14, 200, 5)),
}


LEVELS = [(0.05, 5), (0.1, 1), (0.01, 10), (0.5, 3)]
# The test after this one has it.
LIKE_COPIES = ("ties that moved", 0.01, 10)


@pytest.mark.parametrize(
    ("name", "level", "k"),
    [each for name in CASES for at in LEVELS if (each := (name, *at)) != LIKE_COPIES],
)
def test_equals_the_definition(name: str, level: float, k: int) -> None:
    x, y = CASES[name]
    found = tw.metrics.tail_test(x, y, level=level, k=k)
    assert found.design_effect == 1
    expected = oracle.tail_test(x, y, level, k)
    assert found.rows == expected.rows
    # One row more or less in the tail would move each of these by far more.
    for field in ("odds_ratio", "low", "high", "p_value"):
        assert getattr(found, field) == pytest.approx(getattr(expected, field), rel=1e-8), field


def test_values_that_moved_may_look_like_copies_but_never_sharpen_the_test() -> None:
    found = tw.metrics.tail_test(*MOVED, level=0.01, k=10)
    expected = oracle.tail_test(*MOVED, 0.01, 10)
    assert found.design_effect > 1
    assert found.rows == expected.rows
    assert found.odds_ratio == pytest.approx(expected.odds_ratio, rel=1e-8)
    assert found.p_value >= expected.p_value
    assert found.low < expected.low < expected.high < found.high


def test_ties_at_the_edge_count_in_proportion() -> None:
    # Every row is a corner of the same square and all pooled distances are equal (k = 1: zero).
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    found = tw.metrics.tail_test(x, x, level=0.5, k=1)
    assert (found.rows, found.tied) == (4, 8)
    # Nothing is rarer than anything else: nothing is known.
    assert (found.odds_ratio, found.low, found.high) == (1.0, 0.0, math.inf)
    assert found.p_value == 1.0


def test_a_candidate_without_tail_has_no_lower_end() -> None:
    found = tw.metrics.tail_test(*CASES["none of the candidate"])
    assert found.odds_ratio == found.low == 0.0
    assert 0.0 < found.high < 1.0
    assert found.p_value < 1e-5


def test_a_reference_without_tail_has_no_upper_end() -> None:
    found = tw.metrics.tail_test(*CASES["all of the tail"])
    assert found.odds_ratio == found.high == math.inf
    assert 1.0 < found.low < math.inf


@pytest.mark.parametrize("columns", [1, 64])
def test_null_is_one_in_any_dimension(columns: int) -> None:
    # n = m = 100, level 0.2 (40 rows), seeds 2000 to 2079; z ≤ 4. With n = m the log odds are
    # symmetric about 0 under equality; the p-value is below 5 % in at most 5 % of samples.
    repetitions = 80
    tests = [
        tw.metrics.tail_test(
            samples.gaussian(2000 + seed, 100, columns),
            samples.gaussian(6000 + seed, 100, columns),
            level=0.2,
            threads=1,
        )
        for seed in range(repetitions)
    ]
    log_odds = np.log([test.odds_ratio for test in tests])
    assert abs(log_odds.mean()) <= 4.0 * log_odds.std(ddof=1) / math.sqrt(repetitions)
    rejected = np.mean([test.p_value <= 0.05 for test in tests])
    assert rejected <= 0.05 + 4.0 * math.sqrt(0.05 * 0.95 / repetitions)
    inside = np.mean([test.low <= 1.0 <= test.high for test in tests])
    assert inside >= 0.95 - 4.0 * math.sqrt(0.05 * 0.95 / repetitions)


@pytest.mark.parametrize("beyond", [0, 3, 12])
def test_the_variance_ratio_is_that_of_all_ways_to_choose_the_candidate(beyond: int) -> None:
    # Of N rows with these weights in the tail any m are as likely to be the candidate's.
    tied, places, rows, candidate = 30, 20, 400, 150
    ratio = TailCounts(
        places, (beyond, 0), (tied, 0), (rows - candidate, candidate), design_effect=1.5
    ).variance_ratio
    weights = np.r_[np.ones(beyond), np.full(tied, (places - beyond) / tied)]
    weights = np.r_[weights, np.zeros(rows - len(weights))]
    untied = np.r_[np.ones(places), np.zeros(rows - places)]
    assert ratio == pytest.approx(1.5 * weights.var() / untied.var(), rel=1e-12)
    assert TailCounts(20, (9, 11), (0, 0), (250, 150)).variance_ratio == 1.0

"""The law of a tail with ties, against whole numbers: every choice of the candidate's rows."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats

from tailwatch.metrics.embeddings.tail_law import TailLaw
from tailwatch.metrics.embeddings.tail_test import TailCounts, tail_test_of_counts
from tests.support import oracle

STRATA = [
    # Beyond the edge, tied at it, places for these, the rest, rows of the candidate.
    (3, 4, 1, 5, 6),
    (0, 7, 3, 4, 5),
    (5, 6, 4, 0, 4),
    (2, 9, 8, 6, 9),
    (6, 2, 1, 7, 3),
    (1, 10, 5, 1, 1),
    (4, 5, 2, 3, 11),
]


def law_of(s: int, e: int, r: int, rest: int, m: int) -> dict[int, Fraction]:
    """Return the probability of each U, by counting choices."""
    found: dict[int, int] = {}
    for a, b in itertools.product(range(s + 1), range(e + 1)):
        if 0 <= m - a - b <= rest:
            ways = math.comb(s, a) * math.comb(e, b) * math.comb(rest, m - a - b)
            found[e * a + r * b] = found.get(e * a + r * b, 0) + ways
    total = math.comb(s + e + rest, m)
    assert sum(found.values()) == total
    return {units: Fraction(ways, total) for units, ways in found.items()}


def order(t: int, m: int, rows: int, count: float) -> float:
    """Fisher's probability of a count, continued by the gamma function."""
    return -sum(math.lgamma(x + 1) for x in (count, t - count, m - count, rows - t - m + count))


@pytest.mark.parametrize("strata", STRATA)
def test_probabilities_are_shares_of_choices(strata: tuple[int, int, int, int, int]) -> None:
    s, e, r, rest, m = strata
    exact = law_of(*strata)
    law = TailLaw.of(beyond=s, tied=e, places=r, rows=s + e + rest, candidate=m)
    assert law.support == (min(exact), max(exact))
    for units in exact:
        least = float(sum(p for other, p in exact.items() if other <= units))
        most = float(sum(p for other, p in exact.items() if other >= units))
        assert law.at_most(units) == pytest.approx(least, rel=1e-12)
        assert law.at_least(units) == pytest.approx(most, rel=1e-12)
        own = order(s + r, m, s + e + rest, units / e)
        p = float(
            sum(
                p
                for other, p in exact.items()
                if order(s + r, m, s + e + rest, other / e) <= own + 1e-9
            )
        )
        assert law.p_value(units) == pytest.approx(p, rel=1e-12)


def test_every_relabelling_of_tied_rows() -> None:
    # Fourteen pooled rarities, all C(14, 6) ways to call six of them the candidate's: the p-value
    # is at most α in at most α of them, and both orders of the samples say the same.
    rarity = np.array([5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 1, 1, 1, 0])
    for places in (2, 3, 6):
        edge = rarity[places - 1]
        found: list[float] = []
        for chosen in itertools.combinations(range(14), 6):
            y = rarity[list(chosen)]
            x = np.delete(rarity, chosen)
            counts = TailCounts(
                places,
                (int((x > edge).sum()), int((y > edge).sum())),
                (int((x == edge).sum()), int((y == edge).sum())),
                (8, 6),
            )
            weights = np.where(
                rarity == edge,
                (places - (rarity > edge).sum()) / (rarity == edge).sum(),
                rarity > edge,
            )
            assert counts.candidate == pytest.approx(weights[list(chosen)].sum(), rel=1e-13)
            found.append(_p(counts))
        p = np.array(found)
        for level in np.unique(p):
            assert (p <= level + 1e-12).mean() <= level + 1e-9


_KNOWN: dict[TailCounts, float] = {}


def _p(counts: TailCounts) -> float:
    if counts not in _KNOWN:
        there = tail_test_of_counts(counts, 0.9)
        back = tail_test_of_counts(counts.swapped(), 0.9)
        assert there.p_value == back.p_value
        for one, other in (
            (there.odds_ratio, back.odds_ratio),
            (there.low, back.high),
            (there.high, back.low),
        ):
            inverse = math.inf if one == 0 else 1 / one
            assert inverse == pytest.approx(other, rel=1e-12)
        _KNOWN[counts] = there.p_value
    return _KNOWN[counts]


@pytest.mark.parametrize(
    ("n", "m", "t", "y"),
    [(300, 300, 30, 9), (301, 167, 40, 25), (5000, 5000, 500, 310), (50, 9, 7, 0), (40, 60, 9, 9)],
)
def test_without_ties_it_is_fishers_test(n: int, m: int, t: int, y: int) -> None:
    table = np.array([[y, m - y], [t - y, n - t + y]])
    odds = scipy.stats.contingency.odds_ratio(table, kind="conditional")
    interval = odds.confidence_interval(confidence_level=0.9)
    # The last row of the tail is one row at the edge, or two that both have a place.
    for tied in (1, 2):
        at_edge = (0, tied) if y >= tied else (tied, 0)
        beyond = (t - y - at_edge[0], y - at_edge[1])
        found = tail_test_of_counts(TailCounts(t, beyond, at_edge, (n, m)), 0.9)
        assert found.tied == 0
        assert found.odds_ratio == pytest.approx(float(odds.statistic), rel=1e-8)
        assert found.low == pytest.approx(float(interval.low), rel=1e-8)
        assert found.high == pytest.approx(float(interval.high), rel=1e-8)
        assert found.p_value == pytest.approx(scipy.stats.fisher_exact(table).pvalue, rel=1e-9)


@pytest.mark.parametrize(
    "counts",
    [
        TailCounts(30, (9, 5), (20, 14), (300, 300)),
        TailCounts(50, (0, 0), (150, 120), (400, 333)),
        TailCounts(60, (40, 2), (60, 20), (500, 400)),
        TailCounts(12, (1, 9), (3, 11), (60, 90)),
    ],
)
def test_odds_and_interval_are_those_of_all_pairs(counts: TailCounts) -> None:
    s, e, (n, m) = sum(counts.beyond), sum(counts.tied), counts.rows
    expected = oracle.tied_test(s, e, counts.places - s, n + m, m, counts.candidate)
    found = tail_test_of_counts(counts, 0.95)
    assert (found.rows, found.tied) == (counts.places, e)
    for field in ("odds_ratio", "low", "high", "p_value"):
        assert getattr(found, field) == pytest.approx(getattr(expected, field), rel=1e-8), field
    assert found.low < found.odds_ratio < found.high


@pytest.mark.parametrize("strata", STRATA[:4])
def test_intervals_hold_as_often_as_they_say(strata: tuple[int, int, int, int, int]) -> None:
    # Under each odds of the family, exactly: the interval is that of its Fisher mean.
    s, e, r, rest, m = strata
    exact = law_of(*strata)
    law = TailLaw.of(beyond=s, tied=e, places=r, rows=s + e + rest, candidate=m)
    ends = {
        units: (law.limit(units, 0.1, upper=False), law.limit(units, 0.1, upper=True))
        for units in exact
    }
    for log_odds in np.linspace(-6, 6, 25):
        weights = {units: float(p) * math.exp(log_odds * units / e) for units, p in exact.items()}
        held = sum(
            w for units, w in weights.items() if ends[units][0] <= log_odds <= ends[units][1]
        )
        assert held / sum(weights.values()) >= 0.8 - 1e-9


def test_large_tails_agree_with_draws() -> None:
    # 20,000 draws of SciPy's multivariate hypergeometric, seed 5; z ≤ 4.
    s, e, r, rest, m = 4_000, 3_000, 1_000, 43_000, 25_000
    law = TailLaw.of(beyond=s, tied=e, places=r, rows=s + e + rest, candidate=m)
    drawn = np.random.default_rng(5).multivariate_hypergeometric([s, e, rest], m, size=20_000)
    units = drawn[:, 0] * e + drawn[:, 1] * r
    for quantile in (0.02, 0.2, 0.5, 0.9):
        at = int(np.quantile(units, quantile))
        share, p = (units <= at).mean(), law.at_most(at)
        assert abs(share - p) <= 4 * math.sqrt(p * (1 - p) / 20_000)


@pytest.mark.parametrize("out", [1e-9, 1e-16, 1e-24])
def test_far_out_probabilities_are_right(out: float) -> None:
    law = TailLaw.of(beyond=50, tied=40, places=15, rows=400, candidate=200)
    low, high = law.support[0], law.rows * law.unit
    target = math.log(out)
    exact = sorted(law_of(50, 40, 15, 310, 200).items())
    total, units = Fraction(0), low
    for value, p in exact:
        if total > 0 and math.log(total) > target:
            break
        total, units = total + p, value
    assert low <= units < high
    assert law.at_most(units) == pytest.approx(float(total), rel=1e-8)

"""Standard errors from half-samples of statistics whose variance is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tailwatch.comparison.estimates import (
    HalfSamples,
    degrees_of_freedom,
    spread_of_null,
    standard_error,
    variance,
)
from tailwatch.comparison.halves import GROUPS, REPLICATES


def error(values: list[float] | np.ndarray, *, complementary: bool) -> HalfSamples:
    array = np.asarray(values, dtype=np.float64)
    return HalfSamples(array, array, "real", complementary=complementary)


def test_plain_halves_vary_as_the_whole_does() -> None:
    of = error([7.0, 1.0, 2.0, 6.0], complementary=False)
    assert variance(of.values, of) == pytest.approx(7.0)
    assert standard_error(of.values, of) == pytest.approx(math.sqrt(7.0))


def test_complementary_halves_split_into_odd_and_even() -> None:
    # Pairs (3, 1), (5, −1), (4, 2): odd parts 1, 3, 1; even 2, 2, 3 of variance 1/3: negligible.
    of = error([0.0, 3, 1, 5, -1, 4, 2], complementary=True)
    assert variance(of.values, of) == pytest.approx(11 / 3)
    # Pairs (3, 1), (5, −1), (5, 3): odd parts 1, 3, 1; even parts 2, 2, 4 of variance 4/3.
    of = error([0.0, 3, 1, 5, -1, 5, 3], complementary=True)
    assert variance(of.values, of) == pytest.approx(11 / 3 - 4 / 3)


def test_without_a_first_order_part_both_parts_measure_the_second() -> None:
    # Odd 0, even 9/2: less than twice as much, so V₁ = 0 and V₂ = (odd/2 + even)/2.
    of = error([0.0, 4, 4, 1, 1], complementary=True)
    assert variance(of.values, of) == pytest.approx(9 / 4)
    # Pairs (5, 3), (6, 0): odd parts 1, 3 of mean square 5; even parts 4, 3 of variance 1/2; and
    # (6, 2), (3, 1): odd parts 2, 1 of mean square 5/2, even parts 4, 2 of variance 2.
    of = error([0.0, 5, 3, 6, 0], complementary=True)
    assert variance(of.values, of) == pytest.approx(5)
    of = error([0.0, 6, 2, 3, 1], complementary=True)
    assert variance(of.values, of) == pytest.approx((5 / 4 + 2) / 2)


def test_of_a_null_at_its_minimum_both_parts_measure_one_variance() -> None:
    # Odd parts 3, 1 of mean square 5, even parts 4, 5 of variance 1/2: were V₁ left open, it would
    # take all.
    of = error([0.0, 7, 1, 6, 4], complementary=True)
    found = spread_of_null(of.values, of)
    assert found.error == pytest.approx(math.sqrt((5 / 2 + 1 / 2) / 2))
    assert found.degrees_of_freedom == pytest.approx(1 / (1 / 4 + 1 / 31))
    plain = error([7.0, 1.0, 2.0, 6.0], complementary=False)
    assert spread_of_null(plain.values, plain).error == pytest.approx(math.sqrt(7.0))


def test_the_spread_of_a_null_scatters_as_its_degrees_of_freedom_say() -> None:
    # Deviations √2·ε (odd) and η (even) of a second-order statistic, 4,000 draws, seed 0, z <= 4.
    rng = np.random.default_rng(0)
    odd = math.sqrt(2) * rng.normal(size=(4000, 15))
    even = rng.normal(size=(4000, 15))
    halves = np.stack([even + odd, even - odd], axis=2).reshape(4000, 30)
    of = [error([0.0, *one], complementary=True) for one in halves]
    squares = np.array([spread_of_null(one.values, one).error ** 2 for one in of])
    assert squares.mean() == pytest.approx(1.0, abs=4 * math.sqrt(2 / 29 / 4000))
    # Relative variance (2/15 + 2/14)/4 of a chi-squared over 29 degrees, of whose estimate the
    # error is √((2 + 12/29)/4000) of it.
    assert squares.var() == pytest.approx(2 / 15 / 4 + 2 / 14 / 4, rel=4 * math.sqrt(2.42 / 4000))


def test_the_rules_meet_where_the_first_order_part_vanishes() -> None:
    # Odd parts ±√2·(1, 1), even parts ±1/√2 (variance 1): odd 2 is twice even 1, and V₂ = 1.
    root = math.sqrt(2)
    pairs = [1 / root + root, 1 / root - root, -1 / root + root, -1 / root - root]
    of = error([0.0, *pairs], complementary=True)
    assert variance(of.values, of) == pytest.approx(1)


def test_the_whole_itself_does_not_enter() -> None:
    for complementary in (False, True):
        first = error([0.0, 1, 2, 4, 8], complementary=complementary)
        second = error([9.0, 1, 2, 4, 8], complementary=complementary)
        assert variance(first.values, first) == variance(second.values, second)


def test_numbers_of_any_size() -> None:
    # Squares of numbers that the data may hold overflow; their variance must not.
    small = error([1.0, 2, 4, 3, 7], complementary=True)
    for scale in (1e-160, 1e160):
        large = error(scale * small.values, complementary=True)
        ratio = standard_error(large.values, large) / standard_error(small.values, small)
        assert ratio == pytest.approx(scale, rel=1e-9)


def test_degrees_of_freedom_of_replicates_and_groups_add_as_parallel_resistances() -> None:
    # Pairs of which only the odd part varies, and pairs of which only the even part does.
    odd, even = (
        np.array([0.0, *[1.0, -1.0] * 15]),
        np.array([0.0, *[1.0, 1.0, -1.0, -1.0] * 7, 1, 1]),
    )

    def freedom(values: np.ndarray, *, complementary: bool) -> float:
        return degrees_of_freedom(values, error(values, complementary=complementary))

    assert freedom(odd, complementary=False) == pytest.approx(29 * 31 / (29 + 31))
    assert freedom(odd, complementary=True) == pytest.approx(15 * 31 / (15 + 31))
    # Without a first-order part the variance comes of odd and even parts alike.
    assert freedom(even, complementary=True) == pytest.approx(30 * 31 / (30 + 31))
    for nothing in (np.zeros(1 + REPLICATES), np.full(1 + REPLICATES, np.inf)):
        assert freedom(nothing, complementary=True) == pytest.approx(15 * 31 / (15 + 31))


RUNS, ROWS = 2000, 320


def estimated(centre: float, columns: int, seed: int, *, squared: bool) -> tuple[float, float]:
    """Mean of the estimated variance of a mean or of its squared length, and Monte-Carlo error.

    Drawn are the means of 32 groups of rows of N(centre, I), of which all halves are made.
    """
    rng = np.random.default_rng(seed)
    groups = centre + rng.normal(scale=math.sqrt(GROUPS / ROWS), size=(RUNS, GROUPS, columns))

    def of(chosen: np.ndarray) -> np.ndarray:
        mean = groups[:, chosen].mean(axis=1)
        return (mean**2).sum(axis=1) if squared else mean[:, 0]

    found = [of(np.ones(GROUPS, dtype=np.bool_))]
    for _ in range(REPLICATES // 2):
        chosen = np.zeros(GROUPS, dtype=np.bool_)
        chosen[rng.permutation(GROUPS)[: GROUPS // 2]] = True
        found += [of(chosen), of(~chosen)]
    runs = [variance(run, error(run, complementary=True)) for run in np.stack(found, axis=1)]
    return float(np.mean(runs)), float(np.std(runs)) / math.sqrt(RUNS)


def test_a_linear_statistic_has_its_first_order_variance() -> None:
    # n = 2,000 runs of 320 rows, seed 1, z ≤ 4.
    mean, spread = estimated(0.0, 1, 1, squared=False)
    assert abs(mean - 1 / ROWS) <= 4 * spread


def test_a_quadratic_statistic_away_from_its_stationary_point() -> None:
    # n = 2,000 runs of 320 rows, seed 2, z ≤ 4.
    mean, spread = estimated(2.0, 1, 2, squared=True)
    assert abs(mean - (4 * 2.0**2 / ROWS + 2 / ROWS**2)) <= 4 * spread


@pytest.mark.parametrize(("columns", "excess"), [(1, 0.73), (16, 0.21), (64, 0.11)])
def test_a_quadratic_statistic_at_its_stationary_point(columns: int, excess: float) -> None:
    # n = 2,000 runs of 320 rows, seed 3, z ≤ 4. The true variance is V₂ = 2d/n². Exact parts are
    # odd = 2X and even = 1 times that, X = χ²/d, and max(2X − 1, (X + 1)/2) is on average
    # 1 + 1.5E(X − 1)₊ = 1 + `excess`; that both come of 15 pairs, with relative variances 2/15 and
    # 2/14, adds at most 1.5√(2/15 + 2/14)/√(2π). Plain half-sampling gives 3.
    mean, spread = estimated(0.0, columns, 3, squared=True)
    true = 2 * columns / ROWS**2
    of_pairs = 1.5 * math.sqrt((2 / 15 + 2 / 14) / (2 * math.pi))
    assert true - 4 * spread <= mean <= (1 + excess + of_pairs) * true + 4 * spread


def test_halves_show_the_chance_of_counts_twice() -> None:
    # n = 2,000 runs of 320 rows, seed 4, z ≤ 4. Whether a row counts is drawn anew in each half, as
    # if its neighbours were: a variance of p(1 − p)/n, of which halves of n/2 rows show twice.
    rng, share = np.random.default_rng(4), 0.3
    halves = rng.binomial(ROWS // 2, share, size=(RUNS, REPLICATES)) / (ROWS // 2)
    whole = np.full((RUNS, 1), share)
    runs = [variance(run, error(run, complementary=False)) for run in np.hstack([whole, halves])]
    spread = np.std(runs) / math.sqrt(RUNS)
    assert abs(np.mean(runs) - 2 * share * (1 - share) / ROWS) <= 4 * spread

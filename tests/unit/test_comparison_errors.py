"""Standard errors from half-samples of statistics whose variance is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tailwatch.comparison.errors import degrees_of_freedom, standard_error, variance
from tailwatch.comparison.estimates import HalfSamples
from tailwatch.comparison.samples import GROUPS, REPLICATES


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


def test_the_variance_is_never_below_its_even_part() -> None:
    of = error([0.0, 4, 4, 1, 1], complementary=True)
    assert variance(of.values, of) == pytest.approx(4.5)


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
    values = np.zeros(1 + REPLICATES)
    plain = degrees_of_freedom(error(values, complementary=False))
    paired = degrees_of_freedom(error(values, complementary=True))
    assert plain == pytest.approx(29 * 31 / (29 + 31))
    assert paired == pytest.approx(15 * 31 / (15 + 31))


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


@pytest.mark.parametrize(("columns", "excess"), [(1, 0.97), (16, 0.28), (64, 0.14)])
def test_a_quadratic_statistic_at_its_stationary_point(columns: int, excess: float) -> None:
    # n = 2,000 runs of 320 rows, seed 3, z ≤ 4. The true variance is V₂ = 2d/n². Given exact odd
    # and even parts the larger of the two is 1 + 2E(χ²/d − 1)₊ = 1 + `excess` times that on
    # average; that both come of 15 pairs adds at most as much as one of them is uncertain, √(2/14).
    # Plain half-sampling gives 3.
    mean, spread = estimated(0.0, columns, 3, squared=True)
    true = 2 * columns / ROWS**2
    assert true - 4 * spread <= mean <= (1 + excess + math.sqrt(2 / 14)) * true + 4 * spread

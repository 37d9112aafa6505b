"""Metrics of numbers: SciPy, brute force in fractions, closed forms, and laws."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
import scipy.spatial.distance
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.metrics import univariate

Numbers = np.ndarray


def draws(seed: int, size: int, *, shift: float = 0.0, digits: int | None = None) -> Numbers:
    found = np.random.default_rng(seed).normal(size=size) + shift
    return found if digits is None else found.round(digits)


CASES = {
    "equal sizes": (draws(1, 500), draws(2, 500, shift=0.3)),
    "other sizes": (draws(3, 500), draws(4, 311)),
    "one each": (np.array([1.5]), np.array([-2.0])),
    "few": (draws(5, 6), draws(6, 9)),
    "ties": (draws(7, 400, digits=0), draws(8, 300, digits=0)),
    "several parts": (draws(9, 200_000), draws(10, 1_000)),
    "dealt to cells": (draws(11, 300_000), draws(12, 300_000)),
    "heavy tails": (
        np.random.default_rng(13).standard_cauchy(140_000),
        np.random.default_rng(14).standard_cauchy(999),
    ),
    "integers": (
        np.random.default_rng(15).poisson(3, 900),
        np.random.default_rng(16).poisson(4, 700),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_wasserstein_distance_is_scipys(name: str) -> None:
    x, y = CASES[name]
    expected = scipy.stats.wasserstein_distance(x, y)
    assert univariate.wasserstein_distance(x, y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_energy_distance_is_the_square_of_scipys(name: str) -> None:
    x, y = CASES[name]
    expected = scipy.stats.energy_distance(x, y) ** 2
    assert univariate.energy_distance(x, y) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("name", CASES)
def test_kolmogorov_smirnov_is_scipys(name: str) -> None:
    x, y = CASES[name]
    expected = scipy.stats.ks_2samp(x, y)
    found = univariate.kolmogorov_smirnov(x, y)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-14)
    # A statistic that differs by its last bit may pass the p-value on by n times that.
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    f, g = (np.mean(values <= found.location) for values in (x, y))
    assert abs(f - g) == pytest.approx(found.statistic, rel=1e-12)


@pytest.mark.parametrize(
    "name", ["equal sizes", "other sizes", "few", "several parts", "dealt to cells", "heavy tails"]
)
def test_cramer_von_mises_without_ties_is_scipys(name: str) -> None:
    x, y = CASES[name]
    expected = scipy.stats.cramervonmises_2samp(x, y)
    found = univariate.cramer_von_mises(x, y)
    # SciPy subtracts terms (n + m)/6 times as large as the result.
    rounding = 1e-15 * (len(x) + len(y)) ** 1.5
    assert found.statistic == pytest.approx(expected.statistic, abs=rounding)
    # SciPy ends its series at terms of 1e-7.
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-6)


@pytest.mark.parametrize("name", ["ties", "integers", "few"])
def test_cramer_von_mises_is_the_sum_over_all_numbers(name: str) -> None:
    x, y = CASES[name]
    n, m = len(x), len(y)
    values, which = np.unique(np.concatenate([x, y]), return_inverse=True)
    signs = np.where(np.arange(n + m) < n, 1 / n, -1 / m)
    before = sum_of_squares = 0.0
    for value in range(len(values)):
        tied = which == value
        after = before + signs[tied].sum()
        steps = np.arange(1, tied.sum() + 1) / tied.sum()
        sum_of_squares += ((before + steps * (after - before)) ** 2).sum()
        before = after
    expected = n * m / (n + m) ** 2 * sum_of_squares
    assert univariate.cramer_von_mises(x, y).statistic == pytest.approx(expected, rel=1e-12)


def test_ties_do_not_inflate_cramer_von_mises() -> None:
    # The formula of ranks gives 4.6e3 here, though both samples are the same.
    x = np.repeat(np.arange(10), 100)
    y = np.repeat(np.arange(10), 30_000)
    found = univariate.cramer_von_mises(x, y)
    assert (found.statistic, found.p_value) == (0.0, 1.0)
    assert scipy.stats.cramervonmises_2samp(x, y).statistic > 1000


def test_tail_of_cramer_von_mises_is_that_of_its_limit() -> None:
    # Smirnov's table of the limit distribution: P(T > 0.46136) = 0.05, P(T > 0.74346) = 0.01,
    # P(T > 1.16786) = 0.001. Sizes so large that the correction for them is below 1e-6.
    from tailwatch.metrics.univariate.goodness import _limit_tail

    found = [_limit_tail(value) for value in (0.46136, 0.74346, 1.16786)]
    assert found == pytest.approx([0.05, 0.01, 0.001], rel=2e-4)
    assert [_limit_tail(value) for value in (0.001, 20.0, 5e3)] == [1.0, 0.0, 0.0]


def test_exact_p_values_of_a_coin_that_can_be_counted() -> None:
    # All 20 orders of 3 + 3 numbers: D = 1 in two of them.
    found = univariate.kolmogorov_smirnov(np.arange(3), np.arange(3) + 10)
    assert (found.statistic, found.p_value) == (1.0, pytest.approx(0.1, rel=1e-12))
    found = univariate.cramer_von_mises(np.arange(3), np.arange(3) + 10)
    assert found.p_value == pytest.approx(0.1, rel=1e-12)


# --- bins


def seen_in_bins(x: Numbers, y: Numbers, bins: int, *, of_both: bool) -> tuple[Numbers, Numbers]:
    """Counts in bins, off the curve of cumulated counts over the mass that parts the line.

    The curve is a straight line where a number adds mass, and a jump, which is met half-way, where
    it adds none.
    """
    values, which = np.unique(np.concatenate([x, y]), return_inverse=True)
    seen = [np.bincount(part, minlength=len(values)) for part in (which[: len(x)], which[len(x) :])]
    if len(values) <= bins:
        return seen[0], seen[1]
    upto = [np.concatenate([[0], np.cumsum(counts)]) for counts in seen]
    mass = upto[0] * len(y) + upto[1] * len(x) if of_both else upto[0]
    places, first = np.unique(mass * bins, return_index=True)
    last = np.append(first[1:], len(mass)) - 1
    edges = np.arange(1, bins) * int(mass[-1])
    at, beyond = np.searchsorted(places, edges), np.searchsorted(places, edges, side="right")
    found = []
    for counts in upto:
        low, high = counts[first], counts[last]
        share = (edges - places[beyond - 1]) / (places[beyond] - places[beyond - 1])
        between = high[beyond - 1] + share * (low[beyond] - high[beyond - 1])
        met = np.where(beyond > at, (low[at] + high[at]) / 2, between)
        found.append(np.diff(np.concatenate([[0], met, [counts[-1]]])))
    return found[0], found[1]


@pytest.mark.parametrize("bins", [2, 7, 10])
@pytest.mark.parametrize("name", CASES)
def test_population_stability_index(name: str, bins: int) -> None:
    x, y = CASES[name]
    p, q = seen_in_bins(x, y, bins, of_both=False)
    p, q = ((counts + 0.5) / (counts + 0.5).sum() for counts in (p, q))
    expected = float(((p - q) * np.log(p / q)).sum())
    found = univariate.population_stability_index(x, y, bins=bins)
    assert found == pytest.approx(expected, rel=1e-11, abs=1e-15)


@pytest.mark.parametrize("bins", [2, 10, 64])
@pytest.mark.parametrize("name", CASES)
def test_jensen_shannon(name: str, bins: int) -> None:
    x, y = CASES[name]
    p, q = seen_in_bins(x, y, bins, of_both=True)
    expected = scipy.spatial.distance.jensenshannon(p, q) ** 2
    assert univariate.jensen_shannon(x, y, bins=bins) == pytest.approx(
        expected, rel=1e-9, abs=1e-14
    )


def test_smoothing() -> None:
    x, y = np.arange(10), np.full(10, 3)
    assert univariate.population_stability_index(x, y, bins=2, smoothing=0) == math.inf
    # (5.5, 5.5) against (10.5, 0.5) of 11.
    expected = 5 / 11 * math.log(21)
    found = univariate.population_stability_index(x, y, bins=2)
    assert found == pytest.approx(expected, rel=1e-12)


# --- Hill


def test_hill_index_of_a_pareto() -> None:
    # P(V > v) = v^−α exactly: the estimate is α times k over a sum of k exponentials. n = 20,000,
    # level 0.1, seeds 20 to 49, α = 2.5: mean of 30 with the error claimed, z ≤ 4.
    found = [
        univariate.hill_index(1 + np.random.default_rng(seed).pareto(2.5, 20_000), level=0.1)
        for seed in range(20, 50)
    ]
    z = (np.mean([one.index for one in found]) - 2.5) / (found[0].standard_error / math.sqrt(30))
    assert abs(z) <= 4
    # And the claimed error is that of the estimates: χ² with 29 degrees of freedom, z ≤ 4.
    spread = np.var([one.index for one in found], ddof=1) / (2.5 / math.sqrt(2000)) ** 2
    assert abs(spread - 1) <= 4 * math.sqrt(2 / 29)


def test_hill_index_by_hand() -> None:
    found = univariate.hill_index(np.array([8.0, -1.0, 2.0, 4.0, 1.0]), level=0.4)
    assert (found.rows, found.threshold) == (2, 2.0)
    assert found.index == pytest.approx(2 / (math.log(2) + math.log(4)), rel=1e-14)
    assert found.standard_error == pytest.approx(found.index / math.sqrt(2), rel=1e-14)
    assert univariate.hill_index(np.array([1, 5, 5, 5])).index == pytest.approx(math.inf)


def test_hill_index_is_scale_free() -> None:
    x = np.random.default_rng(3).pareto(2, 500) + 1
    usual = univariate.hill_index(x).index
    assert univariate.hill_index(x * 1e6).index == pytest.approx(usual, rel=1e-12)


# --- counts


def frame_of(values: Numbers) -> pl.DataFrame:
    return pl.Series("value", values).value_counts(name="n")


@pytest.mark.parametrize("name", ["ties", "integers"])
def test_counts_stand_for_numbers(name: str) -> None:
    x, y = CASES[name]
    frames = frame_of(x), frame_of(y)
    for metric in (univariate.wasserstein_distance, univariate.energy_distance):
        assert metric(*frames, counts="n") == pytest.approx(metric(x, y), rel=1e-13)
    assert univariate.kolmogorov_smirnov(*frames, counts="n") == univariate.kolmogorov_smirnov(x, y)


def test_counts_are_those_of_scipys_weights() -> None:
    x, y, u, v = [0, 1, 5], [2, 9], [3, 0, 7], [10**9, 5]
    found = univariate.wasserstein_distance(
        pl.DataFrame({"x": x, "n": u}), pl.DataFrame({"n": v, "x": y}), counts="n"
    )
    expected = scipy.stats.wasserstein_distance(x, y, u, v)
    assert found == pytest.approx(expected, rel=1e-13)


# --- laws

samples = st.lists(st.integers(-40, 40), min_size=1, max_size=40)


def exact_integral(x: list[int], y: list[int], power: int) -> Fraction:
    """∫|F−G|^power dv, in fractions."""
    total = Fraction(0)
    for v in range(min(x + y), max(x + y)):
        f = Fraction(sum(value <= v for value in x), len(x))
        g = Fraction(sum(value <= v for value in y), len(y))
        total += abs(f - g) ** power
    return total


@given(samples, samples)
def test_integrals(x: list[int], y: list[int]) -> None:
    a, b = pl.Series(x), pl.Series(y)
    w1, energy = exact_integral(x, y, 1), 2 * exact_integral(x, y, 2)
    assert univariate.wasserstein_distance(a, b) == pytest.approx(float(w1), rel=1e-14)
    assert univariate.energy_distance(a, b) == pytest.approx(float(energy), rel=1e-14)
    assert univariate.wasserstein_distance(b, a) == pytest.approx(float(w1), rel=1e-14)
    assert univariate.energy_distance(a, a) == univariate.wasserstein_distance(a, a) == 0.0
    assert univariate.kolmogorov_smirnov(a, a).statistic == 0.0
    assert univariate.jensen_shannon(a, a) == 0.0
    assert univariate.population_stability_index(a, a) == 0.0


@given(samples, samples, st.integers(-1000, 1000), st.integers(-20, 20), st.randoms())
def test_moves(x: list[int], y: list[int], shift: int, exponent: int, random: object) -> None:
    a, b = np.array(x, float), np.array(y, float)
    rng = np.random.default_rng(len(x))
    scale = 2.0**exponent
    moved = [rng.permutation(values + shift) * scale for values in (a, b)]
    for metric in (univariate.wasserstein_distance, univariate.energy_distance):
        assert metric(*moved) == metric(a, b) * scale
    ks = univariate.kolmogorov_smirnov
    assert (ks(*moved).statistic, ks(*moved).p_value) == (ks(a, b).statistic, ks(a, b).p_value)
    for metric in (univariate.jensen_shannon, univariate.population_stability_index):
        assert metric(*moved) == metric(a, b)


@given(samples, samples)
def test_bounds(x: list[int], y: list[int]) -> None:
    a, b = np.array(x), np.array(y)
    assert 0.0 <= univariate.jensen_shannon(a, b) <= math.log(2) * (1 + 1e-15)
    assert univariate.jensen_shannon(a, b) == pytest.approx(univariate.jensen_shannon(b, a))
    assert univariate.population_stability_index(a, b) >= 0.0
    found = univariate.kolmogorov_smirnov(a, b)
    assert 0.0 <= found.statistic <= 1.0
    assert 0.0 <= found.p_value <= 1.0

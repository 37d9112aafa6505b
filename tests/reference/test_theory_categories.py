"""Types that survive, against chains of counts, exact and simulated.

Monte-Carlo tests state their runs and their seed; z is at most 4.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from tailwatch.recursion import theory
from tests.support.monte_carlo import Z, assert_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def test_types_drawn_by_simulation() -> None:
    # 20,000 samples of 25 labels, seed 41.
    shares = 1 / np.arange(1.0, 31)
    shares /= shares.sum()
    drawn = np.random.default_rng(41).multinomial(25, shares, size=20_000)
    assert_mean((drawn > 0).sum(axis=1).astype(float), theory.types_drawn(shares, 25))


@pytest.mark.parametrize("generation", [2, 5, 12])
def test_types_expected_by_simulation(generation: int) -> None:
    # 10,000 chains of 40 labels in 30 types, seed 42.
    shares = 1 / np.arange(1.0, 31)
    shares /= shares.sum()
    rng = np.random.default_rng(42)
    counts = rng.multinomial(40, shares, size=10_000)
    for _ in range(generation - 1):
        counts = rng.multinomial(40, counts / 40)
    alive = (counts > 0).sum(axis=1).astype(float)
    assert_mean(alive, theory.types_expected(shares, 40, generation, exact=True))


@pytest.mark.parametrize("generation", [1, 2, 8])
def test_poisson_survival_is_exact_for_poisson_copies(generation: int) -> None:
    # 200,000 branching processes with Poisson offspring, seed 43; M p = 0.8.
    rng = np.random.default_rng(43)
    copies = rng.poisson(0.8, size=200_000)
    for _ in range(generation - 1):
        copies = rng.poisson(copies)
    assert_mean((copies > 0).astype(float), theory.type_survival(0.008, 100, generation))


@pytest.mark.parametrize("rows", [50, 200])
def test_poisson_survival_is_close_to_the_chain(rows: int) -> None:
    shares = np.array([0.001, 0.01, 0.03, 0.1])
    for generation in (1, 2, rows // 10, rows // 5):
        poisson = theory.type_survival(shares, rows, generation)
        chain = theory.type_survival(shares, rows, generation, exact=True)
        assert np.abs(poisson - chain).max() < 0.03


def test_effective_sample_size_goes_as_two_over_k() -> None:
    for k in (100, 10_000):
        assert math.isclose(
            theory.effective_sample_size(k, 1000), 2000 / k, rel_tol=5 * math.log(k) / k
        )


def test_recursive_data_hold_as_many_types_as_one_smaller_sample() -> None:
    shares = 1 / np.arange(1.0, 2001)
    shares /= shares.sum()
    size = float(theory.effective_sample_size(20, 50_000))
    recursive = theory.types_expected(shares, 50_000, 20)
    # Poisson on both sides: 1 − exp(−np) against 1 − (1−p)^n, which differ by np²/2 in all.
    once = theory.types_drawn(shares, round(size))
    assert abs(recursive - once) <= float((size * shares**2 * np.exp(-size * shares)).sum()) + 1


def test_time_to_one_type_against_the_exact_chain() -> None:
    for rows in (50, 100, 200):
        counts = np.arange(rows + 1)
        chain = stats.binom.pmf(counts[None, :], rows, counts[:, None] / rows)[1:-1, 1:-1]
        times = np.linalg.solve(np.eye(rows - 1) - chain, np.ones(rows - 1))
        for start in (rows // 2, rows // 10):
            diffusion = theory.time_to_one_type([start, rows - start], rows)
            # The diffusion leaves out terms of one part in the number of rows, and ln M of them.
            assert 0 < diffusion - times[start - 1] < 2 + math.log(rows) / 4


def test_time_to_one_of_several_types() -> None:
    # 2,000 chains of 60 labels in 4 types, seed 44; the diffusion is long by two generations.
    rng = np.random.default_rng(44)
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    counts = np.tile((60 * shares).astype(int), (2_000, 1))
    times = np.zeros(2_000)
    alive = np.ones(2_000, dtype=bool)
    while alive.any():
        times[alive] += 1
        counts[alive] = rng.multinomial(60, counts[alive] / 60)
        alive &= (counts > 0).sum(axis=1) > 1
    error = times.std() / math.sqrt(2_000)
    assert -Z * error < theory.time_to_one_type(shares, 60) - times.mean() < 3 + Z * error

"""The inverses give back what they were given, and are the first or the least to do so.

Monte-Carlo tests state their runs and their seed; z is at most 4.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.exceptions import InputError
from tailwatch.recursion import theory
from tests.support.errors import refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@given(rows=st.integers(2, 10**6), keep=st.floats(0.001, 0.999999))
def test_real_fraction_for_is_the_inverse(rows: int, keep: float) -> None:
    if keep > 1 - 1 / rows:
        with refused(InputError, "variance_kept", "at most …"):
            theory.real_fraction_for(keep, rows)
        return
    fraction = theory.real_fraction_for(keep, rows)
    assert 0 < fraction <= 1
    assert math.isclose(theory.fresh_real_limit(rows, fraction), keep, rel_tol=1e-6)


@given(samples=st.integers(1, 10**5), keep=st.floats(0.01, 0.9999))
def test_fixed_real_rows_for_is_the_least(samples: int, keep: float) -> None:
    rows = theory.fixed_real_rows_for(keep, samples)
    assert theory.fixed_real_limit(rows, samples) >= keep
    assert rows == 1 or theory.fixed_real_limit(rows - 1, samples) < keep


@given(
    rows=st.integers(2, 3000),
    keep=st.floats(0.05, 0.999),
    policy=st.sampled_from(["replace", "accumulate", "accumulate_subsample", "mix:0.2,fresh"]),
    ddof=st.sampled_from([0, 1]),
)
def test_generations_until_is_the_first(rows: int, keep: float, policy: str, ddof: int) -> None:
    options = {"policy": policy, "ddof": ddof}
    if ddof == 1 and rows == 2:
        return
    until = theory.generations_until(keep, rows, **options)
    if until is None:
        assert theory.variance_limit(rows, **options) >= keep
        assert theory.variance_kept(500, rows, **options) > keep * (1 - 1e-9)
        return
    slack = 1e-9
    assert theory.variance_kept(until, rows, **options) <= keep * (1 + slack)
    assert until == 1 or theory.variance_kept(until - 1, rows, **options) > keep * (1 - slack)


@given(keep=st.floats(0.01, 0.9999), generations=st.integers(1, 1000))
def test_rows_for_is_the_least(keep: float, generations: int) -> None:
    rows = theory.rows_for(keep, generations)
    assert theory.replace_variance(generations, rows) >= keep * (1 - 1e-9)
    assert rows == 2 or theory.replace_variance(generations, rows - 1) < keep * (1 + 1e-9)


@given(
    generations=st.integers(1, 40),
    spare=st.integers(0, 10**5),
    growth=st.floats(0.0, 4.0),
)
def test_a_schedule_spends_its_budget(generations: int, spare: int, growth: float) -> None:
    schedule = theory.sample_schedule(generations, 2 * generations + spare, growth=growth)
    assert sum(schedule) == 2 * generations + spare
    assert min(schedule) >= 2
    assert all(later >= sooner - 1 for sooner, later in itertools.pairwise(schedule))


@given(generations=st.integers(2, 12), budget=st.integers(100, 5000), seed=st.integers(0, 99))
def test_equal_shares_keep_most(generations: int, budget: int, seed: int) -> None:
    best = theory.schedule_kept(theory.sample_schedule(generations, budget))
    rng = np.random.default_rng(seed)
    other = 2 + rng.multinomial(budget - 2 * generations, rng.dirichlet(np.ones(generations)))
    assert theory.schedule_kept([int(rows) for rows in other]) <= best * (1 + 1e-12)


@given(keep=st.floats(0.3, 0.999), growth=st.floats(1.3, 4.0))
def test_growing_schedules_keep_their_share_for_ever(keep: float, growth: float) -> None:
    schedule = theory.schedule_for(keep, 2000, growth=growth)
    # Late rows tell M₁, as rounding up does not matter there.
    i = np.arange(1.0, 2001)
    first = (schedule[-1] - 0.5) / 2000**growth
    if first < 2.001:
        return
    exactly = float(np.exp(np.log1p(-1 / (first * i**growth)).sum()))
    # Later generations lose the integral of 1/(M₁ iᵍ), up to its first term.
    rest = 2000.5 ** (1 - growth) / (first * (growth - 1))
    assert math.isclose(exactly * math.exp(-rest), keep, rel_tol=1e-5)
    assert theory.schedule_kept(schedule) >= exactly * (1 - 1e-9)


def test_without_growth_nothing_is_kept_for_ever() -> None:
    with refused(InputError, "growth", "more than 1, as nothing is kept for ever below", "1.0"):
        theory.schedule_for(0.9, 10, growth=1.0)
    # Σ 1/Mᵢ diverges: each tenfold of generations costs the same factor.
    kept = [
        theory.schedule_kept([50 * i for i in range(1, count + 1)])
        for count in (100, 1_000, 10_000)
    ]
    assert math.isclose(kept[1] / kept[0], 10 ** (-1 / 50), rel_tol=1e-3)
    assert math.isclose(kept[2] / kept[1], 10 ** (-1 / 50), rel_tol=1e-3)

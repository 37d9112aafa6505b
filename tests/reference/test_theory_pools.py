"""Pools of all data and samples of them, against rows that are really drawn.

Monte-Carlo tests state their runs and their seed; z is at most 4.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.recursion import theory
from tests.support.monte_carlo import assert_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

GENERATIONS = st.integers(1, 200)


def accumulated(
    rows: int, generations: int, runs: int, seed: int, *, ddof: int, first: int, drawn: int | None
) -> Array:
    """Variances of the last fits to a pool, or to rows drawn from it without replacement."""
    rng = np.random.default_rng(seed)
    pool = rng.normal(size=(runs, first))
    mean, deviation = np.zeros((runs, 1)), np.ones((runs, 1))
    for generation in range(1, generations + 1):
        if generation > 1:
            pool = np.hstack([pool, mean + deviation * rng.normal(size=(runs, rows))])
        used = pool
        if drawn is not None and generation > 1 and drawn < pool.shape[1]:
            used = rng.permuted(pool, axis=1)[:, :drawn]
        mean = used.mean(axis=1, keepdims=True)
        deviation = used.std(axis=1, ddof=ddof, keepdims=True)
    return deviation[:, 0] ** 2


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize(("rows", "first"), [(6, 6), (10, 4), (4, 15)])
def test_accumulate(rows: int, first: int, ddof: int) -> None:
    # 20,000 runs of 6 generations, seed 11.
    variance = accumulated(rows, 6, 20_000, 11, ddof=ddof, first=first, drawn=None)
    assert_mean(variance, theory.accumulate_variance(6, rows, first=first, ddof=ddof))


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize(("rows", "first", "drawn"), [(5, 5, 5), (6, 9, 4), (4, 4, 10)])
def test_accumulate_subsample(rows: int, first: int, drawn: int, ddof: int) -> None:
    # 40,000 runs of 6 generations, seed 12.
    variance = accumulated(rows, 6, 40_000, 12, ddof=ddof, first=first, drawn=drawn)
    expected = theory.accumulate_subsample_variance(6, rows, drawn=drawn, first=first, ddof=ddof)
    assert_mean(variance, expected)


@given(rows=st.integers(2, 10**4), t=GENERATIONS)
def test_accumulate_is_the_product(rows: int, t: int) -> None:
    likelihood = math.prod(1 - 1 / (rows * k**2) for k in range(1, t + 1))
    unbiased = math.prod(1 - 1 / (k * (k * rows - 1)) for k in range(2, t + 1))
    assert math.isclose(theory.accumulate_variance(t, rows), likelihood, rel_tol=1e-12)
    assert math.isclose(theory.accumulate_variance(t, rows, ddof=1), unbiased, rel_tol=1e-12)


@given(rows=st.integers(3, 10**4), ddof=st.sampled_from([0, 1]))
def test_accumulate_has_its_limit(rows: int, ddof: int) -> None:
    far = theory.accumulate_variance(100_000, rows, ddof=ddof)
    limit = theory.accumulate_limit(rows, ddof=ddof)
    # The rest of the product, from t on, is 1 − 1/(Mt) and no less.
    assert limit <= far
    assert math.isclose(far, limit, rel_tol=2 / (rows * 100_000))


@given(rows=st.integers(2, 500), t=st.integers(1, 60))
def test_subsample_follows_its_recursion(rows: int, t: int) -> None:
    pool = 1 - 1 / rows
    for k in range(1, t):
        n = rows * k
        r = n / (n - 1) * (rows - 1) / rows
        pool *= 1 - (1 - r * (1 - 1 / rows)) / (k + 1) ** 2
    n = rows * t
    expected = pool * n / (n - 1) * (rows - 1) / rows
    assert math.isclose(theory.accumulate_subsample_variance(t, rows), expected, rel_tol=1e-12)


@given(rows=st.integers(3, 200), t=st.integers(2, 60))
def test_pools_keep_more_than_their_samples_and_these_more_than_nothing(rows: int, t: int) -> None:
    pool = theory.accumulate_variance(t, rows)
    sample = theory.accumulate_subsample_variance(t, rows)
    assert theory.replace_variance(t, rows) < sample < pool

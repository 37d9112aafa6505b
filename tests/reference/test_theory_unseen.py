"""Collapses that variance cannot see, against simulation and integration.

Monte-Carlo tests state their runs and their seed; z is at most 4.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from tailwatch.recursion import theory
from tests.support.monte_carlo import Z, assert_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@pytest.mark.parametrize("policy", ["replace", "accumulate"])
def test_kernel_density(policy: str) -> None:
    # 30,000 runs of 6 generations of 8 rows, bandwidth 0.5, seed 61.
    rng = np.random.default_rng(61)
    runs, rows, h = 30_000, 8, 0.5
    pool = rng.normal(size=(runs, rows))
    for _ in range(5):
        chosen = np.take_along_axis(pool, rng.integers(pool.shape[1], size=(runs, rows)), axis=1)
        drawn = chosen + h * rng.normal(size=(runs, rows))
        pool = drawn if policy == "replace" else np.hstack([pool, drawn])
    expected = theory.kernel_density_variance(6, rows, h, policy=policy)
    assert_mean(pool.var(axis=1) + h**2, expected)


@given(rows=st.integers(2, 300), h=st.floats(0.05, 3.0))
def test_kernel_density_goes_where_it_is_said_to(rows: int, h: float) -> None:
    far = theory.kernel_density_variance(30 * rows, rows, h)
    assert math.isclose(far, h**2 * rows, rel_tol=1e-9, abs_tol=2 * math.exp(-29))
    one, other = theory.kernel_density_variance([2_000, 4_000], rows, h, policy="accumulate")
    # h² for each e-fold of generations, less what finite pools lose.
    assert math.isclose(other - one, h**2 * math.log(2), rel_tol=0.01 + 1 / rows + 1 / h**2 / 1e4)


@given(
    mean=st.floats(0.05, 5.0),
    variance=st.floats(0.05, 5.0),
)
def test_pseudo_labels_by_integration(mean: float, variance: float) -> None:
    deviation = math.sqrt(variance)
    folded, _ = integrate.quad(
        lambda x: abs(x) * stats.norm.pdf(x, mean, deviation),
        mean - 12 * deviation,
        mean + 12 * deviation,
        points=[0.0] if abs(mean) < 12 * deviation else None,
        limit=200,
    )
    found = theory.pseudo_labels(1, mean=mean, variance=variance)
    assert math.isclose(found.mean, folded, rel_tol=1e-7)
    assert math.isclose(found.mean**2 + found.variance, mean**2 + variance, rel_tol=1e-12)


def test_pseudo_labels_by_simulation() -> None:
    # 4 × 10⁶ rows, seed 62, three generations: the variance of the upper class.
    rng = np.random.default_rng(62)
    mean, variance, rows = 1.0, 1.0, 4_000_000
    for generation in (1, 2, 3):
        upper = np.abs(mean + math.sqrt(variance) * rng.normal(size=rows))
        found = theory.pseudo_labels(generation)
        assert abs(upper.mean() - found.mean) <= Z * math.sqrt(found.variance / rows)
        # A variance errs by √((κ−1)/n) of itself, with a kurtosis of at most 4 here.
        assert abs(upper.var() - found.variance) <= Z * found.variance * math.sqrt(3 / rows)
        mean, variance = found.mean, found.variance


def test_pseudo_labels_at_the_eighth_generation() -> None:
    assert abs(theory.pseudo_labels(8).variance - 0.325) < 5e-4

"""Human rows that stay in every training set, against rows that are really drawn.

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


def mixed(
    n: int, human: int, generations: int, runs: int, seed: int, *, fresh: bool, **options: float
) -> tuple[Array, Array]:
    """Means and variances of the last fits with human rows in each training set."""
    rng = np.random.default_rng(seed)
    bias, ddof, first = options.get("bias", 1.0), int(options.get("ddof", 0)), int(options["first"])
    start = rng.normal(size=(runs, first))
    kept = start[:, :human] if first >= human else rng.normal(size=(runs, human))
    training = start
    mean, variance = np.zeros((runs, 1)), np.ones((runs, 1))
    for generation in range(1, generations + 1):
        if generation > 1:
            deviation = np.sqrt(bias * variance)
            samples = mean + deviation * rng.normal(size=(runs, n - human))
            real = rng.normal(size=(runs, human)) if fresh else kept
            training = np.hstack([real, samples])
        mean = training.mean(axis=1, keepdims=True)
        variance = training.var(axis=1, ddof=ddof, keepdims=True)
    return mean[:, 0], variance[:, 0]


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("bias", [1.0, 0.6])
def test_fresh_human_rows(bias: float, ddof: int) -> None:
    # 30,000 runs of 5 generations, seed 21: 3 of 12 rows are fresh, the first fit sees 9.
    mean, variance = mixed(12, 3, 5, 30_000, 21, fresh=True, bias=bias, ddof=ddof, first=9)
    expected = theory.fresh_real_variance(5, 12, 0.25, first=9, bias=bias, ddof=ddof)
    assert_mean(variance, expected)
    moments = theory.Moments(1 / 9, 1.0 if ddof else 1 - 1 / 9)
    for _ in range(4):
        moments = theory.fresh_real_step(moments, 12, 0.25, bias=bias, ddof=ddof)
    assert math.isclose(moments.variance, expected, rel_tol=1e-12)
    assert_mean(mean**2, moments.mean_square)


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize(("human", "first"), [(4, 4), (3, 10), (5, 2)])
def test_a_fixed_human_set(human: int, first: int, ddof: int) -> None:
    # 30,000 runs of 5 generations, seed 22; the last case keeps rows that the first fit never saw.
    _, variance = mixed(12, human, 5, 30_000, 22, fresh=False, ddof=ddof, first=first)
    expected = theory.fixed_real_variance(
        5, human, 12 - human, first=first, known=first >= human, ddof=ddof
    )
    assert_mean(variance, expected)


@given(n=st.integers(2, 10**4), fraction=st.floats(0.01, 1.0))
def test_fresh_rows_settle_at_their_limit(n: int, fraction: float) -> None:
    limit = theory.fresh_real_limit(n, fraction)
    fixed = theory.Moments(1 - limit, limit)
    step = theory.fresh_real_step(fixed, n, fraction)
    assert math.isclose(step.variance, limit, rel_tol=1e-12)
    assert math.isclose(step.mean_square, 1 - limit, rel_tol=1e-9, abs_tol=1e-15)
    far = theory.fresh_real_variance(3000, n, fraction)
    assert math.isclose(far, limit, rel_tol=1e-9)


@given(human=st.integers(1, 10**4), samples=st.integers(1, 10**4))
def test_a_fixed_set_settles_at_its_limit(human: int, samples: int) -> None:
    share = human / (human + samples)
    generations = int(60 / share) if share > 0.01 else 1
    limit = theory.fixed_real_limit(human, samples)
    if generations > 1 and human > 1:
        far = theory.fixed_real_variance(generations, human, samples)
        assert math.isclose(far, limit, rel_tol=1e-9)
    # More than a share of fresh rows would keep, never: the fixed ones err together.
    if human + samples > 2:
        assert limit <= theory.fresh_real_limit(human + samples, share) + 1e-12


def test_only_human_rows_keep_what_one_fit_keeps() -> None:
    assert theory.fresh_real_limit(50, 1.0) == 1 - 1 / 50


@given(human=st.integers(1, 10**6), samples=st.integers(1, 10**6))
def test_the_mixing_weight_is_best(human: int, samples: int) -> None:
    weight = theory.mixing_weight(human, samples)
    k = human / samples
    assert 0 < weight < 1
    assert math.isclose(weight**2, k * (1 - weight), rel_tol=1e-6)
    least = theory.mixing_error(weight, human, samples)
    assert math.isclose(human * least, weight, rel_tol=1e-9)
    for other in (weight * 0.9, weight + 0.1 * (1 - weight)):
        assert theory.mixing_error(other, human, samples) > least * (1 - 1e-12)


def test_equal_numbers_give_the_golden_ratio() -> None:
    assert math.isclose(theory.mixing_weight(7, 7), (math.sqrt(5) - 1) / 2, rel_tol=1e-12)


def test_weighted_means_err_as_said() -> None:
    # 40,000 runs, seed 23: 60 generations of 5 human rows and 8 samples, weight 0.4.
    rng = np.random.default_rng(23)
    mean = np.zeros(40_000)
    for _ in range(60):
        human = rng.normal(size=40_000) / math.sqrt(5)
        samples = mean + rng.normal(size=40_000) / math.sqrt(8)
        mean = 0.4 * human + 0.6 * samples
    assert_mean(mean**2, theory.mixing_error(0.4, 5, 8))

"""The loop meets the closed forms of a normal distribution that learns from itself alone.

Through `tailwatch.recursion.run`, with z ≤ 4. Every test names its rows M, generations, runs and
seed; columns of a run are averaged first. The relative variance of σ_n² is ((M+1)/(M−1))ⁿ − 1, so
E σ² is tested for n ≤ M/2 only, and the logarithm beyond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tailwatch.recursion import (
    Accumulate,
    AccumulateSubsample,
    Augment,
    Gaussian,
    Mix,
    Replace,
    theory,
)
from tests.support.recursion_runs import models_of, normal_rows, z_score

if TYPE_CHECKING:
    from tests.support.recursion_learners import Opaque


Z = 4.0
BOTH = pytest.mark.parametrize("ddof", [0, 1])


def moments_of(runs: list[list[Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances: runs × generations × columns."""
    means = np.array([[model.mean for model in models] for models in runs])
    variances = np.array([[np.diagonal(model.covariance) for model in models] for models in runs])
    return means, variances


def assert_meets(found: np.ndarray, expected: Opaque) -> None:
    """Check the mean over runs of each generation; `found` is runs × generations."""
    for number, (values, value) in enumerate(
        zip(found.T, np.broadcast_to(expected, found.shape[1]), strict=True), 1
    ):
        assert abs(z_score(values, float(value))) <= Z, f"generation {number}"


def replaced(ddof: int, rows: int, generations: int, runs: int) -> tuple[np.ndarray, np.ndarray]:
    learner = Gaussian(ddof=ddof)
    human = normal_rows(rows, 8)
    return moments_of(
        models_of(
            learner, human, policy=Replace(), generations=generations, runs=runs, seed=20 + ddof
        )
    )


@BOTH
def test_moments_under_replace(ddof: int) -> None:
    # M = 40, 8 generations, 40 runs of 8 columns, seeds 20 and 21.
    means, variances = replaced(ddof, 40, 8, 40)
    n = np.arange(1, 9)
    assert_meets(variances.mean(axis=2), theory.replace_variance(n, 40, ddof=ddof))
    assert_meets((means**2).mean(axis=2), theory.replace_mean_square(n, 40, ddof=ddof))
    assert_meets(np.sqrt(variances).mean(axis=2), theory.replace_deviation(n, 40, ddof=ddof))
    distance = means**2 + (np.sqrt(variances) - 1) ** 2
    assert_meets(distance.mean(axis=2), theory.replace_wasserstein(n, 40, ddof=ddof))
    divergence = (variances + means**2 - 1 - np.log(variances)) / 2
    assert_meets(divergence.mean(axis=2), theory.replace_divergence(n, 40, ddof=ddof))


def test_logarithm_of_the_variance_long_after() -> None:
    # M = 10, 30 generations, 33 runs of one column, seed 40: n = 3M.
    runs = models_of(
        Gaussian(),
        normal_rows(10),
        policy=Replace(),
        generations=30,
        runs=33,
        seed=40,
    )
    logs = np.log(moments_of(runs)[1][:, :, 0])
    for n in (1, 10, 30):
        mean = theory.replace_log_variance(n, 10)
        assert abs(z_score(logs[:, n - 1], mean)) <= Z
        # Fits are independent on this scale, and their logarithms near enough to normal ones that
        # squares about the known mean have a standard error of their own.
        squares = (logs[:, n - 1] - mean) ** 2
        assert abs(z_score(squares, theory.variance_of_log_variance(n, 10))) <= Z
    # Half of the runs are below half of the variance at the median half-life.
    half = theory.half_life(10)
    at = round(half)
    below = (logs[:, at - 1] < np.log(0.5)).mean()
    shift = (at - half) * theory.replace_log_variance(1, 10)
    spread = theory.variance_of_log_variance(at, 10) ** 0.5
    from scipy.stats import norm

    expected = norm.cdf(-shift / spread)
    # The median of a sum of few skewed steps is off its mean by a sixth of its skewness: < 0.05.
    assert abs(below - expected) <= Z * (0.25 / 100) ** 0.5 + 0.05


def test_the_whole_covariance_fades_alike() -> None:
    # M = 12, 5 generations, 53 runs, seed 60: correlated columns of different variances.
    true = np.array([[4.0, 1.2], [1.2, 1.0]])
    factor = np.linalg.cholesky(true)
    runs = models_of(
        Gaussian(),
        lambda rng: rng.normal(size=(12, 2)) @ factor.T,
        policy=Replace(),
        generations=5,
        runs=53,
        seed=60,
    )
    covariances = np.array([[model.covariance for model in models] for models in runs])
    for place in ((0, 0), (0, 1), (1, 1)):
        expected = true[place] * theory.replace_variance(np.arange(1, 6), 12)
        assert_meets(covariances[:, :, place[0], place[1]], expected)


@pytest.mark.parametrize("bias", [0.8, 1.1])
def test_sampling_bias(bias: float) -> None:
    # M = 25, 6 generations, 33 runs of 6 columns, seed 80. The first fit sees unbiased rows.
    runs = models_of(
        Gaussian(ddof=1, sampling_bias=bias),
        normal_rows(25, 6),
        policy=Replace(),
        generations=6,
        runs=33,
        seed=80,
    )
    _, variances = moments_of(runs)
    # Of what each generation samples: it has fitted one power of the bias less.
    sampled = bias * variances.mean(axis=2)
    assert_meets(sampled, theory.biased_sampling_variance(np.arange(1, 7), bias))


def test_accumulate() -> None:
    # M = 10, 10 generations, 33 runs of 6 columns, seed 1100.
    runs = models_of(
        Gaussian(ddof=1),
        normal_rows(10, 6),
        policy=Accumulate(),
        generations=10,
        runs=33,
        seed=1100,
    )
    _, variances = moments_of(runs)
    expected = theory.accumulate_variance(np.arange(1, 11), 10, ddof=1)
    assert_meets(variances.mean(axis=2), expected)


def test_accumulate_subsample() -> None:
    # M = 10, 8 generations, 40 runs of 6 columns, seed 120.
    runs = models_of(
        Gaussian(),
        normal_rows(10, 6),
        policy=AccumulateSubsample(),
        generations=8,
        runs=40,
        seed=120,
    )
    _, variances = moments_of(runs)
    assert_meets(variances.mean(axis=2), theory.accumulate_subsample_variance(np.arange(1, 9), 10))


@pytest.mark.parametrize(("share", "bias", "ddof"), [(0.25, 1.0, 0), (0.5, 0.7, 1)])
def test_a_share_of_fresh_human_rows(share: float, bias: float, ddof: int) -> None:
    # M = 20, 8 generations, 33 runs of 6 columns, seeds 140 and 1140.
    def fresh(size: int, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(size=(size, 6))

    runs = models_of(
        Gaussian(ddof=ddof, sampling_bias=bias),
        normal_rows(20, 6),
        policy=Mix(share, fresh=fresh),
        generations=8,
        runs=33,
        seed=140 + 1000 * ddof,
    )
    means, variances = moments_of(runs)
    step = theory.Moments(1 / 20, 1.0 if ddof else 1 - 1 / 20)
    expected = [step]
    for _ in range(7):
        step = theory.fresh_real_step(step, 20, share, bias=bias, ddof=ddof)
        expected.append(step)
    assert_meets((means**2).mean(axis=2), [each.mean_square for each in expected])
    assert_meets(variances.mean(axis=2), [each.variance for each in expected])
    if bias == 1.0 and not ddof:
        # In the end, whatever the start was.
        assert abs(expected[-1].variance - theory.fresh_real_limit(20, share)) < 0.01


def test_fresh_rows_out_of_the_data_are_as_good_as_new_ones() -> None:
    # M = 20 of 55 rows, 8 generations, 40 runs of 6 columns, seed 160.
    runs = models_of(
        Gaussian(),
        normal_rows(20 + 7 * 5, 6),
        policy=Mix(0.25, fresh=True),
        generations=8,
        runs=40,
        seed=160,
        size=20,
    )
    _, variances = moments_of(runs)
    assert_meets(variances.mean(axis=2), theory.fresh_real_variance(np.arange(1, 9), 20, 0.25))


@pytest.mark.parametrize(
    ("policy", "size", "real", "synthetic"),
    [
        (Augment(5), 20, 5, 20),
        (Mix(0.4), 20, 8, 12),
        pytest.param(Augment(), 20, 10, 20, marks=pytest.mark.slow),
    ],
)
def test_a_fixed_human_set(policy: Opaque, size: int, real: int, synthetic: int) -> None:
    # 8 generations, 40 runs of 6 columns, seed 180.
    rows = real if policy == Augment() else 20
    runs = models_of(
        Gaussian(),
        normal_rows(rows, 6),
        policy=policy,
        generations=8,
        runs=40,
        seed=180,
        size=size,
    )
    _, variances = moments_of(runs)
    expected = theory.fixed_real_variance(np.arange(1, 9), real, synthetic, first=rows)
    assert_meets(variances.mean(axis=2), expected)


def test_spread_of_the_variance() -> None:
    # E σ⁴ = 1 + its relative variance, unbiased: 20 rows of 8 columns, 3 generations, 150 runs.
    runs = models_of(
        Gaussian(ddof=1),
        normal_rows(20, 8),
        policy=Replace(),
        generations=3,
        runs=150,
        seed=130,
    )
    fourth = np.array([[(np.diag(m.covariance) ** 2).mean() for m in models] for models in runs])
    for number in range(1, 4):
        expected = 1 + theory.relative_variance_of_variance(number, 20)
        assert abs(z_score(fourth[:, number - 1], float(expected))) <= Z, f"generation {number}"

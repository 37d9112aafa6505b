"""The loop meets the closed forms of learners that are no normal distribution.

Through `tailwatch.recursion.run`, with z ≤ 4; every test names its rows, generations, runs, seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tailwatch.recursion import (
    Accumulate,
    AccumulateSubsample,
    Augment,
    Bootstrap,
    KernelDensity,
    Mix,
    Multinomial,
    Replace,
    theory,
)
from tests.support.recursion_runs import models_of, normal_rows, z_score

if TYPE_CHECKING:
    from tests.support.recursion_learners import Opaque


Z = 4.0
N = np.arange(1, 9)
M = 20
POLICIES = {
    "replace": (Replace(), theory.replace_variance(N, M)),
    "accumulate": (Accumulate(), theory.accumulate_variance(N, M)),
    "accumulate subsample": (AccumulateSubsample(), theory.accumulate_subsample_variance(N, M)),
    "fixed real": (Augment(8), theory.fixed_real_variance(N, 8, M, first=M)),
    "mixed real": (Mix(0.25), theory.fixed_real_variance(N, 5, 15, first=M)),
}
SHARES = np.array([0.3, 0.2, 0.1, 0.1, *[0.03] * 10])


def categories(rows: int) -> Opaque:
    return lambda rng: rng.choice(len(SHARES), size=rows, p=SHARES)


def assert_meets(found: np.ndarray, expected: Opaque) -> None:
    for number, (values, value) in enumerate(zip(found.T, expected, strict=True), 1):
        assert abs(z_score(values, float(value))) <= Z, f"generation {number}"


@pytest.mark.parametrize("name", POLICIES)
def test_bootstrap_of_numbers(name: str) -> None:
    # 8 generations of 20 rows, 20 runs of 30 skewed columns, seed 200.
    policy, expected = POLICIES[name]
    runs = models_of(
        Bootstrap(),
        lambda rng: rng.exponential(size=(M, 30)),
        policy=policy,
        generations=8,
        runs=20,
        seed=200,
        size=M,
    )
    found = [[model.rows.var(axis=0).mean() for model in models] for models in runs]
    assert_meets(np.array(found), expected)


@pytest.mark.parametrize("name", ["accumulate subsample", "fixed real"])
def test_multinomial_diversity(name: str) -> None:
    # 8 generations of 20 labels, 50 runs, seed 220. What a policy hands over does not depend on
    # the learner: those that are not here are in the test above.
    policy, expected = POLICIES[name]
    runs = models_of(
        Multinomial(),
        categories(M),
        policy=policy,
        generations=8,
        runs=50,
        seed=220,
        size=M,
    )
    found = [[model.parameters()["gini_simpson"] for model in models] for models in runs]
    assert_meets(np.array(found), expected * (1 - SHARES @ SHARES))


def test_fresh_labels() -> None:
    # 8 generations of 20 labels, half of them fresh, 50 runs, seed 240.
    def fresh(size: int, rng: np.random.Generator) -> np.ndarray:
        return categories(size)(rng)

    policy = Mix(0.5, fresh=fresh)
    runs = models_of(Multinomial(), categories(M), policy=policy, generations=8, runs=50, seed=240)
    found = [[model.parameters()["gini_simpson"] for model in models] for models in runs]
    expected = theory.fresh_real_variance(N, M, 0.5) * (1 - SHARES @ SHARES)
    assert_meets(np.array(found), expected)


def test_types_that_survive() -> None:
    # 50 labels, 10 generations, 40 runs, seed 260. The first fit counts one sample of the shares.
    rare = np.array([0.5, 0.2, *[0.02] * 10, *[0.005] * 20])
    runs = models_of(
        Multinomial(),
        lambda rng: rng.choice(len(rare), size=50, p=rare),
        policy=Replace(),
        generations=10,
        runs=40,
        seed=260,
    )
    types = np.array([[len(model.counts) for model in models] for models in runs], dtype=float)
    first = theory.types_drawn(rare, 50)
    assert abs(z_score(types[:, 0], first)) <= Z
    for generation in (2, 5, 10):
        exact = float(np.sum(theory.type_survival(rare, 50, generation, exact=True)))
        assert abs(z_score(types[:, generation - 1], exact)) <= Z
        # The Poisson form is as near as it says: 0.03 for each of the rare types.
        poisson = float(np.sum(theory.type_survival(rare[2:], 50, generation)))
        chain = float(np.sum(theory.type_survival(rare[2:], 50, generation, exact=True)))
        assert abs(poisson - chain) < 0.03 * len(rare[2:])


def test_time_to_a_single_type() -> None:
    # 8 labels of two types, 26 runs until one is left, seed 280; 80 generations are enough.
    runs = models_of(
        Multinomial(),
        lambda rng: np.array([0, 1] * 4),
        policy=Replace(),
        generations=80,
        runs=26,
        seed=280,
        until=lambda model: len(model.counts) == 1,
    )
    assert all(len(models[-1].counts) == 1 for models in runs)
    times = np.array([[len(m.counts) > 1 for m in models].count(True) for models in runs], float)
    # Diffusion: the fit to the human labels themselves is no step, and so near 8 labels the mean
    # time of steps is up to one generation off.
    expected = theory.time_to_one_type({"a": 4, "b": 4}, 8)
    error = times.std(ddof=1) / len(times) ** 0.5
    assert abs(times.mean() - expected) <= Z * error + 1


@pytest.mark.parametrize("policy", ["replace", "accumulate"])
def test_a_kernel_density_widens(policy: Opaque) -> None:
    # h = 0.3, 10 generations of 15 rows, 33 runs of 20 columns, seed 300.
    policies = {"replace": Replace(), "accumulate": Accumulate()}
    runs = models_of(
        KernelDensity(0.3),
        normal_rows(15, 20),
        policy=policies[policy],
        generations=10,
        runs=33,
        seed=300,
    )
    found = [[m.points.var(axis=0).mean() + 0.3**2 for m in models] for models in runs]
    n = np.arange(1, 11)
    assert_meets(np.array(found), theory.kernel_density_variance(n, 15, 0.3, policy=policy))


def test_a_kernel_density_settles_at_h_squared_times_rows() -> None:
    # h = 0.5, 8 rows, 24 generations, 30 runs of 20 columns, seed 320: points at h²(M−1) = 1.75,
    # of which (1 − 1/8)ⁿ is left. The mean over generations 8 to 24 errs less than the last of 80.
    runs = models_of(
        KernelDensity(0.5),
        normal_rows(8, 20),
        policy=Replace(),
        generations=24,
        runs=30,
        seed=320,
    )
    points = np.array([[m.points.var(axis=0).mean() for m in models[7:]] for models in runs])
    settled = 0.25 * 7
    expected = settled + (1 - 1 / 8 - settled) * (1 - 1 / 8) ** np.arange(7, 24)
    assert abs(z_score(points.mean(axis=1), expected.mean())) <= Z


class HardLabels:
    """Two classes on a line, told apart by the sign, each learnt as a normal distribution."""

    def fit(self, data: np.ndarray, *, rng: np.random.Generator) -> HardLabels:
        positive = data > 0
        self.within = [data[positive].var(), data[~positive].var()]
        self._classes = [(data[one].mean(), data[one].std()) for one in (positive, ~positive)]
        self._share = positive.mean()
        model = HardLabels()
        model.__dict__.update(self.__dict__)
        return model

    def sample(self, size: int, *, rng: np.random.Generator) -> np.ndarray:
        (m, s), (m_other, s_other) = self._classes
        first = rng.random(size) < self._share
        return np.where(first, rng.normal(m, s, size), rng.normal(m_other, s_other, size))


def test_hard_pseudo_labels_fold_the_classes() -> None:
    # N(±1, 1), 40,000 rows, 8 generations, 12 runs, seed 340: in the limit of many rows. What each
    # class keeps of its spread after one fold, two, …: 0.639 and so on.
    runs = models_of(
        HardLabels(),
        lambda rng: rng.normal(size=40_000) + rng.choice([-1.0, 1.0], size=40_000),
        policy=Replace(),
        generations=8,
        runs=12,
        seed=340,
    )
    within = np.array([[np.mean(model.within) for model in models] for models in runs])
    expected = [theory.pseudo_labels(generation).variance for generation in range(1, 9)]
    # Finitely many rows bias a variance by about generations/rows = 0.0002, a tenth of its error.
    assert_meets(within, expected)
    assert abs(expected[0] - 0.639) < 5e-4
    assert abs(expected[-1] - 0.325) < 5e-4

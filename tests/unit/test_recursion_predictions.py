"""The expected curves of a run are those of theory, in the units of the human data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tailwatch.recursion import (
    Accumulate,
    AccumulateSubsample,
    Augment,
    Bootstrap,
    Gaussian,
    GaussianMixture,
    HumanOnly,
    KernelDensity,
    LinearRegression,
    Mix,
    Multinomial,
    Replace,
    Verified,
    theory,
)
from tailwatch.recursion.theory.curves import SCHEMA, predict

if TYPE_CHECKING:
    from tests.recursion_learners import Opaque

N = np.arange(1, 7)


def curve(found: pl.DataFrame, metric: str) -> list[float]:
    return found.filter(metric=metric).sort("generation")["theory"].to_list()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Replace(), theory.replace_variance(N, 20, first=30)),
        (Accumulate(), theory.accumulate_variance(N, 20, first=30)),
        (
            AccumulateSubsample(10),
            theory.accumulate_subsample_variance(N, 20, drawn=10, first=30),
        ),
        (Mix(0.25), theory.fixed_real_variance(N, 5, 15, first=30)),
        (Mix(0.25, fresh=True), theory.fresh_real_variance(N, 20, 0.25, first=20)),
        (Mix(0.01, fresh=len), theory.fresh_real_variance(N, 20, 0.05, first=30)),
        (Mix(0.99), [1 - 1 / 30, *[1 - 1 / 20] * 5]),
        (Augment(7), theory.fixed_real_variance(N, 7, 20, first=30)),
        (Augment(), theory.fixed_real_variance(N, 30, 20, first=30)),
        (HumanOnly(), [1 - 1 / 30] * 6),
    ],
    ids=repr,
)
def test_every_policy(policy: Opaque, expected: Opaque) -> None:
    found = predict(Gaussian(), policy, size=20, generations=6, rows=30)
    assert found.schema == pl.Schema(SCHEMA)
    assert curve(found, "total_variance") == pytest.approx(list(expected))


def test_units_are_human() -> None:
    found = predict(Bootstrap(), Replace(), size=20, generations=6, human={"total_variance": 7.0})
    kept = theory.replace_variance(N, 20)
    assert curve(found, "total_variance") == pytest.approx((7 * kept).tolist())
    assert curve(found, "variance") == pytest.approx(kept.tolist())


def test_types_of_a_multinomial() -> None:
    found = predict(Multinomial(), Replace(), size=20, generations=6, counts={"a": 9, "b": 1})
    expected = theory.types_expected([9, 1], 20, N)
    assert curve(found, "types") == pytest.approx(expected.tolist())
    assert curve(found, "gini_simpson") == pytest.approx(theory.replace_variance(N, 20).tolist())


def test_kernel_density_in_the_units_of_the_data() -> None:
    human = {"total_variance": 8.0, "columns": 2.0}
    found = predict(KernelDensity(1.0), Replace(), size=20, generations=6, human=human)
    # Columns have the variance 4, so that h is half of a standard deviation.
    density = theory.kernel_density_variance(N, 20, 0.5)
    assert curve(found, "total_variance") == pytest.approx((8 * density).tolist())
    assert curve(found, "variance") == pytest.approx((8 * (density - 0.25)).tolist())


def test_regression() -> None:
    human = {"noise": 2.0, "features": 3.0}

    def found(policy: Opaque, design: Opaque = "fresh") -> pl.DataFrame:
        learner = LinearRegression(design=design)
        return predict(learner, policy, size=20, generations=6, human=human)

    replaced = 4 + theory.regression_replace_risk(N, 20, 3, noise=4.0)
    assert curve(found(Replace()), "risk") == pytest.approx(replaced.tolist())
    pooled = 4 + theory.regression_accumulate_risk(N, 20, 3, noise=4.0)
    assert curve(found(Accumulate(), "reuse"), "risk") == pytest.approx(pooled.tolist())
    assert found(Accumulate()).is_empty()


@pytest.mark.parametrize(
    ("learner", "policy"),
    [
        (GaussianMixture(2), Replace()),
        (Gaussian(), Verified(Replace(), keep=len)),
        (Gaussian(), Augment(np.ones(3))),
        (Gaussian(), AccumulateSubsample(1)),
        (KernelDensity(1.0), Mix(0.5)),
        (LinearRegression(), Replace()),
    ],
    ids=repr,
)
def test_nothing_is_made_up(learner: Opaque, policy: Opaque) -> None:
    assert predict(learner, policy, size=20, generations=6).is_empty()

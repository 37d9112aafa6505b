"""The expected curves of a run are those of theory, in the units of the human data."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tailwatch.recursion import theory
from tailwatch.recursion.predictions import SCHEMA, predict

N = np.arange(1, 7)


def curve(found: pl.DataFrame, metric: str) -> list[float]:
    return found.filter(metric=metric).sort("generation")["theory"].to_list()


@pytest.mark.parametrize(
    ("policy", "fields", "expected"),
    [
        ("Replace", {}, theory.replace_variance(N, 20, first=30)),
        ("Accumulate", {}, theory.accumulate_variance(N, 20, first=30)),
        (
            "AccumulateSubsample",
            {"size": 10},
            theory.accumulate_subsample_variance(N, 20, drawn=10, first=30),
        ),
        (
            "Mix",
            {"real_fraction": 0.25, "fresh": False},
            theory.fixed_real_variance(N, 5, 15, first=30),
        ),
        (
            "Mix",
            {"real_fraction": 0.25, "fresh": True},
            theory.fresh_real_variance(N, 20, 0.25, first=20),
        ),
        (
            "Mix",
            {"real_fraction": 0.01, "fresh": len},
            theory.fresh_real_variance(N, 20, 0.05, first=30),
        ),
        ("Augment", {"real": 7}, theory.fixed_real_variance(N, 7, 20, first=30)),
        ("Augment", {"real": None}, theory.fixed_real_variance(N, 30, 20, first=30)),
    ],
)
def test_every_policy(policy: str, fields: dict[str, object], expected: np.ndarray) -> None:
    found = predict("Gaussian", {"ddof": 0}, policy, fields, size=20, generations=6, rows=30)
    assert found.schema == pl.Schema(SCHEMA)
    assert curve(found, "total_variance") == pytest.approx(expected.tolist())


def test_units_are_human() -> None:
    found = predict(
        "Bootstrap", {}, "Replace", {}, size=20, generations=6, human={"total_variance": 7.0}
    )
    kept = theory.replace_variance(N, 20)
    assert curve(found, "total_variance") == pytest.approx((7 * kept).tolist())
    assert curve(found, "variance") == pytest.approx(kept.tolist())


def test_types_of_a_multinomial() -> None:
    found = predict(
        "Multinomial", {}, "Replace", {}, size=20, generations=6, counts={"a": 9, "b": 1}
    )
    expected = theory.types_expected([9, 1], 20, N)
    assert curve(found, "types") == pytest.approx(expected.tolist())
    assert curve(found, "gini_simpson") == pytest.approx(theory.replace_variance(N, 20).tolist())


def test_kernel_density_in_the_units_of_the_data() -> None:
    human = {"total_variance": 8.0, "columns": 2.0}
    found = predict(
        "KernelDensity", {"bandwidth": 1.0}, "Replace", {}, size=20, generations=6, human=human
    )
    # Columns have the variance 4, so that h is half of a standard deviation.
    density = theory.kernel_density_variance(N, 20, 0.5)
    assert curve(found, "total_variance") == pytest.approx((8 * density).tolist())
    assert curve(found, "variance") == pytest.approx((8 * (density - 0.25)).tolist())


def test_regression() -> None:
    human = {"noise": 2.0, "features": 3.0}

    def found(policy: str, **fields: object) -> pl.DataFrame:
        parameters = {"noise": None, "design": "fresh"} | fields
        return predict(
            "LinearRegression", parameters, policy, {}, size=20, generations=6, human=human
        )

    replaced = 4 + theory.regression_replace_risk(N, 20, 3, noise=4.0)
    assert curve(found("Replace"), "risk") == pytest.approx(replaced.tolist())
    pooled = 4 + theory.regression_accumulate_risk(N, 20, 3, noise=4.0)
    assert curve(found("Accumulate", design="reuse"), "risk") == pytest.approx(pooled.tolist())
    assert found("Accumulate").is_empty()


@pytest.mark.parametrize(
    ("learner", "policy", "fields"),
    [
        ("GaussianMixture", "Replace", {}),
        ("Gaussian", "Verified", {}),
        ("Gaussian", "Augment", {"real": np.ones(3)}),
        ("KernelDensity", "Mix", {"real_fraction": 0.5}),
        ("LinearRegression", "Replace", {}),
    ],
)
def test_nothing_is_made_up(learner: str, policy: str, fields: dict[str, object]) -> None:
    parameters = {"bandwidth": 1.0, "ddof": 0}
    assert predict(learner, parameters, policy, fields, size=20, generations=6).is_empty()

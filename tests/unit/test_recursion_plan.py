"""Plans say what theory says, for every policy that has a closed form."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import polars as pl
import pytest

from tailwatch.exceptions import InputError
from tailwatch.recursion import (
    Accumulate,
    AccumulateSubsample,
    Augment,
    Mix,
    NGram,
    Replace,
    Verified,
    plan,
    theory,
)
from tailwatch.recursion.plan import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable


def value(found: pl.DataFrame, quantity: str, generation: int | None = None) -> float | None:
    rows = found.filter(quantity=quantity)
    if generation is not None:
        rows = rows.filter(generation=generation)
    number: float | None = rows["value"].item()
    return number


def test_replace() -> None:
    found = plan(100, 50, keep=0.9, counts={"a": 90, "b": 9, "c": 1})
    assert found.schema == pl.Schema(SCHEMA)
    assert value(found, "variance_kept", 50) == theory.replace_variance(50, 100)
    assert value(found, "generations_until") == 11
    assert value(found, "half_life") == theory.half_life(100)
    assert value(found, "rows_for") == theory.rows_for(0.9, 50)
    assert value(found, "fixed_real_rows_for") == theory.fixed_real_rows_for(0.9, 100)
    assert value(found, "effective_sample_size", 50) == theory.effective_sample_size(50, 100)
    kept = theory.types_expected([90, 9, 1], 100, 50) / 3
    assert value(found, "types_kept", 50) == pytest.approx(float(kept))
    schedule = found.filter(quantity="schedule")["value"].to_list()
    assert schedule == theory.schedule_for(0.9, 50)


def test_every_number_has_an_interval_or_says_why_not() -> None:
    for policy in ("replace", "accumulate"):
        bare = plan(100, 5, policy).filter(pl.col("low").is_null())
        assert bare["note"].str.len_chars().min() > 10
    kept = plan(100, 5).filter(quantity="variance_kept")
    assert (kept["low"] < kept["value"]).all()
    assert (kept["value"] < kept["high"]).all()


def test_fresh_rows_are_enough_and_no_more() -> None:
    found = plan(200, 5, keep=0.97)
    rows = value(found, "fresh_rows_for")
    assert rows is not None
    assert theory.fresh_real_limit(200, rows / 200) >= 0.97
    assert theory.fresh_real_limit(200, (rows - 1) / 200) < 0.97


def test_what_is_out_of_reach_is_said() -> None:
    found = plan(10, 5, keep=0.95)
    assert value(found, "real_fraction_for") is None
    assert "10 human rows alone keep 0.9" in found.filter(quantity="fresh_rows_for")["note"][0]


@pytest.mark.parametrize(
    ("policy", "rows", "expected"),
    [
        (Replace(), 40, {"policy": "replace"}),
        (Accumulate(), 40, {"policy": "accumulate"}),
        (AccumulateSubsample(), 40, {"policy": "accumulate_subsample"}),
        (Mix(0.25), 40, {"policy": "fixed_real", "real_fraction": 0.25}),
        (Mix(0.25, fresh=True), 40, {"policy": "fresh_real", "real_fraction": 0.25}),
        (Augment(10), 50, {"policy": "fixed_real", "real_fraction": 0.2}),
        (Augment(), 80, {"policy": "fixed_real", "real_fraction": 0.5}),
    ],
)
def test_policies_are_known(policy: object, rows: int, expected: dict[str, object]) -> None:
    found = plan(40, 12, policy)
    kept = theory.variance_kept(12, rows, **expected)
    assert value(found, "variance_kept", 12) == pytest.approx(float(kept))
    by_name = plan(rows, 12, **expected)
    assert value(by_name, "variance_kept", 12) == pytest.approx(float(kept))
    until = found.filter(quantity="generations_until")
    never = theory.variance_limit(rows, **expected) >= 0.95
    assert (until["value"][0] is None) == never
    assert until["note"][0].startswith("never") == never


def test_unbiased_learners_keep_the_mean_of_the_variance() -> None:
    found = plan(100, 20, ddof=1)
    assert value(found, "variance_kept", 20) == 1.0
    assert value(found, "generations_until") is None


def test_bad_arguments() -> None:
    with pytest.raises(InputError, match="policy: expected one of 'replace'"):
        plan(10, 5, "mix")
    with pytest.raises(InputError, match="policy: expected one that has a closed form, got Verif"):
        plan(10, 5, Verified(Replace(), keep=lambda rows: rows > 0))
    with pytest.raises(InputError, match="real_fraction: expected None beside a policy"):
        plan(10, 5, Replace(), real_fraction=0.5)
    with pytest.raises(InputError, match="keep: expected a number between 0 and 1"):
        plan(10, 5, keep=1.0)
    with pytest.raises(InputError, match="size: expected an integer of at least 2"):
        plan(1, 5)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: plan(100, 100_001), r"^generations: .*of at most 100,000"),
        (lambda: plan(10**16, 5), r"^size: .*of at most 1,000,000,000,000,000"),
        (lambda: theory.accumulate_variance(10**9, 100), r"^generations: .*at most 1,000,000"),
        (lambda: theory.effective_sample_size([1, 10**9], 100), r"^generations: .*at most 1,000"),
        (lambda: theory.sample_schedule(10**8, 10**10), r"^generations: .*of at most 1,000,0"),
        (lambda: theory.replace_variance([[1], [1, 2]], 100), r"^generations: expected an integer"),
        (lambda: theory.replace_variance(5, 100, ddof=[]), r"^ddof: expected 0"),
        (lambda: NGram(65), r"^order: expected an integer of at most 64"),
    ],
)
def test_what_would_take_forever_is_refused_by_name(call: Callable[[], object], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        call()
    assert caught.value.fields["argument"] is not None
    assert caught.value.fields["got"] is not None


@pytest.mark.parametrize("size", [50, 101, 102, 10**4, 10**8, 10**12, 10**15])
@pytest.mark.parametrize("ddof", [0, 1])
def test_the_half_life_of_large_samples_is_exact(size: int, ddof: Literal[0, 1]) -> None:
    """Twice ln 2 over the loss of 2/M, or 1/M: by the series of ψ in exact rational numbers."""
    x = Fraction(size - 1, 2)
    bernoulli = [(1, 2), (1, 12), (-1, 120), (1, 252), (-1, 240), (1, 132)]
    powers = [1, 2, 4, 6, 8, 10]
    loss = sum(Fraction(*b) / x**power for b, power in zip(bernoulli, powers, strict=True))
    if ddof == 0:
        loss += sum(Fraction((-1) ** (k + 1), k) / (size - 1) ** k for k in range(1, 12))
    expected = math.log(2) / float(loss)
    assert theory.half_life(size, ddof=ddof) == pytest.approx(expected, rel=1e-12)

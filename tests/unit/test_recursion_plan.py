"""Plans say what theory says, for every policy that has a closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
import pytest

from tailwatch.exceptions import InputError
from tailwatch.recursion import (
    Accumulate,
    AccumulateSubsample,
    Augment,
    HumanOnly,
    Mix,
    NGram,
    Replace,
    Verified,
    plan,
    theory,
)
from tailwatch.recursion.participants import text_of
from tailwatch.recursion.theory.plan import SCHEMA
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recursion_learners import Opaque


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
    ("policy", "expected"),
    [
        (Replace(), theory.replace_variance(12, 40)),
        (Accumulate(), theory.accumulate_variance(12, 40)),
        (AccumulateSubsample(), theory.accumulate_subsample_variance(12, 40)),
        (AccumulateSubsample(9), theory.accumulate_subsample_variance(12, 40, drawn=9)),
        (Mix(0.25), theory.fixed_real_variance(12, 10, 30, first=40)),
        (Mix(0.25, fresh=True), theory.fresh_real_variance(12, 40, 0.25)),
        (Augment(10), theory.fixed_real_variance(12, 10, 40, first=50)),
        (Augment(), theory.fixed_real_variance(12, 40, 40, first=80)),
        (HumanOnly(), 1 - 1 / 40),
    ],
    ids=repr,
)
def test_policies_are_known(policy: Opaque, expected: float) -> None:
    found = plan(40, 12, policy)
    assert value(found, "variance_kept", 12) == pytest.approx(float(expected))
    assert plan(40, 12, text_of(policy)).equals(found)
    until = found.filter(quantity="generations_until")
    never = theory.variance_limit(40, policy=policy) >= 0.95
    assert (until["value"][0] is None) == never
    assert until["note"][0].startswith("never") == never


@dataclass(frozen=True)
class Halving:
    """A policy of a user's own, under which half of the variance is left each time."""

    floor: float
    words = "Each generation learns from half of what the one before it produced."

    def compose(self, history: Opaque, *, rng: np.random.Generator) -> Opaque:
        last = history.samples[-1]
        return [history.human, last.take(np.arange(len(last) // 2))]

    def variance_kept(
        self, generations: Opaque, size: int, *, first: int | None = None, ddof: int = 0
    ) -> Opaque:
        return np.maximum(0.5**generations, self.floor) + 0 * size + ddof


def test_a_policy_of_ones_own_brings_its_closed_form() -> None:
    found = plan(40, 5, Halving(0.1))
    kept = found.filter(quantity="variance_kept")["value"].to_list()
    assert kept == [0.5, 0.25, 0.125, 0.1, 0.1]
    assert value(found, "variance_limit") is None
    assert value(found, "generations_until") == 1
    above = plan(40, 5, Halving(0.97))
    assert value(above, "generations_until") is None
    assert above.filter(quantity="generations_until")["note"][0] == "not within 5 generations"


@pytest.mark.parametrize(
    ("given", "got"), [([1.0], "[1.0]"), ([np.nan] * 5, "[nan, …"), ("high", "'high'")]
)
def test_a_closed_form_that_is_none_is_refused(given: Opaque, got: str) -> None:
    class Wrong(Replace):
        def variance_kept(self, *_: Opaque, **__: Opaque) -> Opaque:
            return given

    with refused(InputError, "policy.variance_kept", "a finite number for each generation", got):
        plan(40, 5, Wrong())


def test_unbiased_learners_keep_the_mean_of_the_variance() -> None:
    found = plan(100, 20, ddof=1)
    assert value(found, "variance_kept", 20) == 1.0
    assert value(found, "generations_until") is None


def test_bad_arguments() -> None:
    with refused(
        InputError,
        "policy",
        "one of replace | mix:SHARE | mix:SHARE,fresh | a…",
        "'acumulate'",
        hint="did you mean accumulate?",
    ):
        plan(10, 5, "acumulate")
    with refused(InputError, "policy", "one that has a closed form", "'verified:replace'"):
        plan(10, 5, Verified(Replace(), keep=lambda rows: rows > 0))
    with refused(InputError, "keep", "a number between 0 and 1", "1.0"):
        plan(10, 5, keep=1.0)
    with refused(InputError, "size", "an integer of at least 2", "1"):
        plan(1, 5)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: plan(100, 100_001),
            fields("generations", "an integer of at most 100,000", "100001"),
        ),
        (
            lambda: plan(10**16, 5),
            fields("size", "an integer of at most 1,000,000,000,000,000", "10000000000000000"),
        ),
        (
            lambda: theory.accumulate_variance(10**9, 100),
            fields("generations", "at most 1,000,000", "1000000000"),
        ),
        (
            lambda: theory.effective_sample_size([1, 10**9], 100),
            fields("generations", "at most 1,000,000", "1000000000"),
        ),
        (
            lambda: theory.sample_schedule(10**8, 10**10),
            fields("generations", "an integer of at most 1,000,000", "100000000"),
        ),
        (
            lambda: theory.replace_variance([[1], [1, 2]], 100),
            fields("generations", "an integer or an array of integers", "[[1], [1, 2]]"),
        ),
        (
            lambda: theory.replace_variance(5, 100, ddof=[]),
            fields("ddof", "0 (maximum likelihood) or 1 (unbiased)", "[]"),
        ),
        (lambda: NGram(65), fields("order", "an integer of at most 64", "65")),
    ],
)
def test_what_would_take_forever_is_refused_by_name(
    call: Callable[[], object], said: dict[str, str]
) -> None:
    with refused(InputError, **said):
        call()


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

"""Closed forms name the argument that they cannot take.

Monte-Carlo tests state their runs and their seed; z is at most 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tailwatch.exceptions import InputError
from tailwatch.recursion import Replace, Verified, theory
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from collections.abc import Callable


BAD: list[tuple[Callable[[], object], dict[str, str]]] = [
    (
        lambda: theory.replace_variance(0, 10),
        fields("generations", "at least 1 (the fit of human rows)", "0"),
    ),
    (
        lambda: theory.replace_variance(1.5, 10),
        fields("generations", "an integer or an array of integers", "1.5"),
    ),
    (
        lambda: theory.replace_variance([], 10),
        fields("generations", "an integer or an array of integers", "[]"),
    ),
    (lambda: theory.replace_variance(1, 1), fields("size", "an integer of at least 2", "1")),
    (
        lambda: theory.replace_variance(1, 10, ddof=2),
        fields("ddof", "0 (maximum likelihood) or 1 (unbiased)", "2"),
    ),
    (lambda: theory.accumulate_limit(2, ddof=1), fields("size", "an integer of at least 3", "2")),
    (lambda: theory.biased_sampling_variance(1, 0.0), fields("bias", "a positive number", "0.0")),
    (
        lambda: theory.fresh_real_limit(10, 1.5),
        fields("real_fraction", "a share above 0 and at most 1", "1.5"),
    ),
    (lambda: theory.fixed_real_limit(0, 10), fields("n_real", "an integer of at least 1", "0")),
    (
        lambda: theory.fixed_real_variance(1, 9, 1, first=5),
        fields("first", "at least the 9 kept rows, which are among them", "5"),
    ),
    (
        lambda: theory.mixing_error(1.5, 1, 1),
        fields("weight", "a weight above 0 and at most 1", "1.5"),
    ),
    (lambda: theory.variance_kept(1, 10, policy="pool"), fields("policy", got="'pool'")),
    (
        lambda: theory.variance_kept(1, 10, policy="mix"),
        fields("policy", "mix:SHARE or mix:SHARE,fresh", "'mix'"),
    ),
    (
        lambda: theory.variance_kept(1, 10, policy=len),
        fields("policy", got="builtin_function_or_method"),
    ),
    (
        lambda: theory.variance_limit(9, policy=Verified(Replace(), keep=len)),
        fields("policy", "one that has a closed form", "'verified:replace'"),
    ),
    (
        lambda: theory.types_drawn([0, 0], 5),
        fields("counts", "counts or shares of types, not all 0", "[0, 0]"),
    ),
    (
        lambda: theory.types_drawn([1, -1], 5),
        fields("counts", "counts or shares of types, not all 0", "[1, -1]"),
    ),
    (lambda: theory.type_survival(1.5, 5, 2), fields("share", "shares between 0 and 1", "1.5")),
    (
        lambda: theory.type_survival(0.5, 5000, 2, exact=True),
        fields("size", "at most 4096 labels for the exact chain", "5000"),
    ),
    (
        lambda: theory.regression_replace_risk(1, 5, 4),
        fields("rows", "more than features + 1 = 5 rows", "5"),
    ),
    (
        lambda: theory.ridgeless_risk(1, 9, 8),
        fields("rows", "at most as many as the 8 features", "9"),
    ),
    (
        lambda: theory.regression_mixture_risk(9, 9, 2, -1.0),
        fields("label_bias", "a number of at least 0", "-1.0"),
    ),
    (
        lambda: theory.kernel_density_variance(1, 9, 1.0, policy="mix"),
        fields("policy", "'replace' or 'accumulate'", "'mix'"),
    ),
    (lambda: theory.pseudo_labels(-1), fields("generation", "an integer of at least 0", "-1")),
    (
        lambda: theory.generations_until(1.0, 10),
        fields("variance_kept", "a number between 0 and 1", "1.0"),
    ),
    (
        lambda: theory.sample_schedule(5, 9),
        fields("budget", "at least 2 rows for each of 5 generations", "9"),
    ),
    (
        lambda: theory.schedule_kept([]),
        fields("schedule", "a list of rows, one per generation", "[]"),
    ),
]


@pytest.mark.parametrize(("call", "said"), BAD, ids=[str(case) for case in range(len(BAD))])
def test_bad_arguments_are_named(call: Callable[[], object], said: dict[str, str]) -> None:
    with refused(InputError, **said):
        call()

"""Closed forms name the argument that they cannot take.

Monte-Carlo tests state their runs and their seed; z is at most 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tailwatch.exceptions import InputError
from tailwatch.recursion import Replace, Verified, theory

if TYPE_CHECKING:
    from collections.abc import Callable


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: theory.replace_variance(0, 10), "generations: expected at least 1"),
    (lambda: theory.replace_variance(1.5, 10), "generations: expected an integer"),
    (lambda: theory.replace_variance([], 10), "generations: expected an integer"),
    (lambda: theory.replace_variance(1, 1), "size: expected an integer of at least 2, got 1"),
    (lambda: theory.replace_variance(1, 10, ddof=2), "ddof: expected 0"),
    (lambda: theory.accumulate_limit(2, ddof=1), "size: expected an integer of at least 3"),
    (lambda: theory.biased_sampling_variance(1, 0.0), "bias: expected a positive number"),
    (lambda: theory.fresh_real_limit(10, 1.5), "real_fraction: expected a share above 0"),
    (lambda: theory.fixed_real_limit(0, 10), "n_real: expected an integer of at least 1"),
    (lambda: theory.fixed_real_variance(1, 9, 1, first=5), "first: expected at least the 9"),
    (lambda: theory.mixing_error(1.5, 1, 1), "weight: expected a weight above 0"),
    (lambda: theory.variance_kept(1, 10, policy="pool"), "policy: expected one of replace"),
    (lambda: theory.variance_kept(1, 10, policy="mix"), "policy: expected mix:SHARE"),
    (lambda: theory.variance_kept(1, 10, policy=len), "policy: expected a text such as"),
    (
        lambda: theory.variance_limit(9, policy=Verified(Replace(), keep=len)),
        "policy: expected one that has a closed form, got 'verified:replace'",
    ),
    (lambda: theory.types_drawn([0, 0], 5), "counts: expected counts or shares"),
    (lambda: theory.types_drawn([1, -1], 5), "counts: expected counts or shares"),
    (lambda: theory.type_survival(1.5, 5, 2), "share: expected shares between 0 and 1"),
    (lambda: theory.type_survival(0.5, 5000, 2, exact=True), "size: expected at most 4096"),
    (lambda: theory.regression_replace_risk(1, 5, 4), "rows: expected more than features"),
    (lambda: theory.ridgeless_risk(1, 9, 8), "rows: expected at most as many as the 8 features"),
    (lambda: theory.regression_mixture_risk(9, 9, 2, -1.0), "label_bias: expected a number"),
    (lambda: theory.kernel_density_variance(1, 9, 1.0, policy="mix"), "policy: expected 'replace'"),
    (lambda: theory.pseudo_labels(-1), "generation: expected an integer of at least 0"),
    (lambda: theory.generations_until(1.0, 10), "variance_kept: expected a number between 0 and 1"),
    (lambda: theory.sample_schedule(5, 9), "budget: expected at least 2 rows for each of 5"),
    (lambda: theory.schedule_kept([]), "schedule: expected a list of rows"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[str(case) for case in range(len(BAD))])
def test_bad_arguments_are_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()

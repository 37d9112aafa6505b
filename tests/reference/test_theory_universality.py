"""One factor for all features, by simulation and by enumeration of every history.

Monte-Carlo tests state their runs and their seed; z is at most 4.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from tailwatch.recursion import theory
from tests.support.monte_carlo import Z, assert_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def test_one_factor_for_every_feature_of_a_bootstrap() -> None:
    # 20,000 runs of 4 generations of 9 rows, seed 31: of x, of exp x, of an indicator.
    rng = np.random.default_rng(31)
    x = rng.exponential(size=(20_000, 9))
    for _ in range(3):
        x = np.take_along_axis(x, rng.integers(9, size=x.shape), axis=1)
    kept = theory.variance_kept(4, 9)
    for feature, variance in (
        (x, 1.0),
        (np.exp(-x), 1 / 3 - 1 / 4),
        ((x > 1).astype(float), math.exp(-1) * (1 - math.exp(-1))),
    ):
        assert_mean(feature.var(axis=1), variance * kept)


def test_a_gaussian_keeps_another_share_of_other_features() -> None:
    # 20,000 runs of one fit to 8 rows, seed 32: of x² under N(μ, s²), 2s⁴ + 4μ²s², it keeps
    # (M+3)/M times 1 − 1/M of 2. "Any feature" is true of linear ones alone.
    x = np.random.default_rng(32).normal(size=(20_000, 8))
    mean, variance = x.mean(axis=1), x.var(axis=1)
    of_square = 2 * variance**2 + 4 * mean**2 * variance
    assert_mean(of_square, 2 * (1 - 1 / 8) * (8 + 3) / 8)
    error = of_square.std() / math.sqrt(20_000)
    assert abs(of_square.mean() - 2 * theory.variance_kept(1, 8)) > Z * error


@pytest.mark.parametrize(("rows", "types"), [(2, 2), (3, 2), (2, 3), (3, 3)])
def test_gini_simpson_by_enumeration(rows: int, types: int) -> None:
    # Every history of two fits, with its exact probability.
    shares = np.array([0.6, 0.3, 0.1][:types])
    shares /= shares.sum()
    index = 1 - shares @ shares
    tables = [
        np.array(counts)
        for counts in itertools.product(range(rows + 1), repeat=types)
        if sum(counts) == rows
    ]
    first = [stats.multinomial.pmf(counts, rows, shares) for counts in tables]
    once = sum(p * (1 - (c / rows) @ (c / rows)) for p, c in zip(first, tables, strict=True))
    twice = sum(
        p
        * stats.multinomial.pmf(after, rows, before / rows)
        * (1 - (after / rows) @ (after / rows))
        for p, before in zip(first, tables, strict=True)
        for after in tables
    )
    assert math.isclose(once, index * theory.variance_kept(1, rows), rel_tol=1e-9)
    assert math.isclose(twice, index * theory.variance_kept(2, rows), rel_tol=1e-9)
    alive = sum(
        p * stats.multinomial.pmf(after, rows, before / rows) * (after > 0).sum()
        for p, before in zip(first, tables, strict=True)
        for after in tables
    )
    assert math.isclose(theory.types_expected(shares, rows, 2), alive, rel_tol=1e-9)


@pytest.mark.parametrize(
    "policy",
    [
        "replace",
        "accumulate",
        "accumulate_subsample",
        "accumulate_subsample:7",
        "mix:0.3,fresh",
        "mix:0.3",
        "mix:0.99",
        "augment:5",
        "human_only",
    ],
)
@pytest.mark.parametrize("ddof", [0, 1])
def test_the_variance_goes_to_its_limit(policy: str, ddof: int) -> None:
    options = {"policy": policy, "ddof": ddof}
    kept = theory.variance_kept([1, 10, 100, 20_000], 20, **options)
    limit = theory.variance_limit(20, **options)
    if limit == math.inf:
        # As t^(1/m) with m rows drawn, up to terms of order 1/t.
        drawn = 7 if policy.endswith("7") else 20
        assert math.isclose(kept[-1] / kept[-2], 200 ** (1 / drawn), rel_tol=5e-3)
        return
    # 1/t² is left of pools, at the farthest generation.
    assert abs(kept[-1] - limit) < 2e-5 * max(limit, 1e-3)
    # Unbiased fits of mixtures may rise; otherwise variance is lost, generation by generation.
    if ddof == 0:
        assert (np.diff(kept) <= 1e-12).all()

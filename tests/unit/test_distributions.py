"""Quantiles, tails and intervals against :mod:`scipy.stats`, which has them by its own code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tailwatch.distributions import (
    beta_quantile,
    chi_squared_quantile,
    chi_squared_tail,
    clopper_pearson_interval,
    false_discovery_rates,
    normal_quantile,
    normal_tail,
    t_quantile,
    wilson_interval,
)

PROBABILITIES = st.floats(1e-12, 1 - 1e-12)
FREEDOMS = st.floats(0.5, 1e5)
CLOSE = {"rel": 1e-9, "abs": 1e-14}


@given(PROBABILITIES, FREEDOMS)
def test_quantiles(probability: float, freedom: float) -> None:
    assert normal_quantile(probability) == pytest.approx(stats.norm.ppf(probability), **CLOSE)
    assert t_quantile(probability, freedom) == pytest.approx(
        stats.t.ppf(probability, freedom), **CLOSE
    )
    assert chi_squared_quantile(probability, freedom) == pytest.approx(
        stats.chi2.ppf(probability, freedom), **CLOSE
    )


@given(st.floats(0, 40), FREEDOMS)
def test_tails(value: float, freedom: float) -> None:
    for signed in (value, -value):
        assert normal_tail(signed) == pytest.approx(stats.norm.sf(signed), rel=1e-9)
    assert chi_squared_tail(value, freedom) == pytest.approx(
        stats.chi2.sf(value, freedom), rel=1e-9
    )


@given(PROBABILITIES, st.floats(0.5, 1e6), st.floats(0.5, 1e6))
def test_quantiles_of_shares(probability: float, a: float, b: float) -> None:
    found = beta_quantile(probability, np.array([a, b]), np.array([b, a]))
    want = stats.beta.ppf(probability, [a, b], [b, a])
    np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-14)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_intervals_of_shares(confidence: float, counted: tuple[int, int]) -> None:
    count, n = counted
    peer = stats.binomtest(count, n)
    # The peer looks for the exact bounds by bisection, to 2e-12.
    for interval, method, near in (
        (clopper_pearson_interval, "exact", 1e-11),
        (wilson_interval, "wilson", 1e-14),
    ):
        want = peer.proportion_ci(confidence, method=method)
        assert interval(count, n, confidence) == pytest.approx(
            (want.low, want.high), rel=1e-9, abs=near
        )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_false_discovery_rates(p_values: list[float]) -> None:
    want = stats.false_discovery_control(p_values, method="bh")
    np.testing.assert_allclose(false_discovery_rates(np.array(p_values)), want, rtol=1e-12)


def test_no_test_has_no_rate() -> None:
    assert false_discovery_rates(np.empty(0)).shape == (0,)

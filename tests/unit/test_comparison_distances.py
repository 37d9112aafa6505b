"""Intervals of distances against exact ones of the noncentral χ²."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from tailwatch.comparison.intervals import interval_of_distance


def exact(value: float, freedom: float, share: float) -> float | None:
    """The distance under which χ²(freedom, distance) − freedom is below `value` with `share`."""

    def surprise(distance: float) -> float:
        if distance == 0:
            return float(scipy.stats.chi2.cdf(value + freedom, freedom)) - share
        return float(scipy.stats.ncx2.cdf(value + freedom, freedom, distance)) - share

    if surprise(0) < 0:
        return None
    return float(scipy.optimize.brentq(surprise, 0, 100 * (freedom + abs(value))))


@pytest.mark.parametrize("freedom", [8, 32, 300])
@pytest.mark.parametrize("z", [-1.0, 0.0, 1.0, 3.0, 10.0])
def test_equal_eigenvalues_give_the_noncentral_chi_square(freedom: int, z: float) -> None:
    # A scale of one: V₂ = 2ν and s = 4. Three moments of the distribution agree, its quantiles
    # nearly: within a twentieth of a standard deviation.
    value = z * math.sqrt(2 * freedom)
    found = interval_of_distance(value, 2 * freedom, 4, 0.95)
    allowed = 0.05 * math.sqrt(2 * freedom)
    for bound, share in zip(found, (0.975, 0.025), strict=True):
        wanted = exact(value, freedom, share)
        if wanted is None:
            assert bound <= allowed
        else:
            assert bound == pytest.approx(wanted, abs=allowed)


@pytest.mark.parametrize("freedom", [8, 32, 128])
@pytest.mark.parametrize("distance", [0.0, 3.0, 30.0])
def test_the_interval_misses_as_often_on_either_side(freedom: int, distance: float) -> None:
    # 2,000 draws of a noncentral χ², seed 1: 2.5 % on each side, z ≤ 4 and half a percent for the
    # third moment being the last that agrees.
    rng = np.random.default_rng(1)
    drawn = ((rng.normal(size=(2000, freedom)) + math.sqrt(distance / freedom)) ** 2).sum(axis=1)
    found = np.array([interval_of_distance(x - freedom, 2 * freedom, 4, 0.95) for x in drawn])
    allowed = 0.005 + 4 * math.sqrt(0.025 * 0.975 / 2000)
    assert abs((distance < found[:, 0]).mean() - 0.025) <= allowed
    assert abs((distance > found[:, 1]).mean() - 0.025) <= allowed


def test_without_a_slope_it_is_the_normal_interval() -> None:
    z = float(scipy.stats.norm.ppf(0.95))
    assert interval_of_distance(0.5, 0.04, 0.0, 0.9) == pytest.approx(
        (0.5 - 0.2 * z, 0.5 + 0.2 * z)
    )
    assert interval_of_distance(0.5, 0.0, 0.0, 0.9) == (0.5, 0.5)
    near = interval_of_distance(0.5, 0.04, 1e-9, 0.9)
    assert near == pytest.approx((0.5 - 0.2 * z, 0.5 + 0.2 * z), rel=1e-6)


def test_far_from_zero_it_is_the_normal_interval() -> None:
    z = float(scipy.stats.norm.ppf(0.975))
    low, high = interval_of_distance(1e6, 1.0, 1.0, 0.95)
    assert low == pytest.approx(1e6 - 1e3 * z, abs=10)
    assert high == pytest.approx(1e6 + 1e3 * z, abs=10)


def test_a_difference_of_zero_has_a_symmetric_interval_about_the_null() -> None:
    z = float(scipy.stats.norm.ppf(0.975))
    # The bound is zero just where the value is z standard deviations away, on either side.
    for sign, side in ((1, 0), (-1, 1)):
        found = interval_of_distance(sign * 2 * z, 4.0, 0.5, 0.95, symmetric=True)
        assert found[side] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("unit", [1e-150, 1e150])
def test_numbers_of_any_size(unit: float) -> None:
    plain = interval_of_distance(1.0, 0.5, 0.3, 0.95)
    scaled = interval_of_distance(unit, 0.5 * unit * unit, 0.3 * unit, 0.95)
    assert [bound / unit for bound in scaled] == pytest.approx(plain, rel=1e-9)


def test_more_confidence_is_a_wider_interval() -> None:
    widths = [interval_of_distance(1.0, 0.5, 0.3, level) for level in (0.5, 0.9, 0.99, 0.999999)]
    lows, highs = np.transpose(widths)
    assert (np.diff(lows) < 0).all()
    assert (np.diff(highs) > 0).all()

"""Bins of numbers: by hand for few, and blind to sign, scale and origin."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.metrics import univariate

PSI, JS = univariate.population_stability_index, univariate.jensen_shannon
KS = univariate.kolmogorov_smirnov


def by_hand(x: list[int], y: list[int], smoothing: float = 0.5) -> tuple[float, float]:
    """PSI and Jensen–Shannon divergence of two samples whose numbers are categories."""
    kinds = sorted({*x, *y})

    def shares(values: list[int], added: float) -> list[float]:
        total = len(values) + added * len(kinds)
        return [(values.count(kind) + added) / total for kind in kinds]

    p, q = shares(x, smoothing), shares(y, smoothing)
    psi = math.fsum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True))
    js = 0.0
    for a, b in zip(shares(x, 0), shares(y, 0), strict=True):
        js += sum(value / 2 * math.log(2 * value / (a + b)) for value in (a, b) if value)
    return psi, js


def stars(*counts: int) -> list[int]:
    return [star for star, count in enumerate(counts, 1) for _ in range(count)]


FEW = {
    "one": ([3] * 7, [3] * 4),
    "two that are apart": ([0] * 50, [1] * 80),
    "two": ([0] * 9 + [1], [0] + [1] * 9),
    "three": ([1, 1, 2, 3, 3, 3], [2, 2, 2, 1]),
    "four": (stars(10, 20, 30, 40), stars(40, 30, 20, 10)),
    "five stars": (stars(2, 2, 2, 3, 91), stars(30, 25, 20, 15, 10)),
    "far apart": ([-(10**6), 10**6, 10**6], [10**6, 0]),
}


@pytest.mark.parametrize("kind", [np.int64, np.float64, np.float32])
@pytest.mark.parametrize("name", FEW)
def test_few_numbers_are_their_own_bins(name: str, kind: type) -> None:
    x, y = FEW[name]
    psi, js = by_hand(x, y)
    for sign in (1, -1):
        a, b = sign * np.array(x, kind), sign * np.array(y, kind)
        assert PSI(a, b) == pytest.approx(psi, rel=1e-12, abs=1e-15)
        assert JS(a, b) == pytest.approx(js, rel=1e-12, abs=1e-15)
        for bins in (5, 10, 2**20):
            assert PSI(a, b, bins=bins) == PSI(a, b)
            assert JS(a, b, bins=bins) == JS(a, b)


def test_what_is_all_at_the_largest_number_is_seen() -> None:
    # 0.1.0 gave 0 for both: the edge at the largest number vanished.
    five, few = np.repeat([1, 2, 3, 4, 5], [2, 2, 2, 3, 91]), np.repeat([1, 2, 3, 4, 5], 20)
    assert PSI(five, few) > 1
    assert JS(five, few) > 0.1
    zero, one = np.zeros(100), np.ones(100)
    assert JS(zero, one) == pytest.approx(math.log(2), rel=1e-15)
    assert PSI(zero, one) == pytest.approx(2 * 100 / 101 * math.log(201), rel=1e-12)
    assert PSI(zero, one, smoothing=0) == math.inf


def test_a_common_largest_number_among_many_is_seen() -> None:
    # Half of X lies at 1, nothing of Y does: five of ten bins, of which Y has none.
    low = np.linspace(0, 0.9, 50)
    x, y = np.concatenate([low, np.ones(50)]), np.repeat(low, 2)
    p, q = 10.5 / 105, np.repeat([20.5, 0.5], 5) / 105
    expected = float(((p - q) * np.log(p / q)).sum())
    assert PSI(x, y) == pytest.approx(expected, rel=1e-12)
    assert PSI(-x, -y) == pytest.approx(expected, rel=1e-12)


numbers = st.one_of(
    st.lists(st.integers(1, 5), min_size=1, max_size=60),
    st.lists(st.integers(-40, 40), min_size=1, max_size=60),
    st.lists(st.sampled_from([0, 0, 0, 1, 7, 20, 21, 22, 30]), min_size=1, max_size=60),
)


@given(numbers, numbers, st.integers(2, 12), st.integers(-(10**6), 10**6), st.integers(-40, 40))
def test_neither_sign_nor_scale_nor_origin_matters(
    x: list[int], y: list[int], bins: int, shift: int, exponent: int
) -> None:
    a, b = np.array(x, float), np.array(y, float)
    scale = 2.0**exponent
    for first, second in (
        (-a, -b),
        ((a + shift) * scale, (b + shift) * scale),
        ((shift - a) * scale, (shift - b) * scale),
    ):
        for metric in (PSI, JS):
            found = metric(first, second, bins=bins)
            assert found == pytest.approx(metric(a, b, bins=bins), rel=1e-12, abs=1e-14)
        assert KS(first, second).statistic == KS(a, b).statistic
        found = univariate.cramer_von_mises(np.append(first, first), np.append(second, second))
        plain = univariate.cramer_von_mises(np.append(a, a), np.append(b, b))
        assert found.statistic == pytest.approx(plain.statistic, rel=1e-12, abs=1e-14)


@given(numbers, numbers, st.integers(2, 12))
def test_samples_in_their_order(x: list[int], y: list[int], bins: int) -> None:
    a, b = np.array(x), np.array(y)
    assert PSI(a, a, bins=bins) == JS(b, b, bins=bins) == 0.0
    assert JS(a, b, bins=bins) == pytest.approx(JS(b, a, bins=bins), rel=1e-12, abs=1e-15)
    assert 0.0 <= JS(a, b, bins=bins) <= math.log(2) * (1 + 1e-15)
    # Samples that come k times have the same shares.
    assert JS(np.tile(a, 3), b, bins=bins) == pytest.approx(JS(a, b, bins=bins), abs=1e-13)
    thrice = PSI(np.tile(a, 3), np.tile(b, 3), bins=bins, smoothing=1.5)
    assert thrice == pytest.approx(PSI(a, b, bins=bins), rel=1e-11, abs=1e-13)


@given(numbers, numbers, st.integers(2, 6))
def test_bins_hold_equal_parts_of_the_reference(x: list[int], y: list[int], bins: int) -> None:
    # In fractions, from where each number lies in the distribution of X.
    if len({*x, *y}) <= bins:
        return
    of_y = [Fraction(0)] * bins
    for value in y:
        low = Fraction(sum(other < value for other in x), len(x)) * bins
        high = Fraction(sum(other <= value for other in x), len(x)) * bins
        for bin_ in range(bins):
            if low < high:
                inside = max(min(high, Fraction(bin_ + 1)) - max(low, Fraction(bin_)), Fraction(0))
                of_y[bin_] += inside / (high - low)
            elif low.denominator > 1 or low in (0, bins):
                of_y[bin_] += int(min(math.floor(low), bins - 1) == bin_)
            else:
                of_y[bin_] += Fraction(int(low - bin_ in (0, 1)), 2)
    p = (len(x) / bins + 0.5) / (len(x) + bins / 2)
    q = [(float(count) + 0.5) / (len(y) + bins / 2) for count in of_y]
    expected = math.fsum((p - share) * math.log(p / share) for share in q)
    assert PSI(np.array(x), np.array(y), bins=bins) == pytest.approx(expected, rel=1e-10, abs=1e-13)

"""Intervals from half-samples and closed variances, against what SciPy gives."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import scipy.stats
from scipy.special import expit, logit

from tailwatch.comparison.estimates import ClosedVariance, Estimate, HalfSamples, NoInterval
from tailwatch.comparison.halves import REPLICATES
from tailwatch.comparison.intervals import Intervals, intervals_of
from tailwatch.comparison.metrics.neighbors import odds_ratio

T = float(scipy.stats.t.ppf(0.975, 29 * 31 / (29 + 31)))


def halves(whole: float, spread: float, *, relative: bool = False) -> np.ndarray:
    """A whole and 30 halves about it whose standard deviation is `spread`."""
    unit = np.tile([-1.0, 1.0], REPLICATES // 2) * math.sqrt((REPLICATES - 1) / REPLICATES)
    around = whole * np.exp(spread * unit) if relative else whole + spread * unit
    return np.array([whole, *around])


def share(whole: float, spread: float, total: float) -> np.ndarray:
    """As `halves`, but the spread is that of the smoothed logits."""

    def smooth(counted: float | np.ndarray, rows: float) -> np.ndarray:
        return logit((np.asarray(counted) * rows + 0.5) / (rows + 1))

    around = expit(halves(float(smooth(whole, total)), spread)[1:])
    return np.array([whole, *((around * (total / 2 + 1) - 0.5) / (total / 2))])


def intervals(
    values: np.ndarray, nulls: np.ndarray, direction: str = "higher", **how: object
) -> Intervals:
    error = HalfSamples(values, nulls, **how)  # type: ignore[arg-type]
    value, null = (float(error.present(counted[:1])[0]) for counted in (values, nulls))
    estimate = Estimate("any", None, value, null, error)
    return intervals_of(estimate, direction, 0.95)  # type: ignore[arg-type]


def test_a_share_of_many_rows_has_the_error_of_its_halves_on_the_logit_scale() -> None:
    found = intervals(share(0.4, 0.1, 1000), share(0.5, 0.2, 1000), scale="share", total=1000)
    for (low, high), whole, spread in ((found.value, 400.5, 0.1), (found.null, 500.5, 0.2)):
        centre = logit(whole / 1001)
        assert low == pytest.approx(expit(centre - T * spread), rel=1e-9)
        assert high == pytest.approx(expit(centre + T * spread), rel=1e-9)
    assert found.method == "half-sampling"
    assert found.retention == pytest.approx(0.8)


def mid_p(count: int, total: int, share: float) -> float:
    """Probability of less than `count`, and half of that of `count`."""
    binomial = scipy.stats.binom(total, share)
    return float(binomial.cdf(count) - binomial.pmf(count) / 2)


@pytest.mark.parametrize("count", [0, 1, 4, 9, 191, 197, 200])
def test_few_rows_have_at_least_the_binomial_error(count: int) -> None:
    # Halves that do not vary at all: what remains is the mid-P interval.
    total, values = 200, np.full(1 + REPLICATES, count / 200)
    found = intervals(values, values, scale="share", total=total)
    low, high = found.value
    assert mid_p(count, total, low) == pytest.approx(0.5 if count == 0 else 0.975, abs=1e-9)
    assert mid_p(count, total, high) == pytest.approx(0.5 if count == total else 0.025, abs=1e-9)
    exact = scipy.stats.binomtest(count, total).proportion_ci(0.95, method="exact")
    assert exact.low <= low <= count / total <= high <= exact.high
    assert (low == 0, high == 1) == (count == 0, count == total)
    assert found.null == found.value


@pytest.mark.parametrize("total", [10, 50, 200])
def test_the_interval_of_few_rows_holds_the_truth_as_often_as_it_says(total: int) -> None:
    # All counts, each with its probability, at truths of 0.5 to 4 rows: no simulation. Mid-P may
    # hold less often than it says at some truths, not on average, and the exact interval holds 1
    # percent point more often.
    held, held_by_exact = [], []
    counts = np.arange(min(total, 19) + 1)
    found, exact = [], []
    for count in counts:
        values = np.full(1 + REPLICATES, count / total)
        of_few = intervals(values, values, scale="share", total=total).value
        # Ten and more rows have the error of their halves, which is not simulated here.
        found.append(of_few if min(count, total - count) < 10 else (0.0, 1.0))
        ci = scipy.stats.binomtest(int(count), total).proportion_ci(0.95, method="exact")
        exact.append((ci.low, ci.high))
    for share in np.linspace(0.5, 4, 36) / total:
        weights = scipy.stats.binom.pmf(counts, total, share)
        for bounds, shares in ((found, held), (exact, held_by_exact)):
            low, high = np.transpose(bounds)
            shares.append(weights[(low <= share) & (share <= high)].sum())
    assert 0.95 <= np.mean(held) <= 0.975
    assert min(held) >= 0.91
    assert np.mean(held_by_exact) >= np.mean(held) + 0.01


def test_the_binomial_error_is_for_few_rows_only() -> None:
    # Steady shares of many rows are known as well as their halves show.
    values = share(0.5, 0.0, 200)
    low, high = intervals(values, values, scale="share", total=200).value
    assert low is not None
    assert high is not None
    assert high - low < 1e-9


@pytest.mark.parametrize("spread", [0.05, 0.5])
def test_few_rows_whose_halves_vary_more_get_the_larger_error(spread: float) -> None:
    values, still = share(0.04, spread, 200), share(0.04, 0.0, 200)
    low, high = intervals(values, values, scale="share", total=200).value
    least, most = intervals(still, still, scale="share", total=200).value
    centre = logit(8.5 / 201)
    assert low == pytest.approx(min(least, expit(centre - T * spread)), rel=1e-9)
    assert high == pytest.approx(max(most, expit(centre + T * spread)), rel=1e-9)


def test_a_mass_is_a_share_on_another_scale() -> None:
    values, nulls = share(0.03, 0.2, 1000), share(0.05, 0.1, 1000)
    of_share = intervals(values, nulls, scale="share", total=1000)
    of_mass = intervals(values, nulls, scale="share", total=1000, present=lambda p: p / 0.05)
    assert of_mass.value == pytest.approx(tuple(x / 0.05 for x in of_share.value))  # type: ignore[operator]
    assert of_mass.retained == pytest.approx(of_share.retained, rel=1e-9)
    assert of_mass.retention == of_share.retention


@pytest.mark.parametrize(("count", "tail"), [(0, 50), (10, 50), (25, 50), (50, 50)])
def test_odds_are_those_of_the_two_by_two_table(count: int, tail: int) -> None:
    rows = 500
    # An empty side of the tail counts as half a row.
    human = max(tail - count, 0.5)
    expected = count * (rows - human) / ((rows - count) * human)
    found = odds_ratio(np.array([count / tail]), tail=tail, reference=rows, candidate=rows)
    assert found[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("level", [0.01, 0.05, 0.1, 0.4])
def test_odds_rise_with_the_share(level: float) -> None:
    shares = np.linspace(0, 1, 200)
    tail = int(level * 2000)
    odds = odds_ratio(shares, tail=tail, reference=1000, candidate=1000)
    assert (np.diff(odds) >= 0).all()
    assert (np.diff(odds[shares * tail <= tail - 0.5]) > 0).all()
    assert np.isfinite(odds).all()


def test_an_interval_of_odds_is_that_of_the_share_carried_over() -> None:
    values, nulls = share(0.3, 0.2, 100), share(0.5, 0.2, 100)
    odds = partial(odds_ratio, tail=100, reference=1000, candidate=1000)
    plain = intervals(values, nulls, scale="share", total=100)
    found = intervals(values, nulls, "match", scale="share", total=100, present=odds)
    for of_share, of_odds in ((plain.value, found.value), (plain.null, found.null)):
        assert list(of_odds) == pytest.approx(odds(np.array(of_share, dtype=float)).tolist())


def test_a_ratio_has_its_error_on_the_log_scale() -> None:
    values = halves(3.0, 0.1, relative=True)
    nulls = halves(2.0, 0.0, relative=True)
    found = intervals(values, nulls, "match", scale="ratio")
    assert found.value == pytest.approx((3 * math.exp(-T * 0.1), 3 * math.exp(T * 0.1)))
    assert found.retention == pytest.approx(1.5)
    assert found.retained == pytest.approx((1.5 * math.exp(-T * 0.1), 1.5 * math.exp(T * 0.1)))


def test_what_is_retained_is_computed_within_each_replicate() -> None:
    # A value and a null that rise and fall together: their ratio does not vary.
    found = intervals(
        halves(3.0, 0.1, relative=True), halves(2.0, 0.1, relative=True), "match", scale="ratio"
    )
    assert found.retained == pytest.approx((1.5, 1.5))


def second_order(centre: float, error: float) -> np.ndarray:
    """Halves of a statistic at its minimum: odd parts of variance 2·error², even ones of error²."""
    even = error * np.array([-1.0] * 7 + [0.0] + [1.0] * 7)
    odd = math.sqrt(2) * error
    return np.array([centre, *(centre + part + side for part in even for side in (odd, -odd))])


def test_the_excess_of_a_divergence_is_in_errors_of_its_null() -> None:
    # Complementary halves: odd parts ±0.1 and ±0.2, no even part.
    values, nulls = np.array([5.0, *[5.1, 4.9] * 15]), np.array([4.0, *[4.2, 3.8] * 15])
    found = intervals(values, nulls, "lower", scale="real", complementary=True)
    t = float(scipy.stats.t.ppf(0.975, 15 * 31 / 46))
    assert found.value == pytest.approx((5 - t * 0.1, 5 + t * 0.1))
    assert found.null == pytest.approx((4 - t * 0.2, 4 + t * 0.2))
    # A null at its minimum, of error 0.2, and values that differ from it with odd parts ±0.1.
    nulls = second_order(4.0, 0.2)
    found = intervals(nulls + values - 4, nulls, "lower", scale="real", complementary=True)
    assert found.retention == pytest.approx(1 / 0.2)
    known = 30 * 31 / 61
    least, most = np.sqrt(scipy.stats.chi2.ppf([0.025, 0.975], known) / known)
    margins = (
        math.hypot(t * 0.1 / 0.2, 5 * (1 - least)),
        math.hypot(t * 0.1 / 0.2, 5 * (most - 1)),
    )
    assert found.retained == pytest.approx((5 - margins[0], 5 + margins[1]))


def test_a_divergence_below_its_null_has_the_mirrored_interval() -> None:
    still, nulls = np.full(31, 4.0), second_order(4.0, 0.2)
    above = intervals(still + 1 + (nulls - 4.0), nulls, "lower", scale="real", complementary=True)
    below = intervals(still - 1 + (nulls - 4.0), nulls, "lower", scale="real", complementary=True)
    assert above.retention == pytest.approx(5.0)
    assert below.retention == pytest.approx(-5.0)
    # The difference has no error, so that the interval is that of the unit alone.
    known = 30 * 31 / 61
    bounds = 5 * np.sqrt(scipy.stats.chi2.ppf([0.025, 0.975], known) / known)
    assert above.retained == pytest.approx(tuple(bounds))
    assert below.retained == pytest.approx((-bounds[1], -bounds[0]))


def test_a_distance_does_not_reach_below_zero() -> None:
    values = np.array([0.1, *[0.4, -0.2] * 15])
    found = intervals(values, values, "lower", scale="real", complementary=True)
    assert found.value[0] == 0.0


def test_closed_variances_give_normal_intervals() -> None:
    estimate = Estimate("mmd_gaussian", None, 0.5, 0.1, ClosedVariance(0.04, 0.01, 0.09))
    z = float(scipy.stats.norm.ppf(0.95))
    found = intervals_of(estimate, "lower", 0.90)
    assert found.value == pytest.approx((0.5 - z * 0.2, 0.5 + z * 0.2))
    assert found.null == pytest.approx((0.1 - z * 0.1, 0.1 + z * 0.1))
    assert found.retention == pytest.approx(4.0)
    assert found.retained == pytest.approx((4 - z * 3, 4 + z * 3))
    assert found.method == "closed variance"


def test_a_null_without_error_has_no_excess() -> None:
    estimate = Estimate("mmd_gaussian", None, 0.5, 0.0, ClosedVariance(0.04, 0.0, 0.04))
    found = intervals_of(estimate, "lower", 0.95)
    assert (found.retention, found.retained) == (None, (None, None))
    values = np.zeros(1 + REPLICATES)
    of_halves = intervals(values + 1, values, "lower", scale="real", complementary=True)
    assert (of_halves.retention, of_halves.retained) == (None, (None, None))


@pytest.mark.parametrize(("direction", "retention"), [("match", 0.5), ("lower", None)])
def test_without_an_interval_the_reason_says_why(direction: str, retention: float | None) -> None:
    estimate = Estimate("any", None, 1.0, 2.0, NoInterval("it is raining"))
    found = intervals_of(estimate, direction, 0.95)  # type: ignore[arg-type]
    assert found == Intervals(retention=retention, reason="it is raining")


@pytest.mark.parametrize("scale", ["share", "ratio"])
def test_more_confidence_is_a_wider_interval(scale: str) -> None:
    values, nulls = halves(0.30, 0.01), halves(0.40, 0.01)
    error = HalfSamples(values, nulls, scale, 300)  # type: ignore[arg-type]
    estimate = Estimate("any", None, 0.3, 0.4, error)
    narrow, wide = (intervals_of(estimate, "higher", level) for level in (0.80, 0.99))
    for name in ("value", "null", "retained"):
        (low, high), (lower, higher) = getattr(narrow, name), getattr(wide, name)
        assert lower < low < high < higher, name


def test_odds_beside_a_null_with_an_empty_side_do_not_read_as_zero() -> None:
    # All of a small pooled tail came from the null's sample.
    values, nulls = share(0.5, 0.1, 4), np.ones(1 + REPLICATES)
    odds = partial(odds_ratio, tail=4, reference=200, candidate=200)
    found = intervals(values, nulls, "match", scale="share", total=4, present=odds)
    assert found.retention is not None
    assert 0 < found.retention < 1
    both = intervals(nulls, nulls, "match", scale="share", total=4, present=odds)
    assert both.retention == 1.0


def test_what_may_be_negative_has_an_interval_on_both_sides_of_zero() -> None:
    values, nulls = halves(0.02, 0.05), halves(-0.3, 0.1)
    signed, cut = (intervals(values, nulls, "lower", scale=scale) for scale in ("signed", "real"))
    assert signed.value == pytest.approx((0.02 - T * 0.05, 0.02 + T * 0.05), rel=1e-9)
    assert signed.null == pytest.approx((-0.3 - T * 0.1, -0.3 + T * 0.1), rel=1e-9)
    assert cut.value[0] == 0.0
    assert signed.retention == cut.retention == pytest.approx(3.2)

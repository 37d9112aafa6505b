"""The profile likelihood of a share against direct maximisation, bisection and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from tailwatch.contamination.likelihood import BinCounts, fit_templates, profile, profile_interval

# Human, synthetic, target; with bins that one, two or all three do not have.
CASES = {
    "plain": ([30, 12, 5], [4, 9, 25], [210, 120, 90]),
    "tiny references": ([3, 1, 2], [1, 2, 3], [4000, 2500, 3500]),
    "more references than target": ([3000, 1000, 500], [200, 900, 2500], [5, 3, 2]),
    "no target row in a bin": ([30, 12, 5], [4, 9, 25], [210, 0, 90]),
    "no human row in a bin": ([30, 12, 0], [4, 9, 25], [210, 120, 90]),
    "no synthetic row in a bin": ([30, 12, 5], [0, 9, 25], [210, 120, 90]),
    "apart": ([40, 0], [0, 30], [900, 100]),
    "an empty bin": ([30, 0, 5], [4, 0, 25], [210, 0, 90]),
    "only the target in a bin": ([30, 0, 5], [4, 0, 25], [210, 7, 90]),
    "misfit": ([30, 12, 5], [4, 9, 25], [10, 900, 10]),
}
SHARES = np.array([0.0, 1e-6, 0.01, 0.3, 0.5, 0.9, 1.0])


def counts_of(name: str) -> BinCounts:
    return BinCounts(*(np.array(each, float) for each in CASES[name]))


def multinomial(counts: np.ndarray, shares: np.ndarray) -> float:
    """Log likelihood relative to the saturated one."""
    seen = counts > 0
    ratio = shares[seen] / (counts[seen] / counts.sum())
    return float((counts[seen] * np.log(np.maximum(ratio, 1e-300))).sum())


def maximum(counts: BinCounts, share: float) -> float:
    """Maximise over the shares of both templates, as they stand, by a general method."""
    bins = len(counts.target)

    def loss(roots: np.ndarray) -> float:
        human, synthetic = (half**2 / (half**2).sum() for half in np.split(roots, [bins]))
        return -(
            multinomial(counts.human, human)
            + multinomial(counts.synthetic, synthetic)
            + multinomial(counts.target, (1 - share) * human + share * synthetic)
        )

    first = np.sqrt(np.concatenate([counts.human, counts.synthetic]) + 0.5)
    found = minimize(loss, first, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15})
    for _ in range(2):
        found = minimize(loss, found.x, method="Nelder-Mead", options={"maxiter": 20_000})
    return -float(found.fun)


@pytest.mark.parametrize("parameter", [0.0, 0.3])
@pytest.mark.parametrize("name", CASES)
def test_it_is_the_maximum_over_the_templates(name: str, parameter: float) -> None:
    counts = counts_of(name)
    share, height = (float(each[0]) for each in profile(counts, np.array([parameter])))
    # A general method comes near the maximum, and not above it.
    direct = maximum(counts, share)
    assert direct <= height + 1e-9 * max(1, abs(height))
    assert height == pytest.approx(direct, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_the_share_ascends_with_its_parameter(name: str) -> None:
    shares, _ = profile(counts_of(name), np.linspace(0, 1, 1001))
    assert (shares[0], shares[-1]) == pytest.approx((0, 1), abs=1e-12)
    assert (np.diff(shares) > 0).all()


@pytest.mark.parametrize("name", CASES)
def test_the_root_solves_its_equation(name: str) -> None:
    counts = counts_of(name)
    p0, p1 = counts.rates(SHARES)
    fitted = fit_templates(counts, SHARES)
    for row in range(len(SHARES)):
        for column, (a0, a1, m) in enumerate(
            zip(counts.human, counts.synthetic, counts.target, strict=True)
        ):
            if m == 0:
                assert fitted.t[row, column] == 1
                continue
            rates = [(p0[row, 0], a0), (p1[row, 0], a1)]

            def excess(t: float, m: float = m, rates: list = rates) -> float:
                with np.errstate(divide="ignore"):
                    return float(m / (1 - t) - sum(p * a / (1 + p * t) for p, a in rates if p * a))

            low, high = -1 / max(p for p, _ in rates), 1.0
            for _ in range(200):
                middle = (low + high) / 2
                low, high = (low, middle) if excess(middle) > 0 else (middle, high)
            # One unit of the last place of 1 + P·t, which is what the templates are made of.
            largest = max(p for p, _ in rates)
            assert fitted.t[row, column] == pytest.approx(low, abs=1e-13 * (1 + 1 / largest))


def test_without_misfit_the_likelihood_is_zero_at_the_share() -> None:
    human, synthetic = np.array([60.0, 30, 10]), np.array([10.0, 30, 60])
    counts = BinCounts(human, synthetic, 50 * (0.75 * human + 0.25 * synthetic))
    assert profile(counts, np.array([0.25]))[1][0] == pytest.approx(0, abs=1e-12)
    assert profile_interval(counts, 0.95).value == pytest.approx(0.25, abs=1e-12)


def test_one_template_is_a_comparison_of_multinomials() -> None:
    # At π = 0 the likelihood is that of two samples of one multinomial: the G statistic of a 2 × B
    # table, and the synthetic reference drops out.
    human, target = np.array([30.0, 12, 5]), np.array([210.0, 120, 90])
    counts = BinCounts(human, np.array([4.0, 9, 25]), target)
    table = np.stack([human, target])
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = 2 * (table * np.log(table / expected)).sum()
    assert -2 * profile(counts, np.zeros(1))[1][0] == pytest.approx(statistic, rel=1e-12)


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("name", CASES)
def test_the_interval_is_where_the_likelihood_allows(name: str, confidence: float) -> None:
    counts = counts_of(name)
    found = profile_interval(counts, confidence)
    assert 0 <= found.low <= found.value <= found.high <= 1
    drop = chi2.ppf(confidence, 1)
    shares, heights = profile(counts, np.linspace(0, 1, 20_001))
    top = float(profile(counts, np.array([found.value]))[1][0])
    assert top >= heights.max() - 1e-12
    inside = shares[2 * (top - heights) <= drop]
    # The ends lie within a step of the outermost shares that a dense walk finds.
    step = np.diff(shares).max()
    assert found.low - 1e-12 <= inside.min() <= found.low + step
    assert found.high - step <= inside.max() <= found.high + 1e-12


def test_an_empty_target_says_nothing() -> None:
    counts = BinCounts(np.array([3.0, 4]), np.array([4.0, 3]), np.zeros(2))
    found = profile_interval(counts, 0.95)
    assert (math.isnan(found.value), found.low, found.high) == (True, 0, 1)


def test_separate_references_give_the_share_of_the_upper_bin() -> None:
    counts = BinCounts(np.array([1000.0, 0]), np.array([0.0, 1000]), np.array([900_000.0, 100_000]))
    found = profile_interval(counts, 0.95)
    # Up to chi²/2 human rows of 1000 may have been missed above the threshold, and no more.
    assert found.low == pytest.approx(0.1 - 0.9 * chi2.ppf(0.95, 1) / 2 / 1000, rel=0.01)
    assert found.value <= 0.1 <= found.high + 1e-9


def test_of_two_summits_between_neighbours_of_the_grid_the_higher_one_is_found() -> None:
    # Counts that no templates explain; between the grid's 0.65 and 0.67 the likelihood first falls.
    human = np.array([4352346, 7, 11, 8, 8, 8, 4, 3, 6])
    synthetic = np.array([4, 4898652, 4, 4784641, 8, 0, 8965146, 6, 7386740])
    target = np.array([1690688, 8382046, 1447243, 4, 10, 7416267, 5103716, 0, 7676899])
    counts = BinCounts.of(human, synthetic, target)
    found = profile_interval(counts, 0.95)
    shares, heights = profile(counts, np.linspace(0.6, 0.7, 10_001))
    best = int(heights.argmax())
    assert shares[best - 1] <= found.value <= shares[best + 1]

"""The promises of the intervals, by simulation: Gaussian scores, z ≤ 4 of binomial counts.

With n replications and a nominal share p, at least p·n − 4·√(p(1−p)n) must hold; seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm, t

from benches import group_shares
from tailwatch.contamination.audit import audit_share
from tailwatch.contamination.estimators import human_thresholds, lower_bound
from tailwatch.contamination.histogram import bin_counts, human_edges, shared_edges
from tailwatch.contamination.likelihood import BinCounts, profile_interval
from tailwatch.contamination.templates import drift_between, widen

REPLICATIONS = 40
DISTANCE = math.sqrt(2) * norm.ppf(0.92)


def least(nominal: float, replications: int = REPLICATIONS) -> float:
    return nominal * replications - 4 * math.sqrt(nominal * (1 - nominal) * replications)


def shares(edges: np.ndarray, mean: float) -> np.ndarray:
    inner = norm.cdf(edges.astype(float) - mean)
    return np.diff(np.concatenate([[0], inner, [1]]))


def draw(rng: np.random.Generator, mean: float, rows: int) -> np.ndarray:
    return (mean + rng.normal(size=rows)).astype(np.float32)


@pytest.mark.parametrize("share", [0.02, 0.2])
@pytest.mark.parametrize("rows", [300, 3000])
def test_the_profile_interval_holds_the_share(rows: int, share: float) -> None:
    rng = np.random.default_rng([11, rows, int(100 * share)])
    held, errors = 0, []
    for _ in range(REPLICATIONS):
        human, synthetic = draw(rng, 0, rows), draw(rng, DISTANCE, rows)
        edges = shared_edges(human, synthetic)
        mixture = (1 - share) * shares(edges, 0) + share * shares(edges, DISTANCE)
        counts = bin_counts(human, edges), bin_counts(synthetic, edges)
        found = profile_interval(BinCounts.of(*counts, rng.multinomial(100_000, mixture)), 0.95)
        held += found.low <= share <= found.high
        errors.append(found.value - share)
    assert held >= least(0.95)
    # The estimate is not off by more than chance and a tenth of its spread.
    spread = float(np.std(errors))
    assert abs(np.mean(errors)) <= 4 * spread / math.sqrt(REPLICATIONS) + 0.1 * spread


def test_the_interval_is_not_longer_than_it_must_be() -> None:
    # The share whose interval has a confidence of 50 % is held half of the time, not more.
    rng, share, held = np.random.default_rng(12), 0.2, 0
    for _ in range(REPLICATIONS):
        human, synthetic = draw(rng, 0, 1000), draw(rng, DISTANCE, 1000)
        edges = shared_edges(human, synthetic)
        mixture = (1 - share) * shares(edges, 0) + share * shares(edges, DISTANCE)
        counts = bin_counts(human, edges), bin_counts(synthetic, edges)
        found = profile_interval(BinCounts.of(*counts, rng.multinomial(10**6, mixture)), 0.5)
        held += found.low <= share <= found.high
    assert abs(held - REPLICATIONS / 2) <= 4 * math.sqrt(REPLICATIONS / 4)


@pytest.mark.parametrize("sd", [0.0, 0.05, 0.3])
def test_with_drift_the_widened_interval_holds(sd: float) -> None:
    rng, share, strata, rows = np.random.default_rng([13, int(100 * sd)]), 0.1, 6, 3000
    held = 0
    for _ in range(REPLICATIONS):
        means = sd * rng.normal(size=strata + 1)
        parts = [draw(rng, mean, rows // strata) for mean in means[:-1]]
        human, synthetic = np.concatenate(parts), draw(rng, DISTANCE, rows)
        edges = shared_edges(human, synthetic)
        of_parts = np.stack([bin_counts(part, edges) for part in parts])
        of_synthetic = bin_counts(synthetic, edges)
        mixture = (1 - share) * shares(edges, means[-1]) + share * shares(edges, DISTANCE)
        target = rng.multinomial(10**6, mixture)
        plain = profile_interval(BinCounts.of(of_parts.sum(axis=0), of_synthetic, target), 0.95)
        drift = drift_between(of_parts, of_synthetic, target, plain.value, 0.95)
        found = widen(plain, drift.half_width)
        held += found.low <= share <= found.high
    assert held >= least(0.95)


def test_the_largest_stratum_sets_what_the_target_is_compared_with() -> None:
    # One more draw less the mean of the reference's rows: its variance, in units of that of a draw.
    rng, sizes = np.random.default_rng(17), np.array([20_000, 1000, 1000, 2000])
    draws = rng.normal(size=(40_000, 5))
    factor = (draws[:, 4] - draws[:, :4] @ sizes / sizes.sum()).var()
    edges = shared_edges(draw(rng, 0, 4000), draw(rng, DISTANCE, 4000))
    parts = np.stack([bin_counts(draw(rng, 0.2 * k, n), edges) for k, n in enumerate(sizes)])
    synthetic, target = (bin_counts(draw(rng, mean, 4000), edges) for mean in (DISTANCE, 0.0))
    drift = drift_between(parts, synthetic, target, 0.1, 0.95)
    found = (drift.half_width / (t.ppf(0.975, 3) * 0.9 * drift.spread)) ** 2
    # Four standard errors of a variance.
    assert found == pytest.approx(factor, rel=4 * math.sqrt(2 / 40_000))


def test_drift_is_measured_in_units_of_the_share() -> None:
    # Strata that differ by a known admixture of synthetic rows: its spread is the drift.
    rng, rows = np.random.default_rng(14), 200_000
    admixture = np.array([0.0, 0.02, 0.04, 0.06])
    human, synthetic = draw(rng, 0, rows), draw(rng, DISTANCE, rows)
    edges = shared_edges(human, synthetic)
    pure = shares(edges, 0)
    parts = np.stack(
        [rng.multinomial(rows, (1 - a) * pure + a * shares(edges, DISTANCE)) for a in admixture]
    )
    target = rng.multinomial(10**6, pure)
    drift = drift_between(parts, bin_counts(synthetic, edges), target, 0.0, 0.95)
    # Against the pooled template, which holds the mean admixture itself.
    expected = (admixture - admixture.mean()) / (1 - admixture.mean())
    np.testing.assert_allclose(drift.shares, expected, atol=4e-3)
    assert drift.sd == pytest.approx(expected.std(ddof=1), rel=0.05)
    assert drift.sd <= drift.spread


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_the_lower_bound_is_valid(share: float) -> None:
    rng = np.random.default_rng([15, int(100 * share)])
    valid, bounds = 0, []
    for _ in range(REPLICATIONS):
        human, sample = draw(rng, 0, 2000), draw(rng, 0, 2000)
        thresholds = human_thresholds(human)
        edges = human_edges(human, sample, thresholds)
        mixture = (1 - share) * shares(edges, 0) + share * shares(edges, 3.0)
        target = rng.multinomial(50_000, mixture)
        found = lower_bound(bin_counts(human, edges), target, np.isin(edges, thresholds), 0.95)
        assert found.low <= found.value <= found.high == 1
        valid += found.low <= share
        bounds.append(found.low)
    assert valid >= least(0.95)
    # And it says something: at this distance nearly all of the share is certain.
    assert np.mean(bounds) >= 0.8 * share


@pytest.mark.parametrize(("share", "rows"), [(0.02, 60), (0.3, 400)])
def test_labels_hold_whatever_the_predictions(share: float, rows: int) -> None:
    # Predictions that are wrong: the share is three times what they say.
    rng, held, lengths = np.random.default_rng([16, rows]), 0, []
    probabilities = np.array([0.05, 0.9])
    for _ in range(4 * REPLICATIONS):
        labels = (rng.random(rows) < share).astype(float)
        upper = rng.random(rows) < np.where(labels == 1, 0.8, 0.1)
        rate = share * 0.8 + (1 - share) * 0.1
        target = rng.multinomial(100_000, [1 - rate, rate])
        found = audit_share(labels, probabilities[upper.astype(int)], target, probabilities, 0.95)
        held += found.low <= share <= found.high
        lengths.append(found.high - found.low)
    # The normal limit is within 1 % at 10 labels of a kind.
    assert held >= least(0.94, 4 * REPLICATIONS)
    if rows == 400:
        alone = 2 * 1.96 * math.sqrt(share * (1 - share) / rows)
        assert np.mean(lengths) < 0.9 * alone


def test_groups_are_seldom_wrongly_called_above() -> None:
    """18 months at the limit, 6 above it, 6 times, seed 7: at most 5 % false, z = 4."""
    cell = next(cell for cell in group_shares.CELLS if cell.others > 0 and not cell.drift)
    found = pl.DataFrame([group_shares.replicate(cell, 7, number) for number in range(6)])
    error = float(found["false"].std()) / 6**0.5
    assert found["false"].mean() <= 0.05 + 4 * max(error, 0.01)
    # Those above are far above.
    assert found["found"].mean() == 1
    # Months of one replication share its templates, so these count, not their months.
    assert found["holds"].mean() >= 0.95 - 4 * float(found["holds"].std()) / 6**0.5

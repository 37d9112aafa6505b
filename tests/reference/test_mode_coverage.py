"""Mode coverage: modes that k-means cannot miss, so every count is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

import tailwatch as tw
from tests.support import samples

REFERENCE = (1500, 1200, 1100, 950, 110, 80, 60)


def modes(sizes: tuple[int, ...] | np.ndarray, *, seed: int) -> np.ndarray:
    """Tight balls of the given sizes far apart on the axes, rows shuffled."""
    centres = 100.0 * np.eye(len(sizes))
    rows = np.repeat(centres, sizes, axis=0)
    rng = np.random.default_rng(seed)
    return rng.permutation(rows + rng.normal(scale=0.01, size=rows.shape))


def test_counts_and_verdicts() -> None:
    # The smallest modes, 60 + 80 + 110, hold exactly 5 % of the 5,000 rows. One of them is gone,
    # one keeps an eighth, one is whole.
    candidate = (1500, 1200, 1180, 1000, 110, 10, 0)
    found = tw.metrics.mode_coverage(modes(REFERENCE, seed=1), modes(candidate, seed=2), clusters=7)
    assert (found.clusters, found.rare_modes, found.lost_modes) == (7, 3, 2)
    assert found.lost_share == pytest.approx(2.0 / 3.0, rel=1e-15)

    table = found.table.sort("reference", descending=True)
    assert sorted(table["mode"].to_list()) == list(range(7))
    assert table["reference"].to_list() == list(REFERENCE)
    assert table["candidate"].to_list() == list(candidate)
    assert table["rare"].to_list() == [False] * 4 + [True] * 3
    assert table["lost"].to_list() == [False] * 5 + [True] * 2
    ratio = np.array(candidate) / np.array(REFERENCE)
    np.testing.assert_allclose(table["ratio"].to_numpy(), ratio, rtol=1e-14)
    assert (table["low"].to_numpy() <= ratio).all()
    assert (ratio <= table["high"].to_numpy()).all()


def test_ratio_is_of_shares_not_of_counts() -> None:
    x, y = modes(REFERENCE, seed=3), modes(tuple(size // 10 for size in REFERENCE), seed=4)
    found = tw.metrics.mode_coverage(x, y, clusters=7)
    np.testing.assert_allclose(found.table["ratio"].to_numpy(), 1.0, rtol=1e-14)
    assert found.lost_modes == 0
    assert found.lost_share == 0.0


def test_level_chooses_the_rare_modes() -> None:
    x = modes((400, 300, 200, 60, 40), seed=5)
    rare = [
        tw.metrics.mode_coverage(x, x, clusters=5, level=level).rare_modes
        for level in (0.04, 0.1, 0.3)
    ]
    assert rare == [1, 2, 3]


def test_chi_square_of_the_two_rows_of_counts() -> None:
    candidate = (1460, 1250, 1110, 930, 120, 75, 55)
    found = tw.metrics.mode_coverage(modes(REFERENCE, seed=6), modes(candidate, seed=7), clusters=7)
    peer = scipy.stats.chi2_contingency(np.array([REFERENCE, candidate]), correction=False)
    assert found.chi_square == pytest.approx(peer.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(peer.pvalue, rel=1e-9)


def test_small_counts_get_an_exact_p_value() -> None:
    # Two modes of 8 and 4 rows against 2 and 9: χ² is far from its limit, Fisher's test is exact.
    found = tw.metrics.mode_coverage(modes((8, 4), seed=8), modes((2, 9), seed=9), clusters=2)
    exact = scipy.stats.fisher_exact([[8, 4], [2, 9]]).pvalue
    assert found.p_value == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize(("rows", "clusters"), [(200, 10), (500, 16), (1000, 23)])
def test_number_of_clusters_by_default(rows: int, clusters: int) -> None:
    assert clusters == math.ceil(math.sqrt(rows / 2))
    x, y = samples.gaussian(10, rows, 3), samples.gaussian(11, 300, 3)
    found = tw.metrics.mode_coverage(x, y)
    assert found.clusters == found.table.height == clusters
    assert found.table["reference"].sum() == rows
    assert found.table["candidate"].sum() == 300


def test_same_seed_same_table() -> None:
    x, y = samples.clusters(12, 600, 8), samples.clusters(13, 500, 8)
    first, again = (tw.metrics.mode_coverage(x, y, seed=4) for _ in range(2))
    assert first.table.equals(again.table)
    assert first.p_value == again.p_value


def test_interval_of_the_ratio_holds_the_truth() -> None:
    # True shares .4 .3 .15 .1 .05 in both samples, 400 rows each, seeds 20 to 79: 300 intervals at
    # 95 %. At least 0.95 of them hold 1, less four binomial standard errors.
    shares, repetitions = [0.4, 0.3, 0.15, 0.1, 0.05], 60
    held = []
    for seed in range(repetitions):
        rng = np.random.default_rng(20 + seed)
        x = modes(rng.multinomial(400, shares), seed=seed)
        y = modes(rng.multinomial(400, shares), seed=seed + 1000)
        table = tw.metrics.mode_coverage(x, y, clusters=5, threads=1).table
        held.extend((table["low"] <= 1.0) & (table["high"] >= 1.0))
    assert np.mean(held) >= 0.95 - 4.0 * math.sqrt(0.05 * 0.95 / len(held))

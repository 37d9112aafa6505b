"""Every value and null of a comparison, computed again from the same split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import scipy.stats
from scipy.spatial.distance import cdist

import tailwatch as tw
from tailwatch.comparison.metrics.neighbors import Neighborhoods
from tailwatch.comparison.registry import METRICS
from tests.support import anchored, oracle, samples

if TYPE_CHECKING:
    from tests.support.anchored import Array, Numbers, Trio

LEVELS, K, SEED = (0.2, 0.05, 0.01), 3, 5
ROWS = 200
"""Of A, B and C: each level of 2 · 200 pooled rows is a whole number."""
NEIGHBORS = {name for name, metric in METRICS.items() if metric.family is Neighborhoods}

X = samples.clusters(1, 2 * ROWS, 6)
Y = np.concatenate([0.9 * samples.clusters(2, ROWS + 3, 6, centres=6), X[:7], 1.5 * X[7:10]])


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return tw.compare(X, Y, k=K, tail_levels=LEVELS, seed=SEED, threads=2).frame


@pytest.fixture(scope="module")
def abc() -> Trio:
    return anchored.trio(X, Y, seed=SEED)


def column(frame: pl.DataFrame, name: str) -> Numbers:
    return dict(zip(frame.select("metric", "level").iter_rows(), frame[name], strict=True))


def pick(numbers: Numbers, names: set[str]) -> Numbers:
    return {key: value for key, value in numbers.items() if key[0] in names}


@pytest.mark.parametrize(("name", "other"), [("value", 2), ("null", 1)])
def test_neighbours(name: str, other: int, frame: pl.DataFrame, abc: Trio) -> None:
    a, b, _ = abc
    expected = anchored.neighbor_metrics(a, b, abc[other], LEVELS, K)
    assert pick(column(frame, name), NEIGHBORS) == pytest.approx(expected, rel=1e-12)


def modes_kept(a: Array, y: Array, level: float) -> float:
    found = tw.metrics.mode_coverage(a, y, level=level, seed=SEED)
    if level < 1 - 1e-6:
        return 1 - found.lost_share
    # Of all modes, 95 % for all of their intervals together.
    modes = found.table.filter(pl.col("reference") > 0)
    human, candidate = modes["reference"].to_numpy(), modes["candidate"].to_numpy()
    highest = scipy.stats.beta.ppf(1 - 0.025 / modes.height, candidate + 1, human)
    return float(1 - np.mean(highest / (1 - highest) * len(a) / len(y) < 0.5))


def others(a: Array, y: Array, pooled: Array) -> Numbers:
    """Metrics that one sample beside another gives, by definition or by their own function."""
    d = a.shape[1]
    cubic = [oracle.polynomial_kernel(p, q, 3, 1 / d, 1.0) for p, q in ((a, a), (y, y), (a, y))]
    bandwidth = oracle.median_distance(pooled[:-1], pooled[-1:])
    bell = [oracle.gaussian_kernel(p, q, bandwidth) for p, q in ((a, a), (y, y), (a, y))]
    spectrum = oracle.spectrum(y)
    exact, normalised = oracle.copies(a, y)
    return {
        ("copies", None): exact / len(y),
        ("normalised_copies", None): normalised / len(y),
        ("duplicates", None): 0.0,
        ("mode_coverage", 0.05): modes_kept(a, y, 0.05),
        ("mode_coverage", 1.0): modes_kept(a, y, 1 - 1e-9),
        ("directional_tails", 0.01): tw.metrics.directional_tails(a, y, seed=SEED).mean,
        ("frechet_distance", None): oracle.frechet_by_eigenvalues(a, y),
        ("mmd_polynomial", None): oracle.mmd(*cubic, unbiased=True),
        ("mmd_gaussian", None): oracle.mmd(*bell, unbiased=True),
        ("energy_distance", None): oracle.energy_distance(a, y, unbiased=True),
        ("total_variance", None): spectrum.trace,
        ("effective_rank", None): spectrum.effective_rank,
        ("participation_ratio", None): spectrum.participation_ratio,
    }


@pytest.mark.parametrize(("name", "other"), [("value", 2), ("null", 1)])
def test_the_others(name: str, other: int, frame: pl.DataFrame, abc: Trio) -> None:
    expected = others(abc[0], abc[other], np.concatenate(abc[:2]))
    found = column(frame, name)
    assert {key: found[key] for key in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert len(found) == len(expected) + 7 + 5 * len(LEVELS)
    energy, share = found["energy_distance", None], found["energy_coefficient", None]
    assert share == pytest.approx(energy / (2 * cdist(abc[0], abc[other]).mean()), rel=1e-12)


def test_all_rows(frame: pl.DataFrame, abc: Trio) -> None:
    expected = others(X, Y, np.concatenate(abc[:2]))
    prdc = oracle.prdc(X, Y, K)
    for name in ("precision", "recall", "density", "coverage"):
        expected[name, None] = getattr(prdc, name)
    energy = expected["energy_distance", None]
    expected["energy_coefficient", None] = energy / (2 * cdist(X, Y).mean())
    expected["clipped_density", None] = oracle.clipped_density(X, Y, K)
    expected["clipped_coverage", None] = oracle.clipped_coverage(X, Y, K)
    for row in oracle.tail_coverage(X, Y, LEVELS, K):
        expected["tail_coverage", row.level] = row.coverage
        expected["tail_recall", row.level] = row.recall
        expected["tail_mass", row.level] = row.mass / row.level
        expected["tail_supported_mass", row.level] = row.supported_mass / row.level
        rarest = oracle.tail_weights(oracle.radii(np.concatenate([X, Y]), K), row.level)
        of_x, of_y = rarest[: len(X)].sum(), rarest[len(X) :].sum()
        odds = of_y / (len(Y) - of_y) * (len(X) - of_x) / of_x
        expected["tail_odds_ratio", row.level] = odds
    assert column(frame, "value_all") == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_retention_is_value_over_null_or_excess_in_standard_errors(frame: pl.DataFrame) -> None:
    split = frame
    shares = split.filter((pl.col("direction") != "lower") & (pl.col("null") > 0))
    assert shares.height > 20
    ratio = shares["value"] / shares["null"]
    assert shares["retention"].to_list() == pytest.approx(ratio.to_list(), rel=1e-12)
    closed = split.filter(pl.col("method") == "closed variance").to_dicts()
    assert {row["metric"] for row in closed} == {
        "mmd_polynomial",
        "mmd_gaussian",
        "energy_distance",
        "energy_coefficient",
    }
    for row in closed:
        error = (row["null_high"] - row["null_low"]) / (2 * 1.959963984540054)
        assert row["retention"] == pytest.approx((row["value"] - row["null"]) / error, rel=1e-9)


def test_odds_are_those_of_the_table_where_a_tail_is_no_whole_share() -> None:
    # ⌈0.05 · 150⌉ = 8 pooled rows, of which 0.05 is not the share.
    x, y = samples.gaussian(3, 150, 4), 0.8 * samples.gaussian(4, 75, 4)
    found = tw.compare(x, y, metrics=["tail_odds_ratio"], tail_levels=[0.05], seed=SEED).frame
    a, b, c = anchored.trio(x, y, seed=SEED)
    row = found.row(0, named=True)
    for name, other in (("value", c), ("null", b)):
        expected = anchored.neighbor_metrics(a, b, other, [0.05], 5)["tail_odds_ratio", 0.05]
        assert row[name] == pytest.approx(expected, rel=1e-12), name

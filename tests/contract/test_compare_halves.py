"""Half-sample replicates, computed again from the rows of each half."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tailwatch import _core
from tailwatch.comparison.halves import GROUPS, REPLICATES
from tailwatch.comparison.metrics.neighbors import odds_ratio
from tests.support import anchored, oracle, samples
from tests.support.meetings import found_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.anchored import Array, Memberships, Trio

SEED, K, LEVELS, ROWS = 11, 2, (0.125, 0.0625), 96
"""Rows and levels whose tails, in halves too, are whole numbers of rows."""

A, B, C = (
    samples.clusters(1, ROWS, 3),
    samples.clusters(2, ROWS, 3),
    0.7 * samples.clusters(3, ROWS, 3, centres=6),
)
TRIO = (anchored.rows_of(A), anchored.rows_of(B), anchored.rows_of(C))


@pytest.fixture(scope="module")
def dealt() -> Memberships:
    return anchored.memberships(SEED)


@pytest.fixture(scope="module")
def paired() -> Memberships:
    return anchored.memberships(SEED, complementary=True)


def trios(dealt: Memberships) -> list[Trio]:
    """The whole, then each half."""
    halves = [
        (dealt.subset(0, half, A), dealt.subset(1, half, B), dealt.subset(2, half, C))
        for half in range(REPLICATES)
    ]
    return [(A, B, C), *halves]


def test_halves_hold_half_of_the_groups_and_differ(dealt: Memberships) -> None:
    for of_sample in dealt.of:
        assert of_sample.shape == (REPLICATES, GROUPS)
        assert (of_sample.sum(axis=1) == GROUPS // 2).all()
        assert len(np.unique(of_sample, axis=0)) == REPLICATES
    # Samples are halved independently of each other.
    assert (dealt.of[0] != dealt.of[1]).any()
    assert (dealt.of[1] != dealt.of[2]).any()
    assert (anchored.memberships(SEED + 1).of[0] != dealt.of[0]).any()


def test_every_second_half_is_the_complement(paired: Memberships) -> None:
    for of_sample in paired.of:
        assert (of_sample[1::2] == ~of_sample[0::2]).all()


def shown(metric: str, level: float | None) -> Callable[[Array], Array]:
    """From the counted form to the metric."""
    if metric == "clipped_density":
        own = oracle.clipped_density_of(A, A, K, own=True)
        return lambda counted: np.minimum(counted / own, 1.0)
    if metric == "clipped_coverage":
        return good_shares_of_subsets
    if level is None or metric in {"tail_coverage", "tail_recall"}:
        return lambda counted: counted
    if metric == "tail_odds_ratio":
        # Levels are such that a half's tail is half of the whole's: one table serves both.
        tail = int(level * 2 * ROWS)
        return partial(odds_ratio, tail=tail, reference=ROWS, candidate=ROWS)
    return lambda counted: counted / level


def good_shares_of_subsets(counted: Array) -> Array:
    """The whole's first, then those of halves, which have half of the rows on either side."""
    sizes = [ROWS, *[ROWS // 2] * REPLICATES]
    shares = [oracle.good_share(c, rows, rows, K) for c, rows in zip(counted, sizes, strict=True)]
    return np.array(shares)


def neighbors(parts: str) -> dict[tuple[str, float | None], tuple[Array, Array]]:
    replicates = (REPLICATES, SEED, parts)
    prepared = _core.prepare_neighbors(TRIO[:2], replicates, LEVELS, K, anchored.SETTINGS)
    return found_of(prepared, TRIO[0], TRIO[2])


def test_neighbour_metrics_of_every_half(dealt: Memberships) -> None:
    expected = [
        [anchored.neighbor_metrics(a, b, y, LEVELS, K) for y in (c, b)] for a, b, c in trios(dealt)
    ]
    found = neighbors("halves and three quarters")
    own, _ = found.pop(("clipped_density_of_a", None))
    assert (own == own[0]).all()
    assert own[0] == pytest.approx(oracle.clipped_density_of(A, A, K, own=True), rel=1e-12)
    assert len(found) == 6 + 5 * len(LEVELS)
    for (metric, level), (values, nulls) in found.items():
        show = shown(metric, level)
        for index, counted in enumerate((values, nulls)):
            assert len(counted) == 1 + REPLICATES
            wanted = [of_subset[index][metric, level] for of_subset in expected]
            # The replicates of density are no halves: the core's own test has them.
            compared = slice(1) if metric == "density" else slice(None)
            counted_so = show(counted)[compared].tolist()
            assert counted_so == pytest.approx(wanted[compared], rel=1e-12), (metric, level)


def test_other_metrics_do_not_depend_on_density() -> None:
    with_density, without = neighbors("halves and three quarters"), neighbors("halves")
    assert with_density.pop(("density", None))
    assert with_density.keys() == without.keys()
    for key, expected in with_density.items():
        np.testing.assert_array_equal(without[key], expected)


def test_moments_of_every_half(paired: Memberships) -> None:
    replicates = (REPLICATES, SEED, "complementary halves")
    prepared = _core.prepare_moments(TRIO[:2], replicates, True, anchored.SETTINGS)
    found = {metric: both for (metric, _), both in found_of(prepared, TRIO[0], TRIO[2]).items()}
    for index in (0, 1):
        for subset, (a, b, c) in enumerate(trios(paired)):
            y = (c, b)[index]
            spectrum = oracle.spectrum(y)
            expected = {
                "frechet_distance": oracle.frechet_by_eigenvalues(a, y),
                "total_variance": spectrum.trace,
                "effective_rank": spectrum.effective_rank,
                "participation_ratio": spectrum.participation_ratio,
            }
            of_subset = {metric: float(both[index][subset]) for metric, both in found.items()}
            assert of_subset == pytest.approx(expected, rel=1e-9)


def test_spectra_do_not_depend_on_the_distance() -> None:
    replicates = (REPLICATES, SEED, "complementary halves")
    with_distance, without = (
        found_of(
            _core.prepare_moments(TRIO[:2], replicates, distance, anchored.SETTINGS),
            TRIO[0],
            TRIO[2],
        )
        for distance in (True, False)
    )
    assert with_distance.pop(("frechet_distance", None))
    assert with_distance.keys() == without.keys()
    for key, expected in with_distance.items():
        np.testing.assert_array_equal(without[key], expected)


def test_directional_tails_of_every_half(dealt: Memberships) -> None:
    level, count = 0.25, 8
    directions = _core.directions(TRIO[0], count, SEED, anchored.SETTINGS)
    prepared = _core.prepare_directions(
        TRIO[:2], (REPLICATES, SEED, "halves"), level, count, anchored.SETTINGS
    )
    ((values, nulls),) = found_of(prepared, TRIO[0], TRIO[2]).values()
    # Directions are those of the whole of A; quantiles are those of each half of it.
    for subset, (a, b, c) in enumerate(trios(dealt)):
        for counted, y in ((values, c), (nulls, b)):
            expected = oracle.directional_ratios(a, y, level, np.reshape(directions, (count, -1)))
            assert counted[subset] == pytest.approx(float(expected.mean()), rel=1e-12)

"""Brute-force readings of a comparison: halves A and B of the reference, C of the candidate.

A is the anchor. Rarity and balls come from A alone, and the threshold of a tail is the rarity that
a share α of B reaches, so that what counts of C is what counted of B.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.comparison.halves import GROUPS, REPLICATES
from tests.support import oracle
from tests.support.meetings import found_of, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Trio = tuple[Array, Array, Array]
    Numbers = dict[tuple[str, float | None], float]

__all__ = ["SETTINGS", "Memberships", "memberships", "neighbor_metrics", "rows_of", "trio"]

SETTINGS: _core.Settings = {"threads": 1, "progress": None}


def rows_of(array: Array) -> _core.Rows:
    """Hand an array to the core."""
    return _core.Rows.from_numpy([np.ascontiguousarray(array)], "test")


def trio(reference: Array, candidate: Array, *, seed: int, max_rows: int | None = None) -> Trio:
    """Split as a comparison does; the parts of quadratic cost if `max_rows` is given."""
    drawn = split(reference, candidate, max_rows=max_rows, seed=seed)
    a, b, c = (rows.to_numpy() for rows in drawn.bounded)
    return a, b, c


def neighbor_metrics(a: Array, b: Array, y: Array, levels: Sequence[float], k: int) -> Numbers:
    """All neighbour-based metrics of ``y`` (C for the value, B for the null) as they are shown."""
    prdc = oracle.prdc(a, y, k)
    found: Numbers = {
        ("precision", None): prdc.precision,
        ("recall", None): prdc.recall,
        ("density", None): prdc.density,
        ("coverage", None): prdc.coverage,
        ("clipped_density", None): oracle.clipped_density(a, y, k),
        ("clipped_coverage", None): oracle.clipped_coverage(a, y, k),
    }
    between = oracle.distances(a, y)
    r_a = oracle.radii(a, k)
    in_a_balls = between <= r_a[:, None]
    in_y_balls = between <= oracle.radii(y, k)[None, :]
    rarity_of_y = np.sort(between, axis=0)[k - 1]
    rarity_of_b = np.sort(oracle.distances(a, b), axis=0)[k - 1]
    pooled = oracle.radii(np.concatenate([a, y]), k)
    for level in levels:
        tail = oracle.tail_weights(r_a, level) / oracle.tail_size(level, len(a))
        of_b = oracle.tail_weights(rarity_of_b, level)
        edge = rarity_of_b[of_b > 0].min()
        at_edge = of_b[rarity_of_b == edge][0]
        rare = np.where(rarity_of_y == edge, at_edge, rarity_of_y > edge)
        rarest = oracle.tail_weights(pooled, level)
        of_a, of_y = rarest[: len(a)].sum(), rarest[len(a) :].sum()
        odds = of_y * (len(a) - of_a)
        found |= {
            ("tail_coverage", level): float(tail @ in_a_balls.any(axis=1)),
            ("tail_recall", level): float(tail @ in_y_balls.any(axis=1)),
            ("tail_mass", level): float(rare.mean()) / level,
            ("tail_supported_mass", level): float((rare * in_a_balls.any(axis=0)).mean()) / level,
            ("tail_odds_ratio", level): odds / (of_a * (len(y) - of_y)) if of_a else np.inf,
        }
    return found


@dataclass(frozen=True)
class Memberships:
    """Which groups each half-sample holds: for A, B and C an array [half, group]."""

    of: tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]

    def subset(self, sample: int, half: int, array: Array) -> Array:
        """Rows of one half-sample of one sample; row i is in group i mod 32."""
        chosen: Array = array[self.of[sample][half][np.arange(len(array)) % GROUPS]]
        return chosen


def memberships(seed: int, *, complementary: bool = False) -> Memberships:
    """Find out from outside which groups the halves hold.

    In samples of one row per group, a half has some variance just where it holds the only row that
    differs. The spectra show that of B and of C, and the Fréchet distance from zeros that of A.
    """
    halves = (REPLICATES, seed, "complementary halves" if complementary else "halves")
    zeros, shape = np.zeros((GROUPS, 1)), (REPLICATES, GROUPS)
    of_a, of_b, of_c = (np.zeros(shape, dtype=np.bool_) for _ in range(3))
    for group in range(GROUPS):
        marked = zeros.copy()
        marked[group] = 1.0
        mark, zero = rows_of(marked), rows_of(zeros)
        others = _core.prepare_moments((zero, mark), halves, True, SETTINGS)
        values, nulls = found_of(others, zero, mark)["total_variance", None]
        of_c[:, group], of_b[:, group] = values[1:] > 0, nulls[1:] > 0
        anchor = _core.prepare_moments((mark, zero), halves, True, SETTINGS)
        values, _ = found_of(anchor, mark, zero)["frechet_distance", None]
        of_a[:, group] = values[1:] > 1e-9
    return Memberships((of_a, of_b, of_c))

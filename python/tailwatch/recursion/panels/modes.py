"""Rows between the modes of human data: what becomes of them when modes are entangled.

Modes are the clusters of the human half A, where it has any: k-means with the number of clusters
k ≤ 12 whose mean silhouette s is largest, if s is at least 0.5 ("a reasonable structure":
Kaufman & Rousseeuw 1990); otherwise there is nothing to entangle, and no row. With the distances
d₁ ≤ d₂ of a row to the two nearest centres, it lies *between modes* if (d₂ − d₁)/(d₂ + d₁) is below
the 5 % quantile of A. Value is the share of such rows in the samples C, null that in the human half
B, each with its binomial interval (Wilson), A being given.

O(h · 12²) distances once per run, O(h · k) per generation, for h rows in each half.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.recursion.panels.retained import retained
from tailwatch.recursion.randomness import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.recursion.frame import Row
    from tailwatch.recursion.panels.retained import Triple

    Matrix = NDArray[np.float64]

__all__ = ["compare_modes", "human_modes"]

MOST_MODES = 12
MOST_ROWS = 500
"""Rows that modes are looked for in."""
LEAST_SILHOUETTE = 0.5
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Modes:
    """Centres of the modes, and what counts as between them."""

    centres: Matrix
    cut: float

    def between(self, rows: Matrix) -> int:
        """Count the rows between modes."""
        return int((_margins(rows, self.centres) < self.cut).sum())


def compare_modes(
    halves: tuple[Matrix, Matrix, Matrix], *, seed: int, confidence: float
) -> list[Row]:
    """Count rows between the modes of A, in C and in B.

    Parameters
    ----------
    halves
        Human halves A and B, and samples C.
    seed
        Of the search for modes.
    confidence
        Of the intervals.

    Returns
    -------
    list of dict
        One row of the frame, or none if human data have no separate modes.
    """
    a, b, c = halves
    modes = _modes_of(Bytes(a), seed)
    if modes is None:
        return []
    value, null = (_share(modes.between(rows), len(rows), confidence) for rows in (c, b))
    names = ("value", "low", "high", "null", "null_low", "null_high")
    kept = ("retention", "retention_low", "retention_high")
    return [
        {
            "group": "panel",
            "metric": "between_modes",
            **dict(zip(names, (*value, *null), strict=True)),
            **dict(zip(kept, retained(value, null), strict=True)),
            "direction": "match",
            "n_reference": len(a),
            "n_candidate": len(c),
            "method": f"binomial (Wilson), the {len(modes.centres)} modes being given",
        }
    ]


def human_modes(rows: Matrix, seed: int) -> Modes | None:
    """Find the modes of human rows; None if they are not separate."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    rng = generator(seed, 0, "panel")
    some = rows
    if len(rows) > MOST_ROWS:
        some = rows[np.sort(rng.choice(len(rows), MOST_ROWS, replace=False, shuffle=False))]
    most = min(MOST_MODES, len(np.unique(some, axis=0)) - 1)
    found: list[tuple[float, Matrix]] = []
    # So few rows are done before a second thread has started.
    with threadpool_limits(1):
        for k in range(2, most + 1):
            fitted = KMeans(k, n_init=2, random_state=int(rng.integers(2**31))).fit(some)
            found.append((silhouette_score(some, fitted.labels_), fitted.cluster_centers_))
    if not found:
        return None
    score, centres = max(found, key=lambda pair: pair[0])
    if score < LEAST_SILHOUETTE:
        return None
    return Modes(centres, float(np.quantile(_margins(rows, centres), LEVEL)))


def _margins(rows: Matrix, centres: Matrix) -> Matrix:
    """How much nearer one centre is than any other: 0 in the middle of two, 1 on a centre."""
    # Around the mean of the centres, so that the squares below are no larger than they have to be.
    origin = centres.mean(axis=0)
    x, c = rows - origin, centres - origin
    squares = (x**2).sum(axis=1)[:, None] - 2 * x @ c.T + (c**2).sum(axis=1)
    nearest = np.sqrt(np.maximum(np.partition(squares, 1, axis=1)[:, :2], 0.0))
    total = nearest.sum(axis=1)
    margins: Matrix = np.where(total > 0, (nearest[:, 1] - nearest[:, 0]) / total, 0.0)
    return margins


def _share(count: int, rows: int, confidence: float) -> Triple:
    from scipy.stats import binomtest

    interval = binomtest(count, rows).proportion_ci(confidence, method="wilson")
    return count / rows, float(interval.low), float(interval.high)


class Bytes:
    """Rows that are known by their bytes, so that what was made of them can be kept."""

    def __init__(self, rows: Matrix) -> None:
        self.rows = rows
        self.digest = hashlib.sha256(np.ascontiguousarray(rows).tobytes()).digest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bytes) and other.digest == self.digest


@lru_cache(maxsize=4)
def _modes_of(rows: Bytes, seed: int) -> Modes | None:
    return human_modes(rows.rows, seed)

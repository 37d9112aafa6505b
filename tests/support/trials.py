"""Trials of exactness: data that try a search for neighbours, and its brute force to the last bit.

The core sums squared differences in eight lanes (column j in lane j mod 8), which are added up in
one fixed tree, without fused operations. NumPy can do the same, so that distances are compared by
their bits, and neighbours with all their ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

import tailwatch as tw
from tests.support import forms
from tests.support.oracle import tail_size, tail_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["COLUMNS", "KINDS", "LEVELS", "Trial", "mismatches"]

COLUMNS = (1, 3, 4, 7, 15, 16, 63, 64, 65, 511, 768, 2049)
"""Around the widths at which something changes in the core."""

LEVELS = (0.1, 0.03)


def _low_rank(rng: np.random.Generator, rows: int, columns: int) -> Array:
    axes = np.random.default_rng(columns).normal(size=(3, columns))
    return rng.normal(size=(rows, 3)) @ axes


def _clusters(rng: np.random.Generator, rows: int, columns: int) -> Array:
    centres = np.random.default_rng(columns).normal(scale=50.0, size=(5, columns))
    return centres[rng.integers(5, size=rows)] + rng.normal(scale=1e-3, size=(rows, columns))


def _constant(rng: np.random.Generator, rows: int, columns: int) -> Array:
    data = rng.normal(size=(rows, columns))
    data[:, ::2] = 3.5
    return data


def _copies(rng: np.random.Generator, rows: int, columns: int) -> Array:
    few = rng.normal(size=(rows // 3 + 1, columns))
    return few[rng.integers(len(few), size=rows)]


def _heavy_coordinate(rng: np.random.Generator, rows: int, columns: int) -> Array:
    data = rng.normal(size=(rows, columns))
    data[:, columns // 2] *= 1000.0
    return data


KINDS: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "gaussian": lambda rng, n, d: rng.normal(size=(n, d)),
    "low rank": _low_rank,
    "clusters": _clusters,
    "heavy tails": lambda rng, n, d: rng.standard_t(1.5, size=(n, d)),
    "sparse": lambda rng, n, d: np.maximum(rng.normal(size=(n, d)) - 1.0, 0.0),
    "constant columns": _constant,
    "copies": _copies,
    "heavy coordinate": _heavy_coordinate,
    "lattice": lambda rng, n, d: rng.integers(0, 3, size=(n, d)).astype(np.float64),
    "offset": lambda rng, n, d: 1e6 + rng.normal(size=(n, d)),
    "large": lambda rng, n, d: 1e20 * rng.normal(size=(n, d)),
    "small": lambda rng, n, d: 1e-20 * rng.normal(size=(n, d)),
}
"""Reference and candidate of a kind lie in the same places."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One pair of samples and what is asked of them."""

    kind: str
    rows: int
    others: int
    columns: int
    k: int
    dtype: str
    seed: int

    def samples(self) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Reference and candidate."""
        rng = np.random.default_rng(self.seed)
        draw = KINDS[self.kind]
        x, y = (draw(rng, rows, self.columns) for rows in (self.rows, self.others))
        return x.astype(self.dtype), y.astype(self.dtype)


def squared_distances(x: Array, y: Array) -> Array:
    """Σ(x−y)² of every pair of rows, in the lanes and the tree of the core."""
    columns = x.shape[1]
    padding = ((0, 0), (0, -columns % 8))
    x, y = (np.pad(rows.astype(np.float64), padding).reshape(len(rows), -1, 8) for rows in (x, y))
    lanes = np.zeros((len(x), len(y), 8))
    for group in range(x.shape[1]):
        difference = x[:, None, group] - y[None, :, group]
        lanes += difference * difference
    a, b, c, d, e, f, g, h = np.moveaxis(lanes, -1, 0)
    return ((a + e) + (c + g)) + ((b + f) + (d + h))


def _nearest(distances: Array, k: int) -> tuple[Array, NDArray[np.int64]]:
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, axis=1), order.astype(np.int64)


def in_pieces(rows: NDArray[np.floating], pieces: int) -> NDArray[np.floating] | pa.ChunkedArray:
    """Cut rows into so many Arrow chunks of nearly one size; one piece is the array itself."""
    if pieces == 1:
        return rows
    return pa.chunked_array([forms.fixed_size(part) for part in np.array_split(rows, pieces)])


def mismatches(
    trial: Trial, *, threads: int | None = None, pieces: tuple[int, int] = (1, 1)
) -> list[str]:
    """Compare the package with brute force; the names of what differs in any bit.

    The package gets reference and candidate in so many `pieces`.
    """
    x, y = trial.samples()
    k = trial.k
    # As they are reported: squares that share a root are one distance.
    within_x, within_y, between = (
        np.sqrt(squared_distances(*pair)) for pair in ((x, x), (y, y), (x, y))
    )
    np.fill_diagonal(within_x, np.inf)
    np.fill_diagonal(within_y, np.inf)
    own, across = _nearest(within_x, k), _nearest(between.T, k)
    radii_x, radii_y = own[0][:, -1], _nearest(within_y, k)[0][:, -1]
    in_x_balls, in_y_balls = between <= radii_x[:, None], between <= radii_y[None, :]
    n, m = between.shape
    x, y = (in_pieces(rows, count) for rows, count in zip((x, y), pieces, strict=True))

    wrong = []
    for name, (distances, indices), found in (
        (
            "within",
            own,
            tw.metrics.nearest_neighbors(x, x, k=k, exclude_self=True, threads=threads),
        ),
        ("across", across, tw.metrics.nearest_neighbors(y, x, k=k, threads=threads)),
    ):
        same = np.array_equal(found[0], distances) and np.array_equal(found[1], indices)
        wrong += [] if same else [f"neighbours {name}"]
    prdc = tw.metrics.precision_recall_density_coverage(x, y, k=k, threads=threads)
    expected = (
        int(in_x_balls.any(axis=0).sum()) / m,
        int(in_y_balls.any(axis=1).sum()) / n,
        int(in_x_balls.sum()) / (k * m),
        int(in_x_balls.any(axis=1).sum()) / n,
    )
    found_prdc = (prdc.precision, prdc.recall, prdc.density, prdc.coverage)
    wrong += [] if found_prdc == expected else ["PRDC"]
    rarity = across[0][:, -1]
    tails = tw.metrics.tail_coverage(x, y, levels=LEVELS, k=k, threads=threads)
    for level, *found_tail in tails.drop("rows").iter_rows():
        weights = tail_weights(radii_x, level)
        edge = radii_x[weights > 0].min()
        rare = np.where(rarity == edge, weights[radii_x == edge][0], rarity > edge)
        expected_tail = [
            weights @ in_x_balls.any(axis=1) / tail_size(level, n),
            weights @ in_y_balls.any(axis=1) / tail_size(level, n),
            rare.sum() / m,
            rare @ in_x_balls.any(axis=0) / m,
        ]
        # Shares of ties are added in an order of their own.
        same = np.allclose(found_tail, expected_tail, rtol=1e-13, atol=0)
        wrong += [] if same else [f"tail at {level}"]
    return wrong

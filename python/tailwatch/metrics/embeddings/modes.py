"""Which modes of the reference the candidate still has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch import _core
from tailwatch.arguments import integer, share
from tailwatch.distributions import beta_quantile
from tailwatch.embeddings import as_embeddings
from tailwatch.metrics.categorical.comparison import equal_shares
from tailwatch.progress import running

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption, Settings

    Matrix = NDArray[np.float64]

__all__ = [
    "ModeCoverage",
    "default_clusters",
    "mode_coverage",
    "mode_table",
    "rare_and_lost",
    "separate_modes",
    "silhouette",
]

MOST_MODES = 12
MOST_ROWS = 500
"""Rows that modes are looked for in."""
SEEDINGS = 2
"""Starts of k-means for each number of modes; that with the tightest clusters counts."""
LEAST_SILHOUETTE = 0.5


@dataclass(frozen=True, slots=True)
class ModeCoverage:
    """Which modes of a reference a candidate still has.

    Attributes
    ----------
    clusters
        Number of modes.
    rare_modes
        The smallest modes, as many as it takes to hold the rarest share of the reference.
    lost_modes
        Rare modes that were lost: the 95 % interval of the candidate's share over the reference's
        ends below 0.5. Modes of equal size that share the last places among the rare ones count in
        proportion.
    lost_share
        ``lost_modes`` over ``rare_modes``, in [0, 1].
    chi_square
        Pearson's χ² of the counts by mode and sample.
    p_value
        Of equal shares in all modes. χ² distribution where every expected count is at least 5, else
        10,000 seeded permutations of the rows.
    table
        One row per mode, smallest first: ``mode``, ``reference`` and ``candidate`` (rows),
        ``ratio`` of shares with ``low`` and ``high``, ``rare`` (1, or less of modes that share
        places, or 0), ``lost`` (of those that are rare at all).
    """

    clusters: int
    rare_modes: int
    lost_modes: float
    lost_share: float
    chi_square: float
    p_value: float
    table: pl.DataFrame


def mode_coverage(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    clusters: int | None = None,
    level: float = 0.05,
    seed: int = 0,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> ModeCoverage:
    """Find modes of the reference by k-means and count which of the rare ones were lost.

    The rare modes are the smallest ones that together hold at least the share `level` of the
    reference; where more modes are of the size of the largest of them, all of these count in
    proportion. Each mode's interval is that of a ratio of two binomial shares given their total
    (Clopper–Pearson).

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    clusters
        Number of modes; ⌈√(n/2)⌉ by default.
    level
        The share of the reference that the rare modes hold.
    seed
        Seed of k-means and of the permutations.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    ModeCoverage
        Lost share of the rare modes, test of equal shares, and the table by mode.

    Raises
    ------
    InputError
        Bad data, or more clusters than rows.

    Notes
    -----
    O((n·rounds + m)·clusters·d) time; besides the embeddings, a byte for each of their values and
    O(n + m) memory. Modes are fitted to
    the reference, so a fresh sample of the same distribution fits them slightly worse: compare with
    the null.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> centres = 20 * rng.normal(size=(10, 4))
    >>> human = centres[rng.integers(10, size=2000)] + rng.normal(size=(2000, 4))
    >>> kept = human[np.linalg.norm(human - centres[0], axis=1) > 8]
    >>> found = tw.metrics.mode_coverage(human, kept, clusters=10, level=0.99)
    >>> found.rare_modes, found.lost_modes
    (10, 1.0)
    """
    level = share(level, "level")
    seed = integer(seed, "seed", least=0)
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    if clusters is None:
        clusters = default_clusters(x.shape[0])
    clusters = integer(clusters, "clusters")
    with running(threads, progress) as settings:
        centres = _core.k_means(x, "reference", clusters, seed, settings)
        labels = [centres.assign(rows, settings) for rows in (x, y)]
    counts = [np.bincount(of_sample, minlength=clusters) for of_sample in labels]
    table = mode_table(counts[0], counts[1], level=level)
    equality = equal_shares(counts[0], counts[1], seed=seed)
    rare, lost = rare_and_lost(table)
    return ModeCoverage(
        clusters, rare, lost, lost / rare, equality.statistic, equality.p_value, table
    )


def default_clusters(rows: int) -> int:
    """⌈√(n/2)⌉ modes."""
    return math.ceil(math.sqrt(rows / 2))


def mode_table(
    reference: NDArray[np.integer[Any]],
    candidate: NDArray[np.integer[Any]],
    *,
    level: float,
    confidence: float = 0.95,
) -> pl.DataFrame:
    """Compare the counts by mode, smallest reference count first."""
    order = np.lexsort((np.arange(len(reference)), reference))
    x, y = reference[order].astype(np.float64), candidate[order].astype(np.float64)
    n, m = x.sum(), y.sum()
    rare = _share_rare(x, level * n)
    # Given x + y, y is binomial with odds (ratio · m/n): Clopper–Pearson on that share.
    tail = (1 - confidence) / 2
    low = np.where(y > 0, beta_quantile(tail, np.maximum(y, 1), x + 1), 0.0)
    high = np.where(x > 0, beta_quantile(1 - tail, y + 1, np.maximum(x, 1)), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (y / m) / (x / n)
        low, high = (share / (1 - share) * n / m for share in (low, high))
    return pl.DataFrame(
        {
            "mode": order.astype(np.int64),
            "reference": x.astype(np.int64),
            "candidate": y.astype(np.int64),
            "ratio": ratio,
            "low": low,
            "high": high,
            "rare": rare,
            "lost": (rare > 0) & (high < 0.5),
        }
    )


def _share_rare(sizes: NDArray[np.float64], rows: float) -> NDArray[np.float64]:
    """Return by what share each mode is among the smallest that hold `rows`; sizes ascend."""
    # A mode without reference rows is an artefact of k-means on copies, not a mode.
    is_mode = sizes > 0
    places = int(((np.cumsum(sizes) - sizes < rows - 1e-9) & is_mode).sum())
    edge = sizes[is_mode][places - 1]
    smaller, tied = is_mode & (sizes < edge), sizes == edge
    shared = (places - int(smaller.sum())) / int(tied.sum())
    return np.where(smaller, 1.0, np.where(tied, shared, 0.0))


def rare_and_lost(table: pl.DataFrame) -> tuple[int, float]:
    """Count the rare modes, and those of them that were lost."""
    return round(table["rare"].sum()), float(table.filter("lost")["rare"].sum())


def separate_modes(rows: Matrix, rng: np.random.Generator, settings: Settings) -> Matrix | None:
    """Find the modes of rows, if they have several that are apart.

    Modes are the clusters of k-means with the number of clusters k ≤ 12 whose mean silhouette is
    largest, if that is at least 0.5 ("a reasonable structure": Kaufman & Rousseeuw 1990). At most
    500 of the rows are looked at, drawn by `rng`.

    Returns
    -------
    numpy.ndarray or None
        Their centres.
    """
    some = rows
    if len(rows) > MOST_ROWS:
        some = rows[np.sort(rng.choice(len(rows), MOST_ROWS, replace=False, shuffle=False))]
    apart = _distances(some)
    handle = _core.Rows.from_numpy([np.ascontiguousarray(some)], "rows")
    found: list[tuple[float, Matrix]] = []
    for k in range(2, min(MOST_MODES, len(np.unique(some, axis=0)) - 1) + 1):
        fits = [
            _clustered(handle, some, k, int(rng.integers(2**31)), settings) for _ in range(SEEDINGS)
        ]
        centres, labels, _ = min(fits, key=lambda fit: fit[2])
        found.append((silhouette(apart, labels), centres))
    if not found:
        return None
    score, centres = max(found, key=lambda pair: pair[0])
    return centres if score >= LEAST_SILHOUETTE else None


def _clustered(
    handle: _core.Rows, rows: Matrix, k: int, seed: int, settings: Settings
) -> tuple[Matrix, NDArray[np.intp], float]:
    """Return centres, labels, and the sum of squared distances of rows from their centres."""
    quiet: Settings = {"threads": settings["threads"], "progress": None}
    fitted = _core.k_means(handle, "rows", k, seed, quiet)
    centres, labels = fitted.to_numpy(), fitted.assign(handle, quiet).astype(np.intp)
    return centres, labels, float(((rows - centres[labels]) ** 2).sum())


def silhouette(distances: Matrix, labels: NDArray[np.intp]) -> float:
    """Return the mean over rows of (b − a)/max(a, b).

    Parameters
    ----------
    distances
        Of all pairs of rows, n × n.
    labels
        The cluster of each row; at least two clusters.

    Returns
    -------
    float
        With a the mean distance of a row to the others of its cluster and b that to the rows of the
        next nearest cluster: 1 where clusters are points apart, 0 where they touch. A row that is
        its whole cluster counts 0 (Rousseeuw 1987).
    """
    member = (labels[:, None] == np.unique(labels)).astype(np.float64)
    sizes = member.sum(axis=0)
    sums = distances @ member
    own = member > 0
    of_own = sizes[own.argmax(axis=1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        within = sums[own] / (of_own - 1)
        between = np.where(own, np.inf, sums / sizes).min(axis=1)
        scores = (between - within) / np.maximum(within, between)
    return float(np.where(of_own > 1, np.nan_to_num(scores), 0.0).mean())


def _distances(rows: Matrix) -> Matrix:
    handle = _core.Rows.from_numpy([np.ascontiguousarray(rows)], "rows")
    quiet: Settings = {"threads": None, "progress": None}
    found, indices = _core.nearest_neighbors(handle, handle, len(rows), False, quiet)  # noqa: FBT003
    apart = np.empty_like(found)
    np.put_along_axis(apart, indices, found, axis=1)
    return apart

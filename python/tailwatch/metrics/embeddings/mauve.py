"""MAUVE: how much of the frontier between two distributions is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.arguments import integer, positive
from tailwatch.embeddings import as_embeddings
from tailwatch.progress import running

if TYPE_CHECKING:
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["FRONTIER", "default_mauve_clusters", "mauve"]

FRONTIER = (5.0, 25, 0.0)
"""Scaling, points and smoothing of the authors."""

MOST_SCALING, MOST_POINTS, MOST_SMOOTHING = 1e6, 100_000, 1e6
"""Bounds of the three."""


def mauve(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    clusters: int | None = None,
    scaling: float = FRONTIER[0],
    points: int = FRONTIER[1],
    smoothing: float = FRONTIER[2],
    seed: int = 0,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure MAUVE: the area under the divergence frontier of two samples.

    The pooled rows are clustered by k-means; P and Q are the shares of the clusters in X and in Y.
    With R_w = wP + (1 − w)Q for 0 < w < 1, the frontier is the curve of (exp(−c·KL(Q‖R_w)),
    exp(−c·KL(P‖R_w))), drawn through (1, 0) and (0, 1), and MAUVE is the area under it [1]_.

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    clusters
        Number of clusters; min(n, m)/10, rounded, at least 2, by default.
    scaling
        c, from above 0. It only stretches the scale; the authors use 5.
    points
        Weights w at which the frontier is computed, evenly spaced from 10⁻⁶ to 1 − 10⁻⁶; the
        area is that of the trapezia between them. The authors use 25.
    smoothing
        Rows added to every cluster of both samples: 0 is MAUVE, 0.5 (Krichevsky–Trofimov) is the
        MAUVE* of [2]_.
    seed
        Seed of k-means.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        In (0, 1], without unit: 1 where the histograms are equal, 0.004 with c = 5 and without
        smoothing where no cluster has rows of both.

    Raises
    ------
    InputError
        Bad data, more clusters than rows, or parameters that are no frontier's.

    Notes
    -----
    A fresh sample of the same distribution does not reach 1: with ten rows of each sample in a
    cluster, as by default, some 0.95. Compare with the null, at the same sizes and with the same
    number of clusters; values at different sizes do not compare.

    Given the same clusters the value is that of the authors' package ``mauve-text``. Its clusters
    are found otherwise: there rows are divided by their lengths, rotated to the principal axes that
    hold 90 % of the variance, rounded to float32, and the best of five runs of k-means from random
    rows is taken. Here rows are clustered as they are, once, from seeds drawn as k-means++ draws
    them, to the fixed point of Lloyd's algorithm: the value does not change when both samples are
    shifted, rotated or scaled together. Divide rows by their lengths first where their direction
    alone is to count.

    O((n + m)·clusters·d) time for each round of k-means, with all distances exact but few measured;
    besides the embeddings, a byte for each of their values, O(n + m) and O(clusters·d) memory.
    Beyond 131,072 rows in all, k-means goes through them in mini-batches, three times.

    References
    ----------
    .. [1] Pillutla et al. (2021), MAUVE: measuring the gap between neural text and human text using
       divergence frontiers.
    .. [2] Pillutla et al. (2023), MAUVE scores for generative models: theory and practice.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human = rng.normal(size=(2000, 8))
    >>> fresh, moved = rng.normal(size=(2000, 8)), 1.0 + rng.normal(size=(2000, 8))
    >>> near, far = (tw.metrics.mauve(human, other, clusters=20) for other in (fresh, moved))
    >>> near > 0.99, far < 0.2
    (True, True)
    """
    scaling = positive(scaling, "scaling", most=MOST_SCALING)
    points = integer(points, "points", least=2, most=MOST_POINTS)
    if smoothing != 0:
        smoothing = positive(smoothing, "smoothing", most=MOST_SMOOTHING)
    seed = integer(seed, "seed", least=0)
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    if clusters is None:
        clusters = default_mauve_clusters(x.shape[0], y.shape[0])
    clusters = integer(clusters, "clusters")
    with running(threads, progress) as settings:
        return _core.mauve(x, y, clusters, (scaling, points, float(smoothing)), seed, settings)


def default_mauve_clusters(reference: int, candidate: int) -> int:
    """Return the number of clusters at ten rows of the smaller sample to each."""
    return max(2, round(min(reference, candidate) / 10))

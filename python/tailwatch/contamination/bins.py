"""Bins of the score: quantiles of the pooled references, merged until each is seen in each.

A bin holds ``edges[b - 1] <= score < edges[b]``; the outer ones are open. The likelihood's χ² limit
needs a few counts of both references in every bin, so neighbours are merged until each has
`LEAST_COUNT`. Pseudo-counts would fill the bins too, but pull the templates together and destroy
the coverage of the interval.

Where the references hardly overlap no two bins can hold `LEAST_COUNT` of both. Then two bins
remain, cut where they are told apart best: the likelihood knows that a count of 0 is not a share of
0.

Cost: a sort of the references.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BINS", "LEAST_COUNT", "bin_counts", "human_edges", "shared_edges"]

BINS = 30
"""Quantile bins before merging: more buy less than 1 % of the interval's length."""

LEAST_COUNT = 3
"""Counts of each reference in each bin."""


def shared_edges(
    human: NDArray[np.float32], synthetic: NDArray[np.float32], bins: int = BINS
) -> NDArray[np.float32]:
    """Cut the scores of both references into bins.

    Parameters
    ----------
    human, synthetic
        Scores of the references, at least one each.
    bins
        Bins before merging.

    Returns
    -------
    numpy.ndarray
        Ascending inner edges, one fewer than there are bins. None where all scores are equal.
    """
    edges = _quantile_edges(np.concatenate([human, synthetic]), np.arange(1, bins) / bins)
    if not len(edges):
        return edges
    of_human, of_synthetic = bin_counts(human, edges), bin_counts(synthetic, edges)
    merged = edges[_kept(of_human, of_synthetic)]
    if len(merged):
        return merged
    above = [1 - np.cumsum(counts)[:-1] / counts.sum() for counts in (of_human, of_synthetic)]
    best = int(np.abs(above[1] - above[0]).argmax())
    return edges[best : best + 1]


def human_edges(
    human: NDArray[np.float32],
    target: NDArray[np.float32],
    thresholds: NDArray[np.float32],
    bins: int = BINS,
) -> NDArray[np.float32]:
    """Cut the scores into quantile bins of both, with an edge at each of `thresholds`."""
    quantiles = _quantile_edges(np.concatenate([human, target]), np.arange(1, bins) / bins)
    return np.unique(np.concatenate([quantiles, thresholds]))


def bin_counts(scores: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.int64]:
    """Count the scores in each bin."""
    return np.bincount(np.searchsorted(edges, scores, side="right"), minlength=len(edges) + 1)


def _quantile_edges(
    scores: NDArray[np.float32], levels: NDArray[np.float64]
) -> NDArray[np.float32]:
    edges = np.unique(np.quantile(scores, levels, method="inverted_cdf")).astype(np.float32)
    # An edge at the least score would open an empty bin below it.
    inner: NDArray[np.float32] = edges[edges > scores.min()]
    return inner


def _kept(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the edges, such that both have enough counts between any two."""
    kept: list[int] = []
    in_first = in_second = 0
    for edge, (one, other) in enumerate(zip(first, second, strict=True)):
        in_first += int(one)
        in_second += int(other)
        if min(in_first, in_second) >= LEAST_COUNT:
            kept.append(edge)
            in_first = in_second = 0
    # What is left over at the end joins the last bin; so does the last bin's own outer end.
    return np.array(kept[:-1], dtype=np.int64)

"""Metrics of clusters: modes that the candidate no longer reaches, and MAUVE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tailwatch import _core
from tailwatch.comparison.estimates import Estimate, NoInterval
from tailwatch.distributions import binomial_at_most
from tailwatch.metrics.embeddings.mauve import FRONTIER, default_mauve_clusters
from tailwatch.metrics.embeddings.modes import default_clusters, mode_table, rare_and_lost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch._core import Rows
    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.comparison.metrics.family import Panel, Whole
    from tailwatch.progress import Settings

__all__ = ["Mauve", "RareModes"]


class RareModes:
    """The share of the rare modes of A that a sample reaches."""

    LEVEL = 0.05
    REASON = "a mode counts as lost only where its own 95 % interval says so"

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        a, b = halves.bounded
        self._human = halves.bounded_whole
        self._seed = panel.seed
        self._clusters = _Clusters(a, panel.seed, settings)
        self._fresh = self._clusters.counted(b, settings)
        self._null = self._clusters.kept(self._fresh)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null."""
        counts = self._clusters.counted(candidate.bounded, settings)
        value, error = self._clusters.kept(counts), NoInterval(self.REASON)
        p_value = self._clusters.chance(counts, self._fresh)
        yield Estimate("mode_coverage", self.LEVEL, value, self._null, error, p_value=p_value)

    def chance(self, new: Rows, old: Rows, settings: Settings) -> float:
        """Return the chance that a rare mode differs so much between two samples."""
        counts = [self._clusters.counted(rows, settings) for rows in (new, old)]
        less = self._clusters.chance(*counts), self._clusters.chance(*reversed(counts))
        return min(2 * min(less), 1.0)

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        clusters = _Clusters(self._human, self._seed, settings)
        value = clusters.kept(clusters.counted(candidate.bounded_whole, settings))
        yield "mode_coverage", self.LEVEL, value, None


class _Clusters:
    """The modes of some rows, and how many of the rows each has."""

    def __init__(self, rows: Rows, seed: int, settings: Settings) -> None:
        self._count = default_clusters(rows.shape[0])
        self._centres = _core.k_means(rows, "reference", self._count, seed, settings)
        self._sizes = self.counted(rows, settings)

    def counted(self, rows: Rows, settings: Settings) -> NDArray[np.int64]:
        """Return how many of the rows each mode has."""
        return np.bincount(self._centres.assign(rows, settings), minlength=self._count)

    def kept(self, counts: NDArray[np.int64]) -> float:
        """Return the share of the rare modes that a sample has kept."""
        rare, lost = rare_and_lost(self._table(counts))
        return 1 - lost / rare

    def chance(self, counts: NDArray[np.int64], fresh: NDArray[np.int64]) -> float:
        """Return the chance that a rare mode has so much less of a sample than of a fresh one.

        Modes are fitted to their own rows, so that it is fresh rows that a sample is held against:
        given the rows of both in a mode, those of either are binomial. The p-value is that of the
        mode that lost most surely, times the number of rare modes (Bonferroni).
        """
        rare = self._table(counts).filter(pl.col("rare") > 0)["mode"].to_numpy()
        share = counts.sum() / (counts.sum() + fresh.sum())
        pairs = zip(counts[rare].tolist(), fresh[rare].tolist(), strict=True)
        least = min(binomial_at_most(y, y + x, share) for y, x in pairs)
        return min(len(rare) * least, 1.0)

    def _table(self, counts: NDArray[np.int64]) -> pl.DataFrame:
        return mode_table(self._sizes, counts, level=RareModes.LEVEL)


class Mauve:
    """The frontier between two samples, over clusters of their pooled rows."""

    REASON = "clusters are fitted to the rows they count, and a half has others and another bias"

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        # One clustering of all three samples would let the null depend on the candidate: it has
        # a clustering of its own, of as many rows into as many clusters.
        self._a, b = halves.bounded
        self._human = halves.bounded_whole
        self._seed = panel.seed
        self._null = self._mauve(self._a, b, settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null."""
        value = self._mauve(self._a, candidate.bounded, settings)
        yield Estimate("mauve", None, value, self._null, NoInterval(self.REASON))

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        value = self._mauve(self._human, candidate.bounded_whole, settings)
        yield "mauve", None, value, None

    def _mauve(self, reference: Rows, candidate: Rows, settings: Settings) -> float:
        clusters = default_mauve_clusters(reference.shape[0], candidate.shape[0])
        return _core.mauve(reference, candidate, clusters, FRONTIER, self._seed, settings)

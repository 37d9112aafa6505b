"""Metrics of clusters: modes that the candidate no longer reaches, and MAUVE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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

__all__ = ["Mauve", "Modes"]


class Modes:
    """The share of the modes of A that a sample reaches: of the rare ones, and of all."""

    LEVELS: Final = (0.05, 1.0)
    REASON = "a mode counts as lost only where its own interval says so"

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        a, b = halves.bounded
        self._human = halves.bounded_whole
        self._seed = panel.seed
        self._clusters = _Clusters(a, panel.seed, settings)
        self._fresh = self._clusters.counted(b, settings)
        self._nulls = [self._clusters.kept(self._fresh, level) for level in self.LEVELS]

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null, at each level."""
        counts, error = self._clusters.counted(candidate.bounded, settings), NoInterval(self.REASON)
        for level, null in zip(self.LEVELS, self._nulls, strict=True):
            value = self._clusters.kept(counts, level)
            p_value = self._clusters.chance(counts, self._fresh, level)
            yield Estimate("mode_coverage", level, value, null, error, p_value=p_value)

    def chances(self, new: Rows, old: Rows, settings: Settings) -> dict[float, float]:
        """Return the chance that a mode differs so much between two samples, at each level."""
        counts = [self._clusters.counted(rows, settings) for rows in (new, old)]
        orders = counts, counts[::-1]
        less = {
            level: min(self._clusters.chance(x, y, level) for x, y in orders)
            for level in self.LEVELS
        }
        return {level: min(2 * chance, 1.0) for level, chance in less.items()}

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows, at each level, and the chance of all candidate rows."""
        clusters = _Clusters(self._human, self._seed, settings)
        counts = clusters.counted(candidate.bounded_whole, settings)
        # In the modes of A, to which neither B nor any candidate row is fitted.
        beside = self._clusters.counted(candidate.bounded_whole, settings)
        for level in self.LEVELS:
            p_value = self._clusters.chance(beside, self._fresh, level)
            yield "mode_coverage", level, clusters.kept(counts, level), p_value


class _Clusters:
    """The modes of some rows, and how many of the rows each has."""

    def __init__(self, rows: Rows, seed: int, settings: Settings) -> None:
        self._count = default_clusters(rows.shape[0])
        self._centres = _core.k_means(rows, "reference", self._count, seed, settings)
        self._sizes = self.counted(rows, settings)

    def counted(self, rows: Rows, settings: Settings) -> NDArray[np.int64]:
        """Return how many of the rows each mode has."""
        return np.bincount(self._centres.assign(rows, settings), minlength=self._count)

    def kept(self, counts: NDArray[np.int64], level: float) -> float:
        """Return the share of the modes that a sample has kept, of the rarest that hold `level`."""
        # Of all modes one in forty would seem lost by chance where each has half of its rows.
        modes = int((self._sizes > 0).sum()) if level == 1 else 1
        table = mode_table(self._sizes, counts, level=level, confidence=1 - 0.05 / modes)
        rare, lost = rare_and_lost(table)
        return 1 - lost / rare

    def chance(self, counts: NDArray[np.int64], fresh: NDArray[np.int64], level: float) -> float:
        """Return the chance that such a mode has so much less of a sample than of a fresh one.

        Modes are fitted to their own rows, so that it is fresh rows that a sample is held against:
        given the rows of both in a mode, those of either are binomial. The p-value is that of the
        mode that lost most surely, times the number of those modes (Bonferroni).
        """
        table = mode_table(self._sizes, counts, level=level)
        rare = table.filter(pl.col("rare") > 0)["mode"].to_numpy()
        share = counts.sum() / (counts.sum() + fresh.sum())
        pairs = zip(counts[rare].tolist(), fresh[rare].tolist(), strict=True)
        least = min(binomial_at_most(y, y + x, share) for y, x in pairs)
        return min(len(rare) * least, 1.0)


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

"""Metrics of clusters: modes that the candidate no longer reaches, and MAUVE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.comparison.estimates import Estimate, NoInterval
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
    """The share of the rare modes of A that a sample reaches."""

    LEVEL = 0.05
    REASON = "a mode counts as lost only where its own 95 % interval says so"

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        a, b = halves.bounded
        self._human = halves.bounded_whole
        self._seed = panel.seed
        self._clusters = _Clusters(a, panel.seed, settings)
        self._null = self._clusters.kept(b, settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null."""
        value = self._clusters.kept(candidate.bounded, settings)
        yield Estimate("mode_coverage", self.LEVEL, value, self._null, NoInterval(self.REASON))

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        clusters = _Clusters(self._human, self._seed, settings)
        value = clusters.kept(candidate.bounded_whole, settings)
        yield "mode_coverage", self.LEVEL, value, None


class _Clusters:
    """The modes of some rows, and how many of the rows each has."""

    def __init__(self, rows: Rows, seed: int, settings: Settings) -> None:
        self._count = default_clusters(rows.shape[0])
        self._centres = _core.k_means(rows, "reference", self._count, seed, settings)
        self._sizes = self._counted(rows, settings)

    def kept(self, rows: Rows, settings: Settings) -> float:
        """Return the share of the rare modes that `rows` have kept."""
        table = mode_table(self._sizes, self._counted(rows, settings), level=Modes.LEVEL)
        rare, lost = rare_and_lost(table)
        return 1 - lost / rare

    def _counted(self, rows: Rows, settings: Settings) -> NDArray[np.int64]:
        return np.bincount(self._centres.assign(rows, settings), minlength=self._count)


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

"""Copies of human rows, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.comparison.estimates import Binomial, Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.comparison.metrics.family import Panel, Whole
    from tailwatch.progress import Settings

__all__ = ["Copies"]


class Copies:
    """Rows that are rows of the reference: exactly, and once both are divided by their lengths.

    A is what is copied. The null is the share of human rows B that are rows of A, as where human
    data hold duplicates; values on all rows count copies of any human row.
    """

    NAMES = ("copies", "normalised_copies")

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        del panel
        (self._a, b), self._human = halves.rows, halves.whole
        self._nulls = _core.copies(self._a, b, settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield both metrics with their nulls."""
        rows = self._a.shape[0]
        found = _core.copies(self._a, candidate.rows, settings)
        for name, count, null in zip(self.NAMES, found, self._nulls, strict=True):
            yield Estimate(name, None, count / rows, null / rows, Binomial(rows))

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield both metrics on all rows."""
        found = _core.copies(self._human, candidate.whole, settings)
        for name, count in zip(self.NAMES, found, strict=True):
            yield name, None, count / candidate.whole.shape[0], None

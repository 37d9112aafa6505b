"""Copies of human rows, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.comparison.estimates import Binomial, Estimate
from tailwatch.distributions import binomial_at_least

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch._core import Rows
    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.comparison.metrics.family import Panel, Whole
    from tailwatch.progress import Settings

__all__ = ["Copies"]


class Copies:
    """Rows that are rows of the reference: exactly, and once both are divided by their lengths.

    A is what is copied. The null is the share of human rows B that are rows of A, as where human
    data hold duplicates; values on all rows count copies of any human row.

    Given A, rows of B and of C are as likely to be copies if both are of one law: of the copies in
    both, those in C are binomial. Where no human row is there twice, more is known: of n human and
    m candidate rows nm pairs are of both and n²/2 of human rows alone, so that of equal pairs, if
    they come by chance, 2m/(2m + n) are of both.
    """

    NAMES = ("copies", "normalised_copies")

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        del panel
        (self._a, b), self._human = halves.rows, halves.whole
        self._nulls = _core.copies(self._a, b, settings)
        self._is_distinct = _are_distinct(self._human, settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield both metrics with their nulls."""
        rows = self._a.shape[0]
        found = _core.copies(self._a, candidate.rows, settings)
        for name, count, null in zip(self.NAMES, found, self._nulls, strict=True):
            p_value = binomial_at_least(count, count + null)
            error = Binomial(rows)
            yield Estimate(name, None, count / rows, null / rows, error, p_value=p_value)

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield both metrics on all rows."""
        found = _core.copies(self._human, candidate.whole, settings)
        n, m = self._human.shape[0], candidate.whole.shape[0]
        by_chance = (2 * m / (2 * m + n)) ** found[0] if self._is_distinct else None
        for name, count, p_value in zip(self.NAMES, found, (by_chance, None), strict=True):
            yield name, None, count / m, p_value


BLOCK = 1 << 14
"""Rows that are hashed at a time."""


def _are_distinct(rows: Rows, settings: Settings) -> bool:
    """Return whether no two rows are equal; −0 is 0."""
    quiet: Settings = {"threads": settings["threads"], "progress": None}
    n = rows.shape[0]
    hashes = np.empty(n, np.uint64)
    for first in range(0, n, BLOCK):
        some = np.arange(first, min(first + BLOCK, n))
        block = np.ascontiguousarray(rows.take(some).to_numpy() + 0)
        hashes[some] = _core.row_hashes(block.view(np.uint8), quiet)
    return len(np.unique(hashes)) == n

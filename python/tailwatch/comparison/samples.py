"""The three samples of a comparison: two halves of the reference, and as much of the candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from tailwatch._core import Rows

__all__ = ["GROUPS", "LEAST_ROWS", "REPLICATES", "Samples"]

REPLICATES = 30
"""Half-sample replicates."""

GROUPS = 32
"""Groups that the rows are dealt to; a half-sample is half of the groups."""

LEAST_ROWS = 64
"""Rows of a half: two for each of the 32 groups that half-samples are made of."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Halves A and B of the reference and C of the candidate, in random order, equally many rows.

    Attributes
    ----------
    halves
        A, B, C with all the rows there are.
    bounded
        Prefixes of A, B, C for metrics of quadratic cost, within ``max_rows``.
    wholes
        Reference and candidate, all rows.
    bounded_wholes
        Up to ``max_rows`` rows of reference and candidate.
    """

    halves: tuple[Rows, Rows, Rows]
    bounded: tuple[Rows, Rows, Rows]
    wholes: tuple[Rows, Rows]
    bounded_wholes: tuple[Rows, Rows]

    @classmethod
    def draw(cls, reference: Rows, candidate: Rows, *, max_rows: int | None, seed: int) -> Samples:
        """Split the reference and cut the candidate, at random under `seed`."""
        n, m = reference.shape[0], candidate.shape[0]
        rows = min(n // 2, m)
        if rows < LEAST_ROWS:
            name, least, got = (
                ("candidate", LEAST_ROWS, m) if m < LEAST_ROWS else ("reference", 2 * LEAST_ROWS, n)
            )
            raise InputError(
                argument=name, expected=f"at least {least} rows to compare", got=f"{got}"
            )
        of_reference = _core.sample(n, n, seed, "reference")
        of_candidate = _core.sample(m, m, seed, "candidate")
        within = rows if max_rows is None else min(rows, max_rows // 2)
        pick = (
            (reference, of_reference[:rows]),
            (reference, of_reference[rows : 2 * rows]),
            (candidate, of_candidate[:rows]),
        )
        a, b, c = (source.take(indices) for source, indices in pick)
        bounded_a, bounded_b, bounded_c = (
            source.take(indices[:within]) for source, indices in pick
        )
        bounded = [
            source
            if max_rows is None or max_rows >= source.shape[0]
            else source.take(indices[:max_rows])
            for source, indices in ((reference, of_reference), (candidate, of_candidate))
        ]
        return cls(
            (a, b, c),
            (bounded_a, bounded_b, bounded_c),
            (reference, candidate),
            (bounded[0], bounded[1]),
        )

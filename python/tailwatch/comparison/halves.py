"""The samples of a comparison: two halves of the reference, and as much of the candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch._core import Rows

__all__ = [
    "GROUPS",
    "LEAST_ROWS",
    "REPLICATES",
    "Candidate",
    "Halves",
    "Human",
    "Sizes",
    "matrix_of",
    "size_of_halves",
]

REPLICATES = 30
"""Half-sample replicates."""

GROUPS = 32
"""Groups that the rows are dealt to; a half-sample is half of the groups."""

LEAST_ROWS = 64
"""Rows of a half: two for each of the 32 groups that half-samples are made of."""


@dataclass(frozen=True, slots=True)
class Halves:
    """Halves A and B of the reference, in random order, equally many rows; and all of it.

    Attributes
    ----------
    rows
        A and B with all the rows there are.
    bounded
        Prefixes of A and B for metrics of quadratic cost, within ``max_rows``.
    whole
        All rows.
    bounded_whole
        Up to ``max_rows`` of all rows.
    """

    rows: tuple[Rows, Rows]
    bounded: tuple[Rows, Rows]
    whole: Rows
    bounded_whole: Rows


@dataclass(frozen=True, slots=True)
class Sizes:
    """Human rows that enter a comparison.

    Attributes
    ----------
    half, bounded_half
        Rows of a half: all, and those within ``max_rows``.
    whole, bounded_whole
        All rows, and those within ``max_rows``.
    """

    half: int
    bounded_half: int
    whole: int
    bounded_whole: int

    @classmethod
    def of(cls, rows: int, half: int, max_rows: int | None) -> Sizes:
        """Return those of so many rows, cut to halves of `half`."""
        bounded = rows if max_rows is None else min(rows, max_rows)
        return cls(half, _within(half, max_rows), rows, bounded)


@dataclass(frozen=True, slots=True)
class Candidate:
    """The candidate: C with as many rows as a half, in random order, and all of it.

    Attributes
    ----------
    rows
        C.
    bounded
        A prefix of C for metrics of quadratic cost, within ``max_rows``.
    whole
        All rows.
    bounded_whole
        Up to ``max_rows`` of all rows.
    """

    rows: Rows
    bounded: Rows
    whole: Rows
    bounded_whole: Rows

    @classmethod
    def draw(cls, rows: Rows, size: int, *, max_rows: int | None, seed: int) -> Candidate:
        """Cut a candidate to `size` rows, at random under `seed`."""
        order = _core.sample(rows.shape[0], rows.shape[0], seed, "candidate")
        return cls(
            rows.take(order[:size]),
            rows.take(order[: _within(size, max_rows)]),
            rows,
            _some(rows, order, max_rows),
        )


@dataclass(frozen=True, slots=True)
class Human:
    """The rows of a reference, and the random order that halves are cut from.

    Attributes
    ----------
    whole
        All rows.
    bounded_whole
        Up to ``max_rows`` of all rows.
    order
        Numbers of the rows.
    max_rows
        Bound of the rows that enter what is quadratic.
    """

    whole: Rows
    bounded_whole: Rows
    order: NDArray[np.int64]
    max_rows: int | None

    @classmethod
    def draw(cls, rows: Rows, *, max_rows: int | None, seed: int) -> Human:
        """Put the rows in random order under `seed`."""
        order = _core.sample(rows.shape[0], rows.shape[0], seed, "reference")
        return cls(rows, _some(rows, order, max_rows), order, max_rows)

    def halves(self, size: int) -> Halves:
        """Return halves of `size` rows."""
        a, b = self.order[:size], self.order[size : 2 * size]
        within = _within(size, self.max_rows)
        rows = (self.whole.take(a), self.whole.take(b))
        bounded = (self.whole.take(a[:within]), self.whole.take(b[:within]))
        return Halves(rows, bounded, self.whole, self.bounded_whole)


def size_of_halves(rows: int, candidate_rows: int) -> int:
    """Return the rows of a half beside a candidate: n // 2, or all of it if it has fewer.

    Raises
    ------
    InputError
        There are too few rows on either side.
    """
    size = min(rows // 2, candidate_rows)
    if size < LEAST_ROWS:
        name, least, got = (
            ("candidate", LEAST_ROWS, candidate_rows)
            if candidate_rows < LEAST_ROWS
            else ("reference", 2 * LEAST_ROWS, rows)
        )
        raise InputError(argument=name, expected=f"at least {least} rows to compare", got=f"{got}")
    return size


def _within(size: int, max_rows: int | None) -> int:
    return size if max_rows is None else min(size, max_rows // 2)


def _some(rows: Rows, order: NDArray[np.int64], max_rows: int | None) -> Rows:
    if max_rows is None or max_rows >= rows.shape[0]:
        return rows
    return rows.take(order[:max_rows])


def matrix_of(rows: Rows) -> NDArray[np.float64]:
    """Return a copy of the rows as one array of float64."""
    return rows.to_numpy().astype(np.float64)

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
    from tailwatch.progress import Settings

__all__ = [
    "GROUPS",
    "LEAST_ROWS",
    "REPLICATES",
    "Candidate",
    "Halves",
    "Human",
    "Sizes",
    "common_rows",
    "hashes_of",
    "matrix_of",
    "paired_orders",
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
        return cls.in_order(rows, order, size, max_rows=max_rows)

    @classmethod
    def in_order(
        cls, rows: Rows, order: NDArray[np.int64], size: int, *, max_rows: int | None
    ) -> Candidate:
        """Cut a candidate to the first `size` rows in this order."""
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


def size_of_halves(rows: int, candidate_rows: int, candidate: str = "candidate") -> int:
    """Return the rows of a half beside a candidate: n // 2, or all of it if it has fewer.

    Raises
    ------
    InputError
        There are too few rows on either side.
    """
    size = min(rows // 2, candidate_rows)
    if size < LEAST_ROWS:
        name, least, got = (
            (candidate, LEAST_ROWS, candidate_rows)
            if candidate_rows < LEAST_ROWS
            else ("reference", 2 * LEAST_ROWS, rows)
        )
        raise InputError(argument=name, expected=f"at least {least} rows to compare", got=f"{got}")
    return size


def paired_orders(
    new: Rows, old: Rows, size: int, seed: int, settings: Settings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return random orders of two candidates whose first `size` rows have much in common.

    Each order alone is uniform, and that of `new` is the one that it has without `old`. All rows of
    both are put in one random order, of which each candidate has its own (permanent random numbers,
    Brewer, Early and Joyce 1972); a row that is among the first of both then stands at the same
    place in both, so that it is in the same parts. Where no row is in both candidates, or each at
    its own place in samples of one size, `old` too has the order that it has alone.
    """
    (n, m), purpose = (new.shape[0], old.shape[0]), "candidate"
    of_new, of_old = (_core.sample(rows, rows, seed, purpose) for rows in (n, m))
    in_new, in_old = common_rows(new, old, settings)
    if not len(in_new) or (n == m and (in_new == in_old).all()):
        return of_new, of_old
    twin = np.full(n, -1)
    twin[in_new] = in_old
    alone = np.delete(np.arange(m), in_old)
    alone = alone[_core.sample(len(alone), len(alone), seed, "baseline")]
    # Rows of the baseline alone fall anywhere between those of the candidate.
    union = np.full(n + len(alone), -1)
    places = np.sort(_core.sample(len(union), len(alone), seed, "baseline between"))
    union[places] = alone
    union[np.delete(np.arange(len(union)), places)] = twin[of_new]
    order = union[union >= 0]
    place_of = np.full(m, -1)
    place_of[in_old] = np.argsort(of_new)[in_new]
    stays = (place_of[order[:size]] >= 0) & (place_of[order[:size]] < size)
    first = np.full(size, -1)
    first[place_of[order[:size][stays]]] = order[:size][stays]
    first[first < 0] = order[:size][~stays]
    return of_new, np.concatenate([first, order[size:]])


def common_rows(
    x: Rows, y: Rows, settings: Settings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of the rows that are in both, value by value, each paired once."""
    of_x, of_y = (_told_apart(hashes_of(rows, settings)) for rows in (x, y))
    _, in_x, in_y = np.intersect1d(of_x, of_y, assume_unique=True, return_indices=True)
    order = np.argsort(in_x)
    return in_x[order], in_y[order]


def _told_apart(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return hashes of which no two are equal: the n-th of equal ones becomes another."""
    order = np.argsort(hashes, kind="stable")
    ranked = hashes[order]
    firsts = np.searchsorted(ranked, ranked)
    repeats = (np.arange(len(hashes)) - firsts).astype(np.uint64)
    told = np.empty_like(hashes)
    # An odd number spreads the repeats over all hashes.
    told[order] = ranked + repeats * np.uint64(0x9E3779B97F4A7C15)
    return told


BLOCK = 1 << 14
"""Rows that are hashed at a time."""


def hashes_of(rows: Rows, settings: Settings) -> NDArray[np.uint64]:
    """Return a hash of each row as float64: equal rows have equal ones, and −0 is 0."""
    quiet: Settings = {"threads": settings["threads"], "progress": None}
    hashes = np.empty(rows.shape[0], np.uint64)
    for first in range(0, len(hashes), BLOCK):
        some = np.arange(first, min(first + BLOCK, len(hashes)))
        block = np.ascontiguousarray(matrix_of(rows.take(some)) + 0)
        hashes[some] = _core.row_hashes(block.view(np.uint8), quiet)
    return hashes


def _within(size: int, max_rows: int | None) -> int:
    return size if max_rows is None else min(size, max_rows // 2)


def _some(rows: Rows, order: NDArray[np.int64], max_rows: int | None) -> Rows:
    if max_rows is None or max_rows >= rows.shape[0]:
        return rows
    return rows.take(order[:max_rows])


def matrix_of(rows: Rows) -> NDArray[np.float64]:
    """Return a copy of the rows as one array of float64."""
    return rows.to_numpy().astype(np.float64)

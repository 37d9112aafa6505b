"""Rows of embeddings: a part for each file or object, and its pieces in the form that is asked for.

A part knows its shape and type at once and gives its rows in pieces of any length. Pieces become
batches of one length (:func:`regroup`) or of any (:func:`cut`), one array (:func:`join`) or chosen
rows (:func:`gather`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.regular import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

__all__ = ["Matrix", "Part", "cut", "gather", "join", "regroup"]

Matrix: TypeAlias = NDArray[np.floating[Any]]
"""Two-dimensional array of float16, float32 or float64, with any strides."""
AHEAD_BYTES = 1 << 26
"""Memory that is taken before there are rows for it."""


class Part(ABC):
    """Rows of embeddings that are read when they are asked for.

    Parameters
    ----------
    shape
        Rows and columns.
    dtype
        float16, float32 or float64, in native byte order.
    file
        Path of the file, or ``None`` for an object in memory.
    """

    def __init__(
        self, *, shape: tuple[int, int], dtype: np.dtype[Any], file: str | None = None
    ) -> None:
        self.rows, self.columns = shape
        self.dtype = dtype
        self.file = file
        self._held: list[Matrix] | None = None

    @property
    def arrow(self) -> pl.Series | None:
        """Rows as one Arrow column, where they are in memory in that form."""
        return None

    def stream(self, argument: str, first_row: int) -> Iterator[Matrix]:
        """Yield all rows, in order, as arrays of any length; a file is read no further than asked.

        Parameters
        ----------
        argument, first_row
            Name of the argument and number of the first row, for the text of an error.
        """
        if self._held is not None:
            yield from self._held
        else:
            yield from self._counted(Place(argument, self.file, first_row))

    def load(self, argument: str, first_row: int) -> list[Matrix]:
        """Return all rows at once, and keep them: what was read once is not read again."""
        if self._held is None:
            self._held = list(self.stream(argument, first_row))
        return self._held

    def ids(self, argument: str) -> pl.Series | None:
        """Return the identifiers of the rows, where the source has any."""
        del argument
        return None

    def others(self) -> pl.LazyFrame | None:
        """Return the columns beside the embeddings, a row for each; None without a table."""
        return None

    def beside(self, column: str, argument: str) -> pl.Series:
        """Return a column that stands beside the embeddings, if the source is a table."""
        msg = f"no column {column!r}; the embeddings are an array, not a table"
        raise InputError(
            msg,
            argument=Place(argument, self.file).subject,
            expected=f"a table with a column {column!r}",
            got="an array",
        )

    @abstractmethod
    def _read(self, place: Place) -> Iterator[Matrix]:
        """Yield the rows from the source itself."""

    def _counted(self, place: Place) -> Iterator[Matrix]:
        """Yield the rows from the source; refuse rows that are not what was opened."""
        rows = 0
        for piece in self._read(place):
            rows += len(piece)
            if piece.shape[1] != self.columns or piece.dtype != self.dtype or rows > self.rows:
                raise self._changed(place)
            yield piece
        if rows != self.rows:
            raise self._changed(place)

    def _all_rows(self, column: pl.Series, place: Place) -> pl.Series:
        """Refuse a column of more or fewer rows than there were."""
        if len(column) != self.rows:
            raise self._changed(place)
        return column

    def _changed(self, place: Place) -> SourceError:
        expected = f"{self.rows:,} rows of {self.columns:,} columns of {self.dtype}"
        named = "" if place.file is None else f"{place.file} "
        return SourceError(
            f"{named}changed after it was opened: expected {expected}",
            argument=place.argument,
            expected=expected,
            got="others",
            where=place.file,
        )


def regroup(pieces: Iterator[Matrix], rows: int, dtype: np.dtype[Any]) -> Iterator[Matrix]:
    """Cut pieces into batches of `rows` rows, the last one shorter.

    A batch that lies within one piece of the right type is a view of it; only a batch that spans
    several is copied.
    """
    held: list[Matrix] = []
    missing = rows
    for piece in pieces:
        start = 0
        while start < len(piece):
            held.append(piece[start : start + missing])
            start += len(held[-1])
            missing -= len(held[-1])
            if not missing:
                yield _merge(held, dtype)
                held, missing = [], rows
    if held:
        yield _merge(held, dtype)


def cut(pieces: Iterator[Matrix], rows: int, dtype: np.dtype[Any]) -> Iterator[Matrix]:
    """Cut pieces into batches of `rows` rows or fewer, where none need be as long as another.

    Pieces are viewed as they come; only small ones are copied, together.
    """
    held: list[Matrix] = []
    count = 0
    for piece in pieces:
        for start in range(0, len(piece), rows):
            part = piece[start : start + rows]
            is_long = 8 * len(part) >= rows
            if held and (is_long or count + len(part) > rows):
                yield _merge(held, dtype)
                held, count = [], 0
            if is_long:
                yield part.astype(dtype, copy=False)
            else:
                held.append(part)
                count += len(part)
    if held:
        yield _merge(held, dtype)


def join(pieces: Iterator[Matrix], shape: tuple[int, int], dtype: np.dtype[Any]) -> Matrix:
    """Return all rows as one array: the first piece itself where that is all, or else a copy."""
    first = next(pieces)
    if len(first) == shape[0]:
        return first.astype(dtype, copy=False)
    rows, columns = shape
    ahead = AHEAD_BYTES // (dtype.itemsize * columns)
    # Memory grows with what is read: a damaged file may say that it has any number of rows.
    whole = np.empty((min(rows, len(first) + ahead), columns), dtype)
    start = 0
    for piece in chain([first], pieces):
        stop = start + len(piece)
        if stop > len(whole):
            whole.resize((min(rows, 2 * stop + ahead), columns), refcheck=False)
        whole[start:stop] = piece
        start = stop
    return whole


def gather(pieces: Iterator[Matrix], rows: NDArray[np.int64], into: Matrix) -> None:
    """Copy the chosen rows, in the order chosen, in one pass over the pieces.

    Parameters
    ----------
    pieces
        All rows, in order.
    rows
        Row numbers within range, in any order, with or without repetition.
    into
        Array with as many rows as are chosen.
    """
    order = np.argsort(rows, kind="stable")
    ascending = rows[order]
    start = 0
    for piece in pieces:
        low, high = np.searchsorted(ascending, (start, start + len(piece)))
        into[order[low:high]] = piece[ascending[low:high] - start]
        start += len(piece)


def _merge(held: list[Matrix], dtype: np.dtype[Any]) -> Matrix:
    if len(held) == 1:
        return held[0].astype(dtype, copy=False)
    return np.concatenate(held, dtype=dtype)

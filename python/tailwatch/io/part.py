"""A part of a set of embeddings: one file, or one object in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

__all__ = ["Matrix", "Part"]

Matrix: TypeAlias = NDArray[np.floating[Any]]
"""Two-dimensional array of float16, float32 or float64, with any strides."""


class Part(ABC):
    """Rows of embeddings that are read when they are asked for.

    Parameters
    ----------
    shape
        Rows and columns.
    dtype
        float16, float32 or float64, in native byte order.
    origin
        Path of the file, or ``None`` for an object in memory.
    """

    def __init__(
        self, *, shape: tuple[int, int], dtype: np.dtype[Any], origin: str | None = None
    ) -> None:
        self.rows, self.columns = shape
        self.dtype = dtype
        self.origin = origin
        self._held: list[Matrix] | None = None

    @property
    def arrow(self) -> pl.Series | None:
        """The rows as one Arrow column, where they are in memory in that form."""
        return None

    def stream(self, argument: str, first_row: int) -> Iterator[Matrix]:
        """Yield all rows, in order, as arrays of any length; a file is read as far as is asked.

        Parameters
        ----------
        argument, first_row
            Name of the argument and number of the first row, for the text of an error.
        """
        if self._held is not None:
            yield from self._held
        else:
            yield from self._counted(Place(argument, self.origin, first_row))

    def load(self, argument: str, first_row: int) -> list[Matrix]:
        """Give all rows at once, and keep them: what was read once is not read again."""
        if self._held is None:
            self._held = list(self.stream(argument, first_row))
        return self._held

    def ids(self, argument: str) -> pl.Series | None:
        """Give the identifiers of the rows, where the source has any."""
        del argument
        return None

    def others(self) -> pl.LazyFrame | None:
        """Give all columns beside the embeddings, a row for each; None where there is no table."""
        return None

    def beside(self, column: str, argument: str) -> pl.Series:
        """Give a column that stands beside the embeddings, if the source is a table."""
        msg = f"no column {column!r}; the embeddings are an array, not a table"
        raise InputError(
            msg,
            argument=Place(argument, self.origin).subject,
            expected="a table",
            got="an array",
        )

    @abstractmethod
    def _read(self, place: Place) -> Iterator[Matrix]:
        """Yield the rows from the source itself."""

    def _counted(self, place: Place) -> Iterator[Matrix]:
        """Yield the rows from the source, and see to it that they are what was opened."""
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
        file = "" if place.origin is None else f"{place.origin} "
        return SourceError(
            f"{file}changed after it was opened: expected {expected}",
            argument=place.argument,
            expected=expected,
            got="others",
            where=place.origin,
        )

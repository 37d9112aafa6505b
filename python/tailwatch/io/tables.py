"""Tables with a column of embeddings, in memory or in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from tailwatch.io.columns import choose, require, vector_type
from tailwatch.io.part import Matrix, Part
from tailwatch.io.place import Place
from tailwatch.io.vectors import storage, views, width

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = ["ColumnPart", "Frame", "Table", "whole_column"]


class Table(Protocol):
    """Named columns, of which one can be read without the others."""

    schema: pl.Schema
    rows: int

    def stream(self, column: str) -> Iterator[pl.Series]:
        """Yield a column in pieces, in order."""
        ...

    def vectors(
        self, column: str, columns: int, dtype: np.dtype[Any]
    ) -> Iterator[Matrix | pl.Series]:
        """Yield a column of vectors in pieces, in order; as arrays, where their form is known."""
        ...

    def first(self, column: str) -> pl.Series:
        """Give the first row of a column."""
        ...

    def lazy(self) -> pl.LazyFrame:
        """Give the table for Polars to read what is asked of it."""
        ...


class Frame:
    """A table in memory; its chunks are kept as they are."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self.schema = frame.schema
        self.rows = frame.height

    def stream(self, column: str) -> Iterator[pl.Series]:
        """Yield the column, whole."""
        yield self.frame[column]

    def vectors(
        self, column: str, columns: int, dtype: np.dtype[Any]
    ) -> Iterator[Matrix | pl.Series]:
        """Yield the column, whole."""
        del columns, dtype
        yield self.frame[column]

    def first(self, column: str) -> pl.Series:
        """Give the first row of a column."""
        return self.frame[column].head(1)

    def lazy(self) -> pl.LazyFrame:
        """Give the table."""
        return self.frame.lazy()


def whole_column(table: Table, column: str, place: Place) -> pl.Series:
    """Read a column that stands beside the embeddings."""
    require(table.schema, column, place)
    with place.reading():
        return pl.concat(list(table.stream(column))).alias(column)


class ColumnPart(Part):
    """Rows of one column of a table.

    Parameters
    ----------
    table
        The table.
    place
        The argument, and the file behind it.
    column
        Name of the column of embeddings, as :func:`~tailwatch.io.columns.choose` takes it.
    id_column
        Name of the column of identifiers.
    binary
        Type of the values in a Binary column.
    """

    def __init__(
        self,
        table: Table,
        place: Place,
        column: str,
        id_column: str | None,
        binary: np.dtype[Any] | None = None,
    ) -> None:
        self._table = table
        if not table.rows:
            # Writers of shards leave such behind, whose columns and types may say nothing.
            self._column, self._id_column = column, None
            super().__init__(shape=(0, 0), dtype=np.dtype(np.float32), origin=place.origin)
            return
        self._column = choose(table.schema, column, place)
        self._id_column = (
            None if id_column is None else require(table.schema, id_column, place, "id_column")
        )
        dtype, columns = vector_type(table.schema, self._column, place, binary)
        if columns is None:
            with place.reading():
                columns = width(storage(table.first(self._column)), place, dtype)
        super().__init__(shape=(table.rows, columns), dtype=dtype, origin=place.origin)

    @property
    def arrow(self) -> pl.Series | None:
        """The column, if the table is in memory."""
        if isinstance(self._table, Frame) and self._table.schema[self._column] != pl.Binary:
            return storage(self._table.frame[self._column])
        return None

    def ids(self, argument: str) -> pl.Series | None:
        """Read the column of identifiers."""
        if self._id_column is None:
            return None
        return self.beside(self._id_column, argument)

    def others(self) -> pl.LazyFrame | None:
        """Give the other columns."""
        return self._table.lazy().select(pl.exclude(self._column))

    def beside(self, column: str, argument: str) -> pl.Series:
        """Read another column of the table."""
        place = Place(argument, self.origin)
        return self._all_rows(whole_column(self._table, column, place), place)

    def _read(self, place: Place) -> Iterator[Matrix]:
        if not self.rows:
            return
        with place.reading():
            for piece in self._table.vectors(self._column, self.columns, self.dtype):
                if isinstance(piece, pl.Series):
                    yield from views(piece, self.columns, place, self.dtype)
                else:
                    yield piece
                place = place.after(len(piece))

"""Tables with a column of embeddings: in memory, and in files that a library decodes.

A :class:`TableFile` is opened, and its tables are read, in the process that decodes
(:mod:`tailwatch.io.decoding`); vectors of Parquet come straight into arrays where their form allows
(:mod:`tailwatch.io.parquet`). :class:`ColumnPart` is the embeddings of either.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from tailwatch._core import Unfit, first_length
from tailwatch.io.columns import choose, require, storage, vector_type, views, width
from tailwatch.io.decoder import Head, frame_of
from tailwatch.io.decoding import answers
from tailwatch.io.parquet import vectors
from tailwatch.io.part import Matrix, Part
from tailwatch.io.regular import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tailwatch.io.part import Matrix

__all__ = ["ColumnPart", "FrameTable", "Table", "TableFile", "read_frame", "whole_column"]

_KINDS: Final = {".parquet": "parquet", ".csv": "csv"}


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

    def width(self, column: str, dtype: np.dtype[Any], place: Place) -> int:
        """Return the number of values in the first row of a column of vectors."""
        ...

    def lazy(self) -> pl.LazyFrame:
        """Return the table for Polars to read what is asked of it."""
        ...


class FrameTable:
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

    def width(self, column: str, dtype: np.dtype[Any], place: Place) -> int:
        """Return the number of values in the first row of a column of vectors."""
        return width(storage(self.frame[column].head(1)), place, dtype)

    def lazy(self) -> pl.LazyFrame:
        """Return the table."""
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
            super().__init__(shape=(0, 0), dtype=np.dtype(np.float32), file=place.file)
            return
        self._column = choose(table.schema, column, place)
        self._id_column = (
            None if id_column is None else require(table.schema, id_column, place, "id_column")
        )
        dtype, columns = vector_type(table.schema, self._column, place, binary)
        if columns is None:
            with place.reading():
                columns = table.width(self._column, dtype, place)
        super().__init__(shape=(table.rows, columns), dtype=dtype, file=place.file)

    @property
    def arrow(self) -> pl.Series | None:
        """The column, if the table is in memory."""
        if isinstance(self._table, FrameTable) and self._table.schema[self._column] != pl.Binary:
            return storage(self._table.frame[self._column])
        return None

    def ids(self, argument: str) -> pl.Series | None:
        """Read the column of identifiers."""
        if self._id_column is None:
            return None
        return self.beside(self._id_column, argument)

    def others(self) -> pl.LazyFrame | None:
        """Return the other columns."""
        return self._table.lazy().select(pl.exclude(self._column))

    def beside(self, column: str, argument: str) -> pl.Series:
        """Read another column of the table."""
        place = Place(argument, self.file)
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


class TableFile:
    """A ``.parquet`` or ``.arrow`` file: opening reads its footer, streaming holds a few batches.

    Parameters
    ----------
    path
        The file.
    place
        For the text of an error.

    Attributes
    ----------
    schema
        Names and types of its columns.
    rows
        Number of its rows.
    """

    def __init__(self, path: Path, place: Place) -> None:
        # The process that reads it has a working directory of its own.
        self._path = str(path.absolute())
        self._kind = _kind(path)
        self._place = place
        with place.reading():
            ((head, body),) = answers(self._request("open"))
            self.schema = frame_of(body).schema
        self.rows = int(head["rows"])

    def stream(self, column: str) -> Iterator[pl.Series]:
        """Yield a column in pieces, in order."""
        for frame in self._frames([column]):
            yield frame[column]

    def vectors(
        self, column: str, columns: int, dtype: np.dtype[np.floating]
    ) -> Iterator[Matrix | pl.Series]:
        """Yield a column of vectors as arrays; a piece that has no such form as it is.

        Parameters
        ----------
        column
            Its name.
        columns, dtype
            Number and type of the values in each row.
        """
        done = 0
        if self._kind == "parquet":
            # A library reads what is left, or says what is wrong, in a process of its own.
            with contextlib.suppress(Unfit):
                for piece in vectors(self._path, column, columns, dtype):
                    yield piece
                    done += len(piece)
                return
        for rest in self._decoded(column, columns, dtype):
            if done < len(rest):
                yield rest[done:]
            done = max(done - len(rest), 0)

    def _decoded(
        self, column: str, columns: int, dtype: np.dtype[np.floating]
    ) -> Iterator[Matrix | pl.Series]:
        """Yield a column of vectors as a library decodes it."""
        form = {"dtype": dtype.newbyteorder("<").str, "columns": columns}
        for head, body in answers(
            self._request("stream", columns=[column], vectors=form, rows=None)
        ):
            if head.get("values"):
                values: NDArray[np.floating] = body.view(dtype.newbyteorder("<"))
                yield values.astype(dtype, copy=False).reshape(head["rows"], columns)
            else:
                yield frame_of(body)[column]

    def width(self, column: str, dtype: np.dtype[Any], place: Place) -> int:
        """Return the number of values in the first row of a column of vectors."""
        if self._kind == "parquet" and self.schema[column] != pl.Binary:
            # What is damaged is said where it is read.
            with contextlib.suppress(Unfit, ValueError):
                return first_length(self._path, column, dtype.itemsize)
        first = pl.concat([frame[column] for frame in self._frames([column], 1)])
        return width(storage(first), place, dtype)

    def lazy(self) -> pl.LazyFrame:
        """Return the table for Polars to read what is asked of it."""

        def batches(
            with_columns: list[str] | None,
            predicate: pl.Expr | None,
            n_rows: int | None,
            batch_size: int | None,
        ) -> Iterator[pl.DataFrame]:
            del batch_size
            wanted = list(self.schema) if with_columns is None else with_columns
            left = self.rows if n_rows is None else n_rows
            for whole in self._frames(wanted):
                if left <= 0:
                    return
                frame = whole.head(left)
                left -= frame.height
                yield frame if predicate is None else frame.filter(predicate)

        return register_io_source(batches, schema=self.schema, is_pure=True)

    def _frames(self, columns: list[str], rows: int | None = None) -> Iterator[pl.DataFrame]:
        request = self._request("stream", columns=columns, vectors=None, rows=rows)
        with self._place.reading():
            read = 0
            for _, body in answers(request):
                frame = frame_of(body)
                read += frame.height
                yield frame
            # Polars ends a stream of batches early, and without a word, where a reader panics.
            if rows is None and columns and read != self.rows:
                came = f"{read:,} of its {self.rows:,} rows came of it"
                why = f"{came}: it changed after it was opened, or is damaged"
                raise self._place.unreadable(why)

    def _request(self, what: str, **more: object) -> Head:
        return {"do": what, "path": self._path, "kind": self._kind, **more}


def read_frame(path: Path, place: Place, columns: list[str] | None = None) -> pl.DataFrame:
    """Read a whole table of Parquet, Arrow or CSV, told by its suffix.

    Parameters
    ----------
    path
        The file.
    place
        For the text of an error.
    columns
        Columns to read; by default all.

    Returns
    -------
    polars.DataFrame
        The table.

    Raises
    ------
    SourceError
        It cannot be read.
    """
    request = {
        "do": "whole",
        "path": str(path.absolute()),
        "kind": _kind(path),
        "columns": columns,
    }
    with place.reading():
        ((_, body),) = answers(request)
        return frame_of(body)


def _kind(path: Path) -> str:
    return _KINDS.get(path.suffix.lower(), "arrow")

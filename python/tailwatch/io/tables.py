"""Tables with a column of embeddings: frames in memory, files that Polars scans, Arrow files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from tailwatch.exceptions import DimensionError, InputError
from tailwatch.io.arrow import as_frame, as_series, pyarrow
from tailwatch.io.columns import choose, require, vector_type
from tailwatch.io.part import Matrix, Part
from tailwatch.io.place import Place
from tailwatch.io.vectors import storage, views, width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = [
    "STREAM_ROWS",
    "ColumnPart",
    "Frame",
    "ScannedFile",
    "binary_type_of",
    "open_arrow",
    "whole_column",
]

STREAM_ROWS = 16_384
_FILE_MAGIC = b"ARROW1"


class Table(Protocol):
    """Named columns, of which one can be read without the others."""

    schema: pl.Schema
    rows: int

    def stream(self, column: str) -> Iterator[pl.Series]:
        """Yield a column in pieces, in order."""
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

    def first(self, column: str) -> pl.Series:
        """Give the first row of a column."""
        return self.frame[column].head(1)

    def lazy(self) -> pl.LazyFrame:
        """Give the table."""
        return self.frame.lazy()


class ScannedFile:
    """A file that Polars scans: opening reads its footer, streaming holds a few row groups."""

    def __init__(self, scan: Callable[[], pl.LazyFrame]) -> None:
        # A scan remembers the footer: of a file that has changed since, it would read nonsense.
        self._scan = scan
        now = scan()
        self.schema = now.collect_schema()
        self.rows = int(now.select(pl.len()).collect().item())

    def stream(self, column: str) -> Iterator[pl.Series]:
        """Yield the column in pieces of some thousands of rows."""
        wanted = self._scan().select(column)
        for batch in wanted.collect_batches(chunk_size=STREAM_ROWS, lazy=True, engine="streaming"):
            yield batch[column]

    def first(self, column: str) -> pl.Series:
        """Give the first row of a column."""
        return self._scan().select(column).head(1).collect()[column]

    def lazy(self) -> pl.LazyFrame:
        """Give the scan of the file as it is now."""
        return self._scan()


class ArrowFile(ScannedFile):
    """An Arrow file of the random-access format.

    Polars copies what it reads from one. Where pyarrow is installed, the file is mapped instead,
    and an uncompressed column is used where it lies.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(partial(pl.scan_ipc, path, glob=False, hive_partitioning=False))
        self._path = path

    def stream(self, column: str) -> Iterator[pl.Series]:
        """Yield the column by record batches where it is mapped."""
        arrow = pyarrow()
        if arrow is None:
            yield from super().stream(column)
            return
        with arrow.memory_map(str(self._path)) as mapped:
            whole = mapped.read_buffer(mapped.size())
            inside = range(whole.address, whole.address + whole.size)
            reader = arrow.ipc.open_file(mapped)
            index = reader.schema.get_field_index(column)
            for number in range(reader.num_record_batches):
                values = reader.get_batch(number).column(index)
                *_, data = values.buffers()
                # Of a compressed file, pyarrow would unpack all columns.
                if number == 0 and not (data and data.address in inside):
                    yield from super().stream(column)
                    return
                # Polars trusts offsets and lengths; a damaged file must not get past this line.
                values.validate()
                yield as_series(values)


def open_arrow(path: Path) -> Table:
    """Open a ``.arrow`` file of either Arrow format: random access, or a stream, read at once."""
    with path.open("rb") as file:
        if file.read(len(_FILE_MAGIC)) == _FILE_MAGIC:
            return ArrowFile(path)
    arrow = pyarrow()
    if arrow is None:
        return Frame(pl.read_ipc_stream(path))
    with arrow.memory_map(str(path)) as mapped:
        table = arrow.ipc.open_stream(mapped).read_all()
    table.validate()
    return Frame(as_frame(as_series(table)))


def binary_type_of(table: Table, column: str, columns: int, place: Place) -> np.dtype[Any] | None:
    """Tell the type of a Binary column's values from the number of them in a row.

    Parameters
    ----------
    table, column
        The column.
    columns
        Values in each row.
    place
        For the text of an error.

    Returns
    -------
    numpy.dtype or None
        None for other columns.

    Raises
    ------
    DimensionError
        No type fits the bytes of the first row.
    """
    if table.schema[column] != pl.Binary or not table.rows:
        return None
    with place.reading():
        first = table.first(column)[0]
    if first is None:
        raise InputError(place.row(0, "is null"))
    for kind in (np.float16, np.float32, np.float64):
        if len(first) == columns * np.dtype(kind).itemsize:
            return np.dtype(kind)
    problem = f"holds {len(first)} bytes, expected {columns} values of 2, 4 or 8 bytes"
    raise DimensionError(place.row(0, problem))


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
        self._column = choose(table.schema, column, place)
        self._id_column = (
            None if id_column is None else require(table.schema, id_column, place, "id_column")
        )
        dtype, columns = vector_type(table.schema, self._column, place, binary)
        if columns is None:
            columns = 0
            if table.rows:
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
        with Place(argument, self.origin).reading():
            return pl.concat(list(self._table.stream(self._id_column)))

    def others(self) -> pl.LazyFrame | None:
        """Give the other columns."""
        return self._table.lazy().select(pl.exclude(self._column))

    def beside(self, column: str, argument: str) -> pl.Series:
        """Read another column of the table."""
        place = Place(argument, self.origin)
        return self._all_rows(whole_column(self._table, column, place), place)

    def _read(self, place: Place) -> Iterator[Matrix]:
        with place.reading():
            for series in self._table.stream(self._column):
                yield from views(series, self.columns, place, self.dtype)
                place = place.after(len(series))

"""A ``.npy`` file and the table beside it: row for row the same things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.columns import require
from tailwatch.io.decoded import DecodedFile
from tailwatch.io.npy import NpyPart
from tailwatch.io.place import Place
from tailwatch.io.tables import whole_column

if TYPE_CHECKING:
    import polars as pl

    from tailwatch.io.layouts import Shard

__all__ = ["PairedPart"]


class PairedPart(NpyPart):
    """Rows of a ``.npy`` file with a Parquet file beside it.

    Parameters
    ----------
    shard
        Both files; there may be no table.
    argument
        Name of the argument, for the text of an error.
    id_column
        Name of the column of identifiers.
    """

    def __init__(self, shard: Shard, argument: str, id_column: str | None) -> None:
        super().__init__(shard.path, argument)
        place = Place(argument, str(shard.path))
        for what, said, found in (
            ("rows", shard.rows, self.rows),
            ("columns", shard.columns, self.columns),
            ("values", shard.dtype, self.dtype.name),
        ):
            if said is not None and said != found:
                raise SourceError(
                    argument=place.subject,
                    expected=f"{said} {what} as was written",
                    got=str(found),
                )
        self._table: DecodedFile | None = None
        self._id_column = id_column
        if shard.metadata is None:
            if id_column is not None:
                msg = f"id_column={id_column!r} needs a table beside it"
                raise InputError(
                    msg,
                    argument=place.subject,
                    expected="a table beside the array",
                    got="an array alone",
                )
            return
        self._metadata = str(shard.metadata)
        beside = Place(argument, self._metadata)
        self._table = DecodedFile(shard.metadata, beside)
        if self._table.rows != self.rows:
            raise SourceError(
                argument=beside.subject,
                expected=f"{self.rows} rows as in {shard.path.name}",
                got=str(self._table.rows),
            )
        if id_column is not None:
            require(self._table.schema, id_column, beside, "id_column")

    def ids(self, argument: str) -> pl.Series | None:
        """Read the column of identifiers."""
        if self._id_column is None or self._table is None:
            return None
        place = Place(argument, self._metadata)
        return self._all_rows(whole_column(self._table, self._id_column, place), place)

    def beside(self, column: str, argument: str) -> pl.Series:
        """Read a column of the table."""
        if self._table is None:
            return super().beside(column, argument)
        place = Place(argument, self._metadata)
        return self._all_rows(whole_column(self._table, column, place), place)

    def others(self) -> pl.LazyFrame | None:
        """Give the table."""
        return None if self._table is None else self._table.lazy()

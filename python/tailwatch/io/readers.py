"""From a source of any kind to its parts; an array and the table beside it are one part."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from tailwatch.exceptions import DimensionError, InputError, SourceError, TailwatchWarning
from tailwatch.io.columns import binary_type, require
from tailwatch.io.layouts import SUFFIXES, TABLES, Shard, is_dataset, shards_of
from tailwatch.io.npy import NpyPart
from tailwatch.io.npz import NpzPart
from tailwatch.io.objects import of_object
from tailwatch.io.paths import Paths, files
from tailwatch.io.regular import Place, refuse_pointer
from tailwatch.io.tables import ColumnPart, TableFile, whole_column

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from tailwatch.io.part import Part
    from tailwatch.io.walking import Omission

__all__ = ["are_paths", "open_parts", "open_shard"]


def are_paths(source: object) -> TypeGuard[Paths]:
    """Return whether a source names files: a path, or a list whose first item is one."""
    if isinstance(source, list | tuple):
        return not source or isinstance(source[0], str | os.PathLike)
    return isinstance(source, str | os.PathLike)


def open_parts(
    source: object,
    argument: str,
    *,
    column: str,
    id_column: str | None,
    binary: str | None = None,
) -> tuple[list[Part], tuple[Omission, ...]]:
    """Open a source: one part per file, or one for an object in memory.

    Parameters
    ----------
    source
        What :func:`tailwatch.open` takes.
    argument
        Name of the argument, for the text of an error.
    column, id_column
        Names of columns, where the source is a table.
    binary
        Type of the values in a Binary column.

    Returns
    -------
    list of Part
        At least one, each with rows, all with the same number of columns.
    tuple of Omission
        Files of a packed folder, or one of clip-retrieval, that are not read; of these a warning
        was given.
    """
    left_out: tuple[Omission, ...] = ()
    dtype = binary_type(binary)
    if isinstance(source, str | os.PathLike) and is_dataset(Path(source).expanduser()):
        listing = shards_of(source, argument, column)
        found = [open_shard(shard, argument, column, id_column, dtype) for shard in listing.shards]
        left_out = listing.left_out
    elif are_paths(source):
        found = [
            open_shard(Shard(path.name, path), argument, column, id_column, dtype)
            for path in files(source, argument)
        ]
    else:
        found = [of_object(source, Place(argument), column, id_column, dtype)]
    # Writers of shards leave empty ones, whose number of columns may not even be known.
    filled = [part for part in found if part.rows]
    if not filled:
        subject = Place(argument, found[0].file).subject
        raise InputError(argument=subject, expected="at least one row", got="none")
    _check_columns(filled, argument)
    if left_out:
        said = "; ".join(str(each) for each in left_out)
        warnings.warn(f"{argument}: {said}", TailwatchWarning, stacklevel=4)
    return filled, left_out


def _check_columns(parts: list[Part], argument: str) -> None:
    first = parts[0]
    for part in parts:
        if not part.columns:
            subject = Place(argument, part.file).subject
            raise DimensionError(argument=subject, expected="at least one column", got="none")
        if part.columns != first.columns:
            msg = f"{part.file} has {part.columns} columns, {first.file} has {first.columns}"
            raise DimensionError(
                msg,
                argument=argument,
                expected=f"{first.columns} columns, as in {first.file}",
                got=f"{part.columns} columns",
                where=part.file,
            )


def open_shard(
    shard: Shard,
    argument: str,
    column: str,
    id_column: str | None = None,
    binary: np.dtype[Any] | None = None,
) -> Part:
    """Open one file, with the table beside it.

    Parameters
    ----------
    shard
        The file.
    argument, column, id_column, binary
        As in :func:`open_parts`.

    Returns
    -------
    Part
        Its rows, of which there may be none.

    Raises
    ------
    InputError
        If it cannot be read, or is not what it must be.
    """
    place = Place(argument, str(shard.path))
    suffix = shard.path.suffix.lower()
    if suffix not in SUFFIXES:
        expected = f"one of {', '.join(SUFFIXES)}"
        raise SourceError(argument=place.subject, expected=expected, got=f"suffix {suffix!r}")
    for file in shard.files:
        refuse_pointer(file, Place(argument, str(file)))
    if suffix in TABLES:
        return ColumnPart(TableFile(shard.path, place), place, column, id_column, binary)
    if shard.metadata is not None:
        return _PairedPart(shard, argument, id_column)
    if id_column is not None:
        msg = f"id_column={id_column!r} needs a table, got {suffix}"
        raise InputError(
            msg,
            argument=place.subject,
            expected=f"a table with a column {id_column!r}",
            got=suffix,
        )
    if suffix == ".npz":
        return NpzPart(shard.path, argument, column)
    return (
        NpyPart(shard.path, argument) if shard.rows is None else _PairedPart(shard, argument, None)
    )


class _PairedPart(NpyPart):
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
        self._table: TableFile | None = None
        self._id_column = id_column
        if shard.metadata is None:
            if id_column is not None:
                msg = f"id_column={id_column!r} needs a table beside it"
                raise InputError(
                    msg,
                    argument=place.subject,
                    expected=f"a table beside the array, with a column {id_column!r}",
                    got="an array alone",
                )
            return
        self._metadata = str(shard.metadata)
        beside = Place(argument, self._metadata)
        self._table = TableFile(shard.metadata, beside)
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
        """Return the table."""
        return None if self._table is None else self._table.lazy()

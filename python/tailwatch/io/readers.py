"""From a source of any kind to its parts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeGuard

from tailwatch.exceptions import DimensionError, InputError, SourceError
from tailwatch.io.arrays import NpyPart, open_npz
from tailwatch.io.objects import of_object
from tailwatch.io.paths import Paths, files
from tailwatch.io.place import Place
from tailwatch.io.tables import ColumnPart, open_arrow, open_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from tailwatch.io.part import Part

__all__ = ["are_paths", "open_parts"]

_TABLES = {
    ".parquet": open_parquet,
    ".arrow": open_arrow,
    ".feather": open_arrow,
    ".ipc": open_arrow,
}
_SUFFIXES = (".npy", ".npz", *_TABLES)


def are_paths(source: object) -> TypeGuard[Paths]:
    """Tell whether a source names files: a path, or a list whose first item is one."""
    if isinstance(source, list | tuple):
        return not source or isinstance(source[0], str | os.PathLike)
    return isinstance(source, str | os.PathLike)


def open_parts(source: object, argument: str, *, column: str, id_column: str | None) -> list[Part]:
    """Open a source: one part per file, or one for an object in memory.

    Parameters
    ----------
    source
        What :func:`tailwatch.open` takes.
    argument
        Name of the argument, for the text of an error.
    column, id_column
        Names of columns, where the source is a table.

    Returns
    -------
    list of Part
        At least one, each with rows, all with the same number of columns.
    """
    if are_paths(source):
        found = [_read(path, argument, column, id_column) for path in files(source, argument)]
    else:
        found = [of_object(source, Place(argument), column, id_column)]
    # Writers of shards leave empty ones, whose number of columns may not even be known.
    filled = [part for part in found if part.rows]
    if not filled:
        msg = f"{Place(argument, found[0].origin).subject}: expected at least one row, got none"
        raise InputError(msg)
    _check_columns(filled, argument)
    return filled


def _check_columns(parts: list[Part], argument: str) -> None:
    first = parts[0]
    for part in parts:
        if not part.columns:
            msg = f"{Place(argument, part.origin).subject}: expected at least one column, got none"
            raise DimensionError(msg)
        if part.columns != first.columns:
            msg = (
                f"{argument}: {part.origin} has {part.columns} columns, "
                f"{first.origin} has {first.columns}"
            )
            raise DimensionError(msg)


def _read(path: Path, argument: str, column: str, id_column: str | None) -> Part:
    place = Place(argument, str(path))
    suffix = path.suffix.lower()
    if suffix in _TABLES:
        with place.reading():
            table = _TABLES[suffix](path)
        return ColumnPart(table, place, column, id_column)
    if suffix not in _SUFFIXES:
        msg = f"{place.subject}: expected one of {', '.join(_SUFFIXES)}, got suffix {suffix!r}"
        raise SourceError(msg)
    if id_column is not None:
        msg = f"{place.subject}: id_column={id_column!r} needs a table, got {suffix}"
        raise InputError(msg)
    return NpyPart(path, argument) if suffix == ".npy" else open_npz(path, argument, column)

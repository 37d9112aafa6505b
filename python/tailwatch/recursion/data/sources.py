"""Data of a run from files and from objects of other libraries.

What :func:`tailwatch.open` opens, and so what `compare` and `fit` take, comes in by that door here
too and becomes an array of embeddings. A loop also runs on numbers, categories and documents, which
are no embeddings; these are read besides:

===========================  =====================================================================
source                       data
===========================  =====================================================================
``.npy``                     the array, of any number of axes
``.npz``, a folder that was  an array of embeddings
packed, several ``.npy``,
`Embeddings`, a torch
tensor, Arrow data
``.parquet``, ``.arrow``,    a column: vectors as an array of embeddings, anything else as a series;
or several of them           without a name ``embedding`` (or ``emb``, ``embeddings``) if it is
                             there, numbers as an array of all columns, or the only column
``.csv``                     a column, as of these
``.txt``                     each line a document, cut into words at blanks
===========================  =====================================================================
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tailwatch.embeddings import Embeddings
from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.columns import DEFAULT_COLUMN, OTHER_NAMES, ArrowArray, ArrowStream, require
from tailwatch.io.layouts import SUFFIXES, TABLES, is_dataset
from tailwatch.io.npy import whole_array
from tailwatch.io.objects import TorchTensor
from tailwatch.io.paths import files, title
from tailwatch.io.readers import are_paths, open_parts
from tailwatch.io.regular import Place
from tailwatch.io.tables import TableFile, read_frame
from tailwatch.text_form import path_text, shortened, shown, visible

if TYPE_CHECKING:
    from tailwatch.recursion.data.kind import Data

__all__ = ["is_source", "read_data"]

TEXTS: Final = (".csv", ".txt")
WITHOUT_COLUMNS: Final = (".npy", ".txt")


def is_source(given: object) -> bool:
    """Return whether data come of what was given: files, opened embeddings, torch or Arrow data."""
    # An empty list names no file, and no rows either.
    return (are_paths(given) and given not in ([], ())) or isinstance(
        given, Embeddings | ArrowStream | ArrowArray | TorchTensor
    )


def read_data(
    source: Any,  # noqa: ANN401  (all that `tailwatch.open` takes, and more files)
    argument: str,
    *,
    column: str | None = None,
    binary: str | None = None,
) -> Data:
    """Read the data of a run.

    Parameters
    ----------
    source
        As the table above has it.
    argument
        Name of the argument or option, for messages.
    column
        Column of a table, or array of an archive.
    binary
        ``"float16"``, ``"float32"`` or ``"float64"``, if the column is Binary.

    Returns
    -------
    numpy.ndarray or polars.Series
        The rows.

    Raises
    ------
    InputError
        Nothing of the kind, or a table in which it is not clear which column is meant.
    SourceError
        A file that is not there, or cannot be read.
    """
    if isinstance(source, Embeddings):
        return source.to_numpy()
    if not isinstance(source, str | os.PathLike) or is_dataset(Path(source).expanduser()):
        return _embeddings(source, argument, column, binary)
    suffix = Path(source).suffix.lower()
    if suffix not in {*SUFFIXES, *TEXTS}:
        expected = f"a folder or a file of {', '.join([*SUFFIXES, *TEXTS])}"
        raise InputError(argument=argument, expected=expected, got=path_text(source))
    found = files(source, argument)
    if column is not None and suffix in WITHOUT_COLUMNS:
        expected = f"none for a {suffix} file, which has no columns"
        raise InputError(argument="column", expected=expected, got=shown(column))
    if suffix == ".npz" or (suffix == ".npy" and len(found) > 1):
        return _embeddings(source, argument, column, binary)
    for file in found:
        if not stat.S_ISREG(file.stat().st_mode):
            got = f"{path_text(file)}, which is none"
            raise SourceError(argument=argument, expected="a regular file", got=got)
    if suffix in TABLES:
        schema = TableFile(found[0], Place(argument, path_text(found[0]))).schema
        named = _of_vectors(schema, column)
        if named is not None:
            return _embeddings(source, argument, named, binary)
    with Place(argument, path_text(source)).reading():
        return _of_files(found, suffix, argument, column)


def _of_files(found: list[Path], suffix: str, argument: str, column: str | None) -> Data:
    """Read what is no table of embeddings."""
    if suffix in WITHOUT_COLUMNS:
        if len(found) > 1:
            got = f"{len(found)}, {path_text(found[0])} among them"
            raise InputError(argument=argument, expected=f"one {suffix} file", got=got)
        if suffix == ".npy":
            return whole_array(found[0], Place(argument, path_text(found[0])))
        lines = found[0].read_text(encoding="utf-8").splitlines()
        return pl.Series("words", [line.split() for line in lines], dtype=pl.List(pl.String))
    tables = [read_frame(file, Place(argument, path_text(file))) for file in found]
    return _chosen(pl.concat(tables), Place(argument, path_text(found[0])), column)


def _embeddings(source: Any, argument: str, column: str | None, binary: str | None) -> Data:  # noqa: ANN401
    """Read rows as every other call does."""
    parts, left_out = open_parts(
        source, argument, column=column or DEFAULT_COLUMN, id_column=None, binary=binary
    )
    name = title(source) if are_paths(source) else argument
    return Embeddings(parts, name=name, argument=argument, left_out=left_out).to_numpy()


def _of_vectors(schema: pl.Schema, column: str | None) -> str | None:
    """Return the column of a table that holds embeddings, if that is what is meant."""
    named = _default(list(schema)) if column is None else column
    if named is None and len(schema) == 1:
        named = next(iter(schema))
    dtype: Any = schema.get(named) if named is not None else None
    if isinstance(dtype, pl.BaseExtension):
        dtype = dtype.ext_storage()
    inner = getattr(dtype, "inner", None)
    return named if dtype == pl.Binary or (inner is not None and inner.is_float()) else None


def _default(columns: list[str]) -> str | None:
    """Return the column that is meant where none is named."""
    if DEFAULT_COLUMN in columns:
        return DEFAULT_COLUMN
    others = [name for name in OTHER_NAMES if name in columns]
    return others[0] if len(others) == 1 else None


def _chosen(frame: pl.DataFrame, place: Place, column: str | None) -> Data:
    """Return the column that is meant, or all of them if they are numbers."""
    column = _default(frame.columns) if column is None else column
    known = shortened(visible(", ".join(frame.columns)), 300)
    if column is None and frame.width != 1:
        if frame.width and all(dtype.is_numeric() for dtype in frame.dtypes):
            return frame.cast(pl.Float64).to_numpy()
        raise InputError(
            argument=place.argument,
            expected="a column of embeddings, numbers alone, or one column",
            got=known or "no column",
            hint="tailwatch.open(..., column=NAME) names one",
        )
    column = frame.columns[0] if column is None else column
    found = frame[require(frame.schema, column, place, "column")]
    return found.to_numpy() if found.dtype.is_float() else found

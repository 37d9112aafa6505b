"""Which column of a table holds the embeddings, and whether its type will do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError, SourceError

if TYPE_CHECKING:
    from tailwatch.io.place import Place

__all__ = ["DEFAULT_COLUMN", "binary_type", "choose", "require", "vector_type"]

DEFAULT_COLUMN = "embedding"
_OTHER_NAMES = ("emb", "embeddings")
_LISTED = 30
_FLOATS: dict[object, np.dtype[Any]] = {
    pl.Float16: np.dtype(np.float16),
    pl.Float32: np.dtype(np.float32),
    pl.Float64: np.dtype(np.float64),
}


def choose(schema: pl.Schema, column: str, place: Place) -> str:
    """Find the column of the embeddings.

    Parameters
    ----------
    schema
        Names and types of the table.
    column
        The name asked for. Where it is the default, `DEFAULT_COLUMN`, and the table has no such
        column, ``emb`` or ``embeddings`` stands in, if just one of them is there.
    place
        For the text of an error.

    Returns
    -------
    str
        Name of a column that is there.

    Raises
    ------
    SourceError
        If there is no such column; the message lists those there are.
    """
    if column == DEFAULT_COLUMN and column not in schema:
        found = [name for name in _OTHER_NAMES if name in schema]
        if len(found) == 1:
            return found[0]
    return require(schema, column, place, "column")


def require(schema: pl.Schema, column: str, place: Place, keyword: str | None = None) -> str:
    """Check that a table has a column; `keyword` of ``tailwatch.open`` would name another one."""
    if column in schema:
        return column
    listed = [f"{name} ({dtype})" for name, dtype in schema.items()]
    if len(listed) > _LISTED:
        listed[_LISTED:] = [f"and {len(listed) - _LISTED} more"]
    hint = "" if keyword is None else f" (tailwatch.open(..., {keyword}=NAME) takes another)"
    msg = f"{place.subject}: no column {column!r}; it has {', '.join(listed) or 'none'}{hint}"
    raise SourceError(msg)


def binary_type(name: str | None) -> np.dtype[Any] | None:
    """Check what the bytes of a Binary column are said to be.

    Raises
    ------
    InputError
        If it is anything but float16, float32 or float64.
    """
    if name is None:
        return None
    if name not in ("float16", "float32", "float64"):
        msg = f"binary: expected 'float16', 'float32' or 'float64', got {name!r}"
        raise InputError(msg)
    return np.dtype(name)


def vector_type(
    schema: pl.Schema, column: str, place: Place, binary: np.dtype[Any] | None = None
) -> tuple[np.dtype[Any], int | None]:
    """Read element type and width off the type of a column.

    Parameters
    ----------
    schema, column
        The table, and the name of the column. Of an extension type, such as a fixed-shape tensor,
        the storage counts.
    place
        For the text of an error.
    binary
        What the bytes of a Binary column are, in little-endian order; its type does not tell.

    Returns
    -------
    numpy.dtype
        float16, float32 or float64.
    int or None
        Number of values in each row; List and Binary do not tell.

    Raises
    ------
    InputError
        If it is not a column of vectors of these types.
    """
    dtype = schema[column]
    stored = dtype.ext_storage() if isinstance(dtype, pl.BaseExtension) else dtype
    if isinstance(stored, pl.Array | pl.List):
        element = _FLOATS.get(stored.inner)
        if element is not None:
            return element, stored.size if isinstance(stored, pl.Array) else None
    if stored == pl.Binary:
        if binary is not None:
            return binary, None
        msg = (
            f"{place.subject}: column {column!r} is Binary, which does not tell the type of its "
            "numbers (tailwatch.open(..., binary='float16') or 'float32' does)"
        )
        raise InputError(msg)
    msg = (
        f"{place.subject}: expected Array or List of Float16, Float32 or Float64, got {dtype}"
        f"{f' in column {column!r}' if column else ''}"
    )
    raise InputError(msg)

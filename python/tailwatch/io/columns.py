"""Which column of a table holds the embeddings, and whether its type will do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError, SourceError

if TYPE_CHECKING:
    from tailwatch.io.place import Place

__all__ = ["DEFAULT_COLUMN", "OTHER_NAMES", "binary_type", "choose", "require", "vector_type"]

DEFAULT_COLUMN = "embedding"
OTHER_NAMES = ("emb", "embeddings")
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
        found = [name for name in OTHER_NAMES if name in schema]
        if len(found) == 1:
            return found[0]
    return require(schema, column, place, "column")


def require(schema: pl.Schema, column: str, place: Place, keyword: str | None = None) -> str:
    """Check that a table has a column; `keyword` is the argument that would name another."""
    if column in schema:
        return column
    listed = [f"{name} ({dtype})" for name, dtype in schema.items()]
    if len(listed) > _LISTED:
        listed[_LISTED:] = [f"and {len(listed) - _LISTED} more"]
    there = ", ".join(listed) or "none"
    ways = [None if keyword is None else f"{keyword} takes the name of another"]
    if keyword == "column":
        ways.append(_hint_of_columns(schema))
    msg = f"no column {column!r}; it has {there}"
    raise SourceError(
        msg,
        argument=place.subject,
        expected=f"a column {column!r}",
        got=there,
        hint="; ".join(way for way in ways if way) or None,
    )


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
        expected = "'float16', 'float32' or 'float64'"
        raise InputError(argument="binary", expected=expected, got=repr(name))
    return np.dtype(name)


def vector_type(
    schema: pl.Schema, column: str, place: Place, binary: np.dtype[Any] | None = None
) -> tuple[np.dtype[Any], int | None]:
    """Read element type and width off the type of a column.

    Parameters
    ----------
    schema, column
        The table, and the name of the column. An extension type, such as a fixed-shape tensor,
        counts as its storage.
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
        msg = f"column {column!r} is Binary, which does not tell the type of its numbers"
        raise InputError(
            msg,
            argument=place.subject,
            expected="the type of the numbers in a Binary column",
            got="none",
            hint="binary says it: float16, float32 or float64",
        )
    named = f"in column {column!r}" if column else None
    raise InputError(
        argument=place.subject,
        expected="Array or List of Float16, Float32 or Float64",
        got=f"{dtype}{f' {named}' if named else ''}",
        hint=_hint_of_type(stored, column),
    )


def _hint_of_columns(schema: pl.Schema) -> str | None:
    """Return what to do with a table that seems to have a column for each dimension."""
    floats = sum(dtype.is_float() for dtype in schema.dtypes())
    if floats < 2:
        return None
    what = "frame" if floats == len(schema) else "frame.select(polars.selectors.float())"
    return f"if each column is one dimension, pass {what}.to_numpy()"


def _hint_of_type(dtype: Any, column: str) -> str | None:  # noqa: ANN401, PLR0911  (a Polars type; one way each)
    """Return how another type becomes one of vectors, where there is a way."""
    name = f"polars.col({column!r})" if column else "series"
    if isinstance(dtype, pl.List | pl.Array) and dtype.inner.is_numeric():
        return f"convert it, as in {name}.cast(polars.List(polars.Float32))"
    if isinstance(dtype, pl.Array) and isinstance(dtype.inner, pl.Array):
        return f"flatten each row, as in {name}.reshape((-1, {np.prod(dtype.shape)}))"
    if dtype == pl.String:
        return f"if it holds lists as JSON, {name}.str.json_decode(polars.List(polars.Float32))"
    if dtype == pl.Object:
        return "make one array of the vectors, as in numpy.stack(series.to_list())"
    if isinstance(dtype, pl.Struct) and all(field.dtype.is_numeric() for field in dtype.fields):
        return f"if each field is one dimension, {name}.struct.unnest().to_numpy()"
    if dtype.is_numeric():
        return "a number in a row is no vector; metrics.univariate takes a column of numbers"
    return None

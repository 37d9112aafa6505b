"""Columns of vectors: of Arrow data of any library, which one, of what type, and as arrays.

Nothing is copied but the values of a Binary column, whose type does not tell what its bytes are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import polars as pl

from tailwatch.exceptions import DimensionError, InputError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.io.part import Matrix
    from tailwatch.io.regular import Place

__all__ = [
    "DEFAULT_COLUMN",
    "OTHER_NAMES",
    "ArrowArray",
    "ArrowStream",
    "as_frame",
    "as_series",
    "binary_type",
    "choose",
    "require",
    "storage",
    "vector_type",
    "views",
    "width",
]

DEFAULT_COLUMN = "embedding"
OTHER_NAMES = ("emb", "embeddings")
_LISTED = 30
_FLOATS: dict[object, np.dtype[Any]] = {
    pl.Float16: np.dtype(np.float16),
    pl.Float32: np.dtype(np.float32),
    pl.Float64: np.dtype(np.float64),
}


@runtime_checkable
class ArrowStream(Protocol):
    """Object that gives its data as a stream of Arrow arrays."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


@runtime_checkable
class ArrowArray(Protocol):
    """Object that gives its data as one Arrow array."""

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...


class _OpaqueStream:
    """An Arrow stream of which nothing else is known.

    Polars recognizes the classes of pyarrow and joins their chunks; a stream keeps them.
    """

    def __init__(self, source: ArrowStream) -> None:
        self._source = source

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._source.__arrow_c_stream__(requested_schema)


def as_series(source: ArrowStream | ArrowArray) -> pl.Series:
    """Import Arrow data chunk by chunk; a table becomes a column of structs."""
    return pl.Series(_OpaqueStream(source) if isinstance(source, ArrowStream) else source)


def as_frame(structs: pl.Series) -> pl.DataFrame:
    """Return a column of structs as a table."""
    return structs.struct.unnest()


def storage(series: pl.Series) -> pl.Series:
    """Return a column without its extension type, such as that of a fixed-shape tensor."""
    return series.ext.storage() if isinstance(series.dtype, pl.BaseExtension) else series


def width(series: pl.Series, place: Place, dtype: np.dtype[Any]) -> int:
    """Count the values in the first row of a List or Binary column, which sets that of all."""
    if series[0] is None:
        raise InputError(**place.row(0, "is null", expected="a vector", got="null"))
    if not len(series[0]):
        said = place.row(0, "holds no values", expected="at least one value", got="none")
        raise DimensionError(**said)
    if series.dtype != pl.Binary:
        return len(series[0])
    columns, rest = divmod(len(series[0]), dtype.itemsize)
    if rest:
        problem = f"holds {len(series[0])} bytes, which are no whole number of {dtype} values"
        expected, got = f"a multiple of {dtype.itemsize} bytes", f"{len(series[0])} bytes"
        raise DimensionError(**place.row(0, problem, expected=expected, got=got))
    return columns


def views(series: pl.Series, columns: int, place: Place, dtype: np.dtype[Any]) -> Iterator[Matrix]:
    """View each chunk of a column as an array, without a copy; of Binary, with one.

    Parameters
    ----------
    series
        Column of Array, List or Binary, whose type has been checked.
    columns
        Number of values that each row must have.
    dtype
        Type of the values, which Binary does not tell.
    place
        For the text of an error.

    Yields
    ------
    numpy.ndarray
        Read-only, of `columns` columns.

    Raises
    ------
    DimensionError
        If a row has another number of values.
    InputError
        If a row, or a value, is null.
    """
    for chunk in storage(series).get_chunks():
        if chunk.dtype == pl.Binary:
            yield _decoded(chunk, columns, place, dtype)
        else:
            yield _view(chunk, columns, place)
        place = place.after(len(chunk))


def _view(chunk: pl.Series, columns: int, place: Place) -> Matrix:
    if chunk.null_count():
        row = _first(chunk.is_null())
        raise InputError(**place.row(row, "is null", expected="a vector", got="null"))
    if isinstance(chunk.dtype, pl.List):
        lengths = chunk.list.len()
        other = lengths != columns
        if other.any():
            row = _first(other)
            problem = f"holds {lengths[row]} values, expected {columns}"
            expected, got = f"{columns} values", f"{lengths[row]} values"
            raise DimensionError(**place.row(row, problem, expected=expected, got=got))
    # The rows are whole and of one length, so what they hold lies end to end.
    values = chunk.explode()
    if values.null_count():
        row, column = divmod(_first(values.is_null()), columns)
        problem = f"holds null in column {column}"
        expected = f"a number in column {column}"
        raise InputError(**place.row(row, problem, expected=expected, got="null"))
    return values.to_numpy(allow_copy=False).reshape(len(chunk), columns)


def _decoded(chunk: pl.Series, columns: int, place: Place, dtype: np.dtype[Any]) -> Matrix:
    """Read the values of each row from its bytes."""
    if chunk.null_count():
        row = _first(chunk.is_null())
        raise InputError(**place.row(row, "is null", expected="a vector", got="null"))
    expected = columns * dtype.itemsize
    sizes = chunk.bin.size()
    other = sizes != expected
    if other.any():
        row = _first(other)
        wanted, got = f"{expected} for {columns} values of {dtype}", f"{sizes[row]} bytes"
        problem = f"holds {got}, expected {wanted}"
        raise DimensionError(**place.row(row, problem, expected=wanted, got=got))
    values = np.frombuffer(b"".join(chunk.to_list()), dtype.newbyteorder("<"))
    return values.astype(dtype, copy=False).reshape(len(chunk), columns)


def _first(mask: pl.Series) -> int:
    return int(mask.arg_max() or 0)


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

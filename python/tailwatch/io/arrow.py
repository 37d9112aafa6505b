"""Arrow data: of any library as Polars columns, and columns of vectors as arrays, without a copy.

Values of a Binary column, whose type does not tell what its bytes are, are copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import polars as pl

from tailwatch.exceptions import DimensionError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.io.part import Matrix
    from tailwatch.io.place import Place

__all__ = ["ArrowArray", "ArrowStream", "as_frame", "as_series", "storage", "views", "width"]


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
        raise InputError(**place.row(row, problem, expected="a number", got="null"))
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

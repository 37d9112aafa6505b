"""A column of vectors as two-dimensional arrays over the same memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tailwatch.exceptions import DimensionError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.io.part import Matrix
    from tailwatch.io.place import Place

__all__ = ["storage", "views", "width"]


def storage(series: pl.Series) -> pl.Series:
    """Give a column without its extension type, such as that of a fixed-shape tensor."""
    return series.ext.storage() if isinstance(series.dtype, pl.BaseExtension) else series


def width(series: pl.Series, place: Place) -> int:
    """Count the values in the first row of a List column, which sets the length of all."""
    if series[0] is None:
        raise InputError(place.row(0, "is null"))
    if series[0].is_empty():
        raise DimensionError(place.row(0, "holds no values"))
    return len(series[0])


def views(series: pl.Series, columns: int, place: Place) -> Iterator[Matrix]:
    """View each chunk of a column as an array, without a copy.

    Parameters
    ----------
    series
        Column of Array or List, whose type has been checked.
    columns
        Number of values that each row must have.
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
        yield _view(chunk, columns, place)
        place = place.after(len(chunk))


def _view(chunk: pl.Series, columns: int, place: Place) -> Matrix:
    if chunk.null_count():
        raise InputError(place.row(_first(chunk.is_null()), "is null"))
    if isinstance(chunk.dtype, pl.List):
        lengths = chunk.list.len()
        other = lengths != columns
        if other.any():
            row = _first(other)
            msg = place.row(row, f"holds {lengths[row]} values, expected {columns}")
            raise DimensionError(msg)
    # The rows are whole and of one length, so what they hold lies end to end.
    values = chunk.explode()
    if values.null_count():
        row, column = divmod(_first(values.is_null()), columns)
        raise InputError(place.row(row, f"holds null in column {column}"))
    return values.to_numpy(allow_copy=False).reshape(len(chunk), columns)


def _first(mask: pl.Series) -> int:
    return int(mask.arg_max() or 0)

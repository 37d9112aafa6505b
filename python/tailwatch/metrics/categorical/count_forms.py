"""Which of the forms that counts come in is which: nothing that holds counts is taken for labels.

| form | read as |
|---|---|
| a frame, an Arrow table, structures | a type and a count in each row, by names and kinds |
| ``numpy.unique(..., return_counts=True)`` | the second array counts the first |
| ``Counter(...).most_common()``, a list of pairs with integers | refused: pairs may be labels |
| pandas ``value_counts()`` | the index has the types |
| a pandas Series of integers with an index of its own, of another name | refused |
| any other Series, array or list | labels |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.arguments import NO_SERIES, refuse_surrogates
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["counted_elsewhere", "is_column", "is_pandas", "type_and_count"]

_NAMES = {"count", "counts", "n", "len", "freq", "frequency", "occurrences"}
"""Columns of counts are called so by Polars, pandas, dplyr and people."""


def counted_elsewhere(data: object, name: str) -> pl.DataFrame | None:
    """Return what pandas, NumPy or a Counter have counted as a frame of ``type`` and ``count``.

    Parameters
    ----------
    data
        Labels or counts in any form.
    name
        Name of the argument, for errors.

    Returns
    -------
    polars.DataFrame or None
        None for other forms, and for labels.

    Raises
    ------
    InputError
        A form that may hold labels as well as counts.
    """
    if is_pandas(data):
        return _of_pandas(data, name)
    if not isinstance(data, Sequence) or isinstance(data, str | bytes | bytearray):
        return None
    if any(isinstance(one, np.ndarray) and one.ndim for one in data):
        return _of_arrays(data, name)
    if data and all(_is_pair(one) for one in data):
        raise _not_told(
            name,
            f"a {type(data).__name__} of pairs with integers",
            "dict(pairs) for counts, or a Series of lists for labels that are pairs",
        )
    return None


def type_and_count(frame: pl.DataFrame, name: str, *, by_name: bool = False) -> pl.DataFrame:
    """Return the two columns as ``type`` and ``count``.

    Parameters
    ----------
    frame
        Two columns, in any order.
    name
        Name of the argument, for errors.
    by_name
        Whether the column of counts must be called so: a structure of two fields may be a label.

    Returns
    -------
    polars.DataFrame
        Columns ``type`` and ``count``.
    """
    if frame.width != 2:
        raise InputError(
            argument=name,
            expected="a frame of two columns, type and count",
            got=f"{frame.width}: {', '.join(frame.columns)}",
        )
    counts = _column_of_counts(frame, by_name=by_name)
    if counts is None:
        form = "structures" if by_name else "a frame"
        raise _not_told(
            name,
            f"{form} of {' and '.join(f'{column!r}' for column in frame.columns)}",
            "call the counts 'count'",
        )
    types = next(column for column in frame.columns if column != counts)
    return frame.select(pl.col(types).alias("type"), pl.col(counts).alias("count"))


def is_column(data: object) -> bool:
    """Return whether data are a Series or come by the Arrow interface."""
    arrow = ("__arrow_c_stream__", "__arrow_c_array__")
    return isinstance(data, pl.Series) or any(hasattr(data, name) for name in arrow)


def is_pandas(data: object) -> bool:
    """Return whether data are a pandas Series, by what it can do: pandas is not imported."""
    return (
        not isinstance(data, pl.Series | pl.DataFrame)
        and all(hasattr(data, name) for name in ("to_numpy", "index", "name", "dtype"))
        # Arrow arrays have a method of that name.
        and not callable(getattr(data, "index", None))
    )


def _column_of_counts(frame: pl.DataFrame, *, by_name: bool) -> str | None:
    """Return the name of the column of counts; None if it cannot be told."""
    named = [column for column in frame.columns if column.lower() in _NAMES]
    if len(named) == 1:
        return named[0]
    if by_name:
        return None
    integers = [column for column in frame.columns if frame.schema[column].is_integer()]
    floats = [column for column in frame.columns if frame.schema[column].is_float()]
    # A label is no float, so that one of them alone must be the counts.
    able = floats if len(floats) == 1 else integers if not floats else []
    if len(able) == 1:
        return able[0]
    # Where neither can be a count, what is wrong is said of the second.
    return None if able else frame.columns[1]


def _of_arrays(data: Sequence[Any], name: str) -> pl.DataFrame:
    """Read a pair of arrays, as ``numpy.unique`` returns it."""
    pair = len(data) == 2 and isinstance(data, tuple)
    if pair and all(isinstance(one, np.ndarray) and one.ndim == 1 for one in data):
        types, counts = data
        if len(types) == len(counts) and counts.dtype.kind in "iu":
            return pl.DataFrame({"type": _types(types, name), "count": pl.Series(counts)})
    raise _not_told(
        name,
        f"a {type(data).__name__} of arrays",
        "dict(zip(types.tolist(), counts.tolist())) for counts, or one array for labels",
    )


def _of_pandas(data: Any, name: str) -> pl.DataFrame | None:  # noqa: ANN401
    """Read a pandas Series of counts; None for one of labels."""
    values, index = data.to_numpy(), data.index
    if values.dtype.kind not in "iu" or type(index).__name__ == "RangeIndex":
        return None
    if str(data.name).lower() not in _NAMES:
        raise _not_told(
            name,
            "a pandas Series of integers with an index of its own",
            "series.to_dict() for counts, series.to_numpy() for labels",
        )
    types = index.to_numpy()
    if getattr(index, "nlevels", 1) > 1:
        raise InputError(
            argument=name,
            expected="counts of one column",
            got=f"an index of {index.nlevels} levels",
            hint="join what makes a label into one column",
        )
    return pl.DataFrame({"type": _types(types, name), "count": pl.Series(values)})


def _types(types: NDArray[Any], name: str) -> pl.Series:
    """Return the types that are counted as a Series."""
    labels = types.tolist() if types.dtype == object else types
    try:
        return pl.Series(labels)
    except NO_SERIES as error:
        refuse_surrogates(labels, name)
        kinds = ", ".join(sorted({type(label).__name__ for label in labels}))
        raise InputError(argument=name, expected="labels of one type", got=kinds) from error


def _is_pair(one: object) -> bool:
    """Return whether a label may be a type with its count."""
    return (
        isinstance(one, tuple | list)
        and len(one) == 2
        and isinstance(one[1], int | np.integer)
        and not isinstance(one[1], bool)
    )


def _not_told(name: str, got: str, hint: str) -> InputError:
    """Return the error about a form that may hold labels as well as counts."""
    return InputError(argument=name, expected="labels or counts", got=got, hint=hint)

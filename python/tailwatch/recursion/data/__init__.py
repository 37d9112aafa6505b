"""Rows of whatever kind the data of a run are: count, take, join, tell apart, write and read.

=================  ======================  =========================
kind               rows                    in a run directory
=================  ======================  =========================
NumPy array        along the first axis    ``samples.npy``
Polars frame       its rows                ``samples.parquet``
Polars series      its values              ``samples.parquet``
`RowSet`           as it counts them       ``samples/``, by its save
=================  ======================  =========================

===========  =======================================================================================
``kind``     what the loop has to know of each kind
``rowsets``  data of the user's own kind
``sources``  data from files and from objects of other libraries
===========  =======================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError
from tailwatch.recursion.data.kind import ARRAYS, FRAMES, SERIES
from tailwatch.recursion.data.rowsets import ROW_SETS
from tailwatch.recursion.data.sources import is_source, read_data

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tailwatch.recursion.data.kind import Data, Kind

__all__ = [
    "as_data",
    "check_like",
    "check_stored",
    "concat",
    "describe",
    "fingerprint",
    "is_categorical",
    "kind_of",
    "length",
    "matrix_of",
    "read",
    "read_data",
    "take",
    "write",
]

KINDS: tuple[Kind, ...] = (ARRAYS, FRAMES, SERIES, ROW_SETS)


def kind_of(data: Data, argument: str) -> Kind:
    """Return which kind of data this is, or that it is none."""
    for kind in KINDS:
        if kind.holds(data):
            return kind
    raise InputError(
        argument=argument,
        expected="a NumPy array, a Polars frame or series, what tailwatch.open takes, or an object "
        "with __len__, take and concat",
        got=type(data).__name__,
    )


def as_data(source: Any, argument: str) -> Data:  # noqa: ANN401  (checked here)
    """Return an argument that is data, or of which data come: rows, at least one."""
    is_data = any(kind.holds(source) for kind in KINDS)
    data = source if is_data or not is_source(source) else read_data(source, argument)
    kind = kind_of(data, argument)
    kind.check(data, argument)
    if not kind.length(data):
        raise InputError(argument=argument, expected="at least one row", got="none")
    return data


def check_like(data: Data, human: Data, argument: str, *, rows: int | None = None) -> Data:
    """Refuse data that cannot be joined with the human data, or of another number of rows."""
    kind = kind_of(human, "data")
    if not kind.holds(data):
        raise InputError(
            argument=argument, expected=f"{kind.name} as data is", got=type(data).__name__
        )
    kind.check(data, argument)
    kind.check_joins(data, human, argument)
    if rows is not None and kind.length(data) != rows:
        raise InputError(argument=argument, expected=f"{rows} rows", got=str(kind.length(data)))
    return data


def length(data: Data) -> int:
    """Count the rows."""
    return kind_of(data, "data").length(data)


def take(data: Data, indices: NDArray[np.int64]) -> Data:
    """Return the rows of these numbers, in this order."""
    return kind_of(data, "data").take(data, indices)


def concat(parts: Sequence[Data]) -> Data:
    """Join rows, in order."""
    return kind_of(parts[0], "data").concat(parts)


def fingerprint(data: Data) -> str:
    """Return a string that is another for other rows, or for rows in another order."""
    return kind_of(data, "data").fingerprint(data)


def describe(data: Data) -> dict[str, Any]:
    """Return what the data are, as JSON takes it."""
    kind = kind_of(data, "data")
    return {
        "kind": kind.describe(data),
        "rows": kind.length(data),
        "fingerprint": kind.fingerprint(data) if kind.can_write(data) else None,
    }


def check_stored(data: Data) -> None:
    """Refuse data whose samples a run directory cannot hold."""
    if not kind_of(data, "data").can_write(data):
        raise InputError(
            argument="directory",
            expected="data with save, load and fingerprint to keep",
            got=f"{type(data).__name__} without them",
        )


def is_categorical(data: Data) -> bool:
    """Return whether rows are labels: integers, booleans, strings or categories, one in each."""
    if isinstance(data, np.ndarray):
        return data.ndim == 1 and data.dtype.kind in "biuSU"
    if isinstance(data, pl.Series):
        words = data.dtype in (pl.String, pl.Categorical, pl.Enum, pl.Boolean)
        return words or data.dtype.is_integer()
    return False


def matrix_of(data: Any, learner: str, *, least: int = 1) -> NDArray[np.float64]:  # noqa: ANN401
    """Return numbers as rows and columns; plain numbers are rows of one column."""
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "biuf" or data.ndim not in {1, 2}:
        what = (
            f"an array of {data.dtype} of shape {data.shape}"
            if isinstance(data, np.ndarray)
            else type(data).__name__
        )
        raise InputError(
            argument="data",
            expected=f"an array of numbers with one or two dimensions for {learner}",
            got=what,
        )
    if len(data) < least:
        raise InputError(
            argument="data", expected=f"at least {least} rows for {learner}", got=str(len(data))
        )
    matrix = data.astype(np.float64, copy=False)
    return matrix[:, None] if matrix.ndim == 1 else matrix


def write(data: Data, directory: Path) -> None:
    """Write samples into the directory of their generation."""
    kind_of(data, "data").write(data, directory)


def read(like: Data, directory: Path) -> Data:
    """Read samples of the kind that `like` is."""
    return kind_of(like, "data").read(like, directory)

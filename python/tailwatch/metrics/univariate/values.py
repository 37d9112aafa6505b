"""What counts as a sample of numbers, and the type in which two samples are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from tailwatch.exceptions import DimensionError, InputError, SourceError
from tailwatch.io.arrow import ArrowArray, ArrowStream, as_frame, as_series
from tailwatch.io.place import Place

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Values", "ValuesLike", "as_values", "common_type"]

ValuesLike: TypeAlias = (
    "NDArray[Any] | Sequence[float] | pl.Series | pl.DataFrame | ArrowStream | ArrowArray"
)
"""All that the functions of :mod:`tailwatch.metrics.univariate` take as a sample."""

EXACT = 2**53
"""Integers up to this magnitude are float64 numbers, all of them."""

INTEGERS = {np.dtype(kind + str(size)) for kind in "iu" for size in (1, 2, 4, 8)}
FLOATS = {np.dtype(name) for name in ("float16", "float32", "float64")}


@dataclass(frozen=True, slots=True)
class Values:
    """Numbers in chunks of one type, and how often each was seen.

    Attributes
    ----------
    chunks
        One-dimensional arrays, as they lie.
    counts
        Observations of each number; ``None`` where each is one.
    argument
        Name in the text of errors.
    """

    chunks: tuple[NDArray[Any], ...]
    counts: NDArray[np.uint64] | None
    argument: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.chunks[0].dtype

    @property
    def total(self) -> int:
        """Observations in all."""
        if self.counts is None:
            return sum(map(len, self.chunks))
        return int(self.counts.sum())

    def to_numpy(self) -> NDArray[Any]:
        """Give all numbers as one array, which may be a view."""
        return self.chunks[0] if len(self.chunks) == 1 else np.concatenate(self.chunks)

    def for_core(self) -> tuple[tuple[NDArray[Any], ...], NDArray[np.uint64] | None, str]:
        """Give what the compiled code takes as a sample."""
        return self.chunks, self.counts, self.argument


def as_values(source: ValuesLike, argument: str, *, counts: str | None = None) -> Values:
    """Take an argument that is a sample of numbers.

    Parameters
    ----------
    source
        A 1-D NumPy array, a list, a Polars Series, an Arrow array; a frame or table where there are
        counts.
    argument
        Name of the argument, which every error about it starts with.
    counts
        Column of a frame that says how often the number in the other column was seen.
    """
    if isinstance(source, np.ndarray):
        _refuse_counts(argument, counts, "numpy.ndarray")
        return _of_chunks([_array(source, argument)], argument)
    if isinstance(source, Sequence) and not isinstance(source, str | bytes | bytearray):
        _refuse_counts(argument, counts, type(source).__name__)
        return _of_chunks([_listed(source, argument)], argument)
    columns = _columns(source, argument)
    if isinstance(columns, pl.DataFrame):
        return _of_frame(columns, argument, counts)
    _refuse_counts(argument, counts, "one column")
    return _of_chunks(_numbers(columns, argument), argument)


def common_type(first: Values, second: Values) -> str:
    """Name the type in which two samples are compared: one that holds all their numbers.

    Raises
    ------
    InputError
        If there is none: an integer beyond 2⁵³ against floats, or beyond int64 against negative
        ones.
    """
    kinds = (first.dtype, second.dtype)
    if all(np.can_cast(kind, np.float32) for kind in kinds):
        return "float32"
    if all(np.can_cast(kind, np.float64) and kind.itemsize <= 8 for kind in kinds) and not any(
        kind in INTEGERS and kind.itemsize == 8 for kind in kinds
    ):
        return "float64"
    if any(kind in FLOATS for kind in kinds):
        for values in (first, second):
            _require_within(values, -EXACT, EXACT, "which float64, the type of the other, does not")
        return "float64"
    if np.dtype(np.uint64) not in kinds:
        return "int64"
    if all(kind.kind == "u" for kind in kinds):
        return "uint64"
    for values in (first, second):
        largest = int(np.iinfo(np.int64).max)
        _require_within(
            values, -largest - 1, largest, "which int64, the type of the other, does not"
        )
    return "int64"


def _require_within(values: Values, low: int, high: int, why: str) -> None:
    """Refuse an integer that the type of the other sample does not hold."""
    if values.dtype not in INTEGERS:
        return
    bounds = np.iinfo(values.dtype)
    low, high = max(low, int(bounds.min)), min(high, int(bounds.max))
    first = 0
    for chunk in values.chunks:
        outside = (chunk < low) | (chunk > high)
        if outside.any():
            place = int(outside.argmax())
            message = f"{values.argument}: position {first + place} holds {chunk[place]}, {why}"
            raise InputError(message)
        first += len(chunk)


def _refuse_counts(argument: str, counts: str | None, what: str) -> None:
    if counts is not None:
        message = f"{argument}: counts={counts!r} needs a frame of numbers and counts, got {what}"
        raise InputError(message)


def _array(source: NDArray[Any], argument: str) -> NDArray[Any]:
    if source.ndim != 1:
        message = f"{argument}: expected a 1-D array, got shape {source.shape}"
        raise DimensionError(message)
    if isinstance(source, np.ma.MaskedArray):
        masked = np.ma.getmaskarray(source)
        if masked.any():
            message = f"{argument}: position {int(masked.argmax())} holds a masked value"
            raise InputError(message)
        source = source.data
    native = source.dtype.newbyteorder("=")
    if native not in INTEGERS | FLOATS:
        message = f"{argument}: expected integers or floats of up to 64 bits, got {source.dtype}"
        raise InputError(message)
    return source.astype(native) if source.dtype != native or not source.flags.aligned else source


def _listed(source: Sequence[object], argument: str) -> NDArray[Any]:
    """Give the numbers of a list the smallest type of 64 bits that holds them all."""
    for place, value in enumerate(source):
        if value is None:
            message = f"{argument}: position {place} is null"
            raise InputError(message)
        # Booleans count as integers in Python, and as no numbers here.
        if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
            message = f"{argument}: position {place} holds {value!r}, expected a number"
            raise InputError(message)
    integers = {
        place: int(value)
        for place, value in enumerate(source)
        if isinstance(value, int | np.integer)
    }
    if len(integers) < len(source):
        _require_held(integers, -EXACT, EXACT, "float64, the type of the others,", argument)
        return np.array(source, np.float64)
    if min(integers.values(), default=0) < 0:
        bounds = np.iinfo(np.int64)
        _require_held(integers, bounds.min, bounds.max, "int64", argument)
        return np.array(source, np.int64)
    _require_held(integers, 0, np.iinfo(np.uint64).max, "uint64", argument)
    largest = max(integers.values(), default=0)
    return np.array(source, np.int64 if largest <= np.iinfo(np.int64).max else np.uint64)


def _require_held(integers: dict[int, int], low: int, high: int, kind: str, argument: str) -> None:
    """Refuse an integer of a list that a type does not hold."""
    for place, value in integers.items():
        if not low <= value <= high:
            message = f"{argument}: position {place} holds {value}, which {kind} does not"
            raise InputError(message)


def _columns(source: object, argument: str) -> pl.Series | pl.DataFrame:
    if isinstance(source, pl.Series | pl.DataFrame):
        return source
    if isinstance(source, ArrowStream | ArrowArray):
        with Place(argument).reading():
            series = as_series(source)
        return as_frame(series) if isinstance(series.dtype, pl.Struct) else series
    kind = type(source)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    message = (
        f"{argument}: expected a 1-D NumPy array, a list, a Polars Series or an Arrow array of "
        f"numbers, got {name}"
    )
    raise InputError(message)


def _numbers(series: pl.Series, subject: str) -> list[NDArray[Any]]:
    if not series.dtype.is_numeric():
        message = f"{subject}: expected numbers, got {series.dtype}"
        raise InputError(message)
    if series.null_count():
        message = f"{subject}: position {series.is_null().arg_max()} is null"
        raise InputError(message)
    if series.dtype.is_decimal():
        series = series.cast(pl.Float64)
    elif series.dtype in {pl.Int128, pl.UInt128}:
        narrow = series.cast(pl.Int64, strict=False)
        if narrow.null_count():
            place = narrow.is_null().arg_max() or 0
            message = f"{subject}: position {place} holds {series[place]}, which int64 does not"
            raise InputError(message)
        series = narrow
    return [chunk.to_numpy() for chunk in series.get_chunks()]


def _of_chunks(chunks: list[NDArray[Any]], argument: str) -> Values:
    if not any(map(len, chunks)):
        message = f"{argument}: expected at least one number, got none"
        raise InputError(message)
    return Values(tuple(chunks), None, argument)


def _of_frame(frame: pl.DataFrame, argument: str, counts: str | None) -> Values:
    if counts is None:
        message = (
            f"{argument}: expected one column of numbers, got a frame of {', '.join(frame.columns)}"
            "; counts=NAME names the column that says how often each number was seen"
        )
        raise InputError(message)
    others = [name for name in frame.columns if name != counts]
    if counts not in frame.columns or len(others) != 1:
        message = (
            f"{argument}: expected the column {counts!r} of counts and one of numbers, "
            f"got {', '.join(frame.columns) or 'no column'}"
        )
        raise SourceError(message)
    numbers = _numbers(frame[others[0]], f"{argument}: column {others[0]!r}")
    values = _of_chunks(numbers, argument)
    return Values(values.chunks, _counts(frame[counts], argument, counts), argument)


def _counts(series: pl.Series, argument: str, name: str) -> NDArray[np.uint64]:
    subject = f"{argument}: column {name!r}"
    if not series.dtype.is_integer():
        message = f"{subject}: expected integers, got {series.dtype}"
        raise InputError(message)
    counts = series.cast(pl.UInt64, strict=False)
    if counts.null_count():
        place = counts.is_null().arg_max() or 0
        message = f"{subject}: position {place} holds {series[place]}, expected a count from 0"
        raise InputError(message)
    # Sums are checked as floats, which do not wrap around.
    total = float(counts.cast(pl.Float64).sum())
    if not 0 < total < EXACT:
        message = f"{subject}: expected a total from 1 to 2**53, got {total:g}"
        raise InputError(message)
    return counts.to_numpy()

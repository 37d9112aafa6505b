"""What counts as a sample of numbers, and two of them in the type that holds both.

Integers stay integers where int64 or uint64 holds all of them; all else is float64, by the rule of
:mod:`tailwatch.arguments`: a number that it does not hold is refused by its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np
import polars as pl

from tailwatch.arguments import floats_of_decimals, inexact, is_float64, number_text
from tailwatch.exceptions import DimensionError, InputError, SourceError
from tailwatch.io.columns import ArrowArray, ArrowStream, as_frame, as_series
from tailwatch.io.regular import Place
from tailwatch.progress import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch.progress import ProgressOption, Settings

__all__ = ["Pair", "Values", "ValuesLike", "as_values", "common_type", "pair_of"]

ValuesLike: TypeAlias = (
    "NDArray[Any] | Sequence[float] | pl.Series | pl.DataFrame | ArrowStream | ArrowArray"
)
"""All that the functions of :mod:`tailwatch.metrics.univariate` take as a sample."""

MOST = 2**53
"""Observations of a sample: float64 holds every number up to this one."""

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
        """Return all numbers as one array, which may be a view."""
        return self.chunks[0] if len(self.chunks) == 1 else np.concatenate(self.chunks)

    def for_core(self) -> tuple[tuple[NDArray[Any], ...], NDArray[np.uint64] | None, str]:
        """Return the sample as the compiled code takes it."""
        return self.chunks, self.counts, self.argument


def as_values(source: ValuesLike, argument: str, *, counts: str | None = None) -> Values:
    """Return an argument as a sample of numbers.

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
    """Return the name of a type that holds all numbers of two samples.

    Raises
    ------
    InputError
        If there is none: an integer that is no float64 against floats, or one beyond int64 against
        negative ones.
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
            _require_floats(values)
        return "float64"
    if np.dtype(np.uint64) not in kinds:
        return "int64"
    if all(kind.kind == "u" for kind in kinds):
        return "uint64"
    for values in (first, second):
        _require_int64(values)
    return "int64"


def _require_floats(values: Values) -> None:
    """Refuse an integer that float64, the type of the other sample, does not hold."""
    first = 0
    for chunk in values.chunks:
        place = inexact(chunk)
        if place is not None:
            raise _not_held(values.argument, first + place, chunk[place], "float64", "the other")
        first += len(chunk)


def _require_int64(values: Values) -> None:
    """Refuse an integer that int64, the type of the other sample, does not hold."""
    if values.dtype != np.dtype(np.uint64):
        return
    first, most = 0, np.iinfo(np.int64).max
    for chunk in values.chunks:
        outside = chunk > most
        if outside.any():
            place = int(outside.argmax())
            raise _not_held(values.argument, first + place, chunk[place], "int64", "the other")
        first += len(chunk)


def _not_held(
    argument: str, place: int, value: object, kind: str, whose: str | None = None
) -> InputError:
    """Return the error about a number that a type does not hold."""
    of = f", the type of {whose}," if whose else ""
    return InputError(
        f"position {place} holds {number_text(value)}, which {kind}{of} cannot hold",
        argument=argument,
        expected=f"numbers that {kind} holds exactly",
        got=number_text(value),
        where=f"position {place}",
    )


def _refuse_counts(argument: str, counts: str | None, what: str) -> None:
    if counts is not None:
        msg = f"counts={counts!r} needs a frame of numbers and counts, got {what}"
        raise InputError(
            msg,
            argument=argument,
            expected="a frame of numbers and counts",
            got=what,
        )


def _bad(argument: str, place: int, problem: str, expected: str, got: str) -> InputError:
    """Return the error about one number of a sample."""
    where = f"position {place}"
    return InputError(
        f"{where} {problem}", argument=argument, expected=expected, got=got, where=where
    )


def _array(source: NDArray[Any], argument: str) -> NDArray[Any]:
    if source.ndim != 1:
        raise DimensionError(argument=argument, expected="a 1-D array", got=f"shape {source.shape}")
    if isinstance(source, np.ma.MaskedArray):
        masked = np.ma.getmaskarray(source)
        if masked.any():
            where = int(masked.argmax())
            raise _bad(argument, where, "holds a masked value", "numbers", "a masked value")
        source = source.data
    native = source.dtype.newbyteorder("=")
    if native.kind == "f" and native.itemsize > 8:
        lost = inexact(source)
        if lost is not None:
            raise _not_held(argument, lost, source[lost], "float64")
        return source.astype(np.float64)
    if native not in INTEGERS | FLOATS:
        raise InputError(
            argument=argument,
            expected="integers or floats of up to 64 bits",
            got=str(source.dtype),
        )
    return source.astype(native) if source.dtype != native or not source.flags.aligned else source


def _listed(source: Sequence[object], argument: str) -> NDArray[Any]:
    """Return the numbers of a list in the smallest type of 64 bits that holds them all."""
    for place, value in enumerate(source):
        if value is None:
            raise _bad(argument, place, "is null", "numbers", "null")
        # Booleans count as integers in Python, and as no numbers here.
        if not isinstance(value, int | float | np.integer | np.floating) or isinstance(value, bool):
            got = repr(value)
            raise _bad(argument, place, f"holds {got}, expected a number", "numbers", got)
    integers = {
        place: int(value)
        for place, value in enumerate(source)
        if isinstance(value, int | np.integer)
    }
    if len(integers) < len(source):
        for place, value in enumerate(source):
            if not is_float64(cast("float", value)):
                whose = "the others" if place in integers else None
                raise _not_held(argument, place, value, "float64", whose)
        return np.array(source, np.float64)
    if min(integers.values(), default=0) < 0:
        bounds = np.iinfo(np.int64)
        _require_between(integers, bounds.min, bounds.max, "int64", argument)
        return np.array(source, np.int64)
    _require_between(integers, 0, np.iinfo(np.uint64).max, "uint64", argument)
    largest = max(integers.values(), default=0)
    return np.array(source, np.int64 if largest <= np.iinfo(np.int64).max else np.uint64)


def _require_between(
    integers: dict[int, int], low: int, high: int, kind: str, argument: str
) -> None:
    """Refuse an integer of a list that a type does not hold."""
    for place, value in integers.items():
        if not low <= value <= high:
            raise _not_held(argument, place, value, kind)


def _columns(source: object, argument: str) -> pl.Series | pl.DataFrame:
    if isinstance(source, pl.Series | pl.DataFrame):
        return source
    if isinstance(source, ArrowStream | ArrowArray):
        with Place(argument).reading():
            series = as_series(source)
        return as_frame(series) if isinstance(series.dtype, pl.Struct) else series
    kind = type(source)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    raise InputError(
        argument=argument,
        expected="a 1-D NumPy array, a list, a Polars Series or an Arrow array of numbers",
        got=name,
    )


def _numbers(series: pl.Series, argument: str) -> list[NDArray[Any]]:
    if not series.dtype.is_numeric():
        raise InputError(argument=argument, expected="numbers", got=str(series.dtype))
    if series.null_count():
        place = series.is_null().arg_max() or 0
        raise _bad(argument, place, "is null", "numbers", "null")
    if series.dtype.is_decimal():
        numbers, lost = floats_of_decimals(series)
        if lost is not None:
            raise _not_held(argument, lost, series[lost], "float64")
        return [numbers]
    if series.dtype in {pl.Int128, pl.UInt128}:
        return [_of_128_bits(series, argument)]
    return [chunk.to_numpy() for chunk in series.get_chunks()]


def _of_128_bits(series: pl.Series, argument: str) -> NDArray[Any]:
    """Return integers as int64 or uint64 if one holds them all, else as float64 if that does."""
    for kind in (pl.Int64, pl.UInt64):
        narrow = series.cast(kind, strict=False)
        if not narrow.null_count():
            return narrow.to_numpy()
    for place, value in enumerate(series):
        if not is_float64(value):
            raise _not_held(argument, place, value, "float64")
    return np.array(series.to_list(), np.float64)


def _of_chunks(chunks: list[NDArray[Any]], argument: str) -> Values:
    if not any(map(len, chunks)):
        raise InputError(argument=argument, expected="at least one number", got="none")
    return Values(tuple(chunks), None, argument)


def _of_frame(frame: pl.DataFrame, argument: str, counts: str | None) -> Values:
    if counts is None:
        raise InputError(
            argument=argument,
            expected="one column of numbers",
            got=f"a frame of {', '.join(frame.columns)}",
            hint="counts=NAME names the column that says how often each number was seen",
        )
    others = [name for name in frame.columns if name != counts]
    if counts not in frame.columns or len(others) != 1:
        raise SourceError(
            argument=argument,
            expected=f"the column {counts!r} of counts and one of numbers",
            got=", ".join(frame.columns) or "no column",
        )
    numbers = _numbers(frame[others[0]], f"{argument}: column {others[0]!r}")
    values = _of_chunks(numbers, argument)
    return Values(values.chunks, _counts(frame[counts], argument, counts), argument)


def _counts(series: pl.Series, argument: str, name: str) -> NDArray[np.uint64]:
    subject = f"{argument}: column {name!r}"
    if not series.dtype.is_integer():
        raise InputError(argument=subject, expected="integers", got=str(series.dtype))
    counts = series.cast(pl.UInt64, strict=False)
    if counts.null_count():
        place, expected = counts.is_null().arg_max() or 0, "a count from 0"
        got = str(series[place])
        raise _bad(subject, place, f"holds {got}, expected {expected}", expected, got)
    # Sums are checked as floats, which do not wrap around.
    total = float(counts.cast(pl.Float64).sum())
    if not 0 < total < MOST:
        raise InputError(argument=subject, expected="a total from 1 to 2**53", got=f"{total:g}")
    return counts.to_numpy()


class Pair(NamedTuple):
    """Reference and candidate, the type that holds both, and how the core runs."""

    reference: Values
    candidate: Values
    dtype: str
    settings: Settings


@contextmanager
def pair_of(
    reference: ValuesLike,
    candidate: ValuesLike,
    threads: int | None,
    progress: ProgressOption,
    *,
    counts: str | None = None,
) -> Iterator[Pair]:
    """Check both samples and yield them with the settings of the core."""
    x = as_values(reference, "reference", counts=counts)
    y = as_values(candidate, "candidate", counts=counts)
    dtype = common_type(x, y)
    with running(threads, progress) as settings:
        yield Pair(x, y, dtype, settings)

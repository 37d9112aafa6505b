"""What counts as a table of counts, and two tables as one.

Labels or ready counts come in, in the forms that `count_forms` tells apart; a type is one of the
different labels. Everything above works on what is left of them: how many types have which count
(`Frequencies`), or which pair of counts (`Pairs`). Both are sorted, so a sum over them does not
depend on names or order of the types, and short: a sample of n labels has at most √(2n) different
counts.

O(n) time for n labels, O(types) memory besides them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from tailwatch.arguments import NO_SERIES, refuse_surrogates
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.count_forms import (
    counted_elsewhere,
    is_column,
    is_pandas,
    type_and_count,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.io.columns import ArrowStream

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = [
    "MOST_LABELS",
    "CountTable",
    "CountsLike",
    "Frequencies",
    "Pairs",
    "as_counts",
    "as_pairs",
    "check_labels",
    "one_kind",
]

CountsLike: TypeAlias = (
    "Mapping[Any, int] | Sequence[Any] | NDArray[Any] | pl.Series | pl.DataFrame | ArrowStream"
)
"""Labels: a Series, a 1-D array, a list. Counts: a mapping, a frame of types and their counts."""

_EXPECTED = (
    "labels (a Series, a 1-D array, a list) or counts (a mapping of types to counts, "
    "a frame of the two columns type and count)"
)
MOST_LABELS = 2**53
"""Labels of a table: float64 holds every number up to this one."""

_NO_LABELS = (pl.Object, pl.Null, pl.Unknown)
_WORDS = (pl.String, pl.Categorical, pl.Enum)


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How many types have which count, counts ascending and above 0."""

    counts: Floats
    types: Floats

    @property
    def total(self) -> float:
        """Labels n, exactly."""
        return float(self.counts @ self.types)

    @property
    def richness(self) -> float:
        """Number of types."""
        return float(self.types.sum())

    def seen(self, times: int) -> float:
        """Return the number of types that were seen so many times."""
        return float(self.types[self.counts == times].sum())


@dataclass(frozen=True, slots=True)
class CountTable:
    """A checked table: each type once, counts that are whole and not all 0.

    Attributes
    ----------
    frame
        Columns ``type`` and ``count`` (Int64).
    """

    frame: pl.DataFrame

    def frequencies(self) -> Frequencies:
        """Return how many types have which count."""
        values = self.frame["count"].to_numpy()
        counts, types = np.unique(values[values > 0], return_counts=True)
        return Frequencies(counts.astype(np.float64), types.astype(np.float64))


@dataclass(frozen=True, slots=True)
class Pairs:
    """How many types have which counts in a reference and a candidate, sorted.

    A type of only one table has the count 0 in the other; one that both list with 0 stays.
    """

    reference: Integers
    candidate: Integers
    types: Integers

    def each(self) -> tuple[Integers, Integers]:
        """Return both counts of every single type."""
        return np.repeat(self.reference, self.types), np.repeat(self.candidate, self.types)

    @property
    def totals(self) -> tuple[int, int]:
        """Labels n of the reference and m of the candidate."""
        return int(self.reference @ self.types), int(self.candidate @ self.types)


def as_counts(data: CountsLike, name: str) -> CountTable:
    """Return a table of counts: of labels, which are counted, or of counts, which are checked.

    Parameters
    ----------
    data
        Labels or counts.
    name
        Name of the argument, for errors.

    Returns
    -------
    CountTable
        Strings, categories and enumerations become strings, integers Int64 (Int128 beyond it).

    Raises
    ------
    InputError
        No labels, nulls or NaN, floating-point labels; counts that are negative, not whole, or all
        0; a type in two rows; a form in which labels and counts are not told apart.
    """
    frame = _table_of(data, name)
    if frame is None:
        return _counted(_series_of(data, name), name)
    return _checked(frame, name)


def as_pairs(reference: CountsLike, candidate: CountsLike) -> Pairs:
    """Join two tables on their types; a type of one table has the count 0 in the other.

    Raises
    ------
    InputError
        As in :func:`as_counts`, and if the types are of different kinds.
    """
    x = as_counts(reference, "reference").frame
    y = as_counts(candidate, "candidate").frame
    dtypes = x.schema["type"], y.schema["type"]
    if dtypes[0] != dtypes[1]:
        if not all(dtype.is_integer() for dtype in dtypes):
            expected = f"types of {dtypes[0]} as in the reference"
            raise InputError(argument="candidate", expected=expected, got=str(dtypes[1]))
        x, y = (frame.with_columns(pl.col("type").cast(pl.Int128)) for frame in (x, y))
    pairs = (
        x.join(y, on="type", how="full", coalesce=True, suffix=" of candidate")
        .select(pl.col("count", "count of candidate").fill_null(0))
        .group_by("count", "count of candidate")
        .agg(pl.len().cast(pl.Int64))
        .sort("count", "count of candidate")
    )
    return Pairs(*(column.to_numpy() for column in pairs))


def _table_of(data: object, name: str) -> pl.DataFrame | None:
    """Return counts as a frame of two columns; None for labels."""
    frame = counted_elsewhere(data, name)
    if frame is not None:
        return frame
    if isinstance(data, Mapping):
        # What is not a number stays what it is, and is then refused by its type.
        counts = pl.Series("count", list(data.values()), strict=False)
        return pl.DataFrame({"type": _series_of(list(data), name), "count": counts})
    if isinstance(data, pl.DataFrame):
        return type_and_count(data, name)
    if is_column(data):
        # An Arrow table is a column of structures; so are Polars' counts of values in an aggregate.
        series = _series_of(data, name)
        if isinstance(series.dtype, pl.Struct):
            return type_and_count(series.struct.unnest(), name, by_name=isinstance(data, pl.Series))
    return None


def _series_of(data: Any, name: str) -> pl.Series:  # noqa: ANN401
    """Return labels as a Series, none of them null."""
    listed = isinstance(data, Sequence) and not isinstance(data, str | bytes | bytearray)
    if is_pandas(data):
        data = data.to_numpy()
    if isinstance(data, np.ndarray):
        if data.ndim != 1:
            pairs = data.ndim == 2 and data.shape[1] == 2
            raise InputError(
                argument=name,
                expected="a 1-D array",
                got=f"shape {data.shape}",
                hint="dict(array.tolist()) makes counts of (type, count)" if pairs else None,
            )
        if np.ma.is_masked(data):
            where = int(np.flatnonzero(np.ma.getmaskarray(data))[0])
            raise _in_row(where, "holds a masked value", name, "a masked value")
        if data.dtype == object:
            # Polars would keep the objects; a list shows what they are.
            data = data.tolist()
    elif not (listed or is_column(data)):
        raise InputError(argument=name, expected=_EXPECTED, got=type(data).__name__)
    try:
        series = pl.Series("type", data)
    except NO_SERIES as error:
        _refuse_missing(data, name)
        refuse_surrogates(data, name)
        kinds = ", ".join(sorted({type(value).__name__ for value in data}))
        why = str(error).splitlines()[0]
        msg = f"expected labels of one type: {why}"
        raise InputError(
            msg,
            argument=name,
            expected="labels of one type",
            got=kinds,
        ) from None
    if series.is_empty():
        raise InputError(argument=name, expected="at least one label", got="none")
    _refuse_nulls(series, name)
    return series


def _refuse_missing(labels: Sequence[object], name: str) -> None:
    """Refuse NaN, or what else stands for a missing label among others, by its row."""
    for row, label in enumerate(labels):
        kind = type(label).__name__
        if label is None or kind in ("NAType", "NaTType"):
            raise _in_row(row, "is null", name, "null")
        if isinstance(label, float | np.floating) and np.isnan(label):
            raise _in_row(row, "is NaN", name, "NaN")


def _in_row(row: int, problem: str, name: str, got: str) -> InputError:
    """Return the error about the label, or the count, of one row."""
    where = f"row {row}"
    return InputError(f"{where} {problem}", argument=name, expected="a label", got=got, where=where)


def _counted(labels: pl.Series, name: str) -> CountTable:
    """Count the labels of a Series."""
    if labels.dtype.is_float() and labels.is_nan().any():
        # Integers and truths with missing ones among them come as floats.
        raise _in_row(labels.is_nan().arg_max() or 0, "is NaN", name, "NaN")
    check_labels(labels.dtype, name)
    frame = labels.to_frame("type").group_by("type").agg(pl.len().cast(pl.Int64).alias("count"))
    return CountTable(frame.with_columns(one_kind(frame["type"])))


def _checked(frame: pl.DataFrame, name: str) -> CountTable:
    """Check a table of counts: each type once, whole counts, not all 0."""
    types, counts = frame["type"], frame["count"]
    if frame.is_empty():
        raise InputError(argument=name, expected="at least one type", got="none")
    _refuse_nulls(types, name)
    check_labels(types.dtype, name)
    if not (counts.dtype.is_integer() or counts.dtype.is_float()):
        raise InputError(argument=name, expected="counts that are integers", got=str(counts.dtype))
    _refuse_nulls(counts, name)
    # Integers that a float cannot hold are too large anyway.
    numbers = counts.cast(pl.Float64)
    whole = (numbers >= 0) & (numbers < MOST_LABELS) & (numbers == numbers.floor())
    if not whole.all():
        row = int((~whole).arg_max() or 0)
        where, got = f"row {row}", f"{counts[row]} of {types[row]!r}"
        expected = "a whole number of at least 0 and below 2**53"
        msg = f"{where} counts {got}, expected {expected}"
        raise InputError(
            msg,
            argument=name,
            expected=expected,
            got=got,
            where=where,
        )
    types = one_kind(types)
    if types.n_unique() < len(types):
        first = types.filter(types.is_duplicated())[0]
        rows = (types == first).arg_true().to_list()
        where = f"rows {rows[0]} and {rows[1]}"
        msg = f"{first!r} is in {where}, expected each type once"
        raise InputError(
            msg,
            argument=name,
            expected="each type once",
            got=repr(first),
            where=where,
            hint="frame.group_by(type).sum() adds up what belongs together",
        )
    counts = counts.cast(pl.Int64)
    total = int(counts.cast(pl.Int128).sum())
    if not 0 < total < MOST_LABELS:
        expected = "counts that add up to between 1 and 2**53"
        raise InputError(argument=name, expected=expected, got=str(total))
    return CountTable(pl.DataFrame({"type": types, "count": counts}))


def _refuse_nulls(series: pl.Series, name: str) -> None:
    if series.has_nulls():
        raise _in_row(series.is_null().arg_max() or 0, "is null", name, "null")


def check_labels(dtype: pl.DataType, name: str) -> None:
    """Refuse what is a measurement and no label, or cannot be grouped."""
    if dtype.is_float() or dtype in _NO_LABELS:
        raise InputError(
            argument=name,
            expected="labels such as strings, integers or categories",
            got=str(dtype),
            hint="numbers in themselves are for tailwatch.metrics.univariate",
        )


def one_kind(types: pl.Series) -> pl.Series:
    """Return types in one data type for all names, and one for all integers."""
    if types.dtype in _WORDS:
        return types.cast(pl.String)
    if types.dtype.is_integer():
        narrow = types.cast(pl.Int64, strict=False)
        return types.cast(pl.Int128) if narrow.has_nulls() else narrow
    return types

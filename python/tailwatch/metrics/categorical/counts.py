"""What counts as a table of counts, and two tables as one.

Labels or ready counts come in; a type is one of the different labels. Everything above works on
what is left of them: how many types have which count (`Frequencies`), or which pair of counts
(`Pairs`). Both are sorted, so a sum over them does not depend on names or order of the types, and
short: a sample of n labels has at most √(2n) different counts.

O(n) time for n labels, O(types) memory besides them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.io.arrow import ArrowStream

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = [
    "Counts",
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
_LARGEST = 2**53
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
        """Types that were seen so many times."""
        return float(self.types[self.counts == times].sum())


@dataclass(frozen=True, slots=True)
class Counts:
    """A checked table: each type once, counts that are whole and not all 0.

    Attributes
    ----------
    frame
        Columns ``type`` and ``count`` (Int64).
    """

    frame: pl.DataFrame

    def frequencies(self) -> Frequencies:
        """Forget which type has which count."""
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
        """Both counts of every single type."""
        return np.repeat(self.reference, self.types), np.repeat(self.candidate, self.types)

    @property
    def totals(self) -> tuple[int, int]:
        """Labels n of the reference and m of the candidate."""
        return int(self.reference @ self.types), int(self.candidate @ self.types)


def as_counts(data: CountsLike, name: str) -> Counts:
    """Count labels, or check counts.

    Parameters
    ----------
    data
        Labels or counts.
    name
        Name of the argument, for errors.

    Returns
    -------
    Counts
        Strings, categories and enumerations become strings, integers Int64 (Int128 beyond it).

    Raises
    ------
    InputError
        No labels, nulls, floating-point labels; counts that are negative, not whole, or all 0; a
        type in two rows.
    """
    frame = _table_of(data, name)
    if frame is None:
        return _counted(_series_of(data, name), name)
    return _checked(frame, name)


def as_pairs(reference: CountsLike, candidate: CountsLike) -> Pairs:
    """Join two tables on their types; types of one of them have the count 0 in the other.

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
            message = (
                f"candidate: expected types of {dtypes[0]} as in the reference, got {dtypes[1]}"
            )
            raise InputError(message)
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
    if isinstance(data, Mapping):
        # What is not a number stays what it is, and is then refused by its type.
        counts = pl.Series("count", list(data.values()), strict=False)
        return pl.DataFrame({"type": _series_of(list(data), name), "count": counts})
    if isinstance(data, pl.DataFrame):
        frame = data
    elif _is_column(data):
        # An Arrow table is a column of structures; so are Polars' counts of values in an aggregate.
        series = _series_of(data, name)
        if not isinstance(series.dtype, pl.Struct):
            return None
        frame = series.struct.unnest()
    else:
        return None
    if frame.width != 2:
        message = (
            f"{name}: expected a frame of two columns, type and count, "
            f"got {frame.width}: {', '.join(frame.columns)}"
        )
        raise InputError(message)
    return frame.rename(dict(zip(frame.columns, ("type", "count"), strict=True)))


def _is_column(data: object) -> bool:
    arrow = ("__arrow_c_stream__", "__arrow_c_array__")
    return isinstance(data, pl.Series) or any(hasattr(data, name) for name in arrow)


def _series_of(data: Any, name: str) -> pl.Series:  # noqa: ANN401
    """Return labels as a Series, none of them null."""
    listed = isinstance(data, Sequence) and not isinstance(data, str | bytes | bytearray)
    if isinstance(data, np.ndarray):
        if data.ndim != 1:
            message = f"{name}: expected a 1-D array, got shape {data.shape}"
            raise InputError(message)
        if np.ma.is_masked(data):
            where = int(np.flatnonzero(np.ma.getmaskarray(data))[0])
            message = f"{name}: row {where} holds a masked value"
            raise InputError(message)
        if data.dtype == object:
            # Polars would keep the objects; a list shows what they are.
            data = data.tolist()
    elif not (listed or _is_column(data)):
        message = f"{name}: expected {_EXPECTED}; got {type(data).__name__}"
        raise InputError(message)
    try:
        series = pl.Series("type", data)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        message = f"{name}: expected labels of one type: {str(error).splitlines()[0]}"
        raise InputError(message) from None
    if series.is_empty():
        message = f"{name}: expected at least one label, got none"
        raise InputError(message)
    _refuse_nulls(series, name)
    return series


def _counted(labels: pl.Series, name: str) -> Counts:
    """Count the labels of a Series."""
    check_labels(labels.dtype, name)
    frame = labels.to_frame("type").group_by("type").agg(pl.len().cast(pl.Int64).alias("count"))
    return Counts(frame.with_columns(one_kind(frame["type"])))


def _checked(frame: pl.DataFrame, name: str) -> Counts:
    """Check a table of counts."""
    types, counts = frame["type"], frame["count"]
    if frame.is_empty():
        message = f"{name}: expected at least one type, got none"
        raise InputError(message)
    _refuse_nulls(types, name)
    check_labels(types.dtype, name)
    if not (counts.dtype.is_integer() or counts.dtype.is_float()):
        message = f"{name}: expected counts that are integers, got {counts.dtype}"
        raise InputError(message)
    _refuse_nulls(counts, name)
    # Integers that a float cannot hold are too large anyway.
    numbers = counts.cast(pl.Float64)
    whole = (numbers >= 0) & (numbers < _LARGEST) & (numbers == numbers.floor())
    if not whole.all():
        where = int((~whole).arg_max() or 0)
        message = (
            f"{name}: row {where} counts {counts[where]} of {types[where]!r}, "
            "expected a whole number of at least 0 and below 2**53"
        )
        raise InputError(message)
    types = one_kind(types)
    if types.n_unique() < len(types):
        first = types.filter(types.is_duplicated())[0]
        rows = (types == first).arg_true().to_list()
        message = (
            f"{name}: {first!r} is in rows {rows[0]} and {rows[1]}, expected each type once; "
            "frame.group_by(type).sum() adds up what belongs together"
        )
        raise InputError(message)
    counts = counts.cast(pl.Int64)
    total = int(counts.cast(pl.Int128).sum())
    if not 0 < total < _LARGEST:
        message = f"{name}: expected counts that add up to between 1 and 2**53, got {total}"
        raise InputError(message)
    return Counts(pl.DataFrame({"type": types, "count": counts}))


def _refuse_nulls(series: pl.Series, name: str) -> None:
    if series.has_nulls():
        message = f"{name}: row {series.is_null().arg_max()} is null"
        raise InputError(message)


def check_labels(dtype: pl.DataType, name: str) -> None:
    """Refuse what is a measurement and no label, or cannot be grouped."""
    if dtype.is_float() or dtype in _NO_LABELS:
        message = (
            f"{name}: expected labels such as strings, integers or categories, got {dtype}; "
            "numbers in themselves are for tailwatch.metrics.univariate"
        )
        raise InputError(message)


def one_kind(types: pl.Series) -> pl.Series:
    """Bring names, and integers, to one type each."""
    if types.dtype in _WORDS:
        return types.cast(pl.String)
    if types.dtype.is_integer():
        narrow = types.cast(pl.Int64, strict=False)
        return types.cast(pl.Int128) if narrow.has_nulls() else narrow
    return types

"""Kinds of data, each with all that the loop has to know of it: NumPy arrays, Polars data.

Arrays have any number of axes, the first of which counts rows. Files of samples and metrics are
read as if a stranger had written them: they are opened by name below a directory, links are not
followed, and of a header nothing is believed that the size of the file does not bear out. Tables
are decoded in a process of their own, which a damaged one may end.
"""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from tailwatch.exceptions import DimensionError, InputError, NonFiniteError, SourceError
from tailwatch.io.regular import Place
from tailwatch.io.tables import read_frame
from tailwatch.text_form import path_text
from tailwatch.writing import fill, open_owned, owned_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[Any]

__all__ = ["ARRAYS", "FRAMES", "SERIES", "Data", "Kind", "read_array", "read_table"]

Data: TypeAlias = Any
"""Rows: a NumPy array whose first axis counts them, a Polars frame or series, or a
:class:`~tailwatch.recursion.RowSet`.

Opaque to the loop, which counts, takes and joins rows and hands them to the learner.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of data, as functions of such data.

    Attributes
    ----------
    name
        In the text of errors.
    holds
        Whether something is of this kind.
    check
        Raises an error that starts with the argument's name if rows cannot be handled.
    check_joins
        Raises such an error if rows cannot be joined with the human ones.
    length, take, concat
        Count, select and join rows.
    describe
        Type and shape in a few words.
    can_write
        Whether a run directory can hold such data.
    fingerprint
        Tells rows apart.
    write, read
        Samples in the directory of a generation; the same bytes for the same rows.
    """

    name: str
    holds: Callable[[Any], bool]
    check: Callable[[Any, str], None]
    check_joins: Callable[[Any, Any, str], None]
    length: Callable[[Any], int]
    take: Callable[[Any, NDArray[np.int64]], Any]
    concat: Callable[[Sequence[Any]], Any]
    describe: Callable[[Any], str]
    can_write: Callable[[Any], bool]
    fingerprint: Callable[[Any], str]
    write: Callable[[Any, Path], None]
    read: Callable[[Any, Path], Any]


LARGEST_TABLE = 1 << 34
"""Bytes of a table: 16 GiB, which is what may be read into memory."""

# Booleans, integers, floats, complex numbers, bytes and strings of fixed width.
WRITABLE = "biufcSU"


def read_array(directory: Path, name: str) -> NDArray[Any]:
    """Read a ``.npy`` file; objects, which are code, are refused.

    Raises
    ------
    SourceError
        It is not there, is no such file, or its size is not what its header says.
    """
    place = Place("directory", path_text(directory / name))
    with place.reading(), open_owned(directory, name) as file:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise ValueError("a version of its format that is not 1.0 or 2.0")  # noqa: EM101
        shape, _, dtype = read(file)
        start = file.tell()
        size = file.seek(0, io.SEEK_END)
        # In Python's integers, which do not overflow.
        if dtype.kind not in WRITABLE or dtype.itemsize * math.prod(shape) != size - start:
            raise SourceError(
                argument="directory",
                expected=f"the {size - start:,} bytes of values that it has",
                got=f"a header of shape {shape} and type {dtype}",
                where=place.file,
            )
        file.seek(0)
        array: NDArray[Any] = np.load(file, allow_pickle=False)
        return array


def read_table(directory: Path, name: str) -> pl.DataFrame:
    """Read a Parquet file.

    Raises
    ------
    SourceError
        It is not there, or is no such file.
    """
    place = Place("directory", path_text(directory / name))
    file = owned_file(directory, name)
    with place.reading():
        if (size := file.stat().st_size) > LARGEST_TABLE:
            expected = f"a table of at most {LARGEST_TABLE:,} bytes"
            raise SourceError(
                argument="directory", expected=expected, got=f"{size:,}", where=place.file
            )
    return read_frame(file, place)


ARRAY_FILE = "samples.npy"


def _check_array(data: Array, argument: str) -> None:
    if not data.ndim:
        raise DimensionError(
            argument=argument,
            expected="an array of at least one dimension",
            got="a single value",
        )
    if data.dtype.kind not in WRITABLE:
        raise InputError(
            argument=argument,
            expected="numbers, booleans or strings",
            got=f"dtype {data.dtype}",
        )
    if data.dtype.kind in "fc" and not np.isfinite(data).all():
        row = int(np.argwhere(~np.isfinite(data))[0][0])
        raise NonFiniteError(
            problem=f"row {row} holds a value that is not finite",
            argument=argument,
            expected="finite numbers",
            got="NaN" if np.isnan(data[row]).any() else "an infinity",
            where=f"row {row}",
        )


def _check_shape(data: Array, human: Array, argument: str) -> None:
    if data.shape[1:] != human.shape[1:]:
        raise DimensionError(
            argument=argument,
            expected=f"rows of shape {human.shape[1:]}",
            got=str(data.shape[1:]),
        )
    text = (data.dtype.kind in "SU", human.dtype.kind in "SU")
    if text[0] != text[1]:
        raise InputError(
            argument=argument,
            expected=f"values like {human.dtype} as in data",
            got=str(data.dtype),
        )


def _fingerprint_array(data: Array) -> str:
    rows = np.ascontiguousarray(data)
    rows = rows.astype(rows.dtype.newbyteorder("<"), copy=False)
    digest = hashlib.sha256(f"{rows.dtype.str} {data.shape} ".encode())
    digest.update(rows.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _write_array(data: Array, directory: Path) -> None:
    np.save(directory / ARRAY_FILE, np.ascontiguousarray(data), allow_pickle=False)


ARRAYS = Kind(
    name="a NumPy array",
    holds=lambda data: isinstance(data, np.ndarray),
    check=_check_array,
    check_joins=_check_shape,
    length=len,
    take=lambda data, indices: data[indices],
    concat=np.concatenate,
    describe=lambda data: f"array of {data.dtype}, rows of shape {list(data.shape[1:])}",
    can_write=lambda _: True,
    fingerprint=_fingerprint_array,
    write=_write_array,
    read=lambda _, directory: read_array(directory, ARRAY_FILE),
)


TABLE_FILE = "samples.parquet"


def _check_frame(data: pl.DataFrame, argument: str) -> None:
    if not data.width:
        raise DimensionError(
            argument=argument, expected="a frame with at least one column", got="none"
        )


def _check_columns(data: pl.DataFrame, human: pl.DataFrame, argument: str) -> None:
    if data.schema != human.schema:
        raise InputError(
            argument=argument,
            expected=f"the columns {_columns(human)} of data",
            got=_columns(data),
        )


def _check_type(data: pl.Series, human: pl.Series, argument: str) -> None:
    if data.dtype != human.dtype:
        raise InputError(
            argument=argument,
            expected=f"values of type {human.dtype} as in data",
            got=str(data.dtype),
        )


def _columns(frame: pl.DataFrame) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in frame.schema.items())


def _fingerprint_table(data: pl.DataFrame) -> str:
    # Bytes of the Arrow format depend on how rows lie in chunks, and on what memory holds where
    # there is no value; those of one chunk as it is read from a file do not.
    if any(each.null_count() or each.dtype.is_nested() for each in data):
        stored = BytesIO()
        data.rechunk().write_parquet(stored)
        data = pl.read_parquet(stored.getvalue())
    file = BytesIO()
    data.rechunk().write_ipc(
        file,
        compression="uncompressed",
        compat_level=pl.CompatLevel.oldest(),
        record_batch_size=None,
    )
    return hashlib.sha256(file.getbuffer()).hexdigest()


def _write_table(data: pl.DataFrame, directory: Path) -> None:
    fill(directory / TABLE_FILE, data.rechunk().write_parquet)


def _read_series(like: pl.Series, directory: Path) -> pl.Series:
    table = read_table(directory, TABLE_FILE)
    if table.columns != ["values"]:
        raise SourceError(
            argument="directory",
            expected="a table with the column values",
            got=", ".join(table.columns),
            where=path_text(directory / TABLE_FILE),
        )
    return table["values"].alias(like.name)


def _concat_series(parts: Sequence[pl.Series]) -> pl.Series:
    return pl.concat([part.alias(parts[0].name) for part in parts])


FRAMES = Kind(
    name="a Polars frame",
    holds=lambda data: isinstance(data, pl.DataFrame),
    check=_check_frame,
    check_joins=_check_columns,
    length=lambda data: data.height,
    take=lambda data, indices: data[indices],
    concat=pl.concat,
    describe=lambda data: f"frame with {_columns(data)}",
    can_write=lambda _: True,
    fingerprint=_fingerprint_table,
    write=_write_table,
    read=lambda _, directory: read_table(directory, TABLE_FILE),
)

SERIES = Kind(
    name="a Polars series",
    holds=lambda data: isinstance(data, pl.Series),
    check=lambda _data, _argument: None,
    check_joins=_check_type,
    length=len,
    take=lambda data, indices: data.gather(indices),
    concat=_concat_series,
    describe=lambda data: f"series of {data.dtype}",
    can_write=lambda _: True,
    # The name of a series says nothing of its rows.
    fingerprint=lambda data: _fingerprint_table(data.alias("values").to_frame()),
    write=lambda data, directory: _write_table(data.alias("values").to_frame(), directory),
    read=_read_series,
)

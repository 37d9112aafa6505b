"""Embeddings in the layout that is read fastest: arrays that can be mapped, tables beside them.

Nested columns of Parquet are decoded at a fraction of the rate at which a file can be read; an
array is read as it lies. The folder is written beside its place under another name and renamed at
the end, so it appears whole or not at all; what an attempt that was killed left there is removed by
the next one (:mod:`~tailwatch.io.pack_folder`). Keys of Hive (:mod:`~tailwatch.io.hive`) become
columns.

Cost: one pass over the source; a batch of some megabytes is in memory.
"""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.arguments import integer
from tailwatch.background import in_order, uses_polars
from tailwatch.exceptions import InputError, OutputError, SourceError, TailwatchError
from tailwatch.io.columns import DEFAULT_COLUMN
from tailwatch.io.pack_folder import Pack, array_path, attempt_at, table_path, write_pack
from tailwatch.io.parquet import sink
from tailwatch.io.part import regroup
from tailwatch.io.paths import hive_keys, with_keys
from tailwatch.io.readers import open_parts
from tailwatch.io.regular import Place
from tailwatch.progress import reporting
from tailwatch.text_form import path_text, shortened, shown, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.io.part import Matrix, Part
    from tailwatch.progress import ProgressOption, ProgressReport

__all__ = ["BATCH_BYTES", "ROWS_PER_SHARD", "pack"]

ROWS_PER_SHARD = 1_000_000
MOST_ROWS = 1 << 40
BATCH_BYTES = 1 << 25
_DTYPES: dict[str, np.dtype[Any]] = {"f16": np.dtype(np.float16), "f32": np.dtype(np.float32)}


def pack(
    source: object,
    out: str | os.PathLike[str],
    *,
    column: str = DEFAULT_COLUMN,
    dtype: str | None = None,
    rows_per_shard: int = ROWS_PER_SHARD,
    binary: str | None = None,
    progress: ProgressOption = None,
) -> Path:
    """Write embeddings as a folder of arrays, with all other columns in tables beside them.

    Of files in folders such as ``lang=en`` the key is one of these columns, as text.

    Parameters
    ----------
    source
        What :func:`tailwatch.open` takes.
    out
        The folder to make; if it exists, it must be empty.
    column
        Name of the column, or the array, that holds the embeddings.
    dtype
        ``"f16"`` or ``"f32"``; by default the type of the source, which loses nothing. A value that
        is rounded stays within half a unit in its last place.
    rows_per_shard
        Rows of each shard but the last.
    binary
        Type of the values in a Binary column, as in :func:`tailwatch.open`.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    pathlib.Path
        `out`; :func:`tailwatch.open` and ``score_dataset`` read it.

    Raises
    ------
    InputError
        Bad data, a finite value that `dtype` cannot hold, tables of different columns, or an
        argument out of range.
    OutputError
        The folder holds something, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import polars as pl
    >>> import tailwatch as tw
    >>> from tailwatch.io.pack import pack
    >>> vectors = pl.Series([[0.0, 1.0], [1.0, 0.5]], dtype=pl.List(pl.Float32))
    >>> frame = pl.DataFrame({"key": ["a", "b"], "embedding": vectors})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     packed = tw.open(pack(frame, folder, dtype="f16"), id_column="key")
    ...     packed.dtype, packed.shape, packed.ids.to_list()
    (dtype('float16'), (2, 2), ['a', 'b'])
    """
    if dtype is not None and dtype not in _DTYPES:
        raise InputError(argument="dtype", expected="'f16' or 'f32'", got=shown(dtype))
    rows_per_shard = integer(rows_per_shard, "rows_per_shard", most=MOST_ROWS)
    uses_polars("packing")
    target = Path(out)
    parts, _ = open_parts(source, "source", column=column, id_column=None, binary=binary)
    keys = hive_keys(source, parts)
    own: np.dtype[Any] = np.result_type(*(part.dtype for part in parts))
    kind = own if dtype is None else _DTYPES[dtype]
    _check_vacant(target)
    tables = _tables(parts, keys)
    try:
        with (
            attempt_at(target.resolve()) as temporary,
            reporting(progress) as report,
        ):
            _write(
                parts,
                tables,
                temporary,
                dtype=kind,
                rows_per_shard=rows_per_shard,
                report=report,
            )
            # A folder may replace an empty one.
            temporary.replace(target.resolve())
    except OSError as error:
        if isinstance(error, TailwatchError):
            raise
        msg = f"cannot write {path_text(target)}"
        raise _refused(msg, error.strerror or f"{error}") from error
    return target


def _refused(problem: str, reason: str) -> OutputError:
    return OutputError(
        f"{problem}: {reason}",
        argument="out",
        expected="a new folder that can be written",
        got=reason,
    )


def _check_vacant(target: Path) -> None:
    try:
        if target.is_dir() and not any(target.iterdir()):
            return
    except OSError as error:
        msg = f"cannot read {path_text(target)}"
        raise _refused(msg, error.strerror or f"{error}") from error
    name = path_text(target)
    if os.path.lexists(target):
        msg = f"{name} exists already; expected a new or empty folder"
        raise OutputError(
            msg,
            argument="out",
            expected="a new or empty folder",
            got="one that holds something" if target.is_dir() else "something else",
            where=name,
        )
    if not target.resolve().parent.is_dir():
        msg = f"the folder {path_text(target.parent)} does not exist"
        raise OutputError(
            msg,
            argument="out",
            expected="a name in a folder that exists",
            got=name,
        )


def _write(
    parts: list[Part],
    tables: list[pl.LazyFrame],
    folder: Path,
    *,
    dtype: np.dtype[Any],
    rows_per_shard: int,
    report: ProgressReport,
) -> None:
    array_path(folder, 0).parent.mkdir(parents=True)
    if tables:
        table_path(folder, 0).parent.mkdir()
    rows = sum(part.rows for part in parts)
    columns = parts[0].columns
    batches = _batches(parts, dtype)
    held = next(batches)
    done = 0
    sizes: list[int] = []
    # How many rows there are is what files say until they have been read: nothing is made of it.
    while done < rows:
        number, size = len(sizes), min(rows_per_shard, rows - done)
        sizes.append(size)
        with array_path(folder, number).open("wb") as file:
            header = {"descr": dtype.str, "fortran_order": False, "shape": (size, columns)}
            np.lib.format.write_array_header_1_0(file, header)
            missing = size
            while missing:
                if not len(held):
                    held = next(batches)
                file.write(np.ascontiguousarray(held[:missing]).data)
                written = min(missing, len(held))
                held, missing, done = held[written:], missing - written, done + written
                report("packing rows", done, rows)
        if tables:
            _write_table(tables, parts, done - size, size, table_path(folder, number))
    # The rows are counted once more by what reads a part to its end.
    for _ in batches:
        pass
    write_pack(folder, Pack(columns, dtype.name, rows, bool(tables), tuple(sizes)))


def _batches(parts: list[Part], dtype: np.dtype[Any]) -> Iterator[Matrix]:
    """Read and convert in a thread apart."""
    own = np.result_type(*(part.dtype for part in parts))
    rows = max(1, BATCH_BYTES // (own.itemsize * parts[0].columns))
    firsts = np.cumsum([0, *(part.rows for part in parts)])
    pieces = chain.from_iterable(
        part.stream("source", int(first)) for part, first in zip(parts, firsts[:-1], strict=True)
    )
    numbered = ((number * rows, batch) for number, batch in enumerate(regroup(pieces, rows, own)))
    return in_order(numbered, lambda item: _converted(*item, dtype), 1)


def _converted(first_row: int, batch: Matrix, dtype: np.dtype[Any]) -> Matrix:
    if np.can_cast(batch.dtype, dtype):
        return batch.astype(dtype, copy=False)
    with np.errstate(over="ignore"):
        narrow: Matrix = batch.astype(dtype)
    lost = np.isinf(narrow) & np.isfinite(batch)
    if lost.any():
        row, column = (int(index) for index in np.argwhere(lost)[0])
        value = float(batch[row, column])
        msg = f"row {first_row + row}, column {column} holds {value:g}, which {dtype} cannot hold"
        raise InputError(
            msg,
            argument="source",
            expected=f"values that {dtype} can hold",
            got=f"{value:g}",
            where=f"row {first_row + row}, column {column}",
        )
    return narrow


def _tables(parts: list[Part], keys: list[dict[str, str | None]]) -> list[pl.LazyFrame]:
    """Return the other columns of each part, Hive keys among them, or nothing if there are none."""
    found = [
        with_keys(part, own, Place("source", part.file))
        for part, own in zip(parts, keys, strict=True)
    ]
    tables = [table for table in found if table is not None]
    if not tables:
        return []
    schemas = [None if table is None else table.collect_schema() for table in found]
    for part, schema in zip(parts, schemas, strict=True):
        if schema != schemas[0]:
            subject = Place("source", part.file).subject
            first, here = (_named(each) for each in (schemas[0], schema))
            msg = f"its other columns are not those of {parts[0].file}"
            raise InputError(
                msg,
                argument=subject,
                expected=first,
                got=here,
                where=f"beside {parts[0].file}",
            )
    return tables if schemas[0] else []


def _named(schema: pl.Schema | None) -> str:
    """List columns for an error."""
    if schema is None:
        return "no columns"
    listed = [f"{name} ({dtype})" for name, dtype in schema.items()]
    return shortened(visible(", ".join(listed)), 500) or "no columns"


def _write_table(
    tables: list[pl.LazyFrame], parts: list[Part], start: int, size: int, path: Path
) -> None:
    """Write rows of the tables, taken as one."""
    stop, first, wanted = start + size, 0, []
    for table, part in zip(tables, parts, strict=True):
        low, high = max(start - first, 0), min(stop - first, part.rows)
        if low < high:
            wanted.append(table.slice(low, high - low))
        first += part.rows
    try:
        sink(pl.concat(wanted), path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = visible(str(error).strip().partition("\n")[0])
        msg = f"cannot read the columns beside the embeddings: {reason}"
        raise SourceError(
            msg,
            argument="source",
            expected="columns that can be read",
            got=reason,
        ) from error

"""Embeddings in the layout that is read fastest: arrays that can be mapped, tables beside them.

Nested columns of Parquet are decoded at a fraction of the rate at which a file can be read; an
array is read as it lies. The folder is written beside its place under another name and renamed at
the end, so it appears whole or not at all.

Cost: one pass over the source; a batch of some megabytes is in memory.
"""

from __future__ import annotations

import secrets
import shutil
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.arguments import integer
from tailwatch.background import in_order
from tailwatch.exceptions import InputError, OutputError, SourceError
from tailwatch.io.batches import regroup
from tailwatch.io.columns import DEFAULT_COLUMN
from tailwatch.io.pack_manifest import Pack, array_path, table_path, write_pack
from tailwatch.io.place import Place
from tailwatch.io.readers import open_parts
from tailwatch.io.sink import sink
from tailwatch.progress import reporting

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from tailwatch.io.part import Matrix, Part
    from tailwatch.progress import ProgressOption, ProgressReport

__all__ = ["BATCH_BYTES", "ROWS_PER_SHARD", "pack"]

ROWS_PER_SHARD = 1_000_000
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
        message = f"dtype: expected 'f16' or 'f32', got {dtype!r}"
        raise InputError(message)
    rows_per_shard = integer(rows_per_shard, "rows_per_shard")
    target = Path(out)
    parts = open_parts(source, "source", column=column, id_column=None, binary=binary)
    own: np.dtype[Any] = np.result_type(*(part.dtype for part in parts))
    kind = own if dtype is None else _DTYPES[dtype]
    _check_vacant(target)
    temporary = target.resolve().with_name(f".{secrets.token_hex(8)}.part")
    try:
        with reporting(progress) as report:
            _write(parts, temporary, kind, rows_per_shard, report)
        # A folder may replace an empty one.
        temporary.replace(target.resolve())
    except OSError as error:
        message = f"out: cannot write {target}: {error.strerror or error}"
        raise OutputError(message) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _check_vacant(target: Path) -> None:
    try:
        if target.is_dir() and not any(target.iterdir()):
            return
    except OSError as error:
        message = f"out: cannot read {target}: {error.strerror}"
        raise OutputError(message) from error
    if target.exists():
        message = f"out: {target} exists already; expected a new or empty folder"
        raise OutputError(message)
    if not target.resolve().parent.is_dir():
        message = f"out: the folder {target.parent} does not exist"
        raise OutputError(message)


def _write(
    parts: list[Part],
    folder: Path,
    dtype: np.dtype[Any],
    rows_per_shard: int,
    report: ProgressReport,
) -> None:
    tables = _tables(parts)
    array_path(folder, 0).parent.mkdir(parents=True)
    if tables:
        table_path(folder, 0).parent.mkdir()
    rows = sum(part.rows for part in parts)
    sizes = [min(rows_per_shard, rows - start) for start in range(0, rows, rows_per_shard)]
    columns = parts[0].columns
    batches = _batches(parts, dtype)
    held = next(batches)
    done = 0
    for number, size in enumerate(sizes):
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
        message = (
            f"source: row {first_row + row}, column {column} holds {value:g}, which {dtype} cannot "
            "hold"
        )
        raise InputError(message)
    return narrow


def _tables(parts: list[Part]) -> list[pl.LazyFrame]:
    """Give the other columns of each part, or nothing where there are none."""
    found = [part.others() for part in parts]
    tables = [table for table in found if table is not None]
    if not tables:
        return []
    schemas = [None if table is None else table.collect_schema() for table in found]
    for part, schema in zip(parts, schemas, strict=True):
        if schema != schemas[0]:
            subject = Place("source", part.origin).subject
            message = f"{subject}: its other columns are not those of {parts[0].origin}"
            raise InputError(message)
    return tables if schemas[0] else []


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
        reason = str(error).partition("\n")[0]
        message = f"source: cannot read the columns beside the embeddings: {reason}"
        raise SourceError(message) from error

"""The first pass over a shard: rows are scored and counted; identifiers and records are kept.

Cost: one pass over the embeddings, a batch for each thread in memory, and 12 bytes a row on disk
besides the identifiers, 28 where copies of given rows are looked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from tailwatch.background import in_order
from tailwatch.contamination.dataset.records import as_frame
from tailwatch.contamination.dataset.tables import KEPT_ROWS
from tailwatch.exceptions import DimensionError, InputError, SourceError
from tailwatch.io.batches import regroup
from tailwatch.io.columns import require
from tailwatch.io.place import Place
from tailwatch.io.readers import open_shard
from tailwatch.io.sink import sink
from tailwatch.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tailwatch.contamination.dataset.records import Recorder
    from tailwatch.contamination.histogram import Histogram
    from tailwatch.io.layouts import Shard
    from tailwatch.io.part import Matrix, Part

__all__ = ["opened", "score_shard", "stamp"]

BATCH_BYTES = 1 << 25


def stamp(shard: Shard) -> tuple[tuple[int, int], ...]:
    """Give size and time of the last change of a shard's files, by which a change is noticed."""
    with Place(shard.name).reading():
        found = [file.stat() for file in shard.files]
    return tuple((each.st_size, each.st_mtime_ns) for each in found)


def opened(shard: Shard, column: str, ids: tuple[str, ...], columns: int) -> Part:
    """Open a shard and check all that can be known of it before its rows are read.

    Raises
    ------
    InputError
        It cannot be read, has no row, other columns than the references, or lacks an identifier.
    """
    part = open_shard(shard, shard.name, column, binary_columns=columns)
    place = Place(shard.name, part.origin)
    if not part.rows:
        message = f"{place.subject}: expected at least one row, got none"
        raise InputError(message)
    if part.columns != columns:
        message = (
            f"{place.subject}: expected {columns} columns as the references have, got "
            f"{part.columns}"
        )
        raise DimensionError(message)
    beside = part.others()
    if ids and beside is None:
        message = f"{place.subject}: id_column={ids[0]!r} needs a table, and there is none"
        raise InputError(message)
    if beside is not None:
        schema = beside.collect_schema()
        for name in ids:
            require(schema, name, place, "id_column")
    return part


def score_shard(
    shard: Shard,
    part: Part,
    counted: Histogram,
    recorder: Recorder,
    *,
    file: Path,
    ids: tuple[str, ...],
    report: Callable[[int], object],
) -> None:
    """Score and count the rows of a shard, and write a table of identifiers and records.

    Parameters
    ----------
    shard, part
        The shard, opened.
    counted
        Absorbs the scores; of no use after an error.
    recorder
        Makes the records; meanwhile the next batch is read.
    file
        The table to write.
    ids
        Columns of identifiers; without any the table has the number of each row.
    report
        Called with the rows done.

    Raises
    ------
    InputError
        The shard is damaged, holds what is not finite, or has changed.
    OSError
        The table cannot be written.
    """
    before = stamp(shard)
    raw = file.with_name(f".{file.name}.records.part")
    file.parent.mkdir(parents=True, exist_ok=True)
    done = 0

    def records(item: tuple[int, Matrix]) -> NDArray[np.void]:
        first, batch = item
        return recorder.records(batch, shard.name, first)

    try:
        with raw.open("wb") as scratch:
            lines = min(recorder.threads, 2)
            for found in in_order(_numbered(part, shard.name, recorder.most_rows), records, lines):
                counted.absorb(np.ascontiguousarray(found["score"]))
                scratch.write(found.data)
                done += len(found)
                report(done)
        table = _joined(part, np.memmap(raw, recorder.dtype, "r"), recorder.schema, ids)
        try:
            write_atomically(file, lambda temporary: sink(table, temporary))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            reason = str(error).partition("\n")[0]
            message = f"{shard.name}: cannot read its identifiers: {reason}"
            raise SourceError(message) from error
    finally:
        raw.unlink(missing_ok=True)
    if stamp(shard) != before:
        file.unlink()
        message = f"{shard.name}: {shard.path} changed while it was read"
        raise SourceError(message)


def _numbered(part: Part, argument: str, most: int | None) -> Iterator[tuple[int, Matrix]]:
    """Give batches with the number of their first row."""
    rows = max(1, BATCH_BYTES // (part.dtype.itemsize * part.columns))
    rows = rows if most is None else min(rows, most)
    batches = regroup(part.stream(argument, 0), rows, part.dtype)
    return ((number * rows, batch) for number, batch in enumerate(batches))


def _joined(
    part: Part, records: NDArray[np.void], schema: dict[str, Any], ids: tuple[str, ...]
) -> pl.LazyFrame:
    """Put records beside identifiers, or else beside the numbers of their rows."""
    others = part.others()
    if not ids or others is None:
        return _numbered_records(records, schema)

    def chosen(rows: pl.Series) -> pl.Series:
        return as_frame(records[rows.to_numpy()]).to_struct("score")

    return (
        others.select(ids)
        .with_row_index("score")
        .select(
            *ids,
            pl.col("score").map_batches(
                chosen, return_dtype=pl.Struct(schema), is_elementwise=True
            ),
        )
        .unnest("score")
    )


def _numbered_records(records: NDArray[np.void], schema: dict[str, Any]) -> pl.LazyFrame:
    def batches(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        del with_columns, predicate, n_rows, batch_size
        for start in range(0, len(records), KEPT_ROWS):
            some = as_frame(records[start : start + KEPT_ROWS])
            row = pl.int_range(start, start + len(some), dtype=pl.Int64, eager=True)
            yield some.insert_column(0, row.alias("row"))

    return register_io_source(batches, schema={"row": pl.Int64, **schema}, is_pure=True)

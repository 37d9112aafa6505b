"""The first pass over a shard: rows are scored and counted; identifiers and records are kept.

Cost: one pass over the embeddings, a batch for each thread in memory, and 12 bytes a row on disk
besides the identifiers, 28 where copies of given rows are looked for.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from tailwatch.background import in_order
from tailwatch.contamination.dataset.folder import settle
from tailwatch.contamination.dataset.records import as_frame
from tailwatch.contamination.dataset.tables import KEPT_ROWS, digest_of
from tailwatch.exceptions import DimensionError, InputError, SourceError, TailwatchError
from tailwatch.io.columns import require
from tailwatch.io.parquet import sink
from tailwatch.io.part import regroup
from tailwatch.io.place import Place
from tailwatch.io.readers import open_shard
from tailwatch.text_form import path_text, visible
from tailwatch.writing import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.contamination.dataset.manifest import Stamp
    from tailwatch.contamination.dataset.records import Recorder
    from tailwatch.contamination.histogram import Histogram
    from tailwatch.io.layouts import Shard
    from tailwatch.io.part import Matrix, Part

__all__ = ["Receipt", "opened", "score_shard", "stamp"]

BATCH_BYTES = 1 << 25


def stamp(shard: Shard) -> Stamp:
    """Give what tells of a change of a shard's files, of which no rewriting leaves all as it was.

    Raises
    ------
    SourceError
        A file is gone, or is a device, a FIFO or the like.
    """
    found = []
    for file in shard.files:
        with Place(shard.name, path_text(file)).reading():
            each = file.stat()
        if not stat.S_ISREG(each.st_mode):
            raise SourceError(
                argument=f"{shard.name}: {path_text(file)}",
                expected="a regular file",
                got=kind_of(each.st_mode),
            )
        found.append((each.st_size, each.st_mtime_ns, each.st_ctime_ns, each.st_ino))
    return tuple(found)


def opened(
    shard: Shard, column: str, ids: tuple[str, ...], columns: int, binary: np.dtype[Any] | None
) -> Part:
    """Open a shard and check all that can be known of it before its rows are read.

    Raises
    ------
    InputError
        It cannot be read, has other columns than the references, or lacks an identifier. Of one
        without rows only the first counts: writers leave such behind, without types.
    """
    stamp(shard)
    part = open_shard(shard, shard.name, column, binary=binary)
    if not part.rows:
        return part
    place = Place(shard.name, part.origin)
    if part.columns != columns:
        raise DimensionError(
            argument=place.subject,
            expected=f"{columns} columns as the references have",
            got=f"{part.columns}",
        )
    beside = part.others()
    if ids and beside is None:
        msg = f"id_column={ids[0]!r} needs a table, and there is none"
        raise InputError(
            msg,
            argument=place.subject,
            expected=f"a table with a column {ids[0]!r}",
            got="an array",
        )
    if beside is not None:
        with place.reading():
            schema = beside.collect_schema()
        for name in ids:
            require(schema, name, place, "id_column")
    return part


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an attempt at a shard gave, beside the table that it wrote.

    Attributes
    ----------
    counted
        Counts of the scores.
    source
        What the shard's files were, before and after.
    sha256
        Of the table.
    """

    counted: Histogram
    source: Stamp
    sha256: str


def score_shard(
    shard: Shard,
    part: Part,
    counted: Histogram,
    recorder: Recorder,
    *,
    folder: Folder,
    attempt: Path,
    ids: tuple[str, ...],
    report: Callable[[int], object],
) -> Receipt:
    """Score and count the rows of a shard, and write a table of identifiers and records.

    Nothing is read or written that another attempt at the same shard writes.

    Parameters
    ----------
    shard, part
        The shard, opened.
    counted
        Absorbs the scores; of no use after an error.
    recorder
        Makes the records; meanwhile the next batch is read.
    folder
        Where there is room for the records meanwhile.
    attempt
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
    done = 0

    def records(item: tuple[int, Matrix]) -> NDArray[np.void]:
        first, batch = item
        return recorder.records(batch, shard.name, first)

    with folder.attempt() as raw:
        with raw.open("xb") as scratch:
            lines = min(recorder.threads, 2)
            for found in in_order(_numbered(part, shard.name, recorder.most_rows), records, lines):
                counted.absorb(np.ascontiguousarray(found["score"]))
                scratch.write(found.data)
                done += len(found)
                report(done)
        kept: NDArray[np.void] = (
            np.memmap(raw, recorder.dtype, "r") if done else np.empty(0, recorder.dtype)
        )
        _write_table(shard, _joined(part, kept, recorder.schema, ids), attempt)
        del kept
    if stamp(shard) != before:
        msg = f"{path_text(shard.path)} changed while it was read"
        raise SourceError(
            msg,
            argument=shard.name,
            expected="a file that stays as it is",
            got="one that changed while it was read",
            where=path_text(shard.path),
        )
    return Receipt(counted, before, digest_of(attempt))


def _write_table(shard: Shard, table: pl.LazyFrame, attempt: Path) -> None:
    """Write identifiers and records; what can fail here is reading the identifiers."""
    try:
        sink(table, attempt)
    except OSError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        if isinstance(error, TailwatchError):
            raise
        reason = visible(str(error).strip().partition("\n")[0])
        msg = f"cannot read its identifiers: {reason}"
        raise SourceError(
            msg,
            argument=shard.name,
            expected="columns of identifiers that can be read",
            got=reason,
            where=path_text(shard.path),
        ) from error
    settle(attempt)


def _numbered(part: Part, argument: str, most: int | None) -> Iterator[tuple[int, Matrix]]:
    """Give batches with the number of their first row."""
    rows = max(1, BATCH_BYTES // (part.dtype.itemsize * max(1, part.columns)))
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
    if not len(records):
        # Writers leave shards without rows behind, and not always with the types of the others.
        known = others.collect_schema()
        return pl.LazyFrame(schema={name: known.get(name, pl.Null) for name in ids} | schema)

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

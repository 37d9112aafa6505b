"""The first pass over a shard: every row is scored and counted; identifiers and scores are kept.

Cost: one pass over the embeddings, a batch for each thread in memory, and 4 bytes a row on disk
besides the identifiers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from tailwatch.background import in_order
from tailwatch.exceptions import DimensionError, InputError, OutputError, SourceError
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

    from tailwatch.contamination.histogram import Histogram
    from tailwatch.contamination.scoring import Probe
    from tailwatch.io.layouts import Shard
    from tailwatch.io.part import Matrix, Part

__all__ = ["RESULTS", "kept_scores", "opened", "score_shard", "stamp"]

RESULTS = ("score", "probability", "p_value", "q_value")
"""Columns of a table of rows, after the identifiers."""

BATCH_BYTES = 1 << 25
_KEPT_ROWS = 262_144


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
    probe: Probe,
    *,
    file: Path,
    ids: tuple[str, ...],
    threads: int,
    report: Callable[[int], object],
) -> None:
    """Score and count the rows of a shard, and write a table of identifiers and scores.

    Parameters
    ----------
    shard, part
        The shard, opened.
    counted
        Absorbs the scores; of no use after an error.
    probe
        Scores the rows.
    file
        The table to write.
    ids
        Columns of identifiers; without any the table has the number of each row.
    threads
        Threads that score a batch; meanwhile the next one is read.
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
    raw = file.with_name(f".{file.name}.scores.part")
    file.parent.mkdir(parents=True, exist_ok=True)
    done = 0

    def score(item: tuple[int, Matrix]) -> NDArray[np.float32]:
        first, batch = item
        return probe.score(batch, shard.name, first_row=first, threads=threads)

    try:
        with raw.open("wb") as kept:
            for scores in in_order(_numbered(part, shard.name), score, min(threads, 2)):
                counted.absorb(scores)
                kept.write(scores.data)
                done += len(scores)
                report(done)
        table = _with_scores(part, np.memmap(raw, np.float32, "r"), ids)
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


def kept_scores(file: Path) -> Iterator[NDArray[np.float32]]:
    """Read the scores of a table of scores or rows, in batches.

    Raises
    ------
    OutputError
        The table is damaged.
    """
    kept = pl.scan_parquet(file, glob=False, hive_partitioning=False).select("score")
    found = kept.collect_batches(chunk_size=_KEPT_ROWS, lazy=True, engine="streaming")
    try:
        yield from in_order(found, lambda batch: batch["score"].to_numpy(), 1)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        message = f"out_dir: {file} is damaged; without it, its shard is scored anew"
        raise OutputError(message) from error


def _numbered(part: Part, argument: str) -> Iterator[tuple[int, Matrix]]:
    """Give batches with the number of their first row."""
    rows = max(1, BATCH_BYTES // (part.dtype.itemsize * part.columns))
    batches = regroup(part.stream(argument, 0), rows, part.dtype)
    return ((number * rows, batch) for number, batch in enumerate(batches))


def _with_scores(part: Part, scores: NDArray[np.float32], ids: tuple[str, ...]) -> pl.LazyFrame:
    beside = part.others()
    if not ids or beside is None:
        return _numbered_scores(scores)
    return (
        beside.select(ids)
        .with_row_index("score")
        .with_columns(
            pl.col("score").map_batches(
                lambda rows: pl.Series(scores[rows.to_numpy()]),
                return_dtype=pl.Float32,
                is_elementwise=True,
            )
        )
        .select(*ids, "score")
    )


def _numbered_scores(scores: NDArray[np.float32]) -> pl.LazyFrame:
    def batches(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        del with_columns, predicate, n_rows, batch_size
        for start in range(0, len(scores), _KEPT_ROWS):
            some = scores[start : start + _KEPT_ROWS]
            row = pl.int_range(start, start + len(some), dtype=pl.Int64, eager=True)
            yield pl.DataFrame({"row": row, "score": np.array(some)})

    schema: dict[str, Any] = {"row": pl.Int64, "score": pl.Float32}
    return register_io_source(batches, schema=schema, is_pure=True)

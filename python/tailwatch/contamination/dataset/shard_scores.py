"""A shard in the first pass: its rows scored and counted, its identifiers and records kept.

=================  =======  ====================================================================
record of a row    type     content
=================  =======  ====================================================================
``score``          Float32  log odds of the probe
``content_hash``   UInt64   XXH3-64 of the row's bytes, by which copies of each other are found
``copy_of``        Int64    the row that it copies, where copies of given rows are looked for
``copy_distance``  Float64  its distance from that
=================  =======  ====================================================================

Records are written to a file as they come, of fixed length, since a table of Parquet can only be
written once all of its rows are there.

Cost: one pass over the embeddings, a batch for each thread in memory, and 12 bytes a row on disk
besides the identifiers, 28 where copies of given rows are looked for.
"""

from __future__ import annotations

import math
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from tailwatch.background import in_order
from tailwatch.contamination.dataset.copies import row_hashes
from tailwatch.contamination.dataset.folder import settle
from tailwatch.contamination.dataset.tables import COPY, HASH, ROWS_AT_ONCE, digest_of
from tailwatch.exceptions import DimensionError, InputError, SourceError, TailwatchError
from tailwatch.io.parquet import sink
from tailwatch.io.part import cut
from tailwatch.io.readers import open_shard
from tailwatch.io.regular import Place
from tailwatch.text_form import path_text, visible
from tailwatch.writing import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from tailwatch.contamination.dataset.copies import Originals
    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.contamination.dataset.manifest import Stamps
    from tailwatch.contamination.dataset.tables import Beside
    from tailwatch.contamination.histogram import Histogram
    from tailwatch.io.layouts import Shard
    from tailwatch.io.part import Matrix, Part
    from tailwatch.metrics.embeddings.probe import Probe

__all__ = ["Receipt", "Recorder", "open_checked", "score_shard", "stamps"]

BATCH_BYTES = 1 << 25

# Products of numbers: half a second or so, but enough rows that preparing the originals for each
# batch is no matter.
_PRODUCTS, _LEAST_ROWS = 1 << 35, 4096

_PLAIN = np.dtype([("score", np.float32), ("content_hash", np.uint64)])
_COPIES = np.dtype([*_PLAIN.descr, ("copy_of", np.int64), ("copy_distance", np.float64)])


@dataclass(frozen=True, slots=True)
class Recorder:
    """Makes a record of each row.

    Attributes
    ----------
    probe
        Scores the rows.
    originals
        Rows whose copies are looked for, if any.
    threads
        Threads that work on a batch.
    """

    probe: Probe
    originals: Originals | None
    threads: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """The fields of a record."""
        return _PLAIN if self.originals is None else _COPIES

    @property
    def most_rows(self) -> int | None:
        """Rows of a batch that is not long in the making, where copies take time."""
        if self.originals is None:
            return None
        return max(_LEAST_ROWS, _PRODUCTS // math.prod(self.originals.rows.shape))

    @property
    def schema(self) -> dict[str, Any]:
        """The columns of the table that records become."""
        return {"score": pl.Float32, **HASH, **({} if self.originals is None else COPY)}

    def records(self, batch: Matrix, argument: str, first_row: int) -> NDArray[np.void]:
        """Make the records of a batch.

        Parameters
        ----------
        batch
            The rows.
        argument, first_row
            Whose rows they are, and the number of the first one, for the text of an error.

        Raises
        ------
        NonFiniteError
            If a score is not finite, since a value is not, or is too large.
        """
        found = np.empty(len(batch), self.dtype)
        found["score"] = self.probe.score(
            batch, argument, first_row=first_row, threads=self.threads
        )
        found["content_hash"] = row_hashes(batch, self.threads)
        if self.originals is not None:
            found["copy_of"], found["copy_distance"] = self.originals.nearest(batch, self.threads)
        return found


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
    source: Stamps
    sha256: str


def stamps(shard: Shard) -> Stamps:
    """Return what tells of a change of a shard's files, of which no rewriting leaves all as it was.

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


def open_checked(
    shard: Shard, column: str, beside: Beside, columns: int, binary: np.dtype[Any] | None
) -> Part:
    """Open a shard and check all that can be known of it before its rows are read.

    Raises
    ------
    InputError
        It cannot be read, has other columns than the references, or lacks an identifier or what
        names groups. Of one without rows only the first counts: writers leave such behind, without
        types.
    """
    stamps(shard)
    part = open_shard(shard, shard.name, column, binary=binary)
    if not part.rows:
        return part
    place = Place(shard.name, part.file)
    if part.columns != columns:
        raise DimensionError(
            argument=place.subject,
            expected=f"{columns} columns as the references have",
            got=f"{part.columns}",
        )
    table = part.others()
    if table is None:
        if beside.columns:
            argument = "id_column" if beside.ids else "by"
            msg = f"{argument}={beside.columns[0]!r} needs a table, and there is none"
            raise InputError(
                msg,
                argument=place.subject,
                expected=f"a table with a column {beside.columns[0]!r}",
                got="an array",
            )
        return part
    with place.reading():
        schema = table.collect_schema()
    beside.check_types(schema, place)
    return part


def score_shard(
    shard: Shard,
    part: Part,
    counted: Histogram,
    recorder: Recorder,
    *,
    folder: Folder,
    attempt: Path,
    beside: Beside,
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
    beside
        Columns that are kept beside the records.
    report
        Called with the rows done.

    Raises
    ------
    InputError
        The shard is damaged, holds what is not finite, or has changed.
    OSError
        The table cannot be written.
    """
    before = stamps(shard)
    beside.check_labels(part, Place(shard.name, part.file))
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
        _write_table(shard, _joined(part, kept, recorder.schema, beside), attempt)
        del kept
    if stamps(shard) != before:
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
    """Yield batches with the number of their first row."""
    rows = max(1, BATCH_BYTES // (part.dtype.itemsize * max(1, part.columns)))
    rows = rows if most is None else min(rows, most)
    first = 0
    for batch in cut(part.stream(argument, 0), rows, part.dtype):
        yield first, batch
        first += len(batch)


def _joined(
    part: Part, records: NDArray[np.void], schema: dict[str, Any], beside: Beside
) -> pl.LazyFrame:
    """Put records beside the columns that are kept, and the numbers of rows without identifiers."""
    others = part.others()
    if not beside.columns or others is None:
        return _numbered_records(records, schema)
    numbers = {} if beside.ids else {"row": pl.Int64}
    if not len(records):
        # Writers leave shards without rows behind, and not always with the types of the others.
        known = others.collect_schema()
        kept = {name: known.get(name, pl.Null) for name in beside.columns}
        return pl.LazyFrame(schema=numbers | kept | schema)

    def chosen(rows: pl.Series) -> pl.Series:
        return _as_frame(records[rows.to_numpy()]).to_struct("score")

    return (
        others.select(beside.columns)
        .with_row_index("score")
        .select(
            *(pl.col("score").cast(dtype).alias(name) for name, dtype in numbers.items()),
            *beside.columns,
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
        for start in range(0, len(records), ROWS_AT_ONCE):
            some = _as_frame(records[start : start + ROWS_AT_ONCE])
            row = pl.int_range(start, start + len(some), dtype=pl.Int64, eager=True)
            yield some.insert_column(0, row.alias("row"))

    return register_io_source(batches, schema={"row": pl.Int64, **schema}, is_pure=True)


def _as_frame(records: NDArray[np.void]) -> pl.DataFrame:
    """Return records as columns; a row that copies none has nulls."""
    names = records.dtype.names or ()
    frame = pl.DataFrame({name: np.ascontiguousarray(records[name]) for name in names})
    if "copy_of" not in names:
        return frame
    copies = pl.col("copy_of") >= 0
    return frame.with_columns(pl.when(copies).then(name).alias(name) for name in COPY)

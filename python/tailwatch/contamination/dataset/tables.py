"""Tables of rows: those of the first pass, read back and made into those of the second.

Cost: a search for each row, and the writing of the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tailwatch.background import in_order
from tailwatch.contamination.dataset.records import COPY, HASH
from tailwatch.exceptions import OutputError
from tailwatch.io.sink import sink
from tailwatch.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tailwatch.contamination.rows import RowTable

__all__ = ["KEPT_ROWS", "RESULTS", "kept", "write_rows"]

KEPT_ROWS = 262_144

_MEANING = {"probability": pl.Float64, "p_value": pl.Float64, "q_value": pl.Float64}
RESULTS = ("score", *_MEANING, *HASH, *COPY)
"""Columns of a table of rows after the identifiers; the last two where copies are looked for."""


def kept(file: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Read some columns of a table of either pass, in batches.

    Raises
    ------
    OutputError
        The table is damaged.
    """
    try:
        found = _scan(file).select(columns)
        batches = found.collect_batches(chunk_size=KEPT_ROWS, lazy=True, engine="streaming")
        yield from in_order(batches, lambda batch: batch, 1)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        message = f"out_dir: {file} is damaged; without it, its shard is scored anew"
        raise OutputError(message) from error


def write_rows(first: Path, file: Path, table: RowTable) -> None:
    """Write the table of a shard's rows: identifiers, score, its meaning, hash and copies.

    Parameters
    ----------
    first
        The table of the first pass; or one of the second, with another meaning, such as `file`.
    file
        The table to make or replace.
    table
        What each score means.

    Raises
    ------
    OSError
        The table cannot be written.
    """

    def meaning(found: pl.Series) -> pl.Series:
        return table.rows(found.to_numpy()).to_struct("meaning")

    scanned = _scan(first)
    last = [name for name in (*HASH, *COPY) if name in scanned.collect_schema()]
    rows = (
        scanned.select(pl.exclude(*_MEANING, *last), *last)
        .with_columns(
            pl.col("score")
            .map_batches(meaning, return_dtype=pl.Struct(_MEANING), is_elementwise=True)
            .alias("probability")
        )
        .unnest("probability")
        .select(pl.exclude(*last), *last)
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, lambda temporary: sink(rows, temporary))


def _scan(file: Path) -> pl.LazyFrame:
    return pl.scan_parquet(file, glob=False, hive_partitioning=False)

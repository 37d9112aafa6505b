"""Tables of rows: those of the first pass, read back and made into those of the second.

Cost: a search for each row, and the writing of the tables.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl

from tailwatch.background import apart, in_order
from tailwatch.contamination.dataset.folder import settle
from tailwatch.contamination.dataset.records import COPY, HASH
from tailwatch.exceptions import OutputError
from tailwatch.io.parquet import sink
from tailwatch.owned import open_owned
from tailwatch.text_form import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tailwatch.contamination.rows import RowTable

__all__ = ["KEPT_ROWS", "RESULTS", "damaged", "digest_of", "kept", "write_rows"]

KEPT_ROWS = 262_144
_PIECE = 1 << 20

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
        scanned = _scan(file)
        left = int(scanned.select(pl.len()).collect().item())
        batches = scanned.select(columns).collect_batches(
            chunk_size=KEPT_ROWS, lazy=True, engine="streaming"
        )
        for batch in in_order(batches, lambda batch: batch, 1):
            left -= batch.height
            yield batch
        # Polars ends a stream of batches early, and without a word, where a reader panics.
        if left:
            raise damaged(file)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise damaged(file) from error


def damaged(file: Path) -> OutputError:
    """Say that a table is not the one that was written."""
    return OutputError(
        f"{path_text(file)} is damaged",
        argument="out_dir",
        expected="a table as it was written",
        got="other bytes",
        where=path_text(file),
        hint="without it, its shard is scored anew",
    )


def digest_of(file: Path) -> str:
    """Give the SHA-256 of a file that is a job's own."""
    digest = hashlib.sha256()

    def read() -> str:
        with open_owned(file.parent, file.name) as opened:
            while piece := opened.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    return apart(read)


def write_rows(first: Path, file: Path, table: RowTable) -> None:
    """Write the table of a shard's rows: identifiers, score, its meaning, hash and copies.

    Parameters
    ----------
    first
        The table of the first pass; or one of the second, with another meaning.
    file
        The table to make.
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
    sink(rows, file)
    settle(file)


def _scan(file: Path) -> pl.LazyFrame:
    return pl.scan_parquet(file, glob=False, hive_partitioning=False)

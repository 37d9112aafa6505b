"""The second pass: what each score means, given all of them.

Cost: a search for each row, and the writing of the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tailwatch.io.sink import sink
from tailwatch.writing import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from tailwatch.contamination.rows import RowTable

__all__ = ["write_rows"]

_MEANING = {"probability": pl.Float64, "p_value": pl.Float64, "q_value": pl.Float64}


def write_rows(scores: Path, file: Path, table: RowTable) -> None:
    """Write the table of a shard's rows: identifiers, score, probability, p-value and q-value.

    Parameters
    ----------
    scores
        A table with identifiers and scores; it may have the other columns, and be `file` itself.
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

    kept = pl.scan_parquet(scores, glob=False, hive_partitioning=False)
    rows = (
        kept.select(pl.exclude(*_MEANING))
        .with_columns(
            pl.col("score")
            .map_batches(meaning, return_dtype=pl.Struct(_MEANING), is_elementwise=True)
            .alias("probability")
        )
        .unnest("probability")
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, lambda temporary: sink(rows, temporary))

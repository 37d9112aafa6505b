"""Parquet files, whose vectors are read in pieces of some megabytes where pyarrow is installed.

Polars decodes whole row groups, several at a time: of a file that was written as one row group, all
is in memory, twice. pyarrow decodes page by page, and nested columns in a fifth of the time.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from tailwatch.io.arrow import as_series, pyarrow
from tailwatch.io.tables import STREAM_ROWS, ScannedFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["ParquetFile"]

_READ_BYTES = 1 << 20


class ParquetFile(ScannedFile):
    """A ``.parquet`` file.

    Parameters
    ----------
    path
        Where it is.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(partial(pl.scan_parquet, path, glob=False, hive_partitioning=False))
        self._path = path

    def stream(self, column: str) -> Iterator[pl.Series]:
        """Yield a column in pieces of some thousands of rows."""
        dtype = self.schema[column]
        # pyarrow takes a point in a name for a path into a nested column.
        if (
            pyarrow() is None
            or "." in column
            or not isinstance(dtype, pl.Array | pl.List | pl.Binary)
        ):
            yield from super().stream(column)
            return
        opened = importlib.import_module("pyarrow.parquet").ParquetFile
        # Read, not mapped: a file that is cut while it is mapped would end the process.
        with (
            self._path.open("rb") as file,
            opened(file, buffer_size=_READ_BYTES, pre_buffer=False) as reader,
        ):
            for batch in reader.iter_batches(STREAM_ROWS, columns=[column], use_threads=False):
                values = batch.column(column)
                # Polars trusts offsets and lengths; a damaged file must not get past this line.
                values.validate()
                yield as_series(values).cast(dtype)

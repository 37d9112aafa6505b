"""Parquet files, whose vectors are read in pieces of some megabytes where pyarrow is installed.

Polars decodes whole row groups, several at a time: of a file that was written as one row group, all
is in memory, twice. pyarrow decodes page by page, and nested columns in a fifth of the time.

This runs in the process that reads (:mod:`tailwatch.io.decoder`): either library may end it where a
file is damaged.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from tailwatch.io.arrow import as_series

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

__all__ = ["pages"]

_READ_BYTES = 1 << 20


def pages(path: str, column: str, dtype: pl.DataType, rows: int) -> Iterator[pl.Series]:
    """Yield a column of vectors in pieces, by pyarrow.

    Parameters
    ----------
    path
        The file.
    column
        Name of the column; without a point, which pyarrow takes for a path into a nested column.
    dtype
        Its type, as Polars has it.
    rows
        Rows of a piece.
    """
    opened = importlib.import_module("pyarrow.parquet").ParquetFile
    with (
        open(path, "rb") as file,  # noqa: PTH123  (of a descriptor, where a name is no text)
        opened(
            file, buffer_size=_READ_BYTES, pre_buffer=False, page_checksum_verification=True
        ) as reader,
    ):
        for batch in reader.iter_batches(rows, columns=[column], use_threads=False):
            values = batch.column(column)
            # Polars trusts offsets and lengths; a damaged file must not get past this line.
            values.validate(full=True)
            yield as_series(values).cast(dtype)

"""Parquet where Polars is not enough: speed, memory, and bytes that are always the same.

=====================  =========================================================================
:func:`vectors`        reads a column of vectors straight into arrays, some megabytes at a time
:func:`sink`           writes a table as it is computed, the same bytes every time
=====================  =========================================================================

Polars decodes whole row groups, several at a time: of a file that was written as one, all is in
memory, twice. The extension decodes pages, on all threads, where rows are whole and of one length.
Checksums of pages, which Spark and other writers of the JVM put into their headers, are compared on
the way.
"""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from tailwatch._core import VectorColumn
from tailwatch.background import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["sink", "vectors"]

_PIECE_BYTES: Final = 1 << 24
_ROWS_PER_GROUP = 262_144
_CODE = re.compile(r"os error (\d+)")
# What only writing can meet; a file that cannot be read is the source's fault.
_OF_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}


def vectors(
    path: str, column: str, columns: int, dtype: np.dtype[Any]
) -> Iterator[NDArray[np.floating]]:
    """Yield a column of vectors in pieces.

    Parameters
    ----------
    path
        The file.
    column
        Name of the column.
    columns, dtype
        Number and type of the values in each row.

    Yields
    ------
    numpy.ndarray
        Some rows, `columns` wide.

    Raises
    ------
    Unfit
        The column, or what is left of it, has to be read by a library: rows of different lengths,
        nulls, an encoding or a compression that is rare; or it is damaged. No row is lost: what was
        yielded is right.
    ValueError
        A page is not what its checksum says.
    """
    reader = VectorColumn(path, column, dtype.itemsize, columns)
    while rows := reader.plan(_PIECE_BYTES):
        piece = np.empty((rows, columns), dtype.newbyteorder("<"))
        reader.fill(piece.reshape(-1).view(np.uint8), {"threads": None, "progress": None})
        yield piece.astype(dtype, copy=False)


def sink(rows: pl.LazyFrame, path: Path) -> None:
    """Write a table as it is computed, a few row groups in memory.

    Parameters
    ----------
    rows
        The table.
    path
        The file to make or replace.

    Raises
    ------
    OSError
        The file cannot be written; a full disk, for one.
    """
    try:
        wait_for(
            lambda: rows.sink_parquet(
                path,
                row_group_size=_ROWS_PER_GROUP,
                maintain_order=True,
                engine="streaming",
            )
        )
    except pl.exceptions.PolarsError as error:
        # Polars tells of a full disk by an error of its own, the system's code in its text.
        code = _CODE.search(str(error))
        if code is None or int(code[1]) not in _OF_WRITING:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1])), str(path)) from error

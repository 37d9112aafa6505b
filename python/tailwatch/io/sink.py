"""Tables to Parquet, in bounded memory and with the same bytes every time."""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

import polars as pl

from tailwatch.background import apart

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["sink"]

_ROWS_PER_GROUP = 262_144
_CODE = re.compile(r"os error (\d+)")
# What only writing can meet; a file that cannot be read is the source's fault.
_OF_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}


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
        apart(
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

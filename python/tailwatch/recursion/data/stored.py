"""Files of samples and metrics, read as if a stranger had written them.

They are opened by name below a directory, links are not followed, and of a header nothing is
believed that the size of the file does not bear out. Tables are decoded in a process of their own,
which a damaged one may end.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.exceptions import SourceError
from tailwatch.io.place import Place
from tailwatch.io.tables import read_frame
from tailwatch.text_form import path_text
from tailwatch.writing import open_owned, owned_file

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

__all__ = ["read_array", "read_table"]

LARGEST_TABLE = 1 << 34
"""Bytes of a table: 16 GiB, which is what may be read into memory."""

# Booleans, integers, floats, complex numbers, bytes and strings of fixed width.
KINDS = "biufcSU"


def read_array(directory: Path, name: str) -> NDArray[Any]:
    """Read a ``.npy`` file; objects, which are code, are refused.

    Raises
    ------
    SourceError
        It is not there, is no such file, or its size is not what its header says.
    """
    place = Place("directory", path_text(directory / name))
    with place.reading(), open_owned(directory, name) as file:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise ValueError("a version of its format that is not 1.0 or 2.0")  # noqa: EM101
        shape, _, dtype = read(file)
        start = file.tell()
        size = file.seek(0, io.SEEK_END)
        # In Python's integers, which do not overflow.
        if dtype.kind not in KINDS or dtype.itemsize * math.prod(shape) != size - start:
            raise SourceError(
                argument="directory",
                expected=f"the {size - start:,} bytes of values that it has",
                got=f"a header of shape {shape} and type {dtype}",
                where=place.file,
            )
        file.seek(0)
        array: NDArray[Any] = np.load(file, allow_pickle=False)
        return array


def read_table(directory: Path, name: str) -> pl.DataFrame:
    """Read a Parquet file.

    Raises
    ------
    SourceError
        It is not there, or is no such file.
    """
    place = Place("directory", path_text(directory / name))
    file = owned_file(directory, name)
    with place.reading():
        if (size := file.stat().st_size) > LARGEST_TABLE:
            expected = f"a table of at most {LARGEST_TABLE:,} bytes"
            raise SourceError(
                argument="directory", expected=expected, got=f"{size:,}", where=place.file
            )
    return read_frame(file, place)

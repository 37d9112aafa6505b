"""How fast vectors come out of Parquet files, beside other readers and a copy of the same bytes.

In turn, medians of 5 of each: `tailwatch.open` of the file, read in batches; the same where vectors
are left to a library; pyarrow and Polars, whole tables on all their threads; and a copy of as many
bytes from one array to another. Files are in the page cache. The peak is what a process of its own
takes beyond what it took after a small file, in MB::

    python -m benches.parquet_rate --rows 200000 --columns 768
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import statistics
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import tailwatch as tw
from tailwatch._core import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable

TURNS = 5


def write(path: Path, shape: tuple[int, int], form: str, dtype: str, how: tuple[str, int]) -> None:
    """Write a file of normal numbers, which hardly shrink, as embeddings do not."""
    (rows, columns), (codec, groups) = shape, how
    values = np.random.default_rng(0).standard_normal((rows, columns), np.float32).astype(dtype)
    flat = pa.array(values.ravel())
    if form == "List":
        ends = pa.array(np.arange(0, rows * columns + 1, columns, dtype=np.int32))
        vectors = pa.ListArray.from_arrays(ends, flat)
    else:
        vectors = pa.FixedSizeListArray.from_arrays(flat, columns)
    pq.write_table(
        pa.table({"embedding": vectors}),
        path,
        compression=codec,
        use_dictionary=False,
        row_group_size=-(-rows // groups),
    )


def read(path: Path) -> None:
    """Read a file as every command does."""
    for _ in tw.open(path).batches(8192):
        pass


def decoded(path: Path) -> None:
    """Read a file as if its vectors had another form."""
    with patch("tailwatch.io.tables.vectors", side_effect=Unfit):
        read(path)


def high_water() -> int:
    """Return the most memory that this process has taken, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


def peak(path: Path) -> int:
    """Read a file, and return by how much the memory grew, in a process of its own."""
    read(Path(path).with_name("small.parquet"))
    before = high_water()
    read(path)
    return high_water() - before


def rates(path: Path, size: int) -> list[float]:
    """Return GB/s of each reader, in turn."""
    source = np.ones(size // 8)
    target = np.empty_like(source)
    readers: list[Callable[[], object]] = [
        lambda: read(path),
        lambda: decoded(path),
        lambda: pq.read_table(path),
        lambda: pl.read_parquet(path),
        lambda: np.copyto(target, source),
    ]
    seconds: list[list[float]] = [[] for _ in readers]
    for _ in range(TURNS):
        for reader, found in zip(readers, seconds, strict=True):
            start = time.perf_counter()
            reader()
            found.append(time.perf_counter() - start)
    return [size / statistics.median(found) / 1e9 for found in seconds]


def main() -> None:
    """Print a table of all forms of a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=768)
    options = parser.parse_args()
    rows, columns = options.rows, options.columns
    names = "form | type | codec | row groups | tailwatch | library | pyarrow | Polars | copy | MB"
    print(f"| {names} |\n|{'---|' * (names.count('|') + 1)}")
    forms = product(("List", "FixedSizeList"), ("float32", "float16"), ("none", "zstd"), (1, 50))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.parquet")
        for form, dtype, codec, groups in forms:
            write(path, (rows, columns), form, dtype, (codec, groups))
            write(path.with_name("small.parquet"), (100, columns), form, dtype, (codec, 1))
            size = rows * columns * np.dtype(dtype).itemsize
            found = rates(path, size)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                most = pool.apply(peak, (path,))
            cells = " | ".join(f"{rate:.2f}" for rate in found)
            print(
                f"| {form} | {dtype} | {codec} | {groups} | {cells} | {most / 1e6:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

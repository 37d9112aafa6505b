"""Vectors of a Parquet file: the same page by page as from Polars, and in little memory."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError
from tailwatch.io.regular import Place
from tailwatch.io.tables import TableFile
from tests.support.errors import refused

if TYPE_CHECKING:
    from pathlib import Path

ROWS, COLUMNS = 40_000, 6
VALUES = np.random.default_rng(0).normal(size=(ROWS, COLUMNS))
TYPES = {
    f"{kind} of {inner}": (kind, inner)
    for kind in ("Array", "List", "Binary")
    for inner in ("float16", "float32", "float64")
}


def column(kind: str, inner: str) -> pl.Series:
    values = VALUES.astype(inner)
    if kind == "Binary":
        return pl.Series("embedding", [row.tobytes() for row in values])
    dtype = {"float16": pl.Float16, "float32": pl.Float32, "float64": pl.Float64}[inner]
    series = pl.Series("embedding", values, dtype=pl.Array(dtype, COLUMNS))
    return series if kind == "Array" else series.cast(pl.List(dtype))


@pytest.mark.parametrize("name", TYPES)
def test_pages_give_what_row_groups_give(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = column(*TYPES[name])
    path = tmp_path / "a.parquet"
    pl.DataFrame({"key": range(ROWS), "embedding": series}).write_parquet(
        path, row_group_size=ROWS * 3 // 4
    )
    file = TableFile(path, Place("source"))
    inner = np.dtype(TYPES[name][1])
    for _ in range(2):
        pieces = list(file.vectors("embedding", COLUMNS, inner))
        assert len(pieces) > 2
        assert np.array_equal(np.concatenate(pieces), VALUES.astype(inner))
        assert pl.concat(list(file.stream("embedding"))).equals(series)
        monkeypatch.setitem(sys.modules, "pyarrow", None)


@pytest.mark.parametrize("name", ["a.b", "embedding"])
def test_a_point_in_a_name_is_part_of_it(name: str, tmp_path: Path) -> None:
    vectors = column("List", "float32")
    frame = pl.DataFrame({name: vectors, f"{name}.c": vectors.reverse()})
    frame.write_parquet(tmp_path / "a.parquet")
    found = tw.open(tmp_path / "a.parquet", column=name).to_numpy()
    assert np.array_equal(found, VALUES.astype(np.float32))


def test_nulls_are_found_by_their_row(tmp_path: Path) -> None:
    frame = pl.DataFrame({"embedding": column("List", "float32")})
    null = frame.with_columns(pl.when(pl.int_range(pl.len()) != 33_000).then("embedding"))
    null.write_parquet(tmp_path / "a.parquet")
    with refused(InputError, "source", "a vector", "null", "row 33000, in …/a.parquet"):
        tw.open(tmp_path / "a.parquet").to_numpy()


LARGE = """
import sys
from pathlib import Path
import tailwatch as tw
if sys.argv[2] == "polars":
    sys.modules["pyarrow"] = None
for batch in tw.open(sys.argv[1]).batches(4096):
    pass
from tailwatch.io.decoding import processes
peaks = [Path(f"/proc/{process}/status").read_text() for process in ["self", *processes()]]
print(max(int(peak.split("VmHWM:")[1].split()[0]) for peak in peaks))
"""


def peak(path: Path, reader: str) -> int:
    command = [sys.executable, "-c", LARGE, str(path), reader]
    return 1024 * int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


# A job over such a file is in tests/contract/test_dataset_memory.py.
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")
def test_a_file_of_one_row_group_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    values = np.random.default_rng(1).standard_normal((300_000, 256), np.float32)
    series = pl.Series("embedding", values, dtype=pl.Array(pl.Float32, 256))
    pl.DataFrame({"embedding": series}).write_parquet(
        path, row_group_size=len(values), compression="uncompressed"
    )
    # Python with the libraries needs about 150 MB; Polars holds the row group, here to see it.
    assert peak(path, "pyarrow") < values.nbytes
    assert peak(path, "polars") > values.nbytes

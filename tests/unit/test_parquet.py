"""Vectors of a Parquet file: straight from pages what a library reads, and in little memory."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tailwatch as tw
from tailwatch._core import Unfit, first_length
from tailwatch.exceptions import InputError
from tailwatch.io.parquet import vectors
from tailwatch.io.regular import Place
from tailwatch.io.tables import TableFile
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

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


def in_pieces(path: Path, count: int) -> Callable[..., Iterator[NDArray[np.floating]]]:
    """Read so many pieces of a column straight, and leave the rest to a library."""

    def straight(*column: Any) -> Iterator[NDArray[np.floating]]:  # noqa: ANN401
        for number, piece in enumerate(vectors(*column)):
            if number == count:
                break
            yield piece
        else:
            return
        message = f"{path} is left to a library"
        raise Unfit(message)

    return straight


@pytest.mark.parametrize("name", TYPES)
def test_what_is_read_straight_is_what_a_library_reads(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = column(*TYPES[name])
    path = tmp_path / "a.parquet"
    pl.DataFrame({"key": range(ROWS), "embedding": series}).write_parquet(
        path, row_group_size=ROWS * 3 // 4, data_page_size=1 << 14
    )
    file = TableFile(path, Place("source"))
    inner = np.dtype(TYPES[name][1])
    monkeypatch.setattr("tailwatch.io.parquet._PIECE_BYTES", 1 << 17)
    assert len(list(vectors(str(path), "embedding", COLUMNS, inner))) > 2
    for pieces in (0, 1, 2, 1000):
        monkeypatch.setattr("tailwatch.io.tables.vectors", in_pieces(path, pieces))
        found = np.concatenate(list(map(np.asarray, arrays(file, inner))))
        assert np.array_equal(found, VALUES.astype(inner)), pieces
    assert pl.concat(list(file.stream("embedding"))).equals(series)


def arrays(file: TableFile, inner: np.dtype[Any]) -> Iterator[NDArray[np.floating]]:
    for piece in file.vectors("embedding", COLUMNS, inner):
        assert isinstance(piece, np.ndarray)
        yield piece


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("encoding", ["PLAIN", "BYTE_STREAM_SPLIT", "dictionary"])
def test_every_form_that_writers_give_a_column(
    version: str, compression: str, encoding: str, tmp_path: Path
) -> None:
    # Few values, so that a dictionary is kept; pages and row groups end within rows and without.
    values = VALUES[:3000].round(1).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), COLUMNS)
    lists = column.cast(pa.list_(pa.float32()))
    encodings = None if encoding == "dictionary" else {"embedding.list.element": encoding}
    for name, written in (("fixed", column), ("lists", lists)):
        path = tmp_path / f"{name}.parquet"
        pq.write_table(
            pa.table({"embedding": written}),
            path,
            compression=compression,
            use_dictionary=encoding == "dictionary",
            column_encoding=encodings,
            data_page_version=version,
            data_page_size=1000,
            row_group_size=700,
        )
        try:
            found = np.concatenate(list(vectors(str(path), "embedding", COLUMNS, values.dtype)))
        except Unfit:
            assert compression == "brotli"
        else:
            assert np.array_equal(found, values)
        assert np.array_equal(tw.open(path).to_numpy(), values)


@pytest.mark.parametrize("form", ["null row", "null value", "ragged", "int32", "damaged"])
def test_what_is_not_whole_rows_is_left_to_a_library(form: str, tmp_path: Path) -> None:
    rows: list[Any] = VALUES[:50].tolist()
    if form == "null row":
        rows[30] = None
    elif form == "null value":
        rows[30][2] = None
    elif form == "ragged":
        rows[30], rows[31] = rows[30][:-1], [*rows[31], 1.0]
    inner = pa.int32() if form == "int32" else pa.float32()
    if form == "int32":
        rows = [[int(x) for x in row] for row in rows]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"embedding": pa.array(rows, pa.list_(inner))}), path)
    if form == "damaged":
        content = bytearray(path.read_bytes())
        content[4:60] = bytes(56)
        path.write_bytes(content)
    with pytest.raises(Unfit):
        list(vectors(str(path), "embedding", COLUMNS, np.dtype(np.float32)))


def test_the_first_row_says_the_length_and_not_the_average(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for lengths in ([6] * 50, [5, 7] * 25, [7, 5] * 25, [6] * 48 + [5, 7]):
        rows = pa.array([[1.0] * length for length in lengths], pa.list_(pa.float32()))
        pq.write_table(pa.table({"embedding": rows}), path)
        if len(set(lengths)) == 1:
            assert first_length(str(path), "embedding", 4) == lengths[0]
        else:
            with pytest.raises(Unfit):
                first_length(str(path), "embedding", 4)
        assert tw.open(path).columns == lengths[0]


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
from tailwatch._core import Unfit, first_length
def unfit(*column):
    raise Unfit("left to a library")
if sys.argv[2] == "polars":
    import tailwatch.io.tables
    tailwatch.io.tables.vectors = unfit
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
    assert peak(path, "straight") < values.nbytes
    assert peak(path, "polars") > values.nbytes

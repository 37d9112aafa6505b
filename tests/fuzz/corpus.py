"""Small valid files of each format, of several types, layouts, encodings and compressions."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.datasets import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["FORMATS", "corpus"]

ROWS = 40
FORMATS = ("npy", "npz", "parquet", "arrow", "arrows")
"""By suffix; ``arrows`` is Arrow's stream format, which goes by the suffix of the other."""


def corpus(kind: str) -> list[bytes]:
    """Give the files of a format, the same ones each time."""
    return list(_WRITERS[kind]())


def _values(dtype: str = "f4") -> NDArray[np.floating]:
    return np.random.default_rng(5).normal(size=(ROWS, COLUMNS)).astype(dtype)


def _npy() -> Iterator[bytes]:
    for array in (
        _values(),
        _values("f2"),
        _values("f8"),
        _values(">f4"),
        np.asfortranarray(_values()),
    ):
        yield _saved(lambda out, array=array: np.save(out, array))


def _npz() -> Iterator[bytes]:
    whole, half = _values(), np.asfortranarray(_values("f2"))
    yield _saved(lambda out: np.savez(out, embedding=whole))
    yield _saved(lambda out: np.savez_compressed(out, embedding=whole, other=half))
    yield _saved(lambda out: np.savez_compressed(out, half))


def _frames() -> Iterator[pl.DataFrame]:
    beside = {
        "url": [f"https://a/{row}" for row in range(ROWS)],
        "label": pl.Series(["cat", "dog", None, "ünï"] * (ROWS // 4), dtype=pl.Categorical),
        "number": pl.Series(range(ROWS), dtype=pl.Int32),
        "time": pl.Series(range(ROWS), dtype=pl.Datetime("us")),
        "tags": [["a"] * (row % 3) for row in range(ROWS)],
    }
    for dtype, polars in (("f4", pl.Float32), ("f2", pl.Float16), ("f8", pl.Float64)):
        vectors = pl.Series("embedding", _values(dtype), dtype=pl.Array(polars, COLUMNS))
        yield pl.DataFrame({"embedding": vectors, **beside})
        yield pl.DataFrame({"embedding": vectors.cast(pl.List(polars)), **beside})


def _parquet() -> Iterator[bytes]:
    for number, frame in enumerate(_frames()):
        packing = ("zstd", "uncompressed", "snappy", "gzip", "lz4", "brotli")[number]
        yield _saved(
            lambda out, frame=frame, packing=packing: frame.write_parquet(
                out, compression=packing, row_group_size=ROWS // 2
            )
        )
    table = pa.table(
        {
            "embedding": pa.array(list(_values()), pa.list_(pa.float32())),
            "url": [f"https://a/{row}" for row in range(ROWS)],
            "label": pa.array(["cat", "dog"] * (ROWS // 2)).dictionary_encode(),
        }
    )
    for checksums, version in ((True, "1.0"), (True, "2.0"), (False, "2.0")):
        yield _saved(
            lambda out, checksums=checksums, version=version: pq.write_table(
                table,
                out,
                write_page_checksum=checksums,
                data_page_version=version,
                compression="none",
                data_page_size=512,
                row_group_size=ROWS // 2,
                use_byte_stream_split=["embedding.list.element"] if version == "2.0" else False,
                use_dictionary=version == "1.0",
            )
        )


def _arrow() -> Iterator[bytes]:
    for frame in _frames():
        for packing in ("uncompressed", "zstd", "lz4"):
            yield _saved(
                lambda out, frame=frame, packing=packing: frame.write_ipc(out, compression=packing)
            )
    table = _tensors()
    yield _saved(lambda out: _written(pa.ipc.new_file(out, table.schema), table))


def _arrows() -> Iterator[bytes]:
    for frame in _frames():
        yield _saved(lambda out, frame=frame: frame.write_ipc_stream(out))
    table = _tensors()
    yield _saved(lambda out: _written(pa.ipc.new_stream(out, table.schema), table))


def _tensors() -> pa.Table:
    kind = pa.fixed_shape_tensor(pa.float32(), [COLUMNS])
    storage = pa.FixedSizeListArray.from_arrays(pa.array(_values().ravel()), COLUMNS)
    return pa.table(
        {
            "embedding": pa.ExtensionArray.from_storage(kind, storage),
            "url": pa.array([f"https://a/{row}" for row in range(ROWS)], pa.large_string()),
        }
    )


def _written(writer: pa.ipc.RecordBatchFileWriter, table: pa.Table) -> None:
    with writer:
        writer.write_table(table, max_chunksize=ROWS // 2)


def _saved(write: Callable[[io.BytesIO], object]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


_WRITERS = {"npy": _npy, "npz": _npz, "parquet": _parquet, "arrow": _arrow, "arrows": _arrows}

"""The same rows in every form in which embeddings come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

import tailwatch as tw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from tailwatch.io.columns import ArrowStream

ROWS, COLUMNS = 23, 4
POLARS = {"float16": pl.Float16, "float32": pl.Float32, "float64": pl.Float64}


class Tensor:
    """What is used of a torch tensor."""

    def __init__(self, array: NDArray[Any], device: str = "cpu") -> None:
        self.device = device
        self._array = array

    def detach(self) -> Tensor:
        return self

    def numpy(self) -> NDArray[Any]:
        return self._array


class Stream:
    """An Arrow stream of an unknown library."""

    def __init__(self, source: ArrowStream) -> None:
        self._source = source

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._source.__arrow_c_stream__(requested_schema)


def sample(dtype: DTypeLike = np.float32, rows: int = ROWS) -> NDArray[Any]:
    return np.random.default_rng(7).standard_normal((rows, COLUMNS)).astype(dtype)


def array_series(x: NDArray[Any]) -> pl.Series:
    return pl.Series("embedding", x, dtype=pl.Array(POLARS[x.dtype.name], x.shape[1]))


def list_series(x: NDArray[Any]) -> pl.Series:
    return array_series(x).cast(pl.List(POLARS[x.dtype.name]))


def frame(x: NDArray[Any]) -> pl.DataFrame:
    return pl.DataFrame({"key": [f"k{i}" for i in range(len(x))], "embedding": array_series(x)})


def fixed_size(x: NDArray[Any]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1])


def chunked(x: NDArray[Any]) -> pa.ChunkedArray:
    whole = fixed_size(x)
    return pa.chunked_array([whole[:5], whole[5:5], whole[5:]])


def tensor_array(x: NDArray[Any]) -> pa.Array:
    kind = pa.fixed_shape_tensor(pa.from_numpy_dtype(x.dtype), [x.shape[1]])
    return pa.ExtensionArray.from_storage(kind, fixed_size(x))


def table(x: NDArray[Any]) -> pa.Table:
    return pa.table({"key": list(range(len(x))), "embedding": chunked(x)})


IN_MEMORY: dict[str, Callable[[NDArray[Any]], Any]] = {
    "numpy": lambda x: x,
    "numpy fortran order": np.asfortranarray,
    "numpy big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "numpy off alignment": lambda x: np.frombuffer(b"." + x.tobytes(), x.dtype, offset=1).reshape(
        x.shape
    ),
    "masked array without a mask": np.ma.MaskedArray,
    "torch tensor": Tensor,
    "polars array": array_series,
    "polars list": list_series,
    "polars slice": lambda x: pl.concat([array_series(x[:3]), array_series(x)])[3:],
    "polars list slice": lambda x: pl.concat([list_series(x[:3]), list_series(x)])[3:],
    "polars frame": frame,
    "arrow fixed-size list": fixed_size,
    "arrow list": lambda x: fixed_size(x).cast(pa.list_(pa.from_numpy_dtype(x.dtype))),
    "arrow large list": lambda x: fixed_size(x).cast(pa.large_list(pa.from_numpy_dtype(x.dtype))),
    "arrow fixed-shape tensor": tensor_array,
    "arrow chunks": chunked,
    "arrow table": table,
    "arrow record batch": lambda x: table(x).combine_chunks().to_batches()[0],
    "arrow reader": lambda x: table(x).to_reader(),
    "arrow stream of an array": lambda x: Stream(chunked(x)),
    "arrow stream of a table": lambda x: Stream(table(x)),
    "embeddings": tw.open,
}


def write_npy(x: NDArray[Any], path: Path) -> None:
    np.save(path, x)


def write_fortran_npy(x: NDArray[Any], path: Path) -> None:
    np.save(path, np.asfortranarray(x))


def write_big_endian_npy(x: NDArray[Any], path: Path) -> None:
    np.save(path, x.astype(x.dtype.newbyteorder(">")))


def write_npz(x: NDArray[Any], path: Path) -> None:
    np.savez(path, anything=x)


def write_parquet(x: NDArray[Any], path: Path) -> None:
    frame(x).write_parquet(path, row_group_size=7)


def write_parquet_lists(x: NDArray[Any], path: Path) -> None:
    list_series(x).to_frame().write_parquet(path)


def write_arrow(x: NDArray[Any], path: Path) -> None:
    frame(x).write_ipc(path, record_batch_size=7)


def write_compressed_arrow(x: NDArray[Any], path: Path) -> None:
    frame(x).write_ipc(path, compression="zstd")


def write_arrow_stream(x: NDArray[Any], path: Path) -> None:
    whole = table(x)
    with pa.ipc.new_stream(path, whole.schema) as writer:
        writer.write_table(whole)


WRITERS: dict[str, tuple[Callable[[NDArray[Any], Path], None], str]] = {
    "npy": (write_npy, "x.npy"),
    "npy fortran order": (write_fortran_npy, "x.npy"),
    "npy big-endian": (write_big_endian_npy, "x.npy"),
    "npz": (write_npz, "x.npz"),
    "parquet": (write_parquet, "x.parquet"),
    "parquet lists": (write_parquet_lists, "x.parquet"),
    "arrow": (write_arrow, "x.arrow"),
    "arrow compressed": (write_compressed_arrow, "x.arrow"),
    "arrow stream": (write_arrow_stream, "x.arrow"),
    "feather": (write_arrow, "x.feather"),
    "ipc": (write_arrow, "x.IPC"),
}

"""Files of embeddings in four formats, of as many rows as are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["COLUMNS", "ROWS", "table", "values", "written"]

ROWS, COLUMNS = 9_000, 300
"""More than a piece of a file has."""


def values(rows: int = ROWS, columns: int = COLUMNS) -> NDArray[np.float32]:
    return np.random.default_rng(3).standard_normal((rows, columns), np.float32)


def table(x: NDArray[Any]) -> pl.DataFrame:
    vectors = pl.Series("embedding", x, dtype=pl.Array(pl.Float32, x.shape[1]))
    keys = [f"k{row}" for row in range(len(x))]
    return pl.DataFrame({"key": keys, "embedding": vectors.cast(pl.List(pl.Float32))})


def written(folder: Path, suffix: str, x: NDArray[Any] | None = None) -> Path:
    x, path = values() if x is None else x, folder / f"x{suffix}"
    if suffix == ".npy":
        np.save(path, x)
    elif suffix == ".npz":
        np.savez(path, embedding=x)
    elif suffix == ".parquet":
        table(x).write_parquet(path, row_group_size=1000, compression="uncompressed")
    else:
        table(x).write_ipc(path, compression="uncompressed", record_batch_size=1000)
    return path

"""What the tests of inputs that must fail are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import TailwatchError
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass
class Case:
    """A source made in a folder, and the kind and fields of the error that it must give."""

    source: Callable[[Path], object]
    error: type[TailwatchError]
    said: dict[str, str]

    def check(self, folder: Path) -> None:
        """Raise AssertionError unless that error comes of the source as `reference`."""
        source = self.source(folder)
        with refused(TailwatchError, **self.said) as caught:
            as_embeddings(source, "reference").handle()  # type: ignore[arg-type]
        assert type(caught.value) is self.error


def ones(rows: int = 6, columns: int = 2) -> NDArray[np.float32]:
    return np.ones((rows, columns), np.float32)


def lists(values: list[list[float | None] | None]) -> pl.Series:
    return pl.Series("embedding", values, dtype=pl.List(pl.Float32))


def npy(path: Path, array: NDArray[Any], *, pickle: bool = False) -> Path:
    np.save(path, array, allow_pickle=pickle)
    return path


def parquet(path: Path, **columns: object) -> Path:
    pl.DataFrame(columns).write_parquet(path, row_group_size=2)
    return path


def arrow(path: Path, **columns: object) -> Path:
    pl.DataFrame(columns).write_ipc(path)
    return path

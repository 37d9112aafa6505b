"""Small data sets in shards, and a model that can score them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch import contamination

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COLUMNS = 16
SHIFT = 0.7
# All that a run leaves, but for when it ran.
TIMES = "times.json"


@functools.cache
def model() -> contamination.ContaminationModel:
    rng = np.random.default_rng(1)
    human = rng.normal(size=(2000, COLUMNS))
    return contamination.fit(human, SHIFT + rng.normal(size=(2000, COLUMNS)))


def rows(count: int, seed: int, share: float = 0.1) -> NDArray[np.float32]:
    """Human rows, of which the last are replaced by synthetic ones."""
    found = np.random.default_rng(seed).normal(size=(count, COLUMNS)).astype(np.float32)
    found[count - round(share * count) :] += np.float32(SHIFT)
    return found


def table(embeddings: NDArray[Any], *, column: str = "embedding", first: int = 0) -> pl.DataFrame:
    """Rows with an identifier, and a column that is none."""
    return pl.DataFrame(
        {
            "url": [f"https://a/{first + row}" for row in range(len(embeddings))],
            "length": np.arange(len(embeddings)),
            column: pl.Series(embeddings, dtype=pl.Array(pl.Float32, embeddings.shape[1])),
        }
    )


def write_shards(folder: Path, count: int = 4, size: int = 500) -> Path:
    """Write shards of Parquet, `size` rows each and a few more in later ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        table(rows(size + 7 * number, number), first=10_000 * number).write_parquet(
            folder / f"part-{number:03}.parquet"
        )
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by name, but for when the run was."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != TIMES
    }

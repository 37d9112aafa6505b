"""The data of the benchmarks: one seed, three kinds, drawn alike by every process that asks."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benches.embeddings import embeddings

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("clusters", "gaussian", "embeddings")
"""Clusters whose columns differ in variance, as those of an encoder do; isotropic columns, whose
distances are all alike and give a filter least to go by; or embeddings of real text, as
:mod:`benches.embeddings` has them, of 256 or 384 columns."""

CLUSTERS = 20
CHUNK = 1000


class Size(NamedTuple):
    """Rows of each sample, and columns."""

    rows: int
    columns: int

    def __str__(self) -> str:
        return f"{self.rows}x{self.columns}"


class Pair(NamedTuple):
    """A reference and a candidate that lost some variance, equally many rows."""

    reference: NDArray[np.float32]
    candidate: NDArray[np.float32]


# The largest pair takes gigabytes: no second one is kept.
@lru_cache(maxsize=1)
def draw(size: Size, kind: str = "clusters", seed: int = 0) -> Pair:
    """Draw both samples; embeddings are dealt out, and a text is in one of them."""
    rng = np.random.default_rng([seed, *size])
    if kind == "embeddings":
        vectors = embeddings(size.columns, 2 * size.rows)
        reference, candidate = np.split(rng.permutation(len(vectors)), 2)
        return Pair(vectors[reference], vectors[candidate])
    if kind == "gaussian":
        centres = np.zeros((1, size.columns), np.float32)
        scales = np.ones(size.columns, np.float32)
    else:
        centres = rng.standard_normal((CLUSTERS, size.columns), dtype=np.float32)
        scales = (1.0 / np.sqrt(np.arange(1, size.columns + 1))).astype(np.float32)

    def sample(spread: float) -> NDArray[np.float32]:
        values = rng.standard_normal(size, dtype=np.float32)
        values *= np.float32(spread)
        for start in range(0, size.rows, CHUNK):
            rows = values[start : start + CHUNK]
            np.add(rows, centres[rng.integers(len(centres), size=len(rows))], out=rows)
            np.multiply(rows, scales, out=rows)
        return values

    return Pair(sample(1.0), sample(0.9))

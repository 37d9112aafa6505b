"""The panel of a generation: its samples against human data, by the kind of the data.

Embeddings (what the model's ``embed`` gives, a 2-D array of numbers, a column of vectors) and plain
numbers, which are embeddings of one column, go through the panel of :func:`tailwatch.compare`
under the seed of the run: the human halves are the same ones in every generation, and
``tailwatch.compare(holdout, samples, seed=seed)`` gives the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.comparison.result import SCHEMA as COMPARISON
from tailwatch.comparison.rows import split_rows
from tailwatch.comparison.samples import Samples
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from tailwatch.comparison.request import Request
    from tailwatch.recursion.frame import Row
    from tailwatch.recursion.protocols import Data
    from tailwatch.running import Settings

__all__ = ["as_vectors", "compare_vectors"]


def as_vectors(data: Data) -> Any | None:  # noqa: ANN401  (embeddings of any form)
    """Give what can be compared as embeddings, or None where nothing can."""
    if isinstance(data, np.ndarray):
        if data.dtype.kind not in "iufb" or data.ndim not in {1, 2}:
            return None
        if data.ndim == 1 and data.dtype.kind != "f":
            return None
        columns = data if data.ndim == 2 else data[:, None]
        return columns if data.dtype in (np.float16, np.float32, np.float64) else columns * 1.0
    if isinstance(data, pl.Series):
        if data.dtype.is_float():
            return data.cast(pl.Float64).to_numpy()[:, None]
        nested = isinstance(data.dtype, pl.Array | pl.List)
        return data if nested and data.dtype.inner.is_float() else None
    if isinstance(data, pl.DataFrame):
        if "embedding" in data.columns:
            return data["embedding"]
        return data.cast(pl.Float64).to_numpy() if _is_numeric(data) else None
    return None


def _is_numeric(frame: pl.DataFrame) -> bool:
    return all(dtype.is_numeric() for dtype in frame.dtypes)


def compare_vectors(
    reference: Any,  # noqa: ANN401
    candidate: Any,  # noqa: ANN401
    request: Request,
    settings: Settings,
) -> list[Row]:
    """Compare the samples of a generation with human data."""
    x, y = as_embeddings(reference, "holdout"), as_embeddings(candidate, "samples")
    if x.columns != y.columns:
        message = f"samples: expected {x.columns} columns as in the human data, got {y.columns}"
        raise InputError(message)
    samples = Samples.draw(
        x.handle(), y.handle(), max_rows=request.max_rows, seed=request.panel.seed
    )
    rows = split_rows(samples, request.panel, request.confidence, settings)
    return [{"group": "panel", **dict(zip(COMPARISON, row, strict=True))} for row in rows]

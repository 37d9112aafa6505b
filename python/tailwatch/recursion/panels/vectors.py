"""The panel of vectors: that of :func:`tailwatch.compare`.

Embeddings (what the model's ``embed`` gives, a 2-D array of numbers, a column of vectors) and plain
numbers, which are embeddings of one column, go through the panel of :func:`tailwatch.compare`
under the seed of the run: the human halves are the same ones in every generation, and
``tailwatch.compare(holdout, samples, seed=seed)`` gives the same numbers.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.comparison.rows import estimates_of, rows_of
from tailwatch.comparison.samples import Samples
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tailwatch.recursion.panels.modes import compare_modes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.comparison.request import Request
    from tailwatch.progress import Settings
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row

__all__ = ["as_vectors", "compare_vectors"]


def as_vectors(data: Data) -> Any | None:  # noqa: ANN401  (embeddings of any form)
    """Give what can be compared as embeddings, or None where nothing can."""
    if isinstance(data, np.ndarray):
        return _of_array(data)
    if isinstance(data, pl.Series):
        return _of_series(data)
    if isinstance(data, pl.DataFrame) and "embedding" in data.columns:
        return data["embedding"]
    if isinstance(data, pl.DataFrame) and all(dtype.is_numeric() for dtype in data.dtypes):
        return data.cast(pl.Float64).to_numpy()
    return None


def _of_array(data: NDArray[Any]) -> NDArray[Any] | None:
    flat = data.ndim == 1 and data.dtype.kind == "f"
    if not flat and (data.ndim != 2 or data.dtype.kind not in "biuf"):
        return None
    columns = data[:, None] if flat else data
    known = data.dtype in (np.float16, np.float32, np.float64)
    return columns if known else columns.astype(np.float64)


def _of_series(data: pl.Series) -> Any | None:  # noqa: ANN401
    if data.dtype.is_float():
        return data.cast(pl.Float64).to_numpy()[:, None]
    inner = data.dtype.inner if isinstance(data.dtype, pl.Array | pl.List) else None
    return data if inner is not None and inner.is_float() else None


def compare_vectors(
    reference: Any,  # noqa: ANN401
    candidate: Any,  # noqa: ANN401
    request: Request,
    settings: Settings,
) -> list[Row]:
    """Compare the samples of a generation with human data."""
    x, y = as_embeddings(reference, "holdout"), as_embeddings(candidate, "samples")
    if x.columns != y.columns:
        raise InputError(
            argument="samples",
            expected=f"{x.columns} columns as in the human data",
            got=str(y.columns),
        )
    samples = Samples.draw(
        x.handle(), y.handle(), max_rows=request.max_rows, seed=request.panel.seed
    )
    # Of copies the loop has a row of its own, against what the generation learnt from.
    panel = replace(request.panel, names=request.panel.names - {"authenticity"})
    found = rows_of(estimates_of(samples, panel, settings), samples, panel, request.confidence)
    rows = [{"group": "panel", **asdict(row)} for row in found]
    if "mode_coverage" in panel.names:
        a, b, c = (part.to_numpy().astype(np.float64) for part in samples.bounded)
        rows += compare_modes((a, b, c), seed=panel.seed, confidence=request.confidence)
    return rows

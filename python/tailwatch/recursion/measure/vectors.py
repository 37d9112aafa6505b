"""The panel of vectors: that of :func:`tailwatch.compare`.

Embeddings (what the model's ``embed`` gives, a 2-D array of numbers, a column of vectors) and plain
numbers, which are embeddings of one column, go through the panel of :func:`tailwatch.compare`
under the seed of the run: the human halves are the same ones in every generation, prepared once,
and ``tailwatch.compare(holdout, samples, seed=seed)`` gives the same numbers.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.comparison.frame import rows_of
from tailwatch.comparison.halves import matrix_of
from tailwatch.comparison.reference import Reference
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tailwatch.recursion.measure.modes import Modes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.comparison.reference import Prepared
    from tailwatch.comparison.request import Request
    from tailwatch.progress import Settings
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row

__all__ = ["HumanVectors", "are_same", "as_vectors"]


def as_vectors(data: Data) -> Any | None:  # noqa: ANN401  (embeddings of any form)
    """Return what can be compared as embeddings, or None where nothing can."""
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


def are_same(first: Any, second: Any) -> bool:  # noqa: ANN401  (embeddings of any form)
    """Return whether two sets of vectors hold the same numbers in the same form."""
    if first is second:
        return True
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return first.dtype == second.dtype and np.array_equal(first, second)
    if isinstance(first, pl.Series) and isinstance(second, pl.Series):
        return first.dtype == second.dtype and first.equals(second)
    return False


class HumanVectors:
    """Human vectors, prepared once for the generations that are compared with them.

    Parameters
    ----------
    vectors
        Of the human rows.
    request
        What the panel computes.
    """

    def __init__(self, vectors: Any, request: Request) -> None:  # noqa: ANN401
        self.vectors = vectors
        self._request = request
        # Of copies the loop has a row of its own, against what the generation learnt from.
        embeddings = as_embeddings(vectors, "holdout")
        self._reference = Reference.of(embeddings, request.without("authenticity"))
        self._modes: tuple[Prepared, Modes | None] | None = None

    def rows(self, samples: Any, settings: Settings) -> list[Row]:  # noqa: ANN401
        """Compare the samples of a generation with the human vectors."""
        candidate = as_embeddings(samples, "samples")
        columns = self._reference.embeddings.columns
        if candidate.columns != columns:
            raise InputError(
                argument="samples",
                expected=f"{columns} columns as in the human data",
                got=str(candidate.columns),
            )
        meeting = self._reference.meet(candidate.handle())
        found = rows_of(meeting, meeting.estimates(settings), self._request.confidence)
        rows = [{"group": "panel", **asdict(row)} for row in found]
        if "mode_coverage" in self._request.names:
            modes = self._modes_of(meeting.prepared, settings)
            if modes is not None:
                rows.append(
                    modes.row(matrix_of(meeting.candidate.bounded), self._request.confidence)
                )
        return rows

    def _modes_of(self, prepared: Prepared, settings: Settings) -> Modes | None:
        if self._modes is None or self._modes[0] is not prepared:
            a, b = (matrix_of(half) for half in prepared.halves.bounded)
            found = Modes.of(a, b, seed=self._request.panel.seed, settings=settings)
            self._modes = prepared, found
        return self._modes[1]

"""The panel of vectors: that of :func:`tailwatch.compare`.

Embeddings (what the model's ``embed`` gives, a 2-D array of numbers, a column of vectors) and plain
numbers, which are embeddings of one column, go through the panel of :func:`tailwatch.compare`
under the seed of the run: the human halves are the same ones in every generation, prepared once,
and ``tailwatch.compare(holdout, samples, seed=seed)`` gives the same numbers.

**Rows between the modes** of human data say what becomes of modes that are entangled. Modes are
those that :func:`tailwatch.metrics.embeddings.modes.separate_modes` finds in the human half A,
where it has any: otherwise there is nothing to entangle, and no row. With the distances d₁ ≤ d₂ of
a row to the two nearest centres, it lies between modes if (d₂ − d₁)/(d₂ + d₁) is below the 5 %
quantile of A. Value is the share of such rows in the samples C, null that in the human half B, each
with its binomial interval (Wilson), A being given. O(500²·d + 500·12²·d) operations once per run,
O(h·k·d) per generation, for h rows in each half.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.comparison.frame import rows_of
from tailwatch.comparison.halves import matrix_of
from tailwatch.comparison.human import HumanRows
from tailwatch.comparison.intervals import ratio_of
from tailwatch.distributions import wilson_interval
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tailwatch.metrics.embeddings.modes import separate_modes
from tailwatch.recursion.randomness import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.comparison.intervals import Triple
    from tailwatch.comparison.preparation import Meeting
    from tailwatch.comparison.request import Request
    from tailwatch.progress import Settings
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row

    Matrix = NDArray[np.float64]

__all__ = ["HumanVectors", "Modes", "are_same", "as_vectors"]


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
        self._human = HumanRows(embeddings, request.without("authenticity"))
        self._modes: tuple[int, Modes | None] | None = None

    def rows(self, samples: Any, settings: Settings) -> list[Row]:  # noqa: ANN401
        """Compare the samples of a generation with the human vectors."""
        candidate = as_embeddings(samples, "samples")
        columns = self._human.source.columns
        if candidate.columns != columns:
            raise InputError(
                argument="samples",
                expected=f"{columns} columns as in the human data",
                got=str(candidate.columns),
            )
        meeting = self._human.meet(candidate.handle())
        found = rows_of(meeting, meeting.estimates(settings), self._request.confidence)
        rows = [{"group": "panel", **asdict(row)} for row in found]
        if "mode_coverage" in self._request.names:
            modes = self._modes_of(meeting, settings)
            if modes is not None:
                rows.append(
                    modes.row(matrix_of(meeting.candidate.bounded), self._request.confidence)
                )
        return rows

    def _modes_of(self, meeting: Meeting, settings: Settings) -> Modes | None:
        size = meeting.prepared.sizes.half
        if self._modes is None or self._modes[0] != size:
            a, b = (matrix_of(half) for half in self._human.halves_of(meeting))
            found = Modes.of(a, b, seed=self._request.panel.seed, settings=settings)
            self._modes = size, found
        return self._modes[1]


LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Modes:
    """The modes of A.

    Attributes
    ----------
    centres
        One for each mode.
    cut
        Rows with smaller margins lie between modes.
    human
        Rows of B, and those of them between modes.
    """

    centres: Matrix
    cut: float
    human: tuple[int, int]

    @classmethod
    def of(cls, a: Matrix, b: Matrix, *, seed: int, settings: Settings) -> Modes | None:
        """Find the modes of human rows A and count B; None if they are not separate."""
        centres = separate_modes(a, generator(seed, 0, "panel"), settings)
        if centres is None:
            return None
        cut = float(np.quantile(_margins(a, centres), LEVEL))
        return cls(centres, cut, (len(b), _between(b, centres, cut)))

    def row(self, samples: Matrix, confidence: float) -> Row:
        """Count the samples of a generation between the modes: a row of the frame."""
        count = _between(samples, self.centres, self.cut)
        value = _share(count, len(samples), confidence)
        null = _share(self.human[1], self.human[0], confidence)
        names = ("value", "low", "high", "null", "null_low", "null_high")
        kept = ("retention", "retention_low", "retention_high")
        return {
            "group": "panel",
            "metric": "between_modes",
            **dict(zip(names, (*value, *null), strict=True)),
            **dict(zip(kept, ratio_of(value, null), strict=True)),
            "direction": "match",
            "n_reference": self.human[0],
            "n_candidate": len(samples),
            "method": f"binomial (Wilson), the {len(self.centres)} modes being given",
        }


def _margins(rows: Matrix, centres: Matrix) -> Matrix:
    """How much nearer one centre is than any other: 0 in the middle of two, 1 on a centre."""
    # Around the mean of the centres, so that the squares below are no larger than they have to be.
    origin = centres.mean(axis=0)
    x, c = rows - origin, centres - origin
    squares = (x**2).sum(axis=1)[:, None] - 2 * x @ c.T + (c**2).sum(axis=1)
    nearest = np.sqrt(np.maximum(np.partition(squares, 1, axis=1)[:, :2], 0.0))
    total = nearest.sum(axis=1)
    margins: Matrix = np.where(total > 0, (nearest[:, 1] - nearest[:, 0]) / total, 0.0)
    return margins


def _between(rows: Matrix, centres: Matrix, cut: float) -> int:
    return int((_margins(rows, centres) < cut).sum())


def _share(count: int, rows: int, confidence: float) -> Triple:
    return count / rows, *wilson_interval(count, rows, confidence)

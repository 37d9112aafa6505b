"""Scores of rows: a hash that chooses the model, and a dot product.

The score is the log odds that the probe gives, float32, larger for rows that look synthetic.
Sums run in float64 in one fixed order, so that a score depends on its row alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.contamination.finite import not_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.io.part import Matrix

__all__ = ["Probe", "content_folds"]


@dataclass(frozen=True, slots=True)
class Probe:
    """A linear model for each fold.

    Attributes
    ----------
    weights
        Folds × columns, float64; the standardisation is inside.
    intercepts
        One for each fold.
    bounds
        Upper ends of each fold's hashes, see :mod:`~tailwatch.contamination.folds`.
    """

    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    bounds: NDArray[np.uint64]

    @property
    def columns(self) -> int:
        """Numbers in a row."""
        return int(self.weights.shape[1])

    def score(
        self,
        batch: Matrix,
        argument: str,
        *,
        first_row: int = 0,
        folds: NDArray[np.uint8] | None = None,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """Score the rows of an array.

        Parameters
        ----------
        batch
            The rows, with as many columns as the probe has.
        argument, first_row
            Whose rows they are, and the number of the first one, for the text of an error.
        folds
            The fold of each row, where it is not that of its content.
        threads
            Threads to use; all cores by default.

        Raises
        ------
        NonFiniteError
            If a score is not finite, since a value is not, or is too large.
        """
        rows = _core.Rows.from_numpy([batch], argument)
        scores = _core.probe_scores(
            rows,
            self.weights,
            self.intercepts,
            self.bounds,
            folds,
            {"threads": threads, "progress": None},
        )
        bad = ~np.isfinite(scores)
        if bad.any():
            row = int(bad.argmax())
            raise not_finite(batch, row, first_row + row, argument)
        return scores


def content_folds(
    rows: Matrix, bounds: NDArray[np.uint64], threads: int | None = None
) -> NDArray[np.uint8]:
    """Give the fold of each row, from its values as float64."""
    handle = _core.Rows.from_numpy([rows], "rows")
    return _core.content_folds(handle, bounds, {"threads": threads, "progress": None})

"""Scores of rows: a hash that chooses the model, and a dot product.

The score is the log odds that the probe gives, float32, larger for rows that look synthetic.
Sums run in float64 in one fixed order, so that a score depends on its row alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.finite import problem
from tailwatch.exceptions import NonFiniteError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.io.part import Matrix

__all__ = ["Probe", "content_folds"]

_BLOCK = 4096


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
        self, batch: Matrix, first_row: int, argument: str, folds: NDArray[np.uint8] | None = None
    ) -> NDArray[np.float32]:
        """Score the rows of an array, by the model of their content's fold or of `folds`."""
        scores = np.empty(len(batch), np.float32)
        for start in range(0, len(batch), _BLOCK):
            block = batch[start : start + _BLOCK].astype(np.float64, order="C")
            chosen = (
                content_folds(block, self.bounds)
                if folds is None
                else folds[start : start + _BLOCK]
            )
            products = block * self.weights[chosen]
            with np.errstate(over="ignore", invalid="ignore"):
                scores[start : start + _BLOCK] = products.sum(axis=1) + self.intercepts[chosen]
        bad = ~np.isfinite(scores)
        if bad.any():
            row = int(bad.argmax())
            raise NonFiniteError(problem(batch, row, first_row + row, argument))
        return scores


def content_folds(rows: Matrix, bounds: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Give the fold of each row, from its values as float64."""
    values = np.ascontiguousarray(rows, np.float64) + 0.0
    index = np.arange(values.shape[1], dtype=np.uint64)
    with np.errstate(over="ignore"):
        factors = _mixed(index + np.uint64(1)) | np.uint64(1)
        sums = (values.view(np.uint64) * factors).sum(axis=1, dtype=np.uint64)
        hashes = _mixed(sums) >> np.uint64(32)
    return np.searchsorted(bounds, hashes, side="right").astype(np.uint8)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread 64 bits over 64 bits (the finalizer of SplitMix64)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))

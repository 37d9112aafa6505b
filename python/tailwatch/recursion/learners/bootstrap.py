"""Rows of the training set, drawn with replacement: the learner without any model.

It keeps first and second moments of every feature in expectation, so the variance of any feature
falls by the same factors as that of a normal distribution (universality).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.recursion import data as rows_of
from tailwatch.recursion.learners.multinomial import Multinomial

if TYPE_CHECKING:
    from tailwatch.recursion.data.kind import Data

__all__ = ["Bootstrap", "BootstrapModel"]


@dataclass(frozen=True)
class Bootstrap:
    """Keep the training set, of any kind, and sample its rows with replacement.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.recursion import Bootstrap
    >>> rng = np.random.default_rng(0)
    >>> drawn = Bootstrap().fit(np.arange(5), rng=rng).sample(3, rng=rng)
    >>> set(drawn.tolist()) <= set(range(5))
    True
    """

    def fit(self, data: Data, *, rng: np.random.Generator) -> BootstrapModel:  # noqa: ARG002
        """Keep the rows."""
        return BootstrapModel(data)


@dataclass(frozen=True, eq=False)
class BootstrapModel:
    """Rows to draw from."""

    rows: Data

    def sample(self, size: int, *, rng: np.random.Generator) -> Data:
        """Draw rows with replacement."""
        return rows_of.take(self.rows, rng.integers(rows_of.length(self.rows), size=size))

    def parameters(self) -> dict[str, float]:
        """Return what the rows have: mean and variance of numbers, types of categories."""
        rows: Any = self.rows
        if isinstance(rows, np.ndarray) and rows.dtype.kind == "f" and rows.ndim in {1, 2}:
            mean, variance = rows.mean(axis=0), rows.var(axis=0)
            return {"mean_squared": float((mean**2).sum()), "variance": float(variance.sum())}
        if len(getattr(rows, "shape", ())) == 1 and rows_of.is_categorical(rows):
            # Of categories, the rows are all that a table of counts knows.
            return Multinomial().fit(rows, rng=np.random.default_rng(0)).parameters()
        return {}

"""Learners that keep their rows, and sample them again: as they are, or blurred.

`Bootstrap` draws rows with replacement. It keeps first and second moments of every feature in
expectation, so the variance of any feature falls by the same factors as that of a normal
distribution (universality).

`KernelDensity` draws a row and adds N(0, h²) to each column. Variance rises by h² in each
generation, though tails of the human data are still forgotten: a collapse that variance cannot see
(:mod:`tailwatch.recursion.theory`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.arguments import positive
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.data import matrix_of
from tailwatch.recursion.learners.categories import Multinomial

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tailwatch.recursion.data.kind import Data

    Array = NDArray[np.float64]

__all__ = ["Bootstrap", "BootstrapModel", "KernelDensity", "KernelDensityModel"]


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


@dataclass(frozen=True)
class KernelDensity:
    """Keep the training set, and sample it with normal noise.

    Parameters
    ----------
    bandwidth
        Standard deviation h of the noise in each column, in units of the data.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.recursion import KernelDensity
    >>> rng = np.random.default_rng(0)
    >>> model = KernelDensity(0.1).fit(rng.normal(size=(1000, 2)), rng=rng)
    >>> model.sample(3, rng=rng).shape
    (3, 2)
    """

    bandwidth: float

    def __post_init__(self) -> None:
        positive(self.bandwidth, "bandwidth")

    def fit(self, data: Any, *, rng: np.random.Generator) -> KernelDensityModel:  # noqa: ANN401, ARG002
        """Learn from numbers."""
        return KernelDensityModel(matrix_of(data, "KernelDensity"), self.bandwidth, data.ndim)


@dataclass(frozen=True, eq=False)
class KernelDensityModel:
    """A kernel density estimate.

    Attributes
    ----------
    points
        The training set.
    bandwidth
        Standard deviation of the noise.
    dimensions
        Of the data: 1 for plain numbers, 2 for rows.
    """

    points: Array
    bandwidth: float
    dimensions: int

    def sample(self, size: int, *, rng: np.random.Generator) -> Array:
        """Draw rows of the training set with replacement, and blur them."""
        chosen = self.points[rng.integers(len(self.points), size=size)]
        drawn = rng.normal(chosen, self.bandwidth)
        return drawn[:, 0] if self.dimensions == 1 else drawn

    def parameters(self) -> dict[str, float]:
        """Return |mean|², and variance of the points, over M and in sum over columns.

        The variance of the density is h² a column more.
        """
        mean = self.points.mean(axis=0)
        return {
            "mean_squared": float(mean @ mean),
            "variance": float(self.points.var(axis=0).sum()),
        }

    def risk(self, data: Any) -> Array:  # noqa: ANN401
        """Return the negative log-likelihood of each row, in nats."""
        from sklearn.neighbors import KernelDensity as Density

        density = Density(bandwidth=self.bandwidth, rtol=1e-8).fit(self.points)
        risks: Array = -density.score_samples(matrix_of(data, "KernelDensity"))
        return risks

    def save(self, directory: Path) -> None:
        """Write the points."""
        np.save(directory / "points.npy", self.points)

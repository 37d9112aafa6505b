"""Least squares whose labels are those of the model before.

Data are rows [x₁, …, x_d, y]. Fit: the weights of least norm among those of least squares, without
intercept. Sample: rows of features x, labelled x·w plus noise.

Reference: Dohmatob, Feng & Kempe 2024; Gerstgrasser et al. 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tailwatch.exceptions import DimensionError, InputError
from tailwatch.recursion.data import matrix_of
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["LinearRegression", "LinearRegressionModel"]


@dataclass(frozen=True)
class LinearRegression:
    """Learn weights by least squares, and label features with them.

    Parameters
    ----------
    noise
        Standard deviation of the noise that labels are given; by default that of the residuals,
        √(RSS/(T − d)), or 0 where there are no more rows than features.
    design
        Features of the samples: ``"fresh"`` draws them from N(0, 1), ``"reuse"`` takes those of the
        training set's first rows, in their order and again from the start if there are too few.
        Where human rows come first, these are the same ones in each generation.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.recursion import LinearRegression
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(1000, 2))
    >>> data = np.column_stack([x, x @ [1.0, -2.0] + 0.01 * rng.normal(size=1000)])
    >>> LinearRegression().fit(data, rng=rng).weights.round(2).tolist()
    [1.0, -2.0]
    """

    noise: float | None = None
    design: Literal["fresh", "reuse"] = "fresh"

    def __post_init__(self) -> None:
        noise: object = self.noise
        if noise is not None and not (isinstance(noise, int | float) and 0 <= noise < np.inf):
            raise InputError(
                argument="noise", expected="None or a number of at least 0", got=shown(noise)
            )
        if self.design not in ("fresh", "reuse"):
            raise InputError(
                argument="design", expected="'fresh' or 'reuse'", got=shown(self.design)
            )

    def fit(self, data: Any, *, rng: np.random.Generator) -> LinearRegressionModel:  # noqa: ANN401, ARG002
        """Learn from rows of features and, last, the label."""
        x, y = _features_and_labels(data)
        weights: Array = np.linalg.lstsq(x, y, rcond=None)[0].astype(np.float64, copy=False)
        rows, features = x.shape
        noise = self.noise
        if noise is None:
            squares = float(((y - x @ weights) ** 2).sum())
            noise = (squares / (rows - features)) ** 0.5 if rows > features else 0.0
        return LinearRegressionModel(weights, noise, x if self.design == "reuse" else None)


@dataclass(frozen=True, eq=False)
class LinearRegressionModel:
    """Weights that were learnt.

    Attributes
    ----------
    weights
        Of the features.
    noise
        Standard deviation of the noise of labels.
    features
        Those to label, or None to draw them.
    """

    weights: Array
    noise: float
    features: Array | None

    def sample(self, size: int, *, rng: np.random.Generator) -> Array:
        """Return rows of features and labels; features are drawn before noise."""
        if self.features is None:
            x = rng.normal(size=(size, len(self.weights)))
        else:
            x = self.features[np.arange(size) % len(self.features)]
        y = x @ self.weights + self.noise * rng.normal(size=size)
        return np.column_stack([x, y])

    def parameters(self) -> dict[str, float]:
        """Return |w|² and the noise."""
        return {"weights_squared": float(self.weights @ self.weights), "noise": self.noise}

    def risk(self, data: Any) -> Array:  # noqa: ANN401
        """Return the squared error of each row."""
        x, y = _features_and_labels(data)
        return (y - x @ self.weights) ** 2

    def save(self, directory: Path) -> None:
        """Write the weights."""
        np.save(directory / "weights.npy", self.weights)


def _features_and_labels(data: Any) -> tuple[Array, Array]:  # noqa: ANN401
    table = matrix_of(data, "LinearRegression")
    if table.shape[1] < 2:
        raise DimensionError(
            argument="data",
            expected="rows of at least one feature and a label for LinearRegression",
            got=f"{table.shape[1]} column",
        )
    return table[:, :-1], table[:, -1]

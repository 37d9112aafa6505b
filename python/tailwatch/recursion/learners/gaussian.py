"""A normal distribution: the learner whose collapse is known in closed form.

Fit: mean and covariance, the latter over M (``ddof=0``, maximum likelihood) or M − 1 (``ddof=1``,
unbiased). Sample: N(μ, λΣ), with λ = 1 unless samples are biased towards the mean.

Reference: Shumailov et al. 2024; sampling bias: Alemohammad et al. 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.arguments import positive
from tailwatch.exceptions import InputError
from tailwatch.recursion.learners.numbers import matrix_of
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Gaussian", "GaussianModel"]


@dataclass(frozen=True)
class Gaussian:
    """Learn mean and covariance, and sample the normal distribution that has them.

    Parameters
    ----------
    ddof
        0 divides by the number of rows (maximum likelihood), 1 by one less (unbiased).
    sampling_bias
        λ: samples are drawn from N(μ, λΣ). Below 1 for a low temperature or truncation.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.recursion import Gaussian
    >>> rng = np.random.default_rng(0)
    >>> model = Gaussian().fit(rng.normal(size=(1000, 2)), rng=rng)
    >>> model.sample(3, rng=rng).shape
    (3, 2)
    """

    ddof: int = 0
    sampling_bias: float = 1.0

    def __post_init__(self) -> None:
        if self.ddof not in (0, 1):
            raise InputError(argument="ddof", expected="0 or 1", got=shown(self.ddof))
        positive(self.sampling_bias, "sampling_bias")

    def fit(self, data: Any, *, rng: np.random.Generator) -> GaussianModel:  # noqa: ANN401, ARG002
        """Learn from numbers: one or two axes, at least ``ddof + 1`` rows."""
        x = matrix_of(data, "Gaussian", least=self.ddof + 1)
        mean = x.mean(axis=0)
        centred = x - mean
        covariance = centred.T @ centred / (len(x) - self.ddof)
        return GaussianModel(mean, covariance, self.sampling_bias, data.ndim == 1)


@dataclass(frozen=True, eq=False)
class GaussianModel:
    """A normal distribution that was learnt.

    Attributes
    ----------
    mean, covariance
        Of the training set.
    sampling_bias
        Factor of the covariance that is sampled from.
    flat
        Whether rows are plain numbers.
    """

    mean: Array
    covariance: Array
    sampling_bias: float
    flat: bool

    def sample(self, size: int, *, rng: np.random.Generator) -> Array:
        """Draw rows."""
        if len(self.mean) == 1:
            scale = (self.sampling_bias * self.covariance[0]) ** 0.5
            drawn = rng.normal(self.mean, scale, size=(size, 1))
        else:
            values, vectors = np.linalg.eigh(self.covariance)
            # A covariance of few rows is singular, and its zeros may come out below 0.
            scales = np.sqrt(self.sampling_bias * np.maximum(values, 0.0))
            drawn = self.mean + rng.normal(size=(size, len(scales))) @ (scales[:, None] * vectors.T)
        return drawn[:, 0] if self.flat else drawn

    def parameters(self) -> dict[str, float]:
        """Return mean and variance: of one column as they are, of several in sum.

        ``mean_squared`` is |μ|², the ``variance`` of several columns tr Σ.
        """
        variance = float(np.trace(self.covariance))
        found = {"mean_squared": float(self.mean @ self.mean), "variance": variance}
        if len(self.mean) == 1:
            return {"mean": float(self.mean[0])} | found
        return found

    def risk(self, data: Any) -> Array:  # noqa: ANN401
        """Return the negative log-likelihood of each row, in nats; infinite off a flat model."""
        x = matrix_of(data, "Gaussian") - self.mean
        values, vectors = np.linalg.eigh(self.covariance)
        if values[0] <= 0:
            return np.full(len(x), np.inf)
        scaled = x @ vectors / np.sqrt(values)
        constant = len(values) * np.log(2 * np.pi) + np.log(values).sum()
        risks: Array = 0.5 * ((scaled**2).sum(axis=1) + constant)
        return risks

    def save(self, directory: Path) -> None:
        """Write mean and covariance."""
        np.save(directory / "mean.npy", self.mean)
        np.save(directory / "covariance.npy", self.covariance)

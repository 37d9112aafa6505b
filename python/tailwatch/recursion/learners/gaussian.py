"""Normal distributions: the learner whose collapse is known in closed form, and mixtures of them.

`Gaussian` fits mean and covariance, the latter over M (``ddof=0``, maximum likelihood) or M − 1
(``ddof=1``, unbiased), and samples N(μ, λΣ), with λ = 1 unless samples are biased towards the mean.
`GaussianMixture` is fitted by scikit-learn's expectation–maximisation.

Reference: Shumailov et al. 2024; sampling bias: Alemohammad et al. 2024.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.arguments import integer, positive
from tailwatch.exceptions import InputError
from tailwatch.recursion.data import matrix_of
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Gaussian", "GaussianMixture", "GaussianMixtureModel", "GaussianModel"]


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


@dataclass(frozen=True)
class GaussianMixture:
    """Learn a mixture of k normal distributions with covariances of their own.

    Parameters
    ----------
    k
        Components.
    least_variance
        Added to the diagonal of each covariance, so that columns which never change, or components
        of few rows, can be fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.recursion import GaussianMixture
    >>> rng = np.random.default_rng(0)
    >>> x = np.concatenate([rng.normal(size=(500, 2)), 9 + rng.normal(size=(500, 2))])
    >>> model = GaussianMixture(2).fit(x, rng=rng)
    >>> model.weights.round(3).tolist()
    [0.5, 0.5]
    """

    k: int
    least_variance: float = 1e-6

    def __post_init__(self) -> None:
        integer(self.k, "k")
        positive(self.least_variance, "least_variance")

    def fit(self, data: Any, *, rng: np.random.Generator) -> GaussianMixtureModel:  # noqa: ANN401
        """Learn from numbers: at least k rows, two for one component."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture as Mixture

        x = matrix_of(data, "GaussianMixture", least=max(self.k, 2))
        mixture = Mixture(
            self.k, reg_covar=self.least_variance, random_state=int(rng.integers(2**32))
        )
        with warnings.catch_warnings():
            # Whether it converged is one of the parameters.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(x)
        return GaussianMixtureModel(
            mixture.weights_,
            mixture.means_,
            mixture.covariances_,
            bool(mixture.converged_),
            data.ndim,
        )


@dataclass(frozen=True, eq=False)
class GaussianMixtureModel:
    """A mixture that was learnt.

    Attributes
    ----------
    weights, means, covariances
        Of the components.
    converged
        Whether expectation–maximisation came to rest.
    dimensions
        Of the data: 1 for plain numbers, 2 for rows.
    """

    weights: Array
    means: Array
    covariances: Array
    converged: bool
    dimensions: int

    def sample(self, size: int, *, rng: np.random.Generator) -> Array:
        """Draw rows, components in random order."""
        component = rng.choice(len(self.weights), size, p=self.weights / self.weights.sum())
        noise = rng.normal(size=(size, self.means.shape[1]))
        drawn = np.empty_like(noise)
        for number, factor in enumerate(np.linalg.cholesky(self.covariances)):
            chosen = component == number
            drawn[chosen] = self.means[number] + noise[chosen] @ factor.T
        return drawn[:, 0] if self.dimensions == 1 else drawn

    def parameters(self) -> dict[str, float]:
        """Return the total variance, the components that hold a row in a hundred, and the least."""
        centre = self.weights @ self.means
        within = self.weights @ np.trace(self.covariances, axis1=1, axis2=2)
        between = self.weights @ ((self.means - centre) ** 2).sum(axis=1)
        return {
            "variance": float(within + between),
            "variance_within": float(within),
            "least_weight": float(self.weights.min()),
            "converged": float(self.converged),
        }

    def risk(self, data: Any) -> Array:  # noqa: ANN401
        """Return the negative log-likelihood of each row, in nats."""
        from scipy.special import logsumexp

        x = matrix_of(data, "GaussianMixture")
        parts = []
        for mean, covariance in zip(self.means, self.covariances, strict=True):
            factor = np.linalg.cholesky(covariance)
            scaled = np.linalg.solve(factor, (x - mean).T)
            constant = len(mean) * np.log(2 * np.pi) + 2 * np.log(np.diagonal(factor)).sum()
            parts.append(-0.5 * ((scaled**2).sum(axis=0) + constant))
        risks: Array = -logsumexp(np.array(parts), axis=0, b=self.weights[:, None])
        return risks

    def save(self, directory: Path) -> None:
        """Write weights, means and covariances."""
        for name in ("weights", "means", "covariances"):
            np.save(directory / f"{name}.npy", getattr(self, name))

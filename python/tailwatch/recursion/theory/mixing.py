"""What is left of the variance when human rows stay in every training set.

Two ways to hold a share λ of human rows: **fresh** ones in each generation, or a **fixed** set that
is kept for ever. With q = E (μ − μ₀)² and v = E σ² in units of σ₀², a training set of n rows, and a
sampling bias b (samples come from N(μ, bσ²)), one generation of fresh rows does

    q′ = λ/n + (1−λ)² q + (1−λ) b v/n,
    v′ = λ + (1−λ)(q + b v) − q′        (times n/(n−1) if unbiased).

A fixed set errs in the same direction each time: with its n_r rows, n_s samples, λ = n_r/(n_r+n_s)
and the covariance c of its mean with the model's,

    c′ = λ/n_r + (1−λ) c,
    q′ = λ²/n_r + 2λ(1−λ) c + (1−λ)² (q + b v/n_s).

Both settle: by maximum likelihood without bias at v = 1 − q. They hold for whatever generator keeps
mean and covariance. Derived here; Bertrand et al. 2024 and Kazdan et al. 2024 have the setting.
O(largest generation) time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tailwatch.arguments import integer, positive
from tailwatch.exceptions import InputError
from tailwatch.recursion.theory.fits import (
    LONGEST_CURVE,
    Curve,
    Ddof,
    Generations,
    as_curve,
    as_ddof,
    as_generations,
    as_rows,
)
from tailwatch.text_form import shown

__all__ = [
    "Moments",
    "as_share",
    "fixed_real_limit",
    "fixed_real_variance",
    "fresh_real_limit",
    "fresh_real_step",
    "fresh_real_variance",
    "mixing_error",
    "mixing_weight",
]


@dataclass(frozen=True, slots=True)
class Moments:
    """Where a model is expected to be, in units of σ₀².

    Attributes
    ----------
    mean_square
        q = E (μ − μ₀)².
    variance
        v = E σ².
    """

    mean_square: float
    variance: float


def as_share(real_fraction: object) -> float:
    """Return a share of human rows, above 0 and at most 1."""
    share = positive(real_fraction, "real_fraction")
    if share > 1:
        raise InputError(
            argument="real_fraction",
            expected="a share above 0 and at most 1",
            got=shown(real_fraction),
        )
    return share


def fresh_real_step(
    before: Moments, size: int, real_fraction: float, *, bias: float = 1.0, ddof: Ddof = 0
) -> Moments:
    """Return the moments after one generation with a share of fresh human rows, exactly.

    Parameters
    ----------
    before
        Of the model before it.
    size
        Rows n of the training set.
    real_fraction
        Share λ of human rows in it, in (0, 1].
    bias
        Samples come from N(μ, bσ²).
    ddof
        0 for maximum likelihood, 1 for the unbiased variance.

    Returns
    -------
    Moments
        Of the next model.

    Raises
    ------
    InputError
        Fewer than 2 rows, a share or bias out of range, another `ddof`.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> step = theory.fresh_real_step(theory.Moments(0.01, 0.99), 100, 0.25)
    >>> round(step.mean_square, 6), round(step.variance, 6)
    (0.01555, 0.98445)
    """
    n, share, b, less = as_rows(size), as_share(real_fraction), positive(bias, "bias"), ddof
    rest, q, v = 1 - share, before.mean_square, b * before.variance
    after = share / n + rest**2 * q + rest * v / n
    spread = share + rest * (q + v) - after
    return Moments(after, spread * (n / (n - 1) if as_ddof(less) else 1.0))


def fresh_real_variance(
    generations: Generations,
    size: int,
    real_fraction: float,
    *,
    first: int | None = None,
    bias: float = 1.0,
    ddof: Ddof = 0,
) -> Curve:
    """E σ²ₜ with a share of fresh human rows from the second generation on.

    Parameters
    ----------
    generations
        Fits t, one or an array.
    size, real_fraction, bias, ddof
        As in :func:`fresh_real_step`.
    first
        Human rows that the first generation learns from; `size` by default.

    Returns
    -------
    float or numpy.ndarray
        Above 0, in units of σ₀².

    Raises
    ------
    InputError
        As in :func:`fresh_real_step`; a generation below 1.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.fresh_real_variance([1, 2, 50], 100, 0.25).round(4)
    array([0.99  , 0.9844, 0.9775])
    """
    t, n, less = as_generations(generations, most=LONGEST_CURVE), as_rows(size), as_ddof(ddof)
    start = n if first is None else as_rows(first, "first")
    moments = _first(start, less)
    curve = [moments.variance]
    for _ in range(int(t.max()) - 1):
        moments = fresh_real_step(moments, n, real_fraction, bias=bias, ddof=ddof)
        curve.append(moments.variance)
    return as_curve(np.array(curve)[t.astype(np.int64) - 1])


def fresh_real_limit(size: int, real_fraction: float) -> float:
    """E σ² after many generations with a share of fresh human rows: 1 − q.

    q = 1/(n (1 − (1−λ)²) + (1−λ)), by maximum likelihood.

    Parameters
    ----------
    size, real_fraction
        As in :func:`fresh_real_step`.

    Returns
    -------
    float
        In (0, 1): a share of human rows, however small, keeps a share of the variance for ever.

    Raises
    ------
    InputError
        As in :func:`fresh_real_step`.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.fresh_real_limit(100, 0.25), 4)
    0.9775
    """
    n, share = as_rows(size), as_share(real_fraction)
    rest = 1 - share
    return 1 - 1 / (n * (1 - rest**2) + rest)


def fixed_real_variance(
    generations: Generations,
    n_real: int,
    n_synthetic: int,
    *,
    first: int | None = None,
    known: bool = True,
    bias: float = 1.0,
    ddof: Ddof = 0,
) -> Curve:
    """E σ²ₜ with a fixed human set in every training set from the second on.

    Parameters
    ----------
    generations
        Fits t, one or an array.
    n_real
        Human rows n_r that are kept for ever.
    n_synthetic
        Samples n_s of the last generation beside them.
    first
        Human rows that the first generation learns from; `n_real` by default.
    known
        Whether the kept rows are among these.
    bias, ddof
        As in :func:`fresh_real_step`.

    Returns
    -------
    float or numpy.ndarray
        Above 0, in units of σ₀².

    Raises
    ------
    InputError
        As in :func:`fresh_real_step`; more kept rows than the first generation has, if they are
        among them.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.fixed_real_variance([1, 2, 50], 100, 100).round(4)
    array([0.99  , 0.9875, 0.9867])
    """
    t, less, b = (
        as_generations(generations, most=LONGEST_CURVE),
        as_ddof(ddof),
        positive(bias, "bias"),
    )
    real, synthetic = integer(n_real, "n_real"), integer(n_synthetic, "n_synthetic")
    start = as_rows(real if first is None else first, "n_real" if first is None else "first")
    if known and start < real:
        raise InputError(
            argument="first",
            expected=f"at least the {real} kept rows, which are among them",
            got=str(start),
        )
    moments, n = _first(start, less), real + synthetic
    share, rest = real / n, synthetic / n
    # A mean of some rows and a mean of all of them covary as the latter varies.
    covariance = 1 / start if known else 0.0
    curve = [moments.variance]
    for _ in range(int(t.max()) - 1):
        q, v = moments.mean_square, b * moments.variance
        after = share**2 / real + 2 * share * rest * covariance + rest**2 * (q + v / synthetic)
        spread = share + rest * (q + v) - after
        covariance = share / real + rest * covariance
        moments = Moments(after, spread * (n / (n - 1) if less else 1.0))
        curve.append(moments.variance)
    return as_curve(np.array(curve)[t.astype(np.int64) - 1])


def fixed_real_limit(n_real: int, n_synthetic: int) -> float:
    """E σ² after many generations with a fixed human set: 1 − q.

    q = (λ²/n_r + 2λ(1−λ)/n_r + (1−λ)²/n_s)/(1 − (1−λ)² + (1−λ)²/n_s), λ = n_r/(n_r + n_s), by
    maximum likelihood.

    Parameters
    ----------
    n_real, n_synthetic
        As in :func:`fixed_real_variance`.

    Returns
    -------
    float
        In (0, 1).

    Raises
    ------
    InputError
        No human row, or no sample.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.fixed_real_limit(100, 100), 4)
    0.9867
    """
    real, synthetic = integer(n_real, "n_real"), integer(n_synthetic, "n_synthetic")
    share = real / (real + synthetic)
    rest = 1 - share
    fresh = rest**2 / synthetic
    q = ((share**2 + 2 * share * rest) / real + fresh) / (1 - rest**2 + fresh)
    return 1 - q


def mixing_weight(n_real: int, n_synthetic: int) -> float:
    """Weight of human rows that keeps the mean closest to the truth: (√(k²+4k) − k)/2.

    k = n_real/n_synthetic, with `n_real` fresh human rows and `n_synthetic` samples of the last
    model in each generation, whose means are averaged with weights w and 1 − w.

    Parameters
    ----------
    n_real, n_synthetic
        Rows of each kind per generation.

    Returns
    -------
    float
        In (0, 1); 0.618, the golden ratio less 1, for equally many.

    Raises
    ------
    InputError
        No rows of a kind.

    Notes
    -----
    The error settles at :func:`mixing_error`, which is least where w² = k (1 − w), and is w/n_real
    there. He et al. 2025.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.mixing_weight(100, 100), 3)
    0.618
    """
    k = integer(n_real, "n_real") / integer(n_synthetic, "n_synthetic")
    # (√(k²+4k) − k)/2 without the difference of two large numbers.
    return 2 / (1 + math.sqrt(1 + 4 / k))


def mixing_error(weight: float, n_real: int, n_synthetic: int) -> float:
    """E (μ − μ₀)² after many generations of weighted means: (w²/n_r + (1−w)²/n_s)/(1 − (1−w)²).

    Parameters
    ----------
    weight
        Weight w of the human mean, in (0, 1].
    n_real, n_synthetic
        As in :func:`mixing_weight`.

    Returns
    -------
    float
        Above 0, in units of σ₀², for a model whose variance stays at σ₀².

    Raises
    ------
    InputError
        A weight out of range, no rows of a kind.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> weight = theory.mixing_weight(100, 100)
    >>> round(100 * theory.mixing_error(weight, 100, 100), 3)
    0.618
    """
    w = positive(weight, "weight")
    if w > 1:
        raise InputError(
            argument="weight", expected="a weight above 0 and at most 1", got=shown(weight)
        )
    real, synthetic = integer(n_real, "n_real"), integer(n_synthetic, "n_synthetic")
    return (w**2 / real + (1 - w) ** 2 / synthetic) / (1 - (1 - w) ** 2)


def _first(rows: int, less: int) -> Moments:
    """Moments of the fit of so many human rows."""
    return Moments(1 / rows, 1.0 if less else 1 - 1 / rows)

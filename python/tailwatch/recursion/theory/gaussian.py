"""The Gaussian that learns from its own samples alone (policy replace).

Generation 1 is fitted to M rows of N(μ₀, σ₀²), each next one to M rows of the Gaussian before it.
Everything is in units of σ₀ and centred at μ₀. Maximum likelihood (``ddof=0``) divides by M, the
unbiased variance (``ddof=1``) by M − 1. Given generation n − 1,

    σ²ₙ = σ²ₙ₋₁ · χ²_{M−1}/(M − ddof),    μₙ = μₙ₋₁ + σₙ₋₁ · N(0, 1)/√M,

independent of each other, which all below follows from. The relative variance of σ²ₙ grows as
((M+1)/(M−1))ⁿ: beyond n ≈ M/2 the mean of σ² is made by a few runs, and what runs show is the mean
of ln σ².

Shumailov et al. 2024 and Alemohammad et al. 2024 study this loop; where no source is named, the
form was derived here. O(generations) time.

How far such a Gaussian has moved from the human one is a function of these moments too, in one
column: the distances stand behind them, in one file though a long one.
"""

from __future__ import annotations

import math

import numpy as np

from tailwatch.arguments import positive
from tailwatch.recursion.theory.fits import (
    Curve,
    Ddof,
    Generations,
    as_curve,
    as_ddof,
    as_generations,
    as_rows,
)

__all__ = [
    "biased_sampling_variance",
    "c4",
    "half_life",
    "log_decay",
    "relative_variance_of_variance",
    "replace_deviation",
    "replace_divergence",
    "replace_log_variance",
    "replace_mean_square",
    "replace_variance",
    "replace_wasserstein",
    "variance_of_log_variance",
]


def c4(size: int) -> float:
    """Mean of the sample standard deviation over σ: √(2/(M−1)) Γ(M/2)/Γ((M−1)/2).

    Parameters
    ----------
    size
        Rows M, at least 2; the deviation divides by M − 1.

    Returns
    -------
    float
        In (0.79, 1).

    Raises
    ------
    InputError
        Fewer than 2 rows.

    Notes
    -----
    Mean of a χ variable; Cureton 1968.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.c4(10), 5)
    0.97266
    """
    rows = as_rows(size)
    log_ratio = math.lgamma(rows / 2) - math.lgamma((rows - 1) / 2)
    return math.exp(log_ratio + 0.5 * math.log(2 / (rows - 1)))


def replace_variance(
    generations: Generations, size: int, *, first: int | None = None, ddof: Ddof = 0
) -> Curve:
    """E σ²ₙ: (1 − 1/M)ⁿ by maximum likelihood, 1 unbiased.

    Parameters
    ----------
    generations
        Fits n, one or an array.
    size
        Rows M that each generation learns from.
    first
        Human rows M₁ that the first one learns from, if they are not M: (1 − 1/M₁)(1 − 1/M)ⁿ⁻¹.
    ddof
        0 for maximum likelihood, 1 for the unbiased variance.

    Returns
    -------
    float or numpy.ndarray
        In [0, 1], in units of σ₀². In several columns it holds for the whole covariance:
        E Σₙ = (1 − 1/M)ⁿ Σ₀.

    Raises
    ------
    InputError
        A generation below 1, fewer than 2 rows, another `ddof`.

    Notes
    -----
    Holds for whatever distribution rows are drawn from, as long as the generator keeps mean and
    covariance (:func:`variance_kept`). Shumailov et al. 2024; Kazdan et al. 2024.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.replace_variance([1, 50], 100).round(3)
    array([0.99 , 0.605])
    """
    n, rows, less = as_generations(generations), as_rows(size), as_ddof(ddof)
    start = rows if first is None else as_rows(first, "first")
    return as_curve(np.ones_like(n) if less else (1 - 1 / start) * (1 - 1 / rows) ** (n - 1))


def replace_mean_square(generations: Generations, size: int, *, ddof: Ddof = 0) -> Curve:
    """E (μₙ − μ₀)²: 1 − (1 − 1/M)ⁿ by maximum likelihood, n/M unbiased.

    Parameters
    ----------
    generations, size, ddof
        As in :func:`replace_variance`; the first generation learns from M rows too.

    Returns
    -------
    float or numpy.ndarray
        At least 0, in units of σ₀²; below 1 by maximum likelihood.

    Raises
    ------
    InputError
        As in :func:`replace_variance`.

    Notes
    -----
    Steps of the mean have variance σ²ₖ₋₁/M and are uncorrelated: the sum of E σ²ₖ₋₁/M over k ≤ n.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.replace_mean_square([1, 50], 100, ddof=1)
    array([0.01, 0.5 ])
    """
    n, rows, less = as_generations(generations), as_rows(size), as_ddof(ddof)
    return as_curve(n / rows if less else -np.expm1(n * math.log1p(-1 / rows)))


def replace_deviation(generations: Generations, size: int, *, ddof: Ddof = 0) -> Curve:
    """E σₙ: c₄ⁿ unbiased, (c₄ √((M−1)/M))ⁿ by maximum likelihood.

    Parameters
    ----------
    generations, size, ddof
        As in :func:`replace_variance`; the first generation learns from M rows too.

    Returns
    -------
    float or numpy.ndarray
        In (0, 1), in units of σ₀: even where E σ² stays at 1, deviations shrink.

    Raises
    ------
    InputError
        As in :func:`replace_variance`.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.replace_deviation([1, 100], 100, ddof=1).round(4)
    array([0.9975, 0.7768])
    """
    n, rows, less = as_generations(generations), as_rows(size), as_ddof(ddof)
    step = c4(rows) * (1.0 if less else math.sqrt((rows - 1) / rows))
    return as_curve(step**n)


def replace_log_variance(generations: Generations, size: int, *, ddof: Ddof = 0) -> Curve:
    """E ln σ²ₙ = n (ψ((M−1)/2) − ln((M−ddof)/2)).

    Parameters
    ----------
    generations, size, ddof
        As in :func:`replace_variance`; the first generation learns from M rows too.

    Returns
    -------
    float or numpy.ndarray
        Below 0, for σ₀ = 1: the variance of almost every run goes to 0, unbiased or not.

    Raises
    ------
    InputError
        As in :func:`replace_variance`.

    Notes
    -----
    E ln χ²_ν = ψ(ν/2) + ln 2, with the digamma function ψ.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.replace_log_variance([1, 50], 100).round(4)
    array([-0.0202, -1.0093])
    """
    n, rows, less = as_generations(generations), as_rows(size), as_ddof(ddof)
    return as_curve(-n * log_decay(rows, less))


def variance_of_log_variance(generations: Generations, size: int) -> Curve:
    """Var ln σ²ₙ = n ψ₁((M−1)/2), whatever the variance divides by.

    Parameters
    ----------
    generations, size
        As in :func:`replace_variance`.

    Returns
    -------
    float or numpy.ndarray
        Above 0; about 2n/(M−1).

    Raises
    ------
    InputError
        As in :func:`replace_variance`.

    Notes
    -----
    Var ln χ²_ν = ψ₁(ν/2), with the trigamma function ψ₁; steps are independent.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.variance_of_log_variance([1, 50], 100).round(4)
    array([0.0204, 1.0204])
    """
    from scipy.special import polygamma

    n, rows = as_generations(generations), as_rows(size)
    return as_curve(n * float(polygamma(1, (rows - 1) / 2)))


def relative_variance_of_variance(generations: Generations, size: int) -> Curve:
    """Var σ²ₙ/(E σ²ₙ)² = ((M+1)/(M−1))ⁿ − 1.

    Parameters
    ----------
    generations, size
        As in :func:`replace_variance`.

    Returns
    -------
    float or numpy.ndarray
        Above 0. Where it is not small, no number of runs that one would wait for shows E σ²: look
        at E ln σ² instead.

    Raises
    ------
    InputError
        As in :func:`replace_variance`.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.relative_variance_of_variance([1, 50, 500], 100).round(2)
    array([2.000000e-02, 1.720000e+00, 2.203281e+04])
    """
    n, rows = as_generations(generations), as_rows(size)
    return as_curve(np.expm1(n * math.log((rows + 1) / (rows - 1))))


def half_life(size: int, *, ddof: Ddof = 0) -> float:
    """Return after how many generations half of the runs have lost half of the variance.

    ln 2/(ln((M−ddof)/2) − ψ((M−1)/2)): about M ln 2 unbiased, half of that by maximum likelihood.

    Parameters
    ----------
    size, ddof
        As in :func:`replace_variance`.

    Returns
    -------
    float
        Above 0.

    Raises
    ------
    InputError
        As in :func:`replace_variance`.

    Notes
    -----
    ln σ²ₙ is a sum of n independent steps and so nearly normal: its median is nearly its mean, the
    more so the longer the half-life.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.half_life(100), 1), round(theory.half_life(100, ddof=1), 1)
    (34.3, 68.4)
    """
    return math.log(2) / log_decay(as_rows(size), as_ddof(ddof))


def biased_sampling_variance(generations: Generations, bias: float) -> Curve:
    """E tr Σ over tr Σ₀ of what generation n samples, if it samples from N(μ, λΣ): λⁿ.

    Parameters
    ----------
    generations
        Generations n, one or an array.
    bias
        λ > 0: below 1 for low temperature, truncation or the choice of the best samples.

    Returns
    -------
    float or numpy.ndarray
        At least 0. The covariance that generation n **fits** has been through n − 1 biased
        samplings: λⁿ⁻¹.

    Raises
    ------
    InputError
        A generation below 1, a bias that is not positive.

    Notes
    -----
    For unbiased covariances, whatever the number of rows; a maximum-likelihood fit adds the factors
    of :func:`replace_variance`. Alemohammad et al. 2024.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.biased_sampling_variance([1, 10], 0.9).round(4)
    array([0.9   , 0.3487])
    """
    return as_curve(positive(bias, "bias") ** as_generations(generations))


def log_decay(rows: int, less: int) -> float:
    """Return what ln σ² loses per generation: ln((M−ddof)/2) − ψ((M−1)/2)."""
    from scipy.special import digamma

    x = (rows - 1) / 2
    if x < 50:
        return math.log((rows - less) / 2) - float(digamma(x))
    # Of two large logarithms little would be left; the series of ln x − ψ(x) is exact to the last
    # bit from here on.
    series = 1 / (2 * x) + 1 / (12 * x**2) - 1 / (120 * x**4) + 1 / (252 * x**6)
    return math.log1p((1 - less) / (rows - 1)) + series


def replace_wasserstein(generations: Generations, size: int, *, ddof: Ddof = 0) -> Curve:
    """E W₂²(Nₙ, N₀): n/M + 2(1 − c₄ⁿ) unbiased, 2(1 − (c₄√((M−1)/M))ⁿ) by maximum likelihood.

    Parameters
    ----------
    generations, size, ddof
        As in :func:`replace_variance`; the first generation learns from M rows too.

    Returns
    -------
    float or numpy.ndarray
        Above 0, in units of σ₀², in one column; below 2 by maximum likelihood.

    Raises
    ------
    InputError
        As in :func:`replace_variance`.

    Notes
    -----
    W₂² of two Gaussians is (μ−μ₀)² + (σ−σ₀)²; its mean is E μ² + E σ² − 2 E σ + 1.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.replace_wasserstein([1, 50], 100).round(4)
    array([0.015 , 0.6289])
    """
    square = replace_mean_square(generations, size, ddof=ddof)
    variance = replace_variance(generations, size, ddof=ddof)
    return as_curve(square + variance + 1 - 2 * replace_deviation(generations, size, ddof=ddof))


def replace_divergence(generations: Generations, size: int, *, ddof: Ddof = 0) -> Curve:
    """E KL(Nₙ‖N₀): (n/2)(1/M + ln((M−1)/2) − ψ((M−1)/2)) unbiased.

    Parameters
    ----------
    generations, size, ddof
        As in :func:`replace_variance`; the first generation learns from M rows too.

    Returns
    -------
    float or numpy.ndarray
        Above 0, in nats, in one column. By maximum likelihood it is (n/2)(ln(M/2) − ψ((M−1)/2)).

    Raises
    ------
    InputError
        As in :func:`replace_variance`.

    Notes
    -----
    KL is (μ² + σ² − 1 − ln σ²)/2, and E (μ² + σ²) is 1 + n/M unbiased, 1 by maximum likelihood.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.replace_divergence([1, 50], 100, ddof=1).round(4)
    array([0.0101, 0.5034])
    """
    n, rows, less = as_generations(generations), as_rows(size), as_ddof(ddof)
    return as_curve(n / 2 * ((1 / rows if less else 0.0) + log_decay(rows, less)))

"""How far the Gaussian that learns from its own samples has moved from the human one.

In one column, with σ₀ = 1, for the loop of :mod:`~tailwatch.recursion.theory.gaussian`: both
distances are functions of moments that are known there. O(generations) time.
"""

from __future__ import annotations

from tailwatch.recursion.theory.fits import (
    Curve,
    Ddof,
    Generations,
    as_curve,
    as_ddof,
    as_generations,
    as_rows,
)
from tailwatch.recursion.theory.gaussian import (
    log_decay,
    replace_deviation,
    replace_mean_square,
    replace_variance,
)

__all__ = ["replace_divergence", "replace_wasserstein"]


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

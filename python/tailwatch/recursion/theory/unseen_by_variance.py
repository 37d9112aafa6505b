"""Collapses that variance cannot see.

A kernel density estimate **raises** variance each time it resamples itself, while its shape dies
out. Hard pseudo-labels of two classes keep the total variance exactly, while each class loses its
spread, with infinitely many rows even. A detector that watches the variance alone is fooled by
both.

All forms were derived here. O(largest generation) time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tailwatch.arguments import integer, positive
from tailwatch.exceptions import InputError
from tailwatch.recursion.theory.fits import (
    LONGEST_CURVE,
    Curve,
    Generations,
    as_curve,
    as_generations,
    as_rows,
)
from tailwatch.text_form import shown

__all__ = ["PseudoLabels", "kernel_density_variance", "pseudo_labels"]


def kernel_density_variance(
    generations: Generations,
    size: int,
    bandwidth: float,
    *,
    policy: Literal["replace", "accumulate"] = "replace",
) -> Curve:
    """Variance of a kernel density estimate that resamples itself with a fixed bandwidth.

    Of the density: replace D_t = (1 − 1/M) D_{t−1} + h², which settles at h² M; accumulate
    D_t = S_t + h² with S_t = S_{t−1} + h²/t − D_{t−1}/(M t²), which grows as h² ln t.

    Parameters
    ----------
    generations
        Fits t, one or an array.
    size
        Rows M: human ones, and new ones of each generation.
    bandwidth
        Standard deviation h of the kernel in units of σ₀.
    policy
        Learn from the last samples alone, or from all.

    Returns
    -------
    float or numpy.ndarray
        Above 0, in units of σ₀²; in several columns, of each.

    Raises
    ------
    InputError
        A generation below 1, fewer than 2 rows, a bandwidth that is not positive, another policy.

    Notes
    -----
    The rows themselves have the variance D_{t−1} (1 − 1/M) under replace (it divides by M), and
    settle at h² (M − 1).

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.kernel_density_variance([1, 10, 1000], 100, 0.5).round(3)
    array([ 1.24 ,  3.295, 24.999])
    """
    t, rows, h = as_generations(generations), as_rows(size), positive(bandwidth, "bandwidth")
    if policy not in ("replace", "accumulate"):
        raise InputError(argument="policy", expected="'replace' or 'accumulate'", got=shown(policy))
    within = 1 - 1 / rows
    curve = [within + h**2]
    for k in range(2, int(t.max()) + 1):
        if policy == "replace":
            within = (1 - 1 / rows) * curve[-1]
        else:
            within += h**2 / k - curve[-1] / (rows * k**2)
        curve.append(within + h**2)
    return as_curve(np.array(curve)[t.astype(np.int64) - 1])


@dataclass(frozen=True, slots=True)
class PseudoLabels:
    """Two Gaussian classes at ±m after some generations of hard pseudo-labels.

    Attributes
    ----------
    mean
        m of the upper class.
    variance
        s² within each class.
    """

    mean: float
    variance: float


def pseudo_labels(generation: int, *, mean: float = 1.0, variance: float = 1.0) -> PseudoLabels:
    """Give each row to the class on whose side of 0 it lies, fit the classes, and do it again.

    m′ = E|N(m, s²)| = s √(2/π) exp(−m²/2s²) + m (1 − 2Φ(−m/s)), s′² = m² + s² − m′².

    Parameters
    ----------
    generation
        How often, at least 0: 0 gives the human classes.
    mean
        m > 0 of the human classes, which lie at ±m.
    variance
        s² within each.

    Returns
    -------
    PseudoLabels
        Means move apart and variances within shrink; the total m² + s² stays.

    Raises
    ------
    InputError
        A generation below 0, a mean or variance that is not positive.

    Notes
    -----
    With infinitely many rows: no sampling error is part of it. The folded normal of Leone et al.
    1961.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> [round(theory.pseudo_labels(t).variance, 3) for t in (0, 1, 2, 8)]
    [1.0, 0.639, 0.517, 0.325]
    """
    from scipy.special import ndtr

    steps = integer(generation, "generation", least=0, most=LONGEST_CURVE)
    m, s2 = positive(mean, "mean"), positive(variance, "variance")
    for _ in range(steps):
        s = math.sqrt(s2)
        folded = s * math.sqrt(2 / math.pi) * math.exp(-(m**2) / (2 * s2))
        folded += m * (1 - 2 * float(ndtr(-m / s)))
        m, s2 = folded, m**2 + s2 - folded**2
    return PseudoLabels(m, s2)

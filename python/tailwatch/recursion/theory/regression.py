"""Linear regression that learns from labels its predecessors gave.

T rows of d independent standard normal features, labels x·w + noise of variance s², least squares.
Each generation labels new rows by the model before it, with noise of the same variance. Risk is the
excess E (x·ŵ − x·w)², which is ‖ŵ − w‖².

Dohmatob et al. 2024 ("Model collapse demystified", "Strong model collapse") and Gerstgrasser et al.
2024; the exact floor of a mixture was derived here. O(largest generation) time.
"""

from __future__ import annotations

import numpy as np

from tailwatch.arguments import integer, positive, real
from tailwatch.exceptions import InputError
from tailwatch.recursion.theory.fits import Curve, Generations, as_curve, as_generations
from tailwatch.text_form import shown

__all__ = [
    "regression_accumulate_risk",
    "regression_mixture_risk",
    "regression_replace_risk",
    "ridgeless_risk",
]


def regression_replace_risk(
    generations: Generations, rows: int, features: int, *, noise: float = 1.0
) -> Curve:
    """E excess risk when each generation learns from the last one's labels: n s² d/(T − d − 1).

    Parameters
    ----------
    generations
        Fits n, one or an array.
    rows
        Rows T of each generation, more than d + 1.
    features
        Columns d.
    noise
        Variance s² of a label.

    Returns
    -------
    float or numpy.ndarray
        Above 0; grows without bound.

    Raises
    ------
    InputError
        A generation below 1, too few rows, no features, a noise that is not positive.

    Notes
    -----
    Errors of generations are uncorrelated and add up; E tr (XᵀX)⁻¹ = d/(T−d−1). It also holds where
    each model estimates s² from its residuals without bias. Dohmatob et al. 2024.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.regression_replace_risk([1, 10], 100, 9)
    array([0.1, 1. ])
    """
    n = as_generations(generations)
    return as_curve(n * _one_fit(rows, features, noise))


def regression_accumulate_risk(
    generations: Generations, rows: int, features: int, *, noise: float = 1.0
) -> Curve:
    """E excess risk when each generation learns from all labels: s² d/(T − d − 1) Σ_{i≤n} 1/i².

    Parameters
    ----------
    generations, rows, features, noise
        As in :func:`regression_replace_risk`; each generation adds T rows.

    Returns
    -------
    float or numpy.ndarray
        Above 0; at most π²/6 times the first risk.

    Raises
    ------
    InputError
        As in :func:`regression_replace_risk`.

    Notes
    -----
    Exact where every generation labels the same T rows of features again; with new features it is
    an upper bound. Gerstgrasser et al. 2024.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.regression_accumulate_risk([1, 1000], 100, 9).round(4)
    array([0.1   , 0.1644])
    """
    n = as_generations(generations)
    sums = np.cumsum(1 / np.arange(1, int(n.max()) + 1, dtype=np.float64) ** 2)
    return as_curve(_one_fit(rows, features, noise) * sums[n.astype(np.int64) - 1])


def ridgeless_risk(generations: Generations, rows: int, features: int) -> Curve:
    """E excess risk over ‖w‖² of the least-norm fit to fewer rows than features: 1 − (T/d)ⁿ.

    Parameters
    ----------
    generations
        Fits n, one or an array.
    rows
        New rows T of each generation, fewer than d or as many; labels without noise.
    features
        Columns d.

    Returns
    -------
    float or numpy.ndarray
        In [0, 1): the model forgets a share of what it knew each time.

    Raises
    ------
    InputError
        A generation below 1, no rows, more rows than features.

    Notes
    -----
    Each fit projects its predecessor on the span of T random rows, and E of a projection is T/d
    times the identity. Dohmatob et al. 2024.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.ridgeless_risk([1, 2], 80, 100).round(4)
    array([0.2 , 0.36])
    """
    n, t, d = as_generations(generations), integer(rows, "rows"), integer(features, "features")
    if t > d:
        raise InputError(
            argument="rows", expected=f"at most as many as the {d} features", got=str(t)
        )
    return as_curve(1 - (t / d) ** n)


def regression_mixture_risk(
    n_real: int, n_synthetic: int, features: int, label_bias: float, *, noise: float = 1.0
) -> float:
    """E excess risk of a fit to human labels and to labels of a model that is off by c².

    s² d/(n−d−1) + c² (α + β (nd−2)/(n−d−1)), with n = n₁ + n₂ rows, n₂ of them synthetic,
    β = n₁n₂/(n(n+2)(n−1)) and α = n₂(n₂+2)/(n(n+2)) − β.

    Parameters
    ----------
    n_real, n_synthetic
        Rows n₁ and n₂; either may be 0.
    features
        Columns d, fewer than n − 1.
    label_bias
        c² = ‖w₂ − w₁‖², how far the labelling model is off, at least 0.
    noise
        Variance s² of a label.

    Returns
    -------
    float
        Above 0. For shares p₂ = n₂/n it is s² d/(n−d−1) + c² (p₂² + p₂(1−p₂)(d+1)/n) up to order
        c²/n²: a floor c² p₂² that no number of rows removes.

    Raises
    ------
    InputError
        A number of rows or features, a noise or bias out of range.

    Notes
    -----
    With S = X₁ᵀX₁ + X₂ᵀX₂ and X₂ᵀX₂ = S^½ U S^½, U is matrix-beta, independent of S and
    invariant under rotation: E UCU = αC + β tr(C) I, and E tr S tr S⁻¹ = d (nd−2)/(n−d−1).
    Dohmatob et al. 2024 have the leading order.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.regression_mixture_risk(900, 100, 10, 1.0), 5)
    0.02111
    """
    first = integer(n_real, "n_real", least=0)
    second = integer(n_synthetic, "n_synthetic", least=0)
    n, d, off = first + second, integer(features, "features"), real(label_bias, "label_bias")
    if not 0 <= off < np.inf:
        raise InputError(
            argument="label_bias", expected="a number of at least 0", got=shown(label_bias)
        )
    of_noise = _one_fit(n, d, noise, "n_real + n_synthetic")
    beta = first * second / (n * (n + 2) * (n - 1))
    alpha = second * (second + 2) / (n * (n + 2)) - beta
    return of_noise + off * (alpha + beta * (n * d - 2) / (n - d - 1))


def _one_fit(rows: int, features: int, noise: float, name: str = "rows") -> float:
    """Excess risk of one fit, s² d/(T − d − 1)."""
    d, s2 = integer(features, "features"), positive(noise, "noise")
    t = integer(rows, name, least=0)
    if t <= d + 1:
        raise InputError(
            argument=name, expected=f"more than features + 1 = {d + 1} rows", got=str(t)
        )
    return s2 * d / (t - d - 1)

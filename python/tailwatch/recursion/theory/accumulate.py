"""What is left of the variance when every generation learns from all data so far.

The pool starts with M human rows and grows by M samples of each model: generation t is fitted to tM
rows (policy accumulate), or to a sample of them (accumulate, subsample). With the variance V of a
pool of N = kM rows, as maximum likelihood measures it, and M new rows from a model whose mean is
off by a random amount of variance W and whose variance is u,

    E V′ = (k V + W + u)/(k + 1) − (W + u/M)/(k + 1)².

All variances are over σ₀² and hold for whatever generator keeps mean and covariance. Kazdan et al.
2024 ("Collapse or thrive?") and Gerstgrasser et al. 2024; finite products and the subsample were
derived here. O(largest generation) time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

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

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "accumulate_limit",
    "accumulate_subsample_limit",
    "accumulate_subsample_variance",
    "accumulate_variance",
]


def accumulate_variance(
    generations: Generations, size: int, *, first: int | None = None, ddof: Ddof = 0
) -> Curve:
    """E σ²ₜ of a fit to the pool of tM rows.

    Π_{k≤t} (1 − 1/(Mk²)) by maximum likelihood, Π_{2≤k≤t} (1 − 1/(k(kM−1))) unbiased.

    Parameters
    ----------
    generations
        Fits t, one or an array.
    size
        Rows M that each generation adds.
    first
        Human rows M₁ that the pool starts with, if they are not M. Generation k > 1 then has the
        factor 1 − M/N_k², or 1 − M/(N_k(N_k−1)) unbiased, with N_k rows in the pool.
    ddof
        0 for maximum likelihood, 1 for the unbiased variance.

    Returns
    -------
    float or numpy.ndarray
        In (0, 1], in units of σ₀²; it falls to :func:`accumulate_limit` and no further.

    Raises
    ------
    InputError
        A generation below 1, fewer than 2 rows, another `ddof`.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.accumulate_variance([1, 50], 100).round(4)
    array([0.99  , 0.9838])
    """
    t, rows, less = as_generations(generations, most=LONGEST_CURVE), as_rows(size), as_ddof(ddof)
    start = rows if first is None else as_rows(first, "first")
    pools = start + rows * np.arange(int(t.max()), dtype=np.float64)
    losses = rows / (pools * (pools - less))
    losses[0] = 0.0 if less else 1 / start
    return _at(np.exp(np.cumsum(np.log1p(-losses))), t)


def accumulate_limit(size: int, *, ddof: Ddof = 0) -> float:
    """E σ² after infinitely many generations of accumulation.

    sin(π/√M)/(π/√M) by maximum likelihood; Γ(1−1/M)/(Γ(1−a) Γ(1−b)) · (M−1)/(M−2) unbiased, with
    a + b = 1/M and ab = −1/M.

    Parameters
    ----------
    size, ddof
        As in :func:`accumulate_variance`.

    Returns
    -------
    float
        In (0, 1).

    Raises
    ------
    InputError
        As in :func:`accumulate_variance`; fewer than 3 rows, unbiased.

    Notes
    -----
    Euler's product of the sine. Unbiased: 1 − 1/(k(kM−1)) = (k−a)(k−b)/(k(k−1/M)) for the roots a,
    b of x² − x/M − 1/M; over all k ≥ 1 that is Γ(1−1/M)/(Γ(1−a)Γ(1−b)), as the roots add up to 1/M,
    and its first factor, (M−2)/(M−1), does not belong to it.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.accumulate_limit(100), 4), round(theory.accumulate_limit(100, ddof=1), 4)
    (0.9836, 0.9935)
    """
    rows, less = as_rows(size, least=3 if ddof == 1 else 2), as_ddof(ddof)
    if not less:
        x = math.pi / math.sqrt(rows)
        return math.sin(x) / x
    spread = math.sqrt(1 / rows**2 + 4 / rows)
    first, second = (1 / rows + spread) / 2, (1 / rows - spread) / 2
    log_product = math.lgamma(1 - 1 / rows) - math.lgamma(1 - first) - math.lgamma(1 - second)
    return math.exp(log_product) / (1 - 1 / (rows - 1))


def accumulate_subsample_variance(
    generations: Generations,
    size: int,
    *,
    drawn: int | None = None,
    first: int | None = None,
    ddof: Ddof = 0,
) -> Curve:
    """E σ²ₜ of a fit to m rows, drawn without replacement from the pool of tM.

    A_t r_t, where A_k is the variance of the pool: A₁ = 1 − 1/M, N = kM, r_k = N/(N−1) · (m−1)/m
    by maximum likelihood, N/(N−1) unbiased, and with w_k = N/(N−1) (1/m − 1/N)

    A_{k+1} = A_k ((k + w_k + r_k)/(k + 1) − (w_k + r_k/M)/(k + 1)²).

    Parameters
    ----------
    generations
        Fits t, one or an array.
    size
        Rows M that each generation adds.
    drawn
        Rows m that each generation learns from; M by default. While the pool is smaller it is taken
        whole.
    first
        Human rows M₁ that the pool starts with, all of which the first generation learns from; M by
        default. For other numbers, M₁/M + k − 1 stands in the place of k.
    ddof
        0 for maximum likelihood, 1 for the unbiased variance.

    Returns
    -------
    float or numpy.ndarray
        Above 0, in units of σ₀². In (0, 1) by maximum likelihood; unbiased, it grows without bound,
        as t^(1/m).

    Raises
    ------
    InputError
        As in :func:`accumulate_variance`; fewer than 2 rows drawn.

    Notes
    -----
    Unbiased, samples spread around the mean of the pool by 1 + 1/m of its variance: the model's
    own, and the error of its mean. A mean of m of N rows is off by V N/(N−1) (1/m − 1/N) from that
    of all. By maximum likelihood w_k + r_k = 1, and the step is A_k (1 − (1 − r_k(1−1/M))/(k+1)²).

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.accumulate_subsample_variance([1, 50], 100).round(4)
    array([0.99  , 0.9716])
    """
    t, rows, less = as_generations(generations, most=LONGEST_CURVE), as_rows(size), as_ddof(ddof)
    most = rows if drawn is None else as_rows(drawn, "drawn")
    start = rows if first is None else as_rows(first, "first")
    pool, fitted = 1 - 1 / start, []
    for generation in range(1, int(t.max()) + 1):
        whole = start + rows * (generation - 1)
        m = whole if generation == 1 else min(most, whole)
        finite = whole / (whole - 1)
        kept = finite * (1.0 if less else (m - 1) / m)
        off = finite * (1 / m - 1 / whole)
        fitted.append(pool * kept)
        k = whole / rows
        pool *= (k + off + kept) / (k + 1) - (off + kept / rows) / (k + 1) ** 2
    return _at(np.array(fitted), t)


def accumulate_subsample_limit(size: int, *, drawn: int | None = None, ddof: Ddof = 0) -> float:
    """E σ² of such a fit after infinitely many generations.

    Parameters
    ----------
    size, drawn, ddof
        As in :func:`accumulate_subsample_variance`.

    Returns
    -------
    float
        In (0, 1) by maximum likelihood; infinite where the variance is unbiased.

    Raises
    ------
    InputError
        As in :func:`accumulate_subsample_variance`.

    Notes
    -----
    Losses are of order 1/t², so that what is left to lose falls as 1/t: they are added up to
    generation 10,000 and continued by their own tail.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.accumulate_subsample_limit(100), 4)
    0.971
    """
    rows = as_rows(size)
    if as_ddof(ddof):
        return math.inf
    sooner, later = np.asarray(accumulate_subsample_variance([5_000, 10_000], rows, drawn=drawn))
    return float(2 * later - sooner)


def _at(curve: NDArray[np.float64], generations: NDArray[np.float64]) -> Curve:
    """Pick generations from a curve that starts with the first one."""
    return as_curve(curve[generations.astype(np.int64) - 1])

"""Tests of whether two samples of numbers have one distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch import _core
from tailwatch.exceptions import InputError
from tailwatch.metrics.univariate.values import pair_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.metrics.univariate.values import Values, ValuesLike
    from tailwatch.progress import ProgressOption

__all__ = ["CramerVonMises", "KolmogorovSmirnov", "cramer_von_mises", "kolmogorov_smirnov"]

EXACT_KS = 10_000
"""The largest sample whose p-value is exact, as in ``scipy.stats.ks_2samp``."""

EXACT_CVM = 20
"""The same of ``scipy.stats.cramervonmises_2samp``."""


@dataclass(frozen=True, slots=True)
class KolmogorovSmirnov:
    """Result of :func:`kolmogorov_smirnov`.

    Attributes
    ----------
    statistic
        max |F − G|, from 0 to 1.
    p_value
        Probability of at least this under one continuous distribution; too large where there are
        ties.
    location
        The first number where the difference is largest; an integer that float64 does not hold as
        the float64 nearest to it.
    """

    statistic: float
    p_value: float
    location: float


@dataclass(frozen=True, slots=True)
class CramerVonMises:
    """Result of :func:`cramer_von_mises`.

    Attributes
    ----------
    statistic
        T, about 1/6 where nothing happened.
    p_value
        Probability of at least this under one continuous distribution.
    """

    statistic: float
    p_value: float


def kolmogorov_smirnov(
    reference: ValuesLike,
    candidate: ValuesLike,
    *,
    counts: str | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> KolmogorovSmirnov:
    """Measure and test the largest difference of two distribution functions.

    D = max |F(v) − G(v)| [1]_. The p-value is two-sided, and SciPy's: exact up to 10,000 numbers
    in the larger sample, else from the limit distribution. It sees shifts of the middle best;
    in the tails both functions are near 0 or 1, and little can differ.

    Parameters
    ----------
    reference
        Numbers X: a 1-D array, list, Polars Series or Arrow array; with `counts`, a frame.
    candidate
        Numbers Y, as many as there are.
    counts
        Name of the column of counts: `reference` and `candidate` are then frames of two columns,
        numbers and how often each was seen.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    KolmogorovSmirnov
        D (from 0 to 1, without unit), its p-value, and where it lies.

    Raises
    ------
    InputError
        An empty sample; a null, NaN or infinity; numbers that no one type holds.

    Notes
    -----
    O(n log n + m log m) time, O(n + m) memory.

    References
    ----------
    .. [1] Hodges (1958), The significance probability of the Smirnov two-sample test.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.metrics import univariate
    >>> found = univariate.kolmogorov_smirnov(np.arange(8), np.arange(4, 12))
    >>> found.statistic, found.location, round(found.p_value, 4)
    (0.5, 3.0, 0.2827)
    """
    with pair_of(reference, candidate, threads, progress, counts=counts) as (x, y, dtype, settings):
        statistic, location = _core.kolmogorov_smirnov(x.for_core(), y.for_core(), dtype, settings)
    return KolmogorovSmirnov(statistic, _ks_p_value(statistic, x, y, dtype), location)


def cramer_von_mises(
    reference: ValuesLike,
    candidate: ValuesLike,
    *,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> CramerVonMises:
    """Measure and test the mean squared difference of two distribution functions.

    T = nm/(n + m)² Σ (F(v) − G(v))² over the numbers v of both samples [1]_, where over tied
    numbers F − G changes in equal steps: −X and −Y have the same T. Without ties it is what SciPy
    computes from ranks; with ties the formula of ranks no longer is this sum and, for samples of
    different sizes, grows without bound however alike they are. The p-value is exact for up to 20
    numbers in the larger sample and no ties, else from the limit distribution, which ties make too
    large.

    Parameters
    ----------
    reference
        Numbers X, at least two: a 1-D array, list, Polars Series or Arrow array.
    candidate
        Numbers Y, at least two.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    CramerVonMises
        T (without unit) and its p-value.

    Raises
    ------
    InputError
        Less than two numbers; a null, NaN or infinity; numbers that no one type holds.

    Notes
    -----
    O(n log n + m log m) time, O(n + m) memory. A p-value from the limit distribution has an
    absolute error of 1e-15.

    References
    ----------
    .. [1] Anderson (1962), On the distribution of the two-sample Cramér–von Mises criterion.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.metrics import univariate
    >>> found = univariate.cramer_von_mises(np.arange(8), np.arange(8) + 3.5)
    >>> round(found.statistic, 4), round(found.p_value, 4)
    (0.5625, 0.0298)
    """
    with pair_of(reference, candidate, threads, progress) as (x, y, dtype, settings):
        for values in (x, y):
            if values.total < 2:
                raise InputError(
                    argument=values.argument, expected="at least two numbers", got="one"
                )
        statistic = _core.cramer_von_mises(x.for_core(), y.for_core(), dtype, settings)
    return CramerVonMises(statistic, _cvm_p_value(statistic, x, y, dtype))


def _ks_p_value(statistic: float, x: Values, y: Values, dtype: str) -> float:
    from scipy.stats import ks_2samp, kstwo

    n, m = x.total, y.total
    if statistic * max(n, m) <= 1 + 1e-9:
        # The smallest number alone makes a difference of 1/max(n, m): none is less. SciPy's exact
        # probability may miss 1 by a rounding there, and then gives way with a warning.
        return 1.0
    if max(n, m) <= EXACT_KS:
        return float(ks_2samp(_plain(x, dtype), _plain(y, dtype)).pvalue)
    return float(kstwo.sf(statistic, round(n * m / (n + m))))


def _cvm_p_value(statistic: float, x: Values, y: Values, dtype: str) -> float:
    from scipy.stats import cramervonmises_2samp

    n, m = x.total, y.total
    if max(n, m) <= EXACT_CVM:
        first, second = _plain(x, dtype), _plain(y, dtype)
        if len(np.unique(np.concatenate([first, second]))) == n + m:
            return float(cramervonmises_2samp(first, second).pvalue)
    total = n + m
    # Mean and variance of T for these sizes (Anderson 1962), against 1/6 and 1/45 in the limit.
    mean = (1 + 1 / total) / 6
    spread = (total + 1) * (4 * n * m * total - 3 * (n * n + m * m) - 2 * n * m)
    variance = spread / (45 * total * total * 4 * n * m)
    return _limit_tail(1 / 6 + (statistic - mean) / math.sqrt(45 * variance))


def _limit_tail(value: float) -> float:
    """Return P(T > value) in the limit of large samples (Csörgő & Faraway 1996, equation 1.2)."""
    from scipy.special import gammaln, kv

    # Beyond these the probability of less, or of more, is under 1e-16.
    if value < 0.003:
        return 1.0
    if value > 10:
        return 0.0
    k = np.arange(60)
    roots = 4 * k + 1
    exponents = roots**2 / (16 * value)
    weights = np.exp(gammaln(k + 0.5) - gammaln(k + 1)) / (math.pi**1.5 * math.sqrt(value))
    terms = weights * np.sqrt(roots) * np.exp(-exponents) * kv(0.25, exponents)
    return float(max(0.0, 1.0 - terms.sum()))


def _plain(values: Values, dtype: str) -> NDArray[Any]:
    """Return every observation as a number of its own."""
    numbers = values.to_numpy().astype(dtype)
    return numbers if values.counts is None else np.repeat(numbers, values.counts.astype(np.int64))

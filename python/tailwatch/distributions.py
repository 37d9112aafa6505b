"""Quantiles of distributions, intervals of shares and false-discovery rates.

All come from :mod:`scipy.special` alone: ``scipy.stats`` has the same numbers by the same
functions, and takes half a second more to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers: TypeAlias = float | NDArray[np.float64] | NDArray[np.int64]

__all__ = [
    "NEGLIGIBLE",
    "beta_quantile",
    "binomial_at_least",
    "binomial_at_most",
    "chi_squared_quantile",
    "chi_squared_tail",
    "clopper_pearson_interval",
    "false_discovery_rates",
    "normal_quantile",
    "normal_tail",
    "pearson_tail",
    "t_quantile",
    "t_tail",
    "wilson_interval",
]


NEGLIGIBLE = 1e-4
"""A gamma variable of so little skewness is normal to within the digits that matter."""


def t_quantile(probability: float, freedom: float) -> float:
    """Return the quantile of Student's t distribution with `freedom` degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def chi_squared_quantile(probability: float, freedom: float) -> float:
    """Return the quantile of the χ² distribution with `freedom` degrees of freedom."""
    from scipy.special import gammaincinv

    return 2 * float(gammaincinv(freedom / 2, probability))


def chi_squared_tail(value: float, freedom: float) -> float:
    """Return the probability that a χ² variable is above `value`."""
    from scipy.special import chdtrc

    return float(chdtrc(freedom, value))


def normal_quantile(probability: float) -> float:
    """Return the quantile of the standard normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def normal_tail(value: float) -> float:
    """Return the probability that a standard normal variable is above `value`."""
    from scipy.special import ndtr

    return float(ndtr(-value))


def t_tail(value: float, freedom: float) -> float:
    """Return the probability that a variable with Student's t distribution is above `value`."""
    from scipy.special import stdtr

    return float(stdtr(freedom, -value))


def binomial_at_least(count: int, n: int, share: float = 0.5) -> float:
    """Return the probability of `count` or more of `n`, each having probability `share`."""
    from scipy.special import betainc

    return float(betainc(count, n - count + 1, share)) if count > 0 else 1.0


def binomial_at_most(count: int, n: int, share: float = 0.5) -> float:
    """Return the probability of `count` or less of `n`, each having probability `share`."""
    return binomial_at_least(n - count, n, 1 - share)


def pearson_tail(value: float, skewness: float) -> float:
    """Return the probability that a Pearson III variable of mean 0, variance 1 is above `value`.

    It is a shifted gamma variable; without skewness it is normal.
    """
    from scipy.special import gammaincc

    if skewness < NEGLIGIBLE:
        return normal_tail(value)
    shape = 4 / skewness**2
    return float(gammaincc(shape, max(shape + value * shape**0.5, 0.0)))


def beta_quantile(probability: float, a: Numbers, b: Numbers) -> Any:  # noqa: ANN401  (as `a`)
    """Return the quantile of the Beta(a, b) distribution: a number, or an array as `a` and `b`."""
    from scipy.special import betaincinv

    return betaincinv(a, b, probability)


def clopper_pearson_interval(count: float, n: float, confidence: float) -> tuple[float, float]:
    """Return the exact interval of a share, of which `count` in `n` were seen.

    References
    ----------
    Clopper & Pearson (1934), The use of confidence or fiducial limits.
    """
    tail = (1 - confidence) / 2
    low = float(beta_quantile(tail, count, n - count + 1)) if count > 0 else 0.0
    high = float(beta_quantile(1 - tail, count + 1, n - count)) if count < n else 1.0
    return low, high


def wilson_interval(count: float, n: float, confidence: float) -> tuple[float, float]:
    """Return the score interval of a share, of which `count` in `n` were seen.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    z = normal_quantile((1 + confidence) / 2)
    share, whole = count / n, 1 + z**2 / n
    centre = (share + z**2 / (2 * n)) / whole
    reach = z / whole * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    # At the ends of the scale rounding would leave a bound a bit outside, or short of it.
    low = 0.0 if count == 0 else max(centre - reach, 0.0)
    return low, 1.0 if count == n else min(centre + reach, 1.0)


def false_discovery_rates(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for each test, the smallest rate of false discoveries at which it would be one.

    References
    ----------
    Benjamini & Hochberg (1995), Controlling the false discovery rate.
    """
    order = np.argsort(p_values)[::-1]
    count = len(p_values)
    rates = np.empty(count)
    rates[order] = np.minimum.accumulate(p_values[order] * count / np.arange(count, 0, -1))
    return rates

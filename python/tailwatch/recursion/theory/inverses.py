"""How much human data, how many rows, how many generations: the closed forms turned around.

All are for generators that keep mean and covariance (:func:`variance_kept`), by maximum likelihood
unless said otherwise, and about expectations: a single run strays from them as
:func:`variance_of_log_variance` says.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.arguments import integer, real, share
from tailwatch.exceptions import InputError
from tailwatch.recursion.policies import Replace
from tailwatch.recursion.policy_text import as_policy
from tailwatch.recursion.theory.fits import LONGEST_CURVE, as_ddof, as_rows
from tailwatch.recursion.theory.mixing import fixed_real_limit
from tailwatch.recursion.theory.universality import limit_of, variance_kept
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from tailwatch.recursion.policies import Policy
    from tailwatch.recursion.theory.fits import Ddof

__all__ = [
    "fixed_real_rows_for",
    "generations_until",
    "real_fraction_for",
    "rows_for",
    "sample_schedule",
    "schedule_for",
    "schedule_kept",
]

LONGEST = 10**6
"""Generations that are looked through where a policy has no closed form."""


def real_fraction_for(variance_kept: float, size: int) -> float:
    """Share of fresh human rows that keeps so much of the variance for ever.

    λ = 1 − x with n x² − x + 1/q − n = 0 and q = 1 − `variance_kept`: x = (1 + √(1 + 4n(n − 1/q)))
    /(2n), the inverse of :func:`fresh_real_limit`.

    Parameters
    ----------
    variance_kept
        Share of the human variance to keep, in (0, 1).
    size
        Rows n of each training set.

    Returns
    -------
    float
        In (0, 1].

    Raises
    ------
    InputError
        More than 1 − 1/n, which human rows alone keep, or an argument out of range.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.real_fraction_for(0.95, 100), 4)
    0.1006
    >>> round(theory.real_fraction_for(0.95, 10_000), 6)
    0.00095
    """
    keep, n = _kept(variance_kept), as_rows(size)
    _check_reachable(keep, n)
    reciprocal = 1 / (1 - keep)
    root = math.sqrt(1 + 4 * n * max(n - reciprocal, 0.0))
    # 1 − (1 + root)/(2n) without the difference of two numbers near 1: multiply out.
    gap = (2 * n - 1) ** 2 - root**2
    return min(max(gap / (2 * n * (2 * n - 1 + root)), 0.0), 1.0)


def fixed_real_rows_for(variance_kept: float, n_synthetic: int) -> int:
    """Human rows that, kept for ever beside the last samples, keep so much of the variance.

    The least n_r whose :func:`fixed_real_limit` is at least `variance_kept`.

    Parameters
    ----------
    variance_kept
        Share of the human variance to keep, in (0, 1).
    n_synthetic
        Samples n_s in each training set.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    InputError
        An argument out of range.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.fixed_real_rows_for(0.95, 100)
    29
    """
    keep, synthetic = _kept(variance_kept), integer(n_synthetic, "n_synthetic")
    most = 1
    while fixed_real_limit(most, synthetic) < keep:
        most *= 2
    least = most // 2 + 1
    while least < most:
        middle = (least + most) // 2
        if fixed_real_limit(middle, synthetic) >= keep:
            most = middle
        else:
            least = middle + 1
    return least


def generations_until(
    variance_kept: float, size: int, *, policy: Policy | str = "replace", ddof: Ddof = 0
) -> int | None:
    """First generation whose model is expected to have no more than so much of the variance.

    Parameters
    ----------
    variance_kept
        Share of the human variance, in (0, 1).
    size, policy, ddof
        As in :func:`tailwatch.recursion.theory.variance_kept`.

    Returns
    -------
    int or None
        At least 1; ``None`` if it never comes to that.

    Raises
    ------
    InputError
        An argument out of range; a generation beyond a million, under policies that have no closed
        form.

    Notes
    -----
    ⌈ln keep/ln(1 − 1/M)⌉ under replace, by maximum likelihood. Otherwise by bisection, as the
    variance falls from generation to generation.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.generations_until(0.5, 100)
    69
    >>> theory.generations_until(0.5, 100, policy="accumulate") is None
    True
    """
    keep, rows = _kept(variance_kept), as_rows(size)
    chosen = as_policy(policy)
    if type(chosen) is Replace and as_ddof(ddof) == 0:
        exact = math.log(keep) / math.log1p(-1 / rows)
        return max(math.ceil(exact - 1e-9 * exact), 1)

    def kept_at(generation: int) -> float:
        return float(_variance(generation, rows, policy=chosen, ddof=ddof))

    limit = limit_of(chosen, rows, ddof=ddof)
    if limit is not None and limit >= keep:
        return None
    most = 1
    while kept_at(most) > keep:
        if most >= LONGEST:
            raise InputError(
                argument="variance_kept",
                expected=f"a share that is reached within {LONGEST} generations",
                got=str(keep),
            )
        most *= 2
    least = most // 2 + 1
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if kept_at(middle) <= keep else (middle + 1, most)
    return least


def rows_for(variance_kept: float, generations: int) -> int:
    """Rows that each generation needs under replace to keep so much after so many generations.

    The least M with (1 − 1/M)ⁿ at least `variance_kept`: ⌈1/(1 − keep^{1/n})⌉, about n/ln(1/keep).

    Parameters
    ----------
    variance_kept
        Share of the human variance to keep, in (0, 1).
    generations
        Fits n.

    Returns
    -------
    int
        At least 2.

    Raises
    ------
    InputError
        An argument out of range.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.rows_for(0.95, 50)
    976
    """
    keep, n = _kept(variance_kept), integer(generations, "generations", most=LONGEST_CURVE)
    exact = -1 / math.expm1(math.log(keep) / n)
    return max(math.ceil(exact * (1 - 1e-12)), 2)


def sample_schedule(generations: int, budget: int, *, growth: float = 0.0) -> list[int]:
    """Deal out a budget of rows to generations.

    Parameters
    ----------
    generations
        How many there are.
    budget
        Rows in all, at least 2 for each.
    growth
        Generation i gets a share in proportion to i^growth, at least 0.

    Returns
    -------
    list of int
        Rows of each generation, which add up to the budget, each at least 2.

    Raises
    ------
    InputError
        A budget that is too small, an argument out of range.

    Notes
    -----
    For the variance of the **last** generation equal numbers (growth 0) are best: ln(1 − 1/M) is
    concave in M. A loop that goes on for ever keeps a share of its variance, and its mean a finite
    drift, if and only if Σ 1/Mᵢ is finite: growth above 1 (Alemohammad et al. 2024; Shumailov et
    al. 2024).

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.sample_schedule(4, 1000)
    [250, 250, 250, 250]
    >>> theory.sample_schedule(4, 1000, growth=2)
    [35, 134, 300, 531]
    """
    n, rows = integer(generations, "generations", most=LONGEST_CURVE), integer(budget, "budget")
    power = real(growth, "growth")
    if not 0 <= power < math.inf:
        raise InputError(argument="growth", expected="a number of at least 0", got=shown(growth))
    if rows < 2 * n:
        raise InputError(
            argument="budget",
            expected=f"at least 2 rows for each of {n} generations",
            got=str(rows),
        )
    weights = np.arange(1, n + 1, dtype=np.float64) ** power
    # Two for each, and the rest by differences of rounded sums, so that nothing is lost.
    ends = 2 * np.arange(n + 1) + np.concatenate(
        ([0], np.rint((rows - 2 * n) * np.cumsum(weights) / weights.sum()).astype(np.int64))
    )
    return [int(count) for count in np.diff(ends)]


def schedule_kept(schedule: list[int]) -> float:
    """Share of the variance that is kept when generation i learns from Mᵢ rows: Π (1 − 1/Mᵢ).

    Parameters
    ----------
    schedule
        Rows Mᵢ of each generation, at least 2.

    Returns
    -------
    float
        In (0, 1), under replace and by maximum likelihood.

    Raises
    ------
    InputError
        No generations, or fewer than 2 rows.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.schedule_kept([250] * 4), 4)
    0.9841
    """
    rows = [as_rows(count, f"schedule: generation {place}") for place, count in _numbered(schedule)]
    return math.exp(sum(math.log1p(-1 / count) for count in rows))


def schedule_for(variance_kept: float, generations: int, *, growth: float = 2.0) -> list[int]:
    """Rows Mᵢ = ⌈M₁ i^growth⌉ that keep so much of the variance, however long the loop goes on.

    Parameters
    ----------
    variance_kept
        Share of the human variance to keep for ever, in (0, 1).
    generations
        How many generations to list.
    growth
        Above 1: slower growth keeps nothing for ever.

    Returns
    -------
    list of int
        Rows of each generation.

    Raises
    ------
    InputError
        A growth of at most 1, an argument out of range.

    Notes
    -----
    Of Π_{i≥1} (1 − 1/(M₁ iᵍ)), whose logarithm is −Σ_j ζ(jg)/(j M₁ʲ); for g = 2 that is the product
    of :func:`accumulate_limit`. M₁ is found by bisection.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.schedule_for(0.95, 4)
    [33, 130, 292, 519]
    """
    from scipy.optimize import brentq
    from scipy.special import zeta

    keep, n = _kept(variance_kept), integer(generations, "generations", most=LONGEST_CURVE)
    power = real(growth, "growth")
    if not 1 < power < math.inf:
        raise InputError(
            argument="growth",
            expected="more than 1, as nothing is kept for ever below",
            got=shown(growth),
        )
    orders = np.arange(1, 60, dtype=np.float64)
    sums = zeta(orders * power)

    def excess(first: float) -> float:
        return float(-(sums / (orders * first**orders)).sum() - math.log(keep))

    # Powers of 1/M₁ die out only above 1; two rows are the least there is.
    if excess(2.0) >= 0:
        first = 2.0
    else:
        first = float(brentq(excess, 2.0, 2 - 4 * float(sums[0]) / math.log(keep), xtol=1e-10))
    return [max(math.ceil(first * i**power - 1e-6), 2) for i in range(1, n + 1)]


def _numbered(schedule: object) -> list[tuple[int, object]]:
    if not isinstance(schedule, list | tuple) or not schedule:
        raise InputError(
            argument="schedule", expected="a list of rows, one per generation", got=shown(schedule)
        )
    return list(enumerate(schedule, start=1))


def _kept(variance_kept: float) -> float:
    return share(variance_kept, "variance_kept")


# Parameters above carry the name of the function.
_variance = variance_kept


def _check_reachable(keep: float, rows: int) -> None:
    if keep > 1 - 1 / rows:
        raise InputError(
            argument="variance_kept",
            expected=f"at most {1 - 1 / rows:.6g}, which {rows} human rows alone keep",
            got=str(keep),
        )

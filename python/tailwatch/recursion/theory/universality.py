"""One factor for numbers, categories and embeddings: the variance that a policy keeps.

A generator **keeps mean and covariance** if, given what it was fitted to, its samples have in
expectation the mean and the (maximum-likelihood) covariance of those rows: a Gaussian, a bootstrap,
the counts of categories. Then E σ² of the fitted model after n generations is the same share of the
human variance whatever the distribution, and so is that of every linear feature a·x; for categories
the Gini–Simpson index 1 − Σp² is the sum of such variances.

A bootstrap and counts keep the mean of **every** function of a row, and so the factor holds for the
variance of every feature f(x), linear or not. A Gaussian does not: of x² it keeps (M+3)/M times the
factor after one generation. Derived here; for single cases see the functions named below.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias, get_args

import numpy as np

from tailwatch.exceptions import InputError
from tailwatch.recursion.theory.accumulate import (
    accumulate_limit,
    accumulate_subsample_variance,
    accumulate_variance,
)
from tailwatch.recursion.theory.fits import Curve, Ddof, Generations, as_ddof, as_rows
from tailwatch.recursion.theory.gaussian import replace_variance
from tailwatch.recursion.theory.mixing import (
    as_share,
    fixed_real_limit,
    fixed_real_variance,
    fresh_real_limit,
    fresh_real_variance,
)
from tailwatch.text_form import shown

__all__ = ["PolicyName", "as_policy", "variance_kept", "variance_limit"]

PolicyName: TypeAlias = Literal[
    "replace", "accumulate", "accumulate_subsample", "fresh_real", "fixed_real"
]
"""What the next generation learns from: the last samples; all data so far; a sample of these; fresh
human rows and the last samples; human rows that are kept for ever and the last samples."""

MIXED = ("fresh_real", "fixed_real")


def as_policy(policy: object, real_fraction: object) -> tuple[PolicyName, float | None]:
    """Return a policy's name and its share of human rows, which the mixed ones need."""
    if policy not in get_args(PolicyName):
        names = ", ".join(repr(name) for name in get_args(PolicyName))
        raise InputError(argument="policy", expected=f"one of {names}", got=shown(policy))
    name: PolicyName = policy  # type: ignore[assignment]
    if name in MIXED:
        if real_fraction is None:
            raise InputError(
                argument="real_fraction",
                expected=f"a share of human rows for policy {name!r}",
                got="None",
            )
        return name, as_share(real_fraction)
    if real_fraction is not None:
        raise InputError(
            argument="real_fraction", expected=f"None for policy {name!r}", got=shown(real_fraction)
        )
    return name, None


def variance_kept(
    generations: Generations,
    size: int,
    *,
    policy: PolicyName = "replace",
    real_fraction: float | None = None,
    ddof: Ddof = 0,
) -> Curve:
    """Share of the human variance that the model of each generation is expected to have.

    Parameters
    ----------
    generations
        Fits, one or an array.
    size
        Rows of a training set; under ``"accumulate"`` the rows that each generation adds.
    policy
        ``"replace"`` (:func:`replace_variance`), ``"accumulate"`` (:func:`accumulate_variance`),
        ``"accumulate_subsample"`` (:func:`accumulate_subsample_variance`), ``"fresh_real"``
        (:func:`fresh_real_variance`) or ``"fixed_real"`` (:func:`fixed_real_variance`).
    real_fraction
        Share of human rows in a training set, for the last two.
    ddof
        0 for generators that keep the maximum-likelihood covariance, 1 for the unbiased one.

    Returns
    -------
    float or numpy.ndarray
        Above 0. The first generation learns from `size` human rows.

    Raises
    ------
    InputError
        An argument out of range, or a share where the policy has none.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.variance_kept([1, 10, 100], 100).round(3)
    array([0.99 , 0.904, 0.366])
    >>> theory.variance_kept([1, 10, 100], 100, policy="fresh_real", real_fraction=0.1).round(3)
    array([0.99 , 0.955, 0.95 ])
    """
    name, share = as_policy(policy, real_fraction)
    rows = as_rows(size)
    if name == "replace":
        return replace_variance(generations, rows, ddof=ddof)
    if name == "accumulate":
        return accumulate_variance(generations, rows, ddof=ddof)
    if name == "accumulate_subsample":
        return accumulate_subsample_variance(generations, rows, ddof=ddof)
    assert share is not None  # noqa: S101  (as_policy has seen to it)
    if name == "fresh_real":
        return fresh_real_variance(generations, rows, share, ddof=ddof)
    real, synthetic = _fixed_rows(rows, share)
    return fixed_real_variance(generations, real, synthetic, first=rows, ddof=ddof)


def variance_limit(
    size: int,
    *,
    policy: PolicyName = "replace",
    real_fraction: float | None = None,
    ddof: Ddof = 0,
) -> float:
    """Share of the human variance that is left after infinitely many generations.

    Parameters
    ----------
    size, policy, real_fraction, ddof
        As in :func:`variance_kept`.

    Returns
    -------
    float
        0 under replace by maximum likelihood, 1 in expectation where the variance is unbiased (and
        0 in almost every run: :func:`replace_log_variance`); infinite for unbiased fits to samples
        of a pool.

    Raises
    ------
    InputError
        As in :func:`variance_kept`.

    Notes
    -----
    In closed form, but for the subsample, whose losses of order 1/t² are added up to generation
    10,000 and continued by their own tail, and for unbiased mixtures, which are followed until they
    stand still.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.variance_limit(100, policy="accumulate"), 4)
    0.9836
    """
    name, share = as_policy(policy, real_fraction)
    rows, less = as_rows(size), as_ddof(ddof)
    if name == "replace":
        return float(less)
    if name == "accumulate":
        return accumulate_limit(rows, ddof=ddof)
    if name == "accumulate_subsample":
        return _subsample_limit(rows, less)
    assert share is not None  # noqa: S101  (as_policy has seen to it)
    if less:
        settled = int(40 / share) + 40
        return float(variance_kept(settled, rows, policy=name, real_fraction=share, ddof=ddof))
    if name == "fresh_real":
        return fresh_real_limit(rows, share)
    return fixed_real_limit(*_fixed_rows(rows, share))


def _subsample_limit(rows: int, less: int) -> float:
    """Continue the losses of a subsample, which fall as 1/t²: what is left to lose falls as 1/t."""
    if less:
        return math.inf
    sooner, later = np.asarray(accumulate_subsample_variance([5_000, 10_000], rows))
    return float(2 * later - sooner)


def _fixed_rows(rows: int, share: float) -> tuple[int, int]:
    """Human and synthetic rows of a training set, at least one of each."""
    real = min(max(int(share * rows + 0.5), 1), rows - 1)
    return real, rows - real

"""One factor for numbers, categories and embeddings: the variance that a policy keeps.

A generator **keeps mean and covariance** if, given what it was fitted to, its samples have in
expectation the mean and the (maximum-likelihood) covariance of those rows: a Gaussian, a bootstrap,
the counts of categories. Then E σ² of the fitted model after n generations is the same share of the
human variance whatever the distribution, and so is that of every linear feature a·x; for categories
the Gini–Simpson index 1 − Σp² is the sum of such variances.

A bootstrap and counts keep the mean of **every** function of a row, and so the factor holds for the
variance of every feature f(x), linear or not. A Gaussian does not: of x² it keeps (M+3)/M times the
factor after one generation. Derived here; for single cases see the functions named below.

A policy says itself which factor it keeps (:mod:`tailwatch.recursion.policies`), one of a user's
own too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch.arguments import real
from tailwatch.exceptions import InputError
from tailwatch.recursion.participants import asking, text_of
from tailwatch.recursion.policy_text import as_policy
from tailwatch.recursion.theory.fits import as_curve, as_ddof, as_generations, as_rows
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.recursion.policies import Policy
    from tailwatch.recursion.theory.fits import Curve, Ddof, Generations

__all__ = ["curve_of", "limit_of", "variance_kept", "variance_limit"]


def variance_kept(
    generations: Generations, size: int, *, policy: Policy | str = "replace", ddof: Ddof = 0
) -> Curve:
    """Share of the human variance that the model of each generation is expected to have.

    Parameters
    ----------
    generations
        Fits, one or an array.
    size
        Rows that each generation samples; all training sets are of one size where the policy makes
        them so, the first one of human rows too.
    policy
        A policy or its text, such as ``"accumulate"`` or ``"mix:0.1,fresh"``.
    ddof
        0 for generators that keep the maximum-likelihood covariance, 1 for the unbiased one.

    Returns
    -------
    float or numpy.ndarray
        Above 0.

    Raises
    ------
    InputError
        An argument out of range, or a policy that has no closed form.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> theory.variance_kept([1, 10, 100], 100).round(3)
    array([0.99 , 0.904, 0.366])
    >>> theory.variance_kept([1, 10, 100], 100, policy="mix:0.1,fresh").round(3)
    array([0.99 , 0.955, 0.95 ])
    """
    chosen = as_policy(policy)
    curve = curve_of(chosen, as_generations(generations).astype(np.int64), as_rows(size), ddof=ddof)
    if curve is None:
        raise _no_closed_form(chosen)
    return as_curve(curve)


def variance_limit(size: int, *, policy: Policy | str = "replace", ddof: Ddof = 0) -> float:
    """Share of the human variance that is left after infinitely many generations.

    Parameters
    ----------
    size, policy, ddof
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
    In closed form, but for the subsample (:func:`accumulate_subsample_limit`), and for unbiased
    mixtures, which are followed until they stand still.

    Examples
    --------
    >>> from tailwatch.recursion import theory
    >>> round(theory.variance_limit(100, policy="accumulate"), 4)
    0.9836
    """
    chosen = as_policy(policy)
    limit = limit_of(chosen, as_rows(size), ddof=ddof)
    if limit is None:
        raise _no_closed_form(chosen)
    return limit


def curve_of(
    policy: Policy,
    generations: NDArray[np.int64],
    size: int,
    *,
    first: int | None = None,
    ddof: Ddof = 0,
) -> NDArray[np.float64] | None:
    """Return the share of the variance that each generation keeps; None if it has none.

    Parameters
    ----------
    policy
        The policy.
    generations, size, ddof
        As in :func:`variance_kept`.
    first
        Human rows that the first generation learns from, if they are known.

    Raises
    ------
    InputError
        What the policy says is not one finite number for each generation.
    """
    kept = getattr(policy, "variance_kept", None)
    if not callable(kept):
        return None
    with asking(policy, "policy.variance_kept"):
        found = kept(generations, size, first=first, ddof=1 if as_ddof(ddof) else 0)
    if found is None:
        return None
    try:
        curve = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        curve = np.empty(0)
    if curve.shape != generations.shape or not np.isfinite(curve).all():
        raise InputError(
            argument="policy.variance_kept",
            expected="a finite number for each generation",
            got=shown(found),
        )
    return curve


def limit_of(policy: Policy, size: int, *, ddof: Ddof = 0) -> float | None:
    """Return the share of the variance that is left in the end; None if it says none.

    Raises
    ------
    InputError
        What the policy says is no number.
    """
    limit = getattr(policy, "variance_limit", None)
    if not callable(limit):
        return None
    with asking(policy, "policy.variance_limit"):
        found = limit(size, ddof=1 if as_ddof(ddof) else 0)
    return None if found is None else real(found, "policy.variance_limit")


def _no_closed_form(policy: Policy) -> InputError:
    return InputError(
        argument="policy", expected="one that has a closed form", got=shown(text_of(policy))
    )

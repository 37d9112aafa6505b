"""How many types a sample of another size would show, and how much it has not seen.

================  ==========================================  =================================
expected_types    Σ 1 − (1 − p)ᴹ, p = x/n                     M draws from the table, replaced
rarefaction       Σ 1 − C(n − x, M)/C(n, M)                   M of its n labels, not replaced
missing_mass      f₁/n, f₁ types being seen once              the share of types never seen
================  ==========================================  =================================

All are closed forms in the frequencies of counts: O(n) to count labels, then O(different counts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch.arguments import integer, share
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import as_counts
from tailwatch.metrics.categorical.estimate import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.metrics.categorical.counts import CountsLike, Floats

__all__ = ["absent", "expected_types", "missed", "missing_mass", "rarefaction"]


def expected_types(labels: CountsLike, draws: int) -> float:
    """Expected number of types in `draws` labels drawn from the table with replacement.

    Σ 1 − (1 − p)ᴹ: what survives if a model that has learnt the table perfectly, and nothing
    beyond, writes M labels. The null of :func:`type_coverage`.

    Parameters
    ----------
    labels
        Labels or counts, as in :func:`total_variation`; their shares are taken for the truth.
    draws
        Number of labels M, any.

    Returns
    -------
    float
        From 1 to the number of types.

    Raises
    ------
    InputError
        As in :func:`total_variation`; `draws` under 1.

    Notes
    -----
    Exact given the table, so there is no interval. As an estimate of what fresh human data would
    show it is too low where M is near n or above: the table lacks types. :func:`rarefaction` is
    unbiased for that, up to M = n.

    Examples
    --------
    >>> from tailwatch.metrics import categorical
    >>> categorical.expected_types({"common": 50, "rare": 50}, draws=3)
    1.75
    """
    table = as_counts(labels, "labels").frequencies()
    draws = integer(draws, "draws")
    return float(table.types @ (1.0 - absent(table.counts / table.total, draws)))


def rarefaction(labels: CountsLike, size: int, *, confidence: float = 0.95) -> Estimate:
    """Expected number of types in `size` of the labels, drawn without replacement.

    Types grow with the sample, so tables of different totals are compared at one size. The
    average over all subsets is taken exactly: Σ 1 − C(n − x, M)/C(n, M) (Hurlbert 1971).

    Parameters
    ----------
    labels
        Labels or counts, as in :func:`total_variation`.
    size
        Number of labels M, at most n.
    confidence
        Of the interval.

    Returns
    -------
    Estimate
        From 1 to the number of types. A float with ``standard_error``, ``low``, ``high``: an
        unbiased estimate of the types that M labels of the population show.

    Raises
    ------
    InputError
        As in :func:`total_variation`; a `size` under 1 or above the number of labels.

    Notes
    -----
    The standard error is the jackknife's over labels, which are taken for independent; tokens of
    one document are not, and their error is larger. It is near 0 for M = n where no type was seen
    only once. O(different counts) time, and its square at most for the error.

    Examples
    --------
    >>> from tailwatch.metrics import categorical
    >>> found = categorical.rarefaction({"a": 60, "b": 30, "c": 9, "d": 1}, size=20)
    >>> print(f"{found:.3f} [{found.low:.3f}, {found.high:.3f}]")
    3.074 [2.645, 3.502]
    """
    confidence = share(confidence, "confidence")
    size = integer(size, "size")
    table = as_counts(labels, "labels").frequencies()
    n = table.total
    if size > n:
        message = f"size: expected at most the {n:.0f} labels there are, got {size}"
        raise InputError(message)
    value = float(table.types @ (1.0 - missed(table.counts, n, size)))
    error = 0.0
    if size < n:
        # Without one label of a type of count x, only that type's summand and n change.
        without = missed(table.counts, n - 1, size)
        fewer = missed(table.counts - 1, n - 1, size)
        left = float(table.types @ (1.0 - without)) + without - fewer
        weights = table.types * table.counts / n
        error = float((n - 1) * (weights @ (left - weights @ left) ** 2)) ** 0.5
    else:
        # One label less than M: a type is lost exactly if it was seen once.
        once = table.seen(1) / n
        error = ((n - 1) * once * (1.0 - once)) ** 0.5
    return Estimate.normal(value, error, confidence, least=1.0, most=table.richness)


def missing_mass(labels: CountsLike, *, confidence: float = 0.95) -> Estimate:
    """Share of the population that is of types never seen: Good and Turing's f₁/n.

    The chance that the next label is of a new type. A model that repeats itself has little of it:
    its sample is exhausted, human samples are not.

    Parameters
    ----------
    labels
        Labels or counts, as in :func:`total_variation`.
    confidence
        Of the interval.

    Returns
    -------
    Estimate
        In [0, 1]. A float with ``standard_error``, ``low``, ``high``; the interval is for the
        missing mass of this very sample.

    Raises
    ------
    InputError
        As in :func:`total_variation`.

    Notes
    -----
    Good 1953. The standard error is √(f₁(1 − f₁/n) + 2f₂)/n (Esty 1983) for independent labels,
    f₂ types being seen twice; where neither occurs, it is taken as if one type was seen once, so
    that no interval ends at 0. For n under some 50 the normal interval is rough.

    Examples
    --------
    >>> import tailwatch as tw
    >>> found = tw.metrics.categorical.missing_mass(list("the quick brown fox"))
    >>> print(f"{found:.3f} [{found.low:.3f}, {found.high:.3f}]")
    0.632 [0.365, 0.898]
    """
    confidence = share(confidence, "confidence")
    table = as_counts(labels, "labels").frequencies()
    n, once, twice = table.total, table.seen(1), table.seen(2)
    spread = once * (1.0 - once / n) + 2.0 * twice
    return Estimate.normal(once / n, max(spread, 1.0) ** 0.5 / n, confidence, most=1.0)


def absent(shares: Floats, draws: int) -> Floats:
    """(1 − p)ᴹ, also for tiny p."""
    with np.errstate(divide="ignore"):
        powers: Floats = np.exp(draws * np.log1p(-shares))
    return powers


def missed(counts: Floats | NDArray[np.int64], total: float, size: float) -> Floats:
    """C(n − x, M)/C(n, M): the chance that M of n labels hold none of x."""
    from scipy.special import betaln

    # C(n − x, M)/C(n, M) = C(n − M, x)/C(n, x), and a binomial coefficient is 1/((a+1)B(..)).
    possible = counts <= total - size
    x = np.where(possible, counts, 0)
    log_ratio = (
        np.log1p(total)
        - np.log1p(total - size)
        + betaln(total - x + 1, x + 1)
        - betaln(total - size - x + 1, x + 1)
    )
    return np.where(possible, np.exp(np.minimum(log_ratio, 0.0)), 0.0)

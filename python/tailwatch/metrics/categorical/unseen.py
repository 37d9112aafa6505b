"""How many types a sample of another size would show, and how much it has not seen.

================  ==========================================  =================================
expected_types    Σ 1 − (1 − p)ᴹ, p = x/n                     M draws from the table, replaced
rarefaction       Σ 1 − C(n − x, M)/C(n, M)                   M of its n labels, not replaced
missing_mass      f₁/n, f₁ types being seen once              the share of types never seen
================  ==========================================  =================================

All are closed forms in the frequencies of counts: O(n) to count labels, then O(different counts).
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.arguments import integer, share
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import MOST_LABELS, as_counts
from tailwatch.metrics.categorical.estimate import Estimate

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import CountsLike, Floats, Integers

__all__ = ["absent", "drawn", "expected_types", "met", "missing_mass", "rarefaction"]

# Factors of a ratio that are multiplied before it is taken from gamma functions.
_FACTORS = 16


def expected_types(labels: CountsLike, draws: int) -> float:
    """Expect so many types in `draws` labels drawn from the table with replacement.

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
    draws = integer(draws, "draws", most=MOST_LABELS)
    return float(table.types @ drawn(table.counts / table.total, draws))


def rarefaction(labels: CountsLike, size: int, *, confidence: float = 0.95) -> Estimate:
    """Expect so many types in `size` of the labels, drawn without replacement.

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
    one document are not, and their error is larger. It is near 0 for M near n where no type was
    seen only once. O(n + different counts) time.

    Examples
    --------
    >>> from tailwatch.metrics import categorical
    >>> found = categorical.rarefaction({"a": 60, "b": 30, "c": 9, "d": 1}, size=20)
    >>> print(f"{found:.3f} [{found.low:.3f}, {found.high:.3f}]")
    3.078 [2.649, 3.507]
    """
    confidence = share(confidence, "confidence")
    size = integer(size, "size", most=MOST_LABELS)
    table = as_counts(labels, "labels").frequencies()
    n = table.total
    if size > n:
        expected = f"at most the {n:.0f} labels there are"
        raise InputError(argument="size", expected=expected, got=str(size))
    value = float(table.types @ met(table.counts, n, size))
    error = 0.0
    if size < n:
        # Without one label of a type of count x, only that type's summand and n change.
        without = met(table.counts, n - 1, size)
        fewer = met(table.counts - 1, n - 1, size)
        left = float(table.types @ without) - without + fewer
        weights = table.types * table.counts / n
        error = float((n - 1) * (weights @ (left - weights @ left) ** 2)) ** 0.5
    else:
        # One label less than M: a type is lost exactly if it was seen once.
        once = table.seen(1) / n
        error = ((n - 1) * once * (1.0 - once)) ** 0.5
    return Estimate.normal(value, error, confidence, least=1.0)


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
    f₂ types being seen twice. The interval holds the masses from which f₁ is no further than z such
    errors, taken at the mass in question as Wilson does for a share: where no type was seen once it
    still reaches up to z²/n.

    Examples
    --------
    >>> import tailwatch as tw
    >>> found = tw.metrics.categorical.missing_mass(list("the quick brown fox"))
    >>> print(f"{found:.3f} [{found.low:.3f}, {found.high:.3f}]")
    0.737 [0.469, 0.925]
    """
    confidence = share(confidence, "confidence")
    table = as_counts(labels, "labels").frequencies()
    n, once, twice = table.total, table.seen(1), table.seen(2)
    error = (once * (1.0 - once / n) + 2.0 * twice) ** 0.5 / n
    # The masses U with (f₁ − nU)² ≤ z² (nU(1 − U) + 2f₂).
    z = NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    middle, width = once + z**2 / 2, n + z**2
    reach = (middle**2 - width / n * (once**2 - 2 * z**2 * twice)) ** 0.5
    low, high = max((middle - reach) / width, 0.0), min((middle + reach) / width, 1.0)
    return Estimate(once / n, error, low, high)


def absent(shares: Floats, draws: int) -> Floats:
    """(1 − p)ᴹ, also for tiny p."""
    with np.errstate(divide="ignore"):
        powers: Floats = np.exp(draws * np.log1p(-shares))
    return powers


def drawn(shares: Floats, draws: int) -> Floats:
    """1 − (1 − p)ᴹ, to the last digits of tiny p."""
    with np.errstate(divide="ignore"):
        chances: Floats = -np.expm1(draws * np.log1p(-shares))
    return chances


def met(counts: Floats | Integers, total: float | Integers, size: float) -> Floats:
    """1 − C(n − x, M)/C(n, M): the chance that M of n labels hold one of x, or more."""
    from scipy.special import betaln

    # The ratio is a product of min(x, M) factors 1 − max(x, M)/(n − j): exact for few of them. Else
    # C(n − M, x)/C(n, x), a binomial coefficient C(a, x) being 1/((a + 1) B(a − x + 1, x + 1)).
    sure = counts > total - size
    x = np.where(sure, 0, counts).astype(np.float64)
    few, many = np.minimum(x, size), np.maximum(x, size)
    n = np.broadcast_to(np.asarray(total, dtype=np.float64), x.shape)
    log_missed = np.zeros(x.shape)
    for j in range(_FACTORS):
        next_factor = few > j
        log_missed[next_factor] += np.log1p(-many[next_factor] / (n[next_factor] - j))
    long = few > _FACTORS
    a, b = n[long], x[long]
    log_missed[long] = (
        np.log1p(a)
        - np.log1p(a - size)
        + betaln(a - b + 1, b + 1)
        - betaln(a - size - b + 1, b + 1)
    )
    chances: Floats = np.where(sure, 1.0, -np.expm1(np.minimum(log_missed, 0.0)))
    return chances

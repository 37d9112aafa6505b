"""How far two tables of counts are from each other: four divergences of their shares.

With the shares p = x/n of the reference and q = y/m of the candidate, over the types of both:

======================  =======================================  ============
total variation         ½ Σ |p − q|                              [0, 1]
Kullback–Leibler        Σ p ln(p/q)                              [0, ∞], nats
Jensen–Shannon          ½ KL(p‖r) + ½ KL(q‖r), r = (p + q)/2     [0, ln 2], nats
Hellinger               √(½ Σ (√p − √q)²)                        [0, 1]
======================  =======================================  ============

They are plug-in values: two samples of one distribution are apart, and the more so the smaller
they are and the more types there are. So these functions give floats without an interval; for an
interval, and for what would be seen if nothing had happened, see :func:`compare_counts`.

O(n + m) to count labels, then O(types).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tailwatch.arguments import positive
from tailwatch.metrics.categorical.counts import as_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tailwatch.metrics.categorical.counts import CountsLike, Floats

__all__ = ["SHARES", "hellinger", "jensen_shannon", "kl_divergence", "total_variation"]

MOST_SMOOTHING = 1e6
"""Labels that may be added to every type."""

Divergence: TypeAlias = "Callable[[Floats, Floats, NDArray[Any]], Floats]"


def total_variation(reference: CountsLike, candidate: CountsLike) -> float:
    """Return the total variation distance between two tables of counts, ½ Σ |p − q|.

    The share of labels that would have to change their type to make both tables the same.

    Parameters
    ----------
    reference
        Labels or counts of human data: a Series, a 1-D array or a list of labels; a mapping of
        types to counts; a frame of the two columns type and count.
    candidate
        Labels or counts of the same kind. A type of one table alone has share 0 in the other.

    Returns
    -------
    float
        In [0, 1]; 0 for equal shares, 1 for no common type.

    Raises
    ------
    InputError
        No labels, nulls, floating-point labels; counts that are negative, not whole, all 0, or
        twice for one type; types of different kinds.

    Notes
    -----
    O(n + m) time and O(types) memory. Without an interval, because the plug-in value is biased
    upwards by about Σ √(p(1−p)(1/n + 1/m)/2π) where nothing happened: :func:`compare_counts` has
    interval and null.

    Merging types never increases it, nor any other divergence here.

    Examples
    --------
    >>> import polars as pl
    >>> import tailwatch as tw
    >>> tw.metrics.categorical.total_variation({"cat": 50, "dog": 50}, {"cat": 75, "dog": 25})
    0.25

    Of each source against all human labels:

    >>> human = pl.Series(["cat", "dog", "owl", "cat"])
    >>> scrape = pl.DataFrame(
    ...     {"source": ["a", "a", "b", "b"], "label": ["cat", "dog", "cat", "cat"]}
    ... )
    >>> distance = pl.map_groups(
    ...     exprs=["label"],
    ...     function=lambda group: tw.metrics.categorical.total_variation(human, group[0]),
    ...     return_dtype=pl.Float64,
    ...     returns_scalar=True,
    ... )
    >>> scrape.group_by("source").agg(distance.alias("distance")).sort("source").rows()
    [('a', 0.25), ('b', 0.5)]
    """
    return _measure("total_variation", reference, candidate)


def kl_divergence(
    reference: CountsLike,
    candidate: CountsLike,
    *,
    smoothing: float = 0.0,
    reverse: bool = False,
) -> float:
    """Return the Kullback–Leibler divergence KL(reference ‖ candidate) = Σ p ln(p/q), in nats.

    What a code made for the candidate wastes on human data, per label. It is infinite as soon as
    the candidate lost one type, however rare.

    Parameters
    ----------
    reference, candidate
        Labels or counts, as in :func:`total_variation`.
    smoothing
        Added to the count of every type of either table, in both, before shares are taken; types
        that a table lists with count 0 are types too. 0.5 is the choice of Krichevsky and Trofimov
        (1981), 1 that of Laplace. The result is then finite, and depends on it.
    reverse
        Measure KL(candidate ‖ reference) instead, the direction of
        :func:`tailwatch.metrics.knn_divergence`: infinite if the candidate has a new type, blind to
        lost ones.

    Returns
    -------
    float
        In [0, ∞]; ``inf`` if, without smoothing, a type of the reference has no count in the
        candidate.

    Raises
    ------
    InputError
        As in :func:`total_variation`; a negative smoothing.

    Notes
    -----
    O(n + m) time and O(types) memory. Without an interval: the plug-in value has no finite mean,
    for the candidate misses a type by chance now and then. :func:`jensen_shannon` is finite.

    Examples
    --------
    >>> from tailwatch.metrics import categorical
    >>> human, model = {"a": 90, "b": 9, "c": 1}, {"a": 95, "b": 5}
    >>> categorical.kl_divergence(human, model)
    inf
    >>> round(categorical.kl_divergence(human, model, smoothing=0.5), 4)
    0.0194
    >>> round(categorical.kl_divergence(human, model, reverse=True), 4)
    0.022
    """
    smoothing = 0.0 if smoothing == 0 else positive(smoothing, "smoothing", most=MOST_SMOOTHING)
    pairs = as_pairs(reference, candidate)
    p, q = pairs.reference + smoothing, pairs.candidate + smoothing
    if reverse:
        p, q = q, p
    return float(_kullback_leibler(p / (p @ pairs.types), q / (q @ pairs.types), pairs.types))


def jensen_shannon(reference: CountsLike, candidate: CountsLike) -> float:
    """Return the Jensen–Shannon divergence in nats: the divergence, not its square root.

    ½ KL(p‖r) + ½ KL(q‖r) with r = (p + q)/2, always finite.

    Parameters
    ----------
    reference, candidate
        Labels or counts, as in :func:`total_variation`.

    Returns
    -------
    float
        In [0, ln 2]; 0 for equal shares, ln 2 for no common type. The square of what
        ``scipy.spatial.distance.jensenshannon`` gives.

    Raises
    ------
    InputError
        As in :func:`total_variation`.

    Notes
    -----
    O(n + m) time and O(types) memory (Lin 1991). Without an interval: where nothing happened, the
    plug-in value is about (types − 1)(1/n + 1/m)/8 and not 0; :func:`compare_counts` has interval
    and null.

    Examples
    --------
    >>> from tailwatch.metrics import categorical
    >>> round(categorical.jensen_shannon(["a", "a", "b"], ["a", "b", "c"]), 6)
    0.143841
    """
    return _measure("jensen_shannon", reference, candidate)


def hellinger(reference: CountsLike, candidate: CountsLike) -> float:
    """Return the Hellinger distance √(½ Σ (√p − √q)²).

    It sees rare types better than :func:`total_variation` does: a lost type of share p counts ½p
    in its square, however small p is, where a change within a type counts its square.

    Parameters
    ----------
    reference, candidate
        Labels or counts, as in :func:`total_variation`.

    Returns
    -------
    float
        In [0, 1]; 0 for equal shares, 1 for no common type.

    Raises
    ------
    InputError
        As in :func:`total_variation`.

    Notes
    -----
    O(n + m) time and O(types) memory (Hellinger 1909; the distance, not its square). Without an
    interval, as the others: :func:`compare_counts` has interval and null.

    Examples
    --------
    >>> from tailwatch.metrics import categorical
    >>> round(categorical.hellinger({"a": 1, "b": 1}, {"a": 1}), 6)
    0.541196
    """
    return _measure("hellinger", reference, candidate)


def _measure(name: str, reference: CountsLike, candidate: CountsLike) -> float:
    pairs = as_pairs(reference, candidate)
    n, m = pairs.totals
    return float(SHARES[name](pairs.reference / n, pairs.candidate / m, pairs.types))


# Each takes shares, types on the last axis, and how many types have them. Sums are NumPy's, because
# those of BLAS depend on the number of its threads.


def _total_variation(p: Floats, q: Floats, types: NDArray[Any]) -> Floats:
    half: Floats = 0.5 * (np.abs(p - q) * types).sum(axis=-1)
    return np.minimum(half, 1.0)


def _kullback_leibler(p: Floats, q: Floats, types: NDArray[Any]) -> Floats:
    from scipy.special import kl_div

    # kl_div adds q − p, which sums to 0 and keeps every summand above it.
    nats: Floats = (kl_div(p, q) * types).sum(axis=-1)
    return nats


def _jensen_shannon(p: Floats, q: Floats, types: NDArray[Any]) -> Floats:
    middle = 0.5 * (p + q)
    both = _kullback_leibler(p, middle, types) + _kullback_leibler(q, middle, types)
    return np.minimum(0.5 * both, np.log(2.0))


def _hellinger(p: Floats, q: Floats, types: NDArray[Any]) -> Floats:
    squares: Floats = ((np.sqrt(p) - np.sqrt(q)) ** 2 * types).sum(axis=-1)
    return np.minimum(np.sqrt(0.5 * squares), 1.0)


SHARES: dict[str, Divergence] = {
    "total_variation": _total_variation,
    "jensen_shannon": _jensen_shannon,
    "hellinger": _hellinger,
}
"""Divergences that have an interval, as functions of shares."""

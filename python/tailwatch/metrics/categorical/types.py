"""Types: how many a sample of another size would show, and which a candidate still has.

================  ==========================================  =================================
expected_types    Σ 1 − (1 − p)ᴹ, p = x/n                     M draws from the table, replaced
rarefaction       Σ 1 − C(n − x, M)/C(n, M)                   M of its n labels, not replaced
missing_mass      f₁/n, f₁ types being seen once              the share of types never seen
type_coverage     share of the reference's types that have    the candidate rarefied to M labels
                  a label of the candidate
================  ==========================================  =================================

All are closed forms in the frequencies of counts: O(n) to count labels, then O(different counts).

Types grow with the sample, so a candidate with more labels than the reference is rarefied to as
many: a type with y of its m labels survives with the chance 1 − C(m − y, M)/C(m, M) in M of them.
The rarest α of K types are the ⌈αK⌉ with the smallest counts in the reference. Many types have the
same small count; those at the edge count in proportion, so that no order among them matters.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tailwatch.arguments import integer, share, shares, tail_size
from tailwatch.distributions import beta_quantile
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import MOST_LABELS, as_counts, as_pairs
from tailwatch.metrics.categorical.diversity import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.metrics.categorical.counts import CountsLike, Floats, Integers, Pairs

__all__ = [
    "absent",
    "covered",
    "drawn",
    "expected_types",
    "met",
    "missing_mass",
    "rarefaction",
    "type_coverage",
]

# Factors of a ratio that are multiplied before it is taken from gamma functions.
_FACTORS = 16


def expected_types(labels: CountsLike, draws: int) -> float:
    """Return the expected number of types in `draws` labels drawn with replacement.

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
    """Return the expected number of types in `size` of the labels, drawn without replacement.

    Types grow with the sample, so tables of different totals are compared at one size. The
    average over all subsets is taken exactly: Σ 1 − C(n − x, M)/C(n, M) (Hurlbert 1971).

    Parameters
    ----------
    labels
        Labels or counts, as in :func:`total_variation`.
    size
        Number of labels M, at most n.
    confidence
        Confidence of the interval.

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
    """Estimate the share of the population that is of types never seen: Good and Turing's f₁/n.

    The chance that the next label is of a new type. A model that repeats itself has little of it:
    its sample is exhausted, human samples are not.

    Parameters
    ----------
    labels
        Labels or counts, as in :func:`total_variation`.
    confidence
        Confidence of the interval.

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
    """Return (1 − p)ᴹ, also for tiny p."""
    with np.errstate(divide="ignore"):
        powers: Floats = np.exp(draws * np.log1p(-shares))
    return powers


def drawn(shares: Floats, draws: int) -> Floats:
    """Return 1 − (1 − p)ᴹ, to the last digits of tiny p."""
    with np.errstate(divide="ignore"):
        chances: Floats = -np.expm1(draws * np.log1p(-shares))
    return chances


def met(counts: Floats | Integers, total: float | Integers, size: float) -> Floats:
    """Return 1 − C(n − x, M)/C(n, M): the chance that M of n labels hold one of x, or more."""
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


def type_coverage(
    reference: CountsLike,
    candidate: CountsLike,
    *,
    levels: Sequence[float] = (0.10, 0.05, 0.01),
    confidence: float = 0.95,
) -> pl.DataFrame:
    """Measure the share of the reference's types that the candidate still has, also of the rarest.

    Parameters
    ----------
    reference
        Labels or counts of human data, n labels of K types, as in :func:`total_variation`.
    candidate
        Labels or counts of the candidate, m labels. Its types that the reference lacks do not
        count.
    levels
        Shares α of the types: the rarest ⌈αK⌉. All types come first, as level 1.
    confidence
        Confidence of the intervals.

    Returns
    -------
    polars.DataFrame
        One row per level.

        - ``level``, and ``types`` in it;
        - ``labels``: M = min(n, m), what the candidate was rarefied to;
        - ``coverage``, in [0, 1], with ``low`` and ``high``;
        - ``null`` with ``null_low`` and ``null_high``: the share Σ (1 − (1 − p)ᴹ)/types that
          survives plain resampling, M labels drawn from the reference's shares p = x/n;
        - ``retention``: coverage over null.

    Raises
    ------
    InputError
        As in :func:`total_variation`; levels outside (0, 1).

    Notes
    -----
    The interval is for the coverage by a fresh candidate sample of this size, the reference being
    given. Types survive with chances of their own, which spreads their number less than equal
    chances would (Hoeffding 1956), so that the binomial interval of Clopper and Pearson is on the
    safe side. The null's interval is normal with the exact variance.

    The null is a model that has learnt the reference perfectly and nothing beyond. Fresh human data
    have other rare types, and retain less of these: give held-out human labels as `candidate` to
    see how much.

    O(n + m) time; the null's variance takes the square of the number of different counts, at most
    2n. O(types) memory.

    Examples
    --------
    >>> import polars as pl
    >>> import tailwatch as tw
    >>> human = {f"common {i}": 90 for i in range(10)} | {f"rare {i}": 2 for i in range(50)}
    >>> model = {f"common {i}": 95 for i in range(10)} | {f"rare {i}": 5 for i in range(10)}
    >>> found = tw.metrics.categorical.type_coverage(human, model, levels=(0.5,))
    >>> found.select("level", "types", pl.col("coverage", "null", "retention").round(3)).rows()
    [(1.0, 60, 0.333, 0.887, 0.376), (0.5, 30, 0.2, 0.865, 0.231)]
    """
    checked = (1.0, *shares(levels, "levels"))
    confidence = share(confidence, "confidence")
    pairs = as_pairs(reference, candidate)
    n, m = pairs.totals
    labels = min(n, m)
    counts, of_count, _ = _survivors(pairs)
    chances = drawn(counts / n, labels)
    tail = (1.0 - confidence) / 2.0
    z = NormalDist().inv_cdf(1.0 - tail)
    rows = []
    for level, coverage in zip(checked, covered(pairs, checked), strict=True):
        size = tail_size(level, int(of_count.sum()))
        kept, lost = coverage * size, (1.0 - coverage) * size
        inside = _share_inside(of_count, size)
        null = float((inside * of_count) @ chances) / size
        reach = z * _null_variance(counts / n, of_count, inside, labels) ** 0.5 / size
        rows.append(
            {
                "level": level,
                "types": size,
                "labels": labels,
                "coverage": coverage,
                "low": float(beta_quantile(tail, kept, lost + 1.0)) if kept else 0.0,
                "high": float(beta_quantile(1.0 - tail, kept + 1.0, lost)) if lost else 1.0,
                "null": null,
                "null_low": max(null - reach, 0.0),
                "null_high": min(null + reach, 1.0),
                "retention": coverage / null,
            }
        )
    return pl.DataFrame(rows)


def covered(pairs: Pairs, levels: Sequence[float]) -> list[float]:
    """Return the share of the types of each level that survive; level 1 takes all types."""
    _, of_count, surviving = _survivors(pairs)
    shares_covered = []
    for level in levels:
        size = tail_size(level, int(of_count.sum()))
        kept = float(_share_inside(of_count, size) @ surviving)
        # Survivors at an edge may exceed the types by a rounding.
        shares_covered.append(min(kept / size, 1.0))
    return shares_covered


def _survivors(pairs: Pairs) -> tuple[Floats, Floats, Floats]:
    """Return different counts of the reference, how many types have each, how many survive."""
    n, m = pairs.totals
    present = pairs.reference > 0
    x, y, types = pairs.reference[present], pairs.candidate[present], pairs.types[present]
    survival = np.where(y > 0, met(y, m, n) if m > n else 1.0, 0.0)
    counts, place = np.unique(x, return_inverse=True)
    of_count, surviving = (
        np.bincount(place, weights=weights) for weights in (types, types * survival)
    )
    return counts.astype(np.float64), of_count.astype(np.float64), surviving.astype(np.float64)


def _share_inside(of_count: Floats, size: int) -> Floats:
    """Return the share of the types of each count, ascending, among the `size` rarest."""
    before = np.cumsum(of_count) - of_count
    return np.clip((size - before) / of_count, 0.0, 1.0)


def _null_variance(p: Floats, of_count: Floats, inside: Floats, labels: int) -> float:
    """Return the variance of Σ `inside` over the types that are in M multinomial labels.

    Two types are both absent with (1 − p − p')ᴹ, which is less than the product of their chances.
    """
    alone = absent(p, labels)
    # Types that no sample lacks have no part in it.
    lacking = (alone > 1e-20) & (inside > 0.0)
    p, of_count, inside, alone = (each[lacking] for each in (p, of_count, inside, alone))
    taken = inside * of_count
    total = float((taken * inside) @ (alone * (1.0 - alone)))
    for first, chance, count in zip(p, alone, taken, strict=True):
        together = absent(np.minimum(first + p, 1.0), labels) - chance * alone
        total += float(count * (taken @ together))
    # A type is no partner of its own.
    own = absent(np.minimum(2.0 * p, 1.0), labels) - alone**2
    return max(total - float((taken * inside) @ own), 0.0)

"""Which share of the reference's types a candidate still has, overall and among the rarest.

A type survives if the candidate has at least one label of it. Types grow with the sample, so a
candidate with more labels than the reference is rarefied to as many: a type with y of its m labels
survives with the chance 1 − C(m − y, M)/C(m, M) in M of them.

The rarest α of K types are the ⌈αK⌉ with the smallest counts in the reference. Many types have the
same small count; those at the edge count in proportion, so that no order among them matters.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tailwatch.arguments import share, shares, tail_size
from tailwatch.metrics.categorical.counts import as_pairs
from tailwatch.metrics.categorical.unseen import absent, drawn, met

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.metrics.categorical.counts import CountsLike, Floats, Pairs

__all__ = ["covered", "type_coverage"]


def type_coverage(
    reference: CountsLike,
    candidate: CountsLike,
    *,
    levels: Sequence[float] = (0.10, 0.05, 0.01),
    confidence: float = 0.95,
) -> pl.DataFrame:
    """Share of the reference's types that the candidate still has, overall and among the rarest.

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
        Of the intervals.

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
    from scipy.stats import beta

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
                "low": float(beta.ppf(tail, kept, lost + 1.0)) if kept else 0.0,
                "high": float(beta.ppf(1.0 - tail, kept + 1.0, lost)) if lost else 1.0,
                "null": null,
                "null_low": max(null - reach, 0.0),
                "null_high": min(null + reach, 1.0),
                "retention": coverage / null,
            }
        )
    return pl.DataFrame(rows)


def covered(pairs: Pairs, levels: Sequence[float]) -> list[float]:
    """Share of the types of each level that survive; level 1 takes all types."""
    _, of_count, surviving = _survivors(pairs)
    shares_covered = []
    for level in levels:
        size = tail_size(level, int(of_count.sum()))
        kept = float(_share_inside(of_count, size) @ surviving)
        # Survivors at an edge may exceed the types by a rounding.
        shares_covered.append(min(kept / size, 1.0))
    return shares_covered


def _survivors(pairs: Pairs) -> tuple[Floats, Floats, Floats]:
    """Different counts of the reference, how many types have them, how many of these survive."""
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
    """Share of the types of each count, ascending, that is among the `size` rarest."""
    before = np.cumsum(of_count) - of_count
    return np.clip((size - before) / of_count, 0.0, 1.0)


def _null_variance(p: Floats, of_count: Floats, inside: Floats, labels: int) -> float:
    """Variance of Σ `inside` over the types that are in M multinomial labels.

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

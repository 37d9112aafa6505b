"""The sampling variance of self-repetition, by a jackknife over groups of documents.

R = Σ_g f(d_g) / Σ_g d_g with f(d) = d·1[d ≥ 2], the n-gram g being in d_g documents. What one
document adds depends on which others there are, so that R has errors of first order and of second
order in the documents, and where repetition is rare, most is of second order: two documents happen
to share a phrase. Half-samples show the second order three times. The jackknife that leaves out one
group at a time, (G − 1)/G · Σ(R₋ᵢ − R̄)², shows it twice, and is never too small on average (Efron &
Stein 1981). How much of second order there is the pairs of groups say: Σ_{i<j} (D_ij − D̄)² of the
second differences D_ij = R − R₋ᵢ − R₋ⱼ + R₋ᵢⱼ. These hold some of the third order too, so that
taking all of it off leaves too little (0.86 of the standard deviation where a dozen n-grams are
repeated); half of it is taken off.

O(n-grams · log n-grams) time and O(n-grams + G²) memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import Floats, Integers

__all__ = ["repetition_variance"]

_LEAST = 0.5
"""Of the jackknife's variance; what is left when it is all of second order."""


def repetition_variance(key: Integers, group: Integers, documents: Integers, groups: int) -> float:
    """Estimate the variance of self-repetition.

    Parameters
    ----------
    key, group, documents
        Of each n-gram and group that has it, once: in how many documents of the group it is.
    groups
        Number of groups, at least 2.

    Returns
    -------
    float
        NaN where two groups can hold all n-grams.
    """
    order = np.lexsort((group, key))
    key, group, own = key[order], group[order], documents[order].astype(np.float64)
    total = np.bincount(key, weights=own)[key].astype(np.float64)
    weight = np.bincount(group, weights=own, minlength=groups)
    repeated = float(_repeated(total)[_firsts(key)].sum())
    without = _repeated(total) - _repeated(total - own)
    lost = np.bincount(group, weights=without, minlength=groups)
    together = np.zeros((groups, groups))
    # Without two groups an n-gram is in fewer than two documents only if at most three have it.
    for step in (1, 2):
        first, second = slice(None, -step), slice(step, None)
        both = key[first] == key[second]
        i, j = own[first][both], own[second][both]
        d = total[first][both]
        twice = _repeated(d - i - j) - _repeated(d - i) - _repeated(d - j) + _repeated(d)
        np.add.at(together, (group[first][both], group[second][both]), twice)
    together += together.T
    everything = weight.sum()
    left = everything - weight
    of_pairs = everything - weight[:, np.newaxis] - weight
    pairs = np.triu_indices(groups, 1)
    if not (left > 0).all() or not (of_pairs[pairs] > 0).all():
        return float("nan")
    one = (repeated - lost) / left
    numerator = repeated - lost[:, np.newaxis] - lost + together
    two = numerator[pairs] / of_pairs[pairs]
    second = repeated / everything - one[pairs[0]] - one[pairs[1]] + two
    jackknife = (groups - 1) / groups * float(((one - one.mean()) ** 2).sum())
    of_second_order = float(((second - second.mean()) ** 2).sum())
    return max(jackknife - of_second_order / 2, _LEAST * jackknife)


def _repeated(documents: Floats) -> Floats:
    return np.where(documents >= 2, documents, 0.0)


def _firsts(key: Integers) -> Integers:
    """Places at which a key of the sorted keys begins."""
    return np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else key

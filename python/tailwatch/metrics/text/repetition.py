"""Self-repetition: what documents say in the same words as others, and its sampling variance.

Long n-grams that recur between documents, rather than within one, are the mark of a model with few
phrases (Salkar, Burghardt & Nenkova 2022, with n = 4 and more).

The variance is by a jackknife over groups of documents. R = Σ_g f(d_g) / Σ_g d_g with f(d) =
d·1[d ≥ 2], the n-gram g being in d_g documents. What one document adds depends on which others
there are, so that R has errors of first order and of second order in the documents, and where
repetition is rare, most is of second order: two documents happen to share a phrase. Half-samples
show the second order three times. The jackknife that leaves out one group at a time,
(G − 1)/G · Σ(R₋ᵢ − R̄)², shows it twice, and is never too small on average (Efron & Stein 1981). How
much of second order there is the pairs of groups say: Σ_{i<j} (D_ij − D̄)² of the second differences
D_ij = R − R₋ᵢ − R₋ⱼ + R₋ᵢⱼ. These hold some of the third order too, so that taking all of it off
leaves too little (0.86 of the standard deviation where a dozen n-grams are repeated); half of it is
taken off.

Cost of the variance: O(n-grams · log n-grams) time and O(n-grams + G²) memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tailwatch.arguments import integer
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import MOST_LABELS
from tailwatch.metrics.categorical.types import met
from tailwatch.metrics.text.documents import MOST_ORDER, as_documents, frequencies_of, keys_of

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import Floats, Frequencies, Integers
    from tailwatch.metrics.text.documents import DocumentsLike, Tokenizer

__all__ = ["repeated_share", "repetition_variance", "self_repetition"]

_LEAST = 0.5
"""Of the jackknife's variance; what is left when it is all of second order."""


def self_repetition(
    documents: DocumentsLike,
    *,
    n: int = 4,
    size: int | None = None,
    tokenizer: Tokenizer | None = None,
) -> float:
    """Measure the share of the documents' n-grams that another document has too.

    Each document counts each of its different n-grams once: Σ_g d·1[d ≥ 2] / Σ_g d, the n-gram g
    being in d documents.

    Parameters
    ----------
    documents
        Lists of tokens, as a Series of List or a list of lists; or texts, with a `tokenizer`.
    n
        Tokens of an n-gram.
    size
        Number M of documents to rarefy to, in closed form: an n-gram of one of M documents drawn at
        random from D is in another of them with the chance 1 − C(D − d, M − 1)/C(D − 1, M − 1). All
        of them by default, which is to be compared at equal numbers of documents only.
    tokenizer
        Makes a list of tokens of one text, such as ``str.split``.

    Returns
    -------
    float
        In [0, 1]: no n-gram, or every one, is in two documents.

    Raises
    ------
    InputError
        As in :func:`token_counts`; a `size` above the number of documents.

    Notes
    -----
    It grows with the number of documents and with their length: where lengths differ between the
    texts compared, :func:`sample_documents` first makes the numbers of tokens equal. Without an
    interval, because documents would have to be drawn again: :func:`compare_documents` does.

    Salkar, Burghardt and Nenkova (2022) count such n-grams per document; the share is what does not
    depend on the lengths of documents beyond that. O(tokens) time and memory.

    Examples
    --------
    >>> from tailwatch.metrics import text
    >>> documents = ["in this paper we show it", "in this paper we ask why", "no such words here"]
    >>> round(text.self_repetition(documents, tokenizer=str.split), 4)
    0.2857
    """
    read = as_documents(documents, "documents", tokenizer)
    n = integer(n, "n", most=MOST_ORDER)
    keys, places = keys_of(read, n, "documents")
    # Each document has each of its n-grams once.
    once = pl.DataFrame({"owner": read.owners[places], "key": keys}).unique()
    table = frequencies_of(once["key"].to_numpy())
    size = len(read) if size is None else integer(size, "size", most=MOST_LABELS)
    if size > len(read):
        expected = f"at most the {len(read)} documents there are"
        raise InputError(argument="size", expected=expected, got=str(size))
    return repeated_share(table, len(read), size)


def repeated_share(table: Frequencies, documents: int, size: int) -> float:
    """Return the share of n-grams that another of `size` documents has, of their table."""
    repeated = met(table.counts - 1, documents - 1, size - 1)
    return float((table.types * table.counts) @ repeated) / table.total


def repetition_variance(key: Integers, group: Integers, documents: Integers, groups: int) -> float:
    """Estimate the variance of self-repetition.

    Parameters
    ----------
    key, group, documents
        One entry for each n-gram and group that has it: the n-gram, the group, and the number of
        documents of the group that have the n-gram.
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
    """Return the places at which a key of the sorted keys begins."""
    return np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else key

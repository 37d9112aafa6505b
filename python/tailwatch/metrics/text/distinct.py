"""Distinct-n: different n-grams over all n-grams, of all documents together or of each.

Two numbers go by this name (Li et al. 2016 pool; others take the mean over documents), and they
answer different questions: pooled, it falls when documents resemble each other; per document, when
one repeats itself. Both fall with length, whatever the text: compare at one `size`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tailwatch.arguments import integer, share
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import MOST_LABELS
from tailwatch.metrics.categorical.estimate import Estimate
from tailwatch.metrics.categorical.unseen import met
from tailwatch.metrics.text.documents import MOST_ORDER, as_documents, frequencies_of, keys_of

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import Floats, Integers
    from tailwatch.metrics.text.documents import DocumentsLike, Tokenizer

__all__ = ["distinct_n_per_document", "distinct_n_pooled"]


def distinct_n_pooled(
    documents: DocumentsLike,
    *,
    n: int,
    size: int | None = None,
    tokenizer: Tokenizer | None = None,
) -> float:
    """Different n-grams of all documents together, over all their n-grams.

    Parameters
    ----------
    documents
        Lists of tokens, as a Series of List or a list of lists; or texts, with a `tokenizer`.
    n
        Tokens of an n-gram.
    size
        Number M of n-grams to rarefy to: the expected number of different ones among M of them,
        drawn without replacement, over M, in closed form. All of them by default, which is to be
        compared at equal numbers of tokens only.
    tokenizer
        Makes a list of tokens of one text, such as ``str.split``.

    Returns
    -------
    float
        Above 0, at most 1: no n-gram twice.

    Raises
    ------
    InputError
        As in :func:`token_counts`; a `size` above the number of n-grams.

    Notes
    -----
    Without an interval: it counts what documents share, so documents and not n-grams would have to
    be drawn again; :func:`compare_documents` does. Rarefaction draws single n-grams and so takes
    apart what a document repeats; :func:`sample_documents` draws whole documents.

    O(tokens) time and memory (Li et al. 2016, distinct-1 and distinct-2; Hurlbert 1971).

    Examples
    --------
    >>> from tailwatch.metrics import text
    >>> documents = ["a rose is a rose", "a rose is red"]
    >>> round(text.distinct_n_pooled(documents, n=2, tokenizer=str.split), 3)
    0.571
    """
    read = as_documents(documents, "documents", tokenizer)
    n = integer(n, "n", most=MOST_ORDER)
    keys, _ = keys_of(read, n, "documents")
    table = frequencies_of(keys)
    if size is None:
        return table.richness / table.total
    size = integer(size, "size", most=MOST_LABELS)
    if size > table.total:
        expected = f"at most the {table.total:.0f} n-grams there are"
        raise InputError(argument="size", expected=expected, got=str(size))
    return float(table.types @ met(table.counts, table.total, size)) / size


def distinct_n_per_document(
    documents: DocumentsLike,
    *,
    n: int,
    size: int | None = None,
    confidence: float = 0.95,
    tokenizer: Tokenizer | None = None,
) -> Estimate:
    """Different n-grams over all n-grams of a document, on average over the documents.

    Parameters
    ----------
    documents
        Lists of tokens, as a Series of List or a list of lists; or texts, with a `tokenizer`.
    n
        Tokens of an n-gram. Documents of fewer tokens have none and do not count.
    size
        Number M of n-grams that each document is rarefied to, as in :func:`distinct_n_pooled`;
        documents of fewer do not count. By default each is taken whole, which is to be compared
        between documents of equal lengths only.
    confidence
        Of the interval.
    tokenizer
        Makes a list of tokens of one text, such as ``str.split``.

    Returns
    -------
    Estimate
        In (0, 1]. A float with ``standard_error``, ``low``, ``high``.

    Raises
    ------
    InputError
        As in :func:`token_counts`; no document of `size` n-grams.

    Notes
    -----
    The standard error is that of a mean over independent documents; with one document it is
    unknown, and the interval is [0, 1]. O(tokens) time and memory.

    Examples
    --------
    >>> from tailwatch.metrics import text
    >>> documents = ["a rose is a rose", "a rose is red"]
    >>> text.distinct_n_per_document(documents, n=2, tokenizer=str.split)
    Estimate(0.875, standard_error=0.125, low=0.630005, high=1)
    """
    confidence = share(confidence, "confidence")
    read = as_documents(documents, "documents", tokenizer)
    n = integer(n, "n", most=MOST_ORDER)
    size = None if size is None else integer(size, "size", most=MOST_LABELS)
    keys, places = keys_of(read, n, "documents")
    ratios, _ = ratios_by_owner(keys, read.owners[places], size)
    if not len(ratios):
        expected = f"a document of {size} n-grams or more"
        raise InputError(argument="size", expected=expected, got="none")
    mean = float(ratios.mean())
    if len(ratios) < 2:
        return Estimate(mean, float("nan"), 0.0, 1.0)
    error = float(ratios.std(ddof=1)) / len(ratios) ** 0.5
    return Estimate.normal(mean, error, confidence, most=1.0)


def ratios_by_owner(keys: Integers, owners: Integers, size: int | None) -> tuple[Floats, Integers]:
    """Different keys over keys of each owner, rarefied to `size` where that is given."""
    counted = (
        pl.DataFrame({"owner": owners, "key": keys})
        .group_by("owner", "key")
        .agg(pl.len().cast(pl.Int64).alias("count"))
        .with_columns(pl.col("count").sum().over("owner").alias("total"))
    )
    if size is None:
        counted = counted.with_columns((1 / pl.col("total")).alias("part"))
    else:
        counted = counted.filter(pl.col("total") >= size)
        count, total = counted["count"].to_numpy(), counted["total"].to_numpy()
        counted = counted.with_columns(pl.Series("part", met(count, total, size) / size))
    # Sorted, so that a sum does not depend on the order of its parts.
    ratios = counted.group_by("owner").agg(pl.col("part").sort().sum()).sort("owner")
    return ratios["part"].to_numpy(), ratios["owner"].to_numpy()

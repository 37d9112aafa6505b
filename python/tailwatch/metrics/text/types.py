"""Different n-grams of documents: how many there are, which survive, and Zipf's law of them.

Types and Zipf's exponent are those of :mod:`tailwatch.metrics.categorical`, over tokens or n-grams.

Distinct-n is different n-grams over all n-grams. Two numbers go by this name (Li et al. 2016 pool;
others take the mean over documents), and they answer different questions: pooled, it falls when
documents resemble each other; per document, when one repeats itself. Both fall with length,
whatever the text: compare at one `size`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tailwatch.arguments import integer, share
from tailwatch.exceptions import InputError
from tailwatch.metrics import categorical
from tailwatch.metrics.categorical.counts import MOST_LABELS
from tailwatch.metrics.categorical.diversity import Estimate
from tailwatch.metrics.categorical.types import met
from tailwatch.metrics.text.documents import (
    MOST_ORDER,
    as_documents,
    frequencies_of,
    keys_of,
    token_counts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.metrics.categorical.counts import Floats, Integers
    from tailwatch.metrics.text.documents import DocumentsLike, Tokenizer

__all__ = ["distinct_n_per_document", "distinct_n_pooled", "type_coverage", "zipf_exponent"]


def distinct_n_pooled(
    documents: DocumentsLike,
    *,
    n: int,
    size: int | None = None,
    tokenizer: Tokenizer | None = None,
) -> float:
    """Measure different n-grams of all documents together, over all their n-grams.

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
    """Measure different n-grams over all n-grams of a document, on average over the documents.

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
        Confidence of the interval.
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
    """Return different keys over keys of each owner, rarefied to `size` where that is given."""
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


def type_coverage(
    reference: DocumentsLike,
    candidate: DocumentsLike,
    *,
    n: int = 1,
    levels: Sequence[float] = (0.10, 0.05, 0.01),
    confidence: float = 0.95,
    tokenizer: Tokenizer | None = None,
) -> pl.DataFrame:
    """Measure the share of the reference's words, or n-grams, that the candidate still has.

    :func:`tailwatch.metrics.categorical.type_coverage` of the n-grams of documents: overall and
    among the rarest, at equal numbers of n-grams, beside what plain resampling would keep.

    Parameters
    ----------
    reference
        Human documents: lists of tokens, as a Series of List or a list of lists; or texts, with a
        `tokenizer`.
    candidate
        Documents of the candidate, of the same kind.
    n
        Tokens of an n-gram; single tokens by default.
    levels
        Shares of the different n-grams: the rarest.
    confidence
        Confidence of the intervals.
    tokenizer
        Makes a list of tokens of one text, such as ``str.split``.

    Returns
    -------
    polars.DataFrame
        ``level``, ``types``, ``labels``, ``coverage``, ``low``, ``high``, ``null``, ``null_low``,
        ``null_high``, ``retention``, one row per level.

    Raises
    ------
    InputError
        As in :func:`token_counts`; tokens of different kinds; levels outside (0, 1).

    Notes
    -----
    Words come in bursts: a document that has a rare one has it again. Held-out human documents
    therefore keep less than the null of independent tokens, and are the fairer null:
    :func:`compare_documents` puts them there. O(tokens) time and memory.

    Examples
    --------
    >>> from tailwatch.metrics import text
    >>> human, model = ["a rare bird", "a common bird"], ["a bird", "a common bird"]
    >>> text.type_coverage(human, model, levels=(0.5,), tokenizer=str.split)["coverage"].to_list()
    [0.75, 0.5]
    """
    x, y = (
        token_counts(documents, n=n, tokenizer=tokenizer) for documents in (reference, candidate)
    )
    return categorical.type_coverage(x, y, levels=levels, confidence=confidence)


def zipf_exponent(
    documents: DocumentsLike,
    *,
    n: int = 1,
    smallest: int = 1,
    confidence: float = 0.95,
    tokenizer: Tokenizer | None = None,
) -> Estimate:
    """Estimate the exponent of Zipf's law of the words, or n-grams, by maximum likelihood.

    :func:`tailwatch.metrics.categorical.zipf_exponent` of the n-grams of documents.

    Parameters
    ----------
    documents
        Lists of tokens, as a Series of List or a list of lists; or texts, with a `tokenizer`.
    n
        Tokens of an n-gram; single tokens by default.
    smallest
        Only n-grams that occur at least so often enter.
    confidence
        Confidence of the interval.
    tokenizer
        Makes a list of tokens of one text, such as ``str.split``.

    Returns
    -------
    Estimate
        Above 1/`smallest`. A float with ``standard_error``, ``low``, ``high``.

    Raises
    ------
    InputError
        As in :func:`token_counts` and :func:`tailwatch.metrics.categorical.zipf_exponent`.

    Notes
    -----
    Real texts follow the law roughly, and the exponent drifts with their length: compare at equal
    numbers of tokens (:func:`sample_documents`). O(tokens) time and memory.

    Examples
    --------
    >>> from tailwatch.metrics import text
    >>> documents = ["to be or not to be that is the question to"]
    >>> print(f"{text.zipf_exponent(documents, tokenizer=str.split):.2f}")
    1.27
    """
    counts = token_counts(documents, n=n, tokenizer=tokenizer)
    return categorical.zipf_exponent(counts, smallest=smallest, confidence=confidence)

"""Types and Zipf's exponent of documents: the categorical metrics, over tokens or n-grams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch.metrics import categorical
from tailwatch.metrics.text.tokens import token_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from tailwatch.metrics.categorical import Estimate
    from tailwatch.metrics.text.documents import DocumentsLike, Tokenizer

__all__ = ["type_coverage", "zipf_exponent"]


def type_coverage(
    reference: DocumentsLike,
    candidate: DocumentsLike,
    *,
    n: int = 1,
    levels: Sequence[float] = (0.10, 0.05, 0.01),
    confidence: float = 0.95,
    tokenizer: Tokenizer | None = None,
) -> pl.DataFrame:
    """Share of the reference's words, or n-grams, that the candidate still has.

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
        Of the intervals.
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
    """Exponent of Zipf's law of the words, or n-grams, by maximum likelihood.

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
        Of the interval.
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

"""Documents as counts for `categorical`, and as many tokens of one text as of another.

Most numbers about text depend on its length. Whole documents are taken, because tokens of one
document belong together. O(tokens) time and memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tailwatch.arguments import integer
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import MOST_LABELS
from tailwatch.metrics.text.documents import MOST_ORDER, as_documents, keys_of

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import Integers
    from tailwatch.metrics.text.documents import DocumentsLike, Tokenizer

__all__ = ["cut", "sample_documents", "token_counts"]


def token_counts(
    documents: DocumentsLike, *, n: int = 1, tokenizer: Tokenizer | None = None
) -> pl.DataFrame:
    """Count the tokens of documents, or their n-grams: what `categorical` takes.

    Parameters
    ----------
    documents
        Lists of tokens, as a Series of List or a list of lists; or texts, with a `tokenizer`.
    n
        Tokens of an n-gram. It does not cross the end of a document.
    tokenizer
        Makes a list of tokens of one text, such as ``str.split``.

    Returns
    -------
    polars.DataFrame
        ``token``, or for n > 1 ``ngram``, a List of tokens; and ``count``. Most common first, those
        of one count in the order of their first appearance.

    Raises
    ------
    InputError
        No documents, nulls, texts without a tokenizer, floating-point tokens; no document of `n`
        tokens.

    Notes
    -----
    O(tokens) time and memory.

    Examples
    --------
    >>> import tailwatch as tw
    >>> human = ["the cat saw the dog", "the dog slept"]
    >>> counts = tw.metrics.text.token_counts(human, tokenizer=str.split)
    >>> counts.rows()
    [('the', 3), ('dog', 2), ('cat', 1), ('saw', 1), ('slept', 1)]
    >>> tw.metrics.categorical.missing_mass(counts) == 3 / 8
    True
    """
    read = as_documents(documents, "documents", tokenizer)
    n = integer(n, "n", most=MOST_ORDER)
    keys, places = keys_of(read, n, "documents")
    counted = (
        pl.DataFrame({"key": keys, "place": places})
        .group_by("key")
        .agg(pl.col("place").min(), pl.len().cast(pl.Int64).alias("count"))
        .sort("count", "place", descending=[True, False])
    )
    first = counted["place"].to_numpy()
    if n == 1:
        return pl.DataFrame({"token": read.tokens[first], "count": counted["count"]})
    columns = [read.tokens[first + step].alias(str(step)) for step in range(n)]
    joined = pl.DataFrame(columns).select(pl.concat_list(pl.all()).alias("ngram"))
    return joined.with_columns(counted["count"])


def sample_documents(
    documents: DocumentsLike, tokens: int, *, seed: int = 0, tokenizer: Tokenizer | None = None
) -> pl.Series:
    """Take documents at random until they hold exactly so many tokens.

    Most numbers about text depend on its length, so texts are compared at equal numbers of tokens.
    Whole documents are taken, because tokens of one document belong together; the last is cut.

    Parameters
    ----------
    documents
        Lists of tokens, as a Series of List or a list of lists; or texts, with a `tokenizer`.
    tokens
        Number of tokens, at most as many as there are.
    seed
        Of the order of the documents.
    tokenizer
        Makes a list of tokens of one text, such as ``str.split``.

    Returns
    -------
    polars.Series
        Of List: the documents taken, in random order.

    Raises
    ------
    InputError
        As in :func:`token_counts`; more tokens than there are.

    Notes
    -----
    O(tokens) time and memory.

    Examples
    --------
    >>> import tailwatch as tw
    >>> tw.metrics.text.sample_documents([["a", "b", "c"], ["d", "e"]], 4).list.len().sum()
    4
    """
    read = as_documents(documents, "documents", tokenizer)
    seed = integer(seed, "seed", least=0)
    tokens = integer(tokens, "tokens", most=MOST_LABELS)
    taken = read.take(*cut(read.lengths, tokens, np.random.Generator(np.random.Philox(seed))))
    return (
        pl.DataFrame({"owner": taken.owners, "token": taken.tokens})
        .group_by("owner", maintain_order=True)
        .agg("token")["token"]
    )


def cut(lengths: Integers, tokens: int, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Choose documents with exactly so many tokens in all; give them and what is kept of each."""
    there = int(lengths.sum())
    if tokens > there:
        expected = f"at most the {there} tokens there are"
        raise InputError(argument="tokens", expected=expected, got=str(tokens))
    order = rng.permutation(np.flatnonzero(lengths))
    ends = np.cumsum(lengths[order])
    last = int(np.searchsorted(ends, tokens))
    taken = order[: last + 1]
    kept = lengths[taken].copy()
    kept[-1] -= int(ends[last]) - tokens
    return taken, kept

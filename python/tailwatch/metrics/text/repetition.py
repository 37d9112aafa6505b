"""Self-repetition: what documents say in the same words as others.

Long n-grams that recur between documents, rather than within one, are the mark of a model with few
phrases (Salkar, Burghardt & Nenkova 2022, with n = 4 and more).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tailwatch.arguments import integer
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import MOST_LABELS
from tailwatch.metrics.categorical.unseen import met
from tailwatch.metrics.text.documents import MOST_ORDER, as_documents, frequencies_of, keys_of

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import Frequencies
    from tailwatch.metrics.text.documents import DocumentsLike, Tokenizer

__all__ = ["repeated_share", "self_repetition"]


def self_repetition(
    documents: DocumentsLike,
    *,
    n: int = 4,
    size: int | None = None,
    tokenizer: Tokenizer | None = None,
) -> float:
    """Share of the documents' n-grams that another document has too.

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
    """Share of n-grams, by how many documents have them, that is in another of `size` documents."""
    repeated = met(table.counts - 1, documents - 1, size - 1)
    return float((table.types * table.counts) @ repeated) / table.total

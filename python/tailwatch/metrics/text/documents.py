"""What counts as documents of tokens, their n-grams as numbers, and as many tokens of each text.

Tokens are numbered once, by a hash table; from then on an n-gram is one integer, made from the
numbers of its tokens, and never crosses the end of a document. O(tokens) time and memory, without
a Python step per token; a tokenizer is called once per document.

Most numbers about text depend on its length: texts are compared at equal numbers of tokens. Whole
documents are taken, because tokens of one document belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from tailwatch.arguments import NO_SERIES, integer, refuse_surrogates
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import MOST_LABELS, Frequencies, check_labels, one_kind

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import Integers

__all__ = [
    "MOST_ORDER",
    "Documents",
    "DocumentsLike",
    "Tokenizer",
    "as_documents",
    "cut",
    "frequencies_of",
    "keys_of",
    "ngrams",
    "sample_documents",
    "token_counts",
]

DocumentsLike: TypeAlias = "pl.Series | Sequence[Sequence[Any]] | Sequence[str]"
"""Lists of tokens, as a Series of List or a list of lists; or texts, with a tokenizer."""

Tokenizer: TypeAlias = "Callable[[str], Sequence[Any]]"
"""Makes tokens of one text, such as ``str.split``."""

MOST_ORDER = 1000
"""The largest order of n-grams: each step up to it is a pass over the tokens."""

_LARGEST_KEY = 2**63


@dataclass(frozen=True, slots=True)
class Documents:
    """Tokens of all documents in a row.

    Attributes
    ----------
    tokens
        Each token, in order.
    lengths
        Tokens of each document.
    """

    tokens: pl.Series
    lengths: Integers

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.lengths)

    @property
    def owners(self) -> Integers:
        """Number of the document of each token."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def codes(self) -> Integers:
        """Return a number for each token, from 0, in the order of first appearance."""
        kinds = self.tokens.unique(maintain_order=True).to_frame("token").with_row_index("code")
        coded = self.tokens.to_frame("token").join(
            kinds, on="token", how="left", maintain_order="left"
        )
        return coded["code"].cast(pl.Int64).to_numpy()

    def take(self, chosen: Integers, lengths: Integers | None = None) -> Documents:
        """Return chosen documents in this order, each cut to its length in `lengths` if given."""
        kept = self.lengths[chosen] if lengths is None else lengths
        starts = (np.cumsum(self.lengths) - self.lengths)[chosen]
        within = np.arange(int(kept.sum())) - np.repeat(np.cumsum(kept) - kept, kept)
        return Documents(self.tokens[np.repeat(starts, kept) + within], kept)

    def ngrams(self, n: int) -> tuple[Integers, Integers]:
        """Return a key for each n-gram, equal for equal ones, and the place of its first token."""
        return ngrams(self.codes(), self.owners, n)


def ngrams(codes: Integers, owners: Integers, n: int) -> tuple[Integers, Integers]:
    """Return keys of n-grams within one owner each, and the place of their first tokens."""
    count = max(len(codes) - n + 1, 0)
    places = np.flatnonzero(owners[:count] == owners[len(codes) - count :])
    key, largest = codes[places], int(codes.max(initial=0)) + 1
    kinds = largest
    for step in range(1, n):
        if kinds * largest >= _LARGEST_KEY:
            distinct, key = np.unique(key, return_inverse=True)
            kinds = len(distinct)
        key = key * largest + codes[places + step]
        kinds *= largest
    return key, places


def as_documents(data: DocumentsLike, name: str, tokenizer: Tokenizer | None = None) -> Documents:
    """Return the tokens of all documents in a row.

    Parameters
    ----------
    data
        Documents.
    name
        Name of the argument, for errors.
    tokenizer
        For documents that are texts.

    Returns
    -------
    Documents
        Tokens and lengths. Empty documents stay.

    Raises
    ------
    InputError
        What is no list of documents, texts without a tokenizer, nulls, floating-point tokens, no
        token at all.
    """
    texts = _are_texts(data)
    if texts and tokenizer is None:
        raise InputError(
            argument=name,
            expected="lists of tokens",
            got="texts",
            hint="give a tokenizer, such as tokenizer=str.split",
        )
    if not texts and tokenizer is not None:
        raise InputError(argument=name, expected="texts for the tokenizer", got=_kind(data))
    series = _series_of(data, name, tokenizer)
    if series.has_nulls():
        raise _missing(series.is_null().arg_max() or 0, "is null", name)
    lengths = series.list.len().cast(pl.Int64).to_numpy()
    tokens = series.filter(lengths > 0).explode().alias("token")
    if tokens.is_empty():
        raise InputError(argument=name, expected="at least one token", got="none")
    if tokens.has_nulls():
        where = np.repeat(np.arange(len(lengths)), lengths)[int(tokens.is_null().arg_max() or 0)]
        raise _missing(int(where), "holds null", name)
    check_labels(tokens.dtype, name)
    return Documents(one_kind(tokens), lengths)


def _missing(document: int, problem: str, name: str) -> InputError:
    """Return the error about a document, or a token of it, that is not there."""
    where = f"document {document}"
    return InputError(
        f"{where} {problem}",
        argument=name,
        expected="documents of tokens",
        got="null",
        where=where,
    )


def _are_texts(data: object) -> bool:
    if isinstance(data, pl.Series):
        return data.dtype in (pl.String, pl.Categorical, pl.Enum)
    return (
        isinstance(data, Sequence)
        and not isinstance(data, str)
        and len(data) > 0
        and all(isinstance(text, str) for text in data)
    )


def _kind(data: object) -> str:
    return str(data.dtype) if isinstance(data, pl.Series) else type(data).__name__


def _series_of(data: Any, name: str, tokenizer: Tokenizer | None) -> pl.Series:  # noqa: ANN401
    """Return the documents as a Series of List."""
    if tokenizer is not None:
        data = [None if text is None else list(tokenizer(text)) for text in data]
    try:
        if not isinstance(data, pl.Series | Sequence) or isinstance(data, str | bytes):
            raise TypeError
        series = pl.Series("token", data)
        if isinstance(series.dtype, pl.Array):
            series = series.arr.to_list()
    except NO_SERIES as error:
        for number, document in enumerate(data if isinstance(data, Sequence) else ()):
            if isinstance(document, Sequence) and not isinstance(document, str):
                refuse_surrogates(document, f"{name}: document {number}", of="token")
        expected, got = "documents, each a list of tokens of one type", _kind(data)
        why = f"expected {expected}: {str(error).splitlines()[0]}" if str(error) else None
        raise InputError(why, argument=name, expected=expected, got=got) from None
    if series.is_empty():
        raise InputError(argument=name, expected="at least one document", got="none")
    if not isinstance(series.dtype, pl.List):
        raise InputError(
            argument=name,
            expected="documents, each a list of tokens",
            got=str(series.dtype),
            hint="one stream of tokens is a list of one document, [tokens]",
        )
    return series


def keys_of(documents: Documents, n: int, name: str) -> tuple[Integers, Integers]:
    """Return keys and places of n-grams; refuse documents that have none."""
    keys, places = documents.ngrams(n)
    if not len(keys):
        expected = f"a document of at least n = {n} tokens"
        raise InputError(argument=name, expected=expected, got="none")
    return keys, places


def frequencies_of(keys: Integers) -> Frequencies:
    """Return how many keys have which count."""
    counted = pl.Series("key", keys).to_frame().group_by("key").agg(pl.len().alias("count"))
    by_count = counted.group_by("count").agg(pl.len().alias("types")).sort("count")
    return Frequencies(*(column.cast(pl.Float64).to_numpy() for column in by_count))


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
        Seed of the order of the documents.
    tokenizer
        Makes a list of tokens of one text, such as ``str.split``.

    Returns
    -------
    polars.Series
        The documents taken, in random order; of type List.

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
    """Choose documents with exactly so many tokens; return them and what is kept of each."""
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

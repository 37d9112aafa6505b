"""What counts as documents of tokens, and their n-grams as numbers.

Tokens are numbered once, by a hash table; from then on an n-gram is one integer, made from the
numbers of its tokens, and never crosses the end of a document. O(tokens) time and memory, without
a Python step per token; a tokenizer is called once per document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from tailwatch.arguments import refuse_surrogates
from tailwatch.exact import NO_SERIES
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import Frequencies, check_labels, one_kind

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import Integers

__all__ = [
    "MOST_ORDER",
    "Documents",
    "DocumentsLike",
    "Tokenizer",
    "as_documents",
    "frequencies_of",
    "keys_of",
    "ngrams",
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
        """Give each token a number from 0, in the order of first appearance."""
        kinds = self.tokens.unique(maintain_order=True).to_frame("token").with_row_index("code")
        coded = self.tokens.to_frame("token").join(
            kinds, on="token", how="left", maintain_order="left"
        )
        return coded["code"].cast(pl.Int64).to_numpy()

    def take(self, chosen: Integers, lengths: Integers | None = None) -> Documents:
        """Choose documents in this order, and of each the first tokens where `lengths` says so."""
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
    """Lay the tokens of all documents in a row.

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
    """Make the error about a document, or a token of it, that is not there."""
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
    """Return keys and places of n-grams, at least one of them."""
    keys, places = documents.ngrams(n)
    if not len(keys):
        expected = f"a document of at least n = {n} tokens"
        raise InputError(argument=name, expected=expected, got="none")
    return keys, places


def frequencies_of(keys: Integers) -> Frequencies:
    """Count keys, and how many of them have which count."""
    counted = pl.Series("key", keys).to_frame().group_by("key").agg(pl.len().alias("count"))
    by_count = counted.group_by("count").agg(pl.len().alias("types")).sort("count")
    return Frequencies(*(column.cast(pl.Float64).to_numpy() for column in by_count))

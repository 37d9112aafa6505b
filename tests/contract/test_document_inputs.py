"""Documents in every form give the same numbers; bad ones are refused by name and place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from tailwatch.exceptions import InputError
from tailwatch.metrics import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailwatch.metrics.text import DocumentsLike

TEXTS = ["a rose is a rose is a rose", "is a rose red or is it white", "", "no rose is a rose red"]
TOKENS = [line.split() for line in TEXTS]
CODES = [[ord(word[0]) for word in line] for line in TOKENS]

FORMS: dict[str, Callable[[list[list[Any]]], Any]] = {
    "lists": list,
    "tuple of tuples": lambda x: tuple(map(tuple, x)),
    "series": pl.Series,
    "chunks": lambda x: pl.concat([pl.Series(x[:1]), pl.Series(x[1:])], rechunk=False),
    "slice": lambda x: pl.Series([x[1], *x])[1:],
}
WORD_FORMS: dict[str, Callable[[list[list[str]]], Any]] = {
    "categories": lambda x: pl.Series(x, dtype=pl.List(pl.Categorical)),
    "enumeration": lambda x: pl.Series(
        x, dtype=pl.List(pl.Enum(sorted({word for line in x for word in line})))
    ),
}
CODE_FORMS: dict[str, Callable[[list[list[int]]], Any]] = {
    "arrays": lambda x: [np.array(line, np.int64) for line in x],
    "uint16": lambda x: pl.Series(x, dtype=pl.List(pl.UInt16)),
}


def numbers(documents: DocumentsLike) -> list[object]:
    """What every function says."""
    return [
        text.token_counts(documents)["count"].to_list(),
        text.token_counts(documents, n=3)["count"].to_list(),
        text.distinct_n_pooled(documents, n=2),
        text.distinct_n_pooled(documents, n=2, size=9),
        text.distinct_n_per_document(documents, n=2),
        text.self_repetition(documents, n=2),
        text.zipf_exponent(documents),
        text.type_coverage(documents, documents).rows(),
        text.sample_documents(documents, 9).list.len().to_list(),
    ]


@pytest.mark.parametrize("form", [*FORMS, *WORD_FORMS])
def test_forms_of_words(form: str) -> None:
    assert numbers({**FORMS, **WORD_FORMS}[form](TOKENS)) == numbers(TOKENS)


@pytest.mark.parametrize("form", [*FORMS, *CODE_FORMS])
def test_forms_of_numbers(form: str) -> None:
    assert numbers({**FORMS, **CODE_FORMS}[form](CODES)) == numbers(CODES)


def test_an_array_of_documents_of_one_length() -> None:
    block = np.array(CODES[1] + CODES[0]).reshape(4, 4)
    series = pl.Series(block, dtype=pl.Array(pl.Int64, 4))
    assert numbers(series) == numbers(block.tolist())


@pytest.mark.parametrize("texts", [TEXTS, pl.Series(TEXTS)], ids=["list", "series"])
def test_texts_with_a_tokenizer(texts: DocumentsLike) -> None:
    assert text.token_counts(texts, tokenizer=str.split).equals(text.token_counts(TOKENS))
    assert text.self_repetition(texts, n=2, tokenizer=str.split) == text.self_repetition(
        TOKENS, n=2
    )
    letters = text.token_counts(texts, tokenizer=list)
    assert letters["count"].sum() == sum(map(len, TEXTS))


def test_the_same_seed_gives_the_same_frame() -> None:
    rng = np.random.default_rng(0)
    human, model = ([rng.zipf(1.4, 30) for _ in range(60)] for _ in range(2))
    first = text.compare_documents(human, model, seed=5)
    for _ in range(3):
        assert text.compare_documents(human, model, seed=5).equals(first)
    assert not text.compare_documents(human, model, seed=6).equals(first)


NO_TOKENIZER = "expected lists of tokens, got texts; give a tokenizer, such as tokenizer=str.split"
NO_LABELS = (
    "expected labels such as strings, integers or categories, got Float64; "
    "numbers in themselves are for tailwatch.metrics.univariate"
)
LISTS = "documents: expected documents, each a list of tokens"
BAD = {
    "texts without a tokenizer": (
        TEXTS,
        f"documents: {NO_TOKENIZER}",
    ),
    "no documents": ([], "documents: expected at least one document, got none"),
    "no tokens": ([[], []], "documents: expected at least one token, got none"),
    "null document": ([["a"], None], "documents: document 1 is null"),
    "null token": ([["a"], [], ["b", None]], "documents: document 2 holds null"),
    "one text": ("a rose", f"{LISTS} of one type, got str"),
    "a number": (3, f"{LISTS} of one type, got int"),
    "one stream of words": (
        pl.Series([1, 2, 3]),
        f"{LISTS}, got Int64; one stream of tokens is a list of one document, [tokens]",
    ),
    "float tokens": (
        [[0.5, 1.5]],
        f"documents: {NO_LABELS}",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_documents(name: str) -> None:
    data, message = BAD[name]
    with pytest.raises(InputError) as caught:
        text.token_counts(data)
    assert str(caught.value) == message


SETTINGS = {
    "tokenizer for tokens": (
        lambda: text.token_counts(TOKENS, tokenizer=str.split),
        "documents: expected texts for the tokenizer, got list",
    ),
    "long n-grams": (
        lambda: text.token_counts(TOKENS, n=9),
        "documents: expected a document of at least n = 9 tokens, got none",
    ),
    "n": (
        lambda: text.self_repetition(TOKENS, n=0),
        "n: expected an integer of at least 1, got 0",
    ),
    "pooled size": (
        lambda: text.distinct_n_pooled(TOKENS, n=1, size=99),
        "size: expected at most the 22 n-grams there are, got 99",
    ),
    "size of documents": (
        lambda: text.distinct_n_per_document(TOKENS, n=1, size=9),
        "size: expected a document of 9 n-grams or more, got none",
    ),
    "number of documents": (
        lambda: text.self_repetition(TOKENS, n=1, size=5),
        "size: expected at most the 4 documents there are, got 5",
    ),
    "tokens": (
        lambda: text.sample_documents(TOKENS, 23),
        "tokens: expected at most the 22 tokens there are, got 23",
    ),
    "kinds": (
        lambda: text.type_coverage(TOKENS, CODES),
        "candidate: expected types of String as in the reference, got Int64",
    ),
    "kinds of a comparison": (
        lambda: text.compare_documents(TOKENS, CODES, TOKENS),
        "candidate: expected tokens of String as in the reference, got Int64",
    ),
    "few documents": (
        lambda: text.compare_documents(TOKENS, TOKENS, TOKENS),
        "reference: expected at least 4 documents among the 22 tokens that are compared, got 3",
    ),
    "replicates": (
        lambda: text.compare_documents(TOKENS, TOKENS, replicates=2),
        "replicates: expected an integer of at least 20, got 2",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_bad_settings(name: str) -> None:
    call, message = SETTINGS[name]
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("argument", ["reference", "candidate", "heldout"])
def test_an_error_names_its_argument(argument: str) -> None:
    arguments = dict.fromkeys(("reference", "candidate", "heldout"), TOKENS)
    with pytest.raises(InputError) as caught:
        text.compare_documents(**(arguments | {argument: [["a"], None]}))
    assert str(caught.value) == f"{argument}: document 1 is null"

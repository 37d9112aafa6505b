"""Documents in every form give the same numbers; bad ones are refused by name and place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from tailwatch.exceptions import InputError
from tailwatch.metrics import text
from tests.support.errors import fields, refused

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


BAD = {
    "texts without a tokenizer": (
        TEXTS,
        fields(
            "documents",
            "lists of tokens",
            "texts",
            hint="give a tokenizer, such as tokenizer=str.split",
        ),
    ),
    "no documents": ([], fields("documents", "at least one document", "none")),
    "no tokens": ([[], []], fields("documents", "at least one token", "none")),
    "null document": (
        [["a"], None],
        fields("documents", "documents of tokens", "null", "document 1"),
    ),
    "null token": (
        [["a"], [], ["b", None]],
        fields("documents", "documents of tokens", "null", "document 2"),
    ),
    "one text": (
        "a rose",
        fields("documents", "documents, each a list of tokens of one type", "str"),
    ),
    "a number": (3, fields("documents", "documents, each a list of tokens of one type", "int")),
    "one stream of words": (
        pl.Series([1, 2, 3]),
        fields(
            "documents",
            "documents, each a list of tokens",
            "Int64",
            hint="one stream of tokens is a list of one document, [tokens]",
        ),
    ),
    "float tokens": (
        [[0.5, 1.5]],
        fields(
            "documents",
            "labels such as strings, integers or categories",
            "Float64",
            hint="numbers in themselves are for tailwatch.metrics.univariate",
        ),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_documents(name: str) -> None:
    data, said = BAD[name]
    with refused(InputError, **said):
        text.token_counts(data)


SETTINGS = {
    "tokenizer for tokens": (
        lambda: text.token_counts(TOKENS, tokenizer=str.split),
        fields("documents", "texts for the tokenizer", "list"),
    ),
    "long n-grams": (
        lambda: text.token_counts(TOKENS, n=9),
        fields("documents", "a document of at least n = 9 tokens", "none"),
    ),
    "n": (
        lambda: text.self_repetition(TOKENS, n=0),
        fields("n", "an integer of at least 1", "0"),
    ),
    "pooled size": (
        lambda: text.distinct_n_pooled(TOKENS, n=1, size=99),
        fields("size", "at most the 22 n-grams there are", "99"),
    ),
    "size of documents": (
        lambda: text.distinct_n_per_document(TOKENS, n=1, size=9),
        fields("size", "a document of 9 n-grams or more", "none"),
    ),
    "number of documents": (
        lambda: text.self_repetition(TOKENS, n=1, size=5),
        fields("size", "at most the 4 documents there are", "5"),
    ),
    "tokens": (
        lambda: text.sample_documents(TOKENS, 23),
        fields("tokens", "at most the 22 tokens there are", "23"),
    ),
    "kinds": (
        lambda: text.type_coverage(TOKENS, CODES),
        fields("candidate", "types of String as in the reference", "Int64"),
    ),
    "kinds of a comparison": (
        lambda: text.compare_documents(TOKENS, CODES, TOKENS),
        fields("candidate", "tokens of String as in the reference", "Int64"),
    ),
    "few documents": (
        lambda: text.compare_documents(TOKENS, TOKENS, TOKENS),
        fields("reference", "at least 4 documents among the 22 tokens that are compared", "3"),
    ),
    "replicates": (
        lambda: text.compare_documents(TOKENS, TOKENS, replicates=2),
        fields("replicates", "an integer of at least 20", "2"),
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_bad_settings(name: str) -> None:
    call, said = SETTINGS[name]
    with refused(InputError, **said):
        call()


@pytest.mark.parametrize("argument", ["reference", "candidate", "heldout"])
def test_an_error_names_its_argument(argument: str) -> None:
    arguments = dict.fromkeys(("reference", "candidate", "heldout"), TOKENS)
    with refused(InputError, argument, "documents of tokens", "null", "document 1"):
        text.compare_documents(**(arguments | {argument: [["a"], None]}))

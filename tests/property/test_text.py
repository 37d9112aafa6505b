"""Laws of documents: counts of n-grams, names that do not matter, more documents repeat no less."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.metrics import text

Documents = list[list[int]]

documents = st.lists(st.lists(st.integers(0, 4), max_size=12), min_size=1, max_size=8).filter(any)
sizes = st.integers(1, 3)


def grams(lines: Documents, n: int) -> list[tuple[int, ...]]:
    return [tuple(line[i : i + n]) for line in lines for i in range(len(line) - n + 1)]


@given(documents, sizes)
def test_n_grams_are_counted_within_documents(lines: Documents, n: int) -> None:
    every = grams(lines, n)
    if not every:
        return
    frame = text.token_counts(lines, n=n)
    found = {(k,) if n == 1 else tuple(k): count for k, count in frame.iter_rows()}
    assert found == dict(Counter(every))
    assert text.distinct_n_pooled(lines, n=n) == len(set(every)) / len(every)


@given(documents, st.permutations(range(5)), st.randoms(use_true_random=False))
def test_names_of_tokens_and_order_of_documents_do_not_matter(
    lines: Documents, names: list[int], order: object
) -> None:
    renamed = [[f"word {names[token]}" for token in line] for line in lines]
    order.shuffle(renamed)  # type: ignore[attr-defined]
    for n in (1, 2):
        if not grams(lines, n):
            continue
        assert text.distinct_n_pooled(renamed, n=n) == text.distinct_n_pooled(lines, n=n)
        assert text.self_repetition(renamed, n=n) == text.self_repetition(lines, n=n)
        assert text.distinct_n_per_document(renamed, n=n) == pytest.approx(
            text.distinct_n_per_document(lines, n=n), rel=1e-14
        )


@given(documents, sizes)
def test_self_repetition_grows_with_the_number_of_documents(lines: Documents, n: int) -> None:
    if not grams(lines, n):
        return
    shares = [text.self_repetition(lines, n=n, size=size) for size in range(1, len(lines) + 1)]
    assert shares[0] == 0.0
    assert all(more >= few - 1e-12 for few, more in itertools.pairwise(shares))
    assert shares[-1] == pytest.approx(text.self_repetition(lines, n=n), rel=1e-14)
    assert text.self_repetition([*lines, *lines], n=n) == 1.0


@given(documents, st.data())
def test_distinct_n_falls_with_size(lines: Documents, data: st.DataObject) -> None:
    every = grams(lines, 1)
    size = data.draw(st.integers(1, len(every)))
    found = text.distinct_n_pooled(lines, n=1, size=size)
    assert text.distinct_n_pooled(lines, n=1) <= found * (1 + 1e-12)
    assert found <= 1.0 + 1e-12


@given(documents, st.data(), st.integers(0, 2**31))
def test_samples_are_beginnings_of_documents(
    lines: Documents, data: st.DataObject, seed: int
) -> None:
    tokens = data.draw(st.integers(1, sum(map(len, lines))))
    *whole, last = text.sample_documents(lines, tokens, seed=seed).to_list()
    assert sum(map(len, whole)) + len(last) == tokens
    left = Counter(map(tuple, lines))
    left.subtract(map(tuple, whole))
    assert min(left.values()) >= 0
    assert any(line[: len(last)] == tuple(last) for line, count in left.items() if count > 0)

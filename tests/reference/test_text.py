"""Metrics of text against loops over tokens, enumeration, and simulation."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.metrics import categorical, text
from tailwatch.metrics.text.documents import as_documents
from tailwatch.metrics.text.groups import in_groups

Documents = list[list[str]]
POEM = [
    ["a", "rose", "is", "a", "rose", "is", "a", "rose"],
    ["is", "a", "rose", "red", "or", "is", "a", "rose", "white"],
    ["no", "rose", "is", "a", "rose", "red", "or"],
    ["short", "one"],
    [],
    ["is", "a", "rose", "red", "or", "blue"],
]


def grams(document: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(document[i : i + n]) for i in range(len(document) - n + 1)]


def pooled(documents: Documents, n: int) -> list[tuple[str, ...]]:
    return [gram for document in documents for gram in grams(document, n)]


def repetition(documents: Documents, n: int) -> float:
    """Share of the different n-grams of each document that another document has."""
    sets = [set(grams(document, n)) for document in documents]
    repeated = total = 0
    for i, own in enumerate(sets):
        others = set().union(*(other for j, other in enumerate(sets) if j != i))
        repeated, total = repeated + len(own & others), total + len(own)
    return repeated / total


def zipf_documents(
    seed: int, many: int, power: float = 1.0, length: int = 40, taste: float = 50.0
) -> list[np.ndarray]:
    """Documents of 400 words, each with a taste of its own, the stronger the smaller `taste` is."""
    rng = np.random.default_rng(seed)
    p = np.arange(1.0, 401.0) ** -power
    tastes = rng.dirichlet(taste * p / p.sum() + 1e-9, size=many)
    return [rng.choice(400, size=length, p=shares) for shares in tastes]


# --- counts


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_counts_of_n_grams(n: int) -> None:
    frame = text.token_counts(POEM, n=n)
    expected = Counter(pooled(POEM, n))
    kinds = frame.columns[0]
    assert kinds == ("token" if n == 1 else "ngram")
    found = {(k,) if n == 1 else tuple(k): count for k, count in frame.iter_rows()}
    assert found == dict(expected)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_long_n_grams_of_many_tokens_have_keys_of_their_own() -> None:
    # 70,000 different tokens: four of them pass 2⁶³.
    rng = np.random.default_rng(0)
    tokens = [rng.permutation(70_000), rng.integers(70_000, size=5_000)]
    tokens[1][100:120] = tokens[0][500:520]
    for n in (4, 6):
        frame = text.token_counts(tokens, n=n)
        assert frame["count"].sum() == sum(len(document) - n + 1 for document in tokens)
        assert frame.filter(pl.col("count") > 1).height == 20 - n + 1


# --- distinct-n


@pytest.mark.parametrize("n", [1, 2, 3])
def test_distinct_n_pooled(n: int) -> None:
    every = pooled(POEM, n)
    assert text.distinct_n_pooled(POEM, n=n) == pytest.approx(
        len(set(every)) / len(every), rel=1e-15
    )


def test_distinct_n_rarefied_by_enumeration() -> None:
    documents = [["a", "b", "a", "b"], ["b", "a", "c"]]
    for size in range(1, 6):
        subsets = itertools.combinations(pooled(documents, 2), size)
        expected = np.mean([len(set(subset)) / size for subset in subsets])
        found = text.distinct_n_pooled(documents, n=2, size=size)
        assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_distinct_n_per_document(n: int) -> None:
    ratios = [len(set(own)) / len(own) for own in (grams(d, n) for d in POEM) if own]
    found = text.distinct_n_per_document(POEM, n=n)
    assert found == pytest.approx(np.mean(ratios), rel=1e-14)
    error = np.std(ratios, ddof=1) / math.sqrt(len(ratios))
    assert found.standard_error == pytest.approx(error, rel=1e-10)


def test_distinct_n_per_document_rarefied_leaves_out_short_ones() -> None:
    expected = []
    for own in (grams(document, 1) for document in POEM):
        if len(own) >= 6:
            subsets = itertools.combinations(own, 6)
            expected.append(np.mean([len(set(subset)) / 6 for subset in subsets]))
    assert len(expected) == 4
    found = text.distinct_n_per_document(POEM, n=1, size=6)
    assert found == pytest.approx(np.mean(expected), rel=1e-12)


def test_distinct_n_of_one_document_has_no_error() -> None:
    found = text.distinct_n_per_document([POEM[0]], n=1)
    assert (float(found), found.low, found.high) == (3 / 8, 0.0, 1.0)
    assert math.isnan(found.standard_error)


def test_the_two_distinct_n_see_different_things() -> None:
    # Pooled sees documents that are alike, per document one that repeats itself.
    alike, dull = [list("abcdefgh")] * 8, [[letter] * 8 for letter in "abcdefgh"]
    assert text.distinct_n_pooled(alike, n=1) == text.distinct_n_pooled(dull, n=1) == 1 / 8
    assert text.distinct_n_per_document(alike, n=1) == 1.0
    assert text.distinct_n_per_document(dull, n=1) == 1 / 8


# --- self-repetition


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_self_repetition(n: int) -> None:
    assert text.self_repetition(POEM, n=n) == pytest.approx(repetition(POEM, n), rel=1e-14)


def test_self_repetition_within_a_document_does_not_count() -> None:
    assert text.self_repetition([list("abababab"), list("cdcdcdcd")], n=2) == 0.0
    assert text.self_repetition([POEM[0], POEM[0]]) == 1.0


@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_self_repetition_of_fewer_documents_by_enumeration(size: int) -> None:
    # Repeated n-grams over all n-grams, each averaged over the subsets.
    repeated, total = [], []
    for subset in itertools.combinations(POEM, size):
        having = Counter(gram for document in subset for gram in set(grams(document, 2)))
        repeated.append(sum(d for d in having.values() if d > 1))
        total.append(sum(having.values()))
    expected = np.mean(repeated) / np.mean(total)
    found = text.self_repetition(POEM, n=2, size=size)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


# --- equal tokens


def test_samples_have_exactly_as_many_tokens() -> None:
    for tokens in (1, 5, 17, 32):
        sample = text.sample_documents(POEM, tokens, seed=3)
        assert sample.list.len().sum() == tokens
        *whole, last = sample.to_list()
        assert all(document in POEM for document in whole)
        assert any(document[: len(last)] == last for document in POEM)
    everything = text.sample_documents(POEM, 32, seed=1).to_list()
    assert sorted(everything) == sorted(document for document in POEM if document)


def test_every_document_has_its_chance() -> None:
    # 600 samples of one document of ten, seeds 0 to 599; chi-square with 9 degrees under 40.
    documents = [[letter] * 3 for letter in "abcdefghij"]
    first = Counter(
        text.sample_documents(documents, 3, seed=seed).to_list()[0][0] for seed in range(600)
    )
    assert sum((first[letter] - 60) ** 2 / 60 for letter in "abcdefghij") < 40.0


# --- of categorical


def test_types_and_exponent_are_those_of_the_counts() -> None:
    x, y = zipf_documents(0, 30), zipf_documents(1, 20, 1.3)
    for n in (1, 2):
        counts = [text.token_counts(documents, n=n) for documents in (x, y)]
        assert text.type_coverage(x, y, n=n).equals(categorical.type_coverage(*counts))
        assert text.zipf_exponent(x, n=n) == categorical.zipf_exponent(counts[0])


# --- comparison


def test_comparison_has_the_values_of_the_functions() -> None:
    # Equal tokens in all sets, so that every document is taken whole.
    a, b, c = (zipf_documents(seed, 25, power) for seed, power in ((0, 1.0), (1, 1.0), (2, 1.4)))
    frame = text.compare_documents(a, c, b)
    assert (frame["tokens"] == 1000).all()
    for column, documents in (("value", c), ("null", b)):
        found = dict(frame.select("metric", column).iter_rows())
        counts, reference = text.token_counts(documents), text.token_counts(a)
        coverage = categorical.type_coverage(reference, counts, levels=(0.5,))["coverage"]
        expected = {
            "type_coverage": coverage[0],
            "rare_type_coverage": coverage[1],
            "total_variation": categorical.total_variation(reference, counts),
            "jensen_shannon": categorical.jensen_shannon(reference, counts),
            "entropy": categorical.entropy(counts),
            "missing_mass": categorical.missing_mass(counts),
            "zipf_exponent": text.zipf_exponent(documents),
            "distinct_1_pooled": text.distinct_n_pooled(documents, n=1),
            "distinct_2_pooled": text.distinct_n_pooled(documents, n=2),
            "distinct_2_per_document": text.distinct_n_per_document(documents, n=2),
            "self_repetition": text.self_repetition(documents),
        }
        assert found == pytest.approx(expected, rel=1e-10)


def test_comparison_cuts_all_sets_to_one_number_of_tokens() -> None:
    a, b, c = zipf_documents(0, 30), zipf_documents(1, 90), zipf_documents(2, 60)
    assert (text.compare_documents(a, c, b)["tokens"] == 1200).all()
    # Halves of 90 documents are 45 each.
    assert (text.compare_documents(b, c)["tokens"] == 1800).all()


def test_intervals_hold_though_words_come_in_bursts() -> None:
    # 30 comparisons of 64 documents of 40 tokens, seeds 0 to 89, words of each document from
    # shares of its own. Truth is the mean over them; 95 % intervals hold it as often, less four
    # binomial errors.
    frames = []
    for seed in range(30):
        a, b, c = (zipf_documents(3 * seed + i, 64, power) for i, power in enumerate((1, 1, 1.2)))
        frames.append(text.compare_documents(a, c, b, seed=seed, replicates=20))
    least = 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / 30)
    for metric in frames[0]["metric"]:
        rows = pl.concat([frame.filter(metric=metric) for frame in frames])
        for name, low, high in (("value", "low", "high"), ("null", "null_low", "null_high")):
            truth = rows[name].mean()
            held = ((rows[low] <= truth) & (truth <= rows[high])).mean()
            assert held >= least, (metric, name)


def test_errors_of_tokens_taken_for_independent_are_too_small() -> None:
    # Why documents are drawn: 80 sets of 64 documents, seeds 0 to 79. The entropy's spread is that
    # of documents, known to 1/√160, z <= 4; the error over labels is under four fifths of it.
    found = [text.token_counts(zipf_documents(seed, 64, taste=5.0)) for seed in range(80)]
    entropies = [categorical.entropy(counts) for counts in found]
    spread = np.std(entropies, ddof=1)
    assert np.mean([each.standard_error for each in entropies]) < 0.8 * spread
    frame = text.compare_documents(
        *(zipf_documents(seed, 64, taste=5.0) for seed in (100, 101, 102))
    )
    row = frame.row(by_predicate=pl.col("metric") == "entropy", named=True)
    assert (row["high"] - row["low"]) / 2 / 2.045 > 0.8 * spread * (1.0 - 4.0 / math.sqrt(160))


@pytest.mark.parametrize("many", [5, 40, 90])
def test_the_variance_of_repetition_is_that_of_leaving_groups_out(many: int) -> None:
    documents = as_documents(zipf_documents(3, many, power=1.4), "documents", None)
    (found,), groups = in_groups({"documents": documents}, many * 40, np.random.default_rng(0))

    def without(*left_out: int) -> float:
        return found.repeated(~np.isin(np.arange(groups), left_out))

    one = np.array([without(i) for i in range(groups)])
    pairs = [(i, j) for i in range(groups) for j in range(i)]
    second = np.array([without() - one[i] - one[j] + without(i, j) for i, j in pairs])
    jackknife = (groups - 1) / groups * ((one - one.mean()) ** 2).sum()
    expected = max(jackknife - ((second - second.mean()) ** 2).sum() / 2, jackknife / 2)
    assert found.repetition_variance() == pytest.approx(expected, rel=1e-10)


def test_the_interval_of_repetition_is_multiplicative() -> None:
    a, b, c = (zipf_documents(seed, 64, 1.4) for seed in range(3))
    frame = text.compare_documents(a, c, b)
    row = frame.row(by_predicate=pl.col("metric") == "self_repetition", named=True)
    assert row["low"] * row["high"] == pytest.approx(row["value"] ** 2, rel=1e-12)
    assert row["null_low"] * row["null_high"] == pytest.approx(row["null"] ** 2, rel=1e-12)


def test_comparison_reports_its_half_samples() -> None:
    said: list[tuple[str, int, int]] = []
    documents = zipf_documents(0, 20)
    with_progress = text.compare_documents(
        documents, documents, replicates=20, progress=lambda *now: said.append(now)
    )
    assert said == [("half-samples", done, 20) for done in range(21)]
    assert with_progress.equals(text.compare_documents(documents, documents, replicates=20))


def test_what_a_set_does_not_have_is_null() -> None:
    documents = [["a", "b"], ["a", "c"], ["b", "c"], ["d", "a"]] * 3
    frame = text.compare_documents(documents, documents, documents)
    found = {row["metric"]: row for row in frame.iter_rows(named=True)}
    assert found["self_repetition"]["value"] is None
    assert found["self_repetition"]["low"] is None
    assert found["distinct_2_per_document"]["value"] == 1.0
    assert found["distinct_2_per_document"]["low"] is None


def test_repetition_of_a_model_is_found_on_long_documents() -> None:
    human, other = (zipf_documents(seed, 40, length=100) for seed in (0, 1))
    phrase = human[0][:10]
    model = [
        np.concatenate([document[:90], phrase]) for document in zipf_documents(2, 40, length=90)
    ]
    frame = tw.metrics.text.compare_documents(human, model, other)
    row = frame.row(by_predicate=pl.col("metric") == "self_repetition", named=True)
    # Seven of 97 4-grams in each document.
    assert row["value"] == pytest.approx(7 / 97, abs=0.02)
    assert row["low"] > (row["null_high"] or row["null"])

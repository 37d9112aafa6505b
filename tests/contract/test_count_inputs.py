"""Labels and counts in every form give the same numbers; bad ones are refused by name and place."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tailwatch.exceptions import InputError
from tailwatch.metrics import categorical
from tests.support.forms import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailwatch.metrics.categorical import CountsLike

WORDS = ["owl", "cat", "owl", "dog", "cat", "owl", "eel"]
OTHERS = ["cat", "cat", "yak", "owl"]
NUMBERS = [5, -3, 5, 0, -3, 5, 300]
FEWER = [5, -3, 5, 0, 8]


def count_frame(labels: list[Any]) -> pl.DataFrame:
    return pl.Series("label", labels).value_counts()


def count_structs(labels: list[Any]) -> pl.Series:
    return pl.Series("label", labels).value_counts().to_struct("counts")


FORMS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "numpy": np.array,
    "numpy objects": lambda x: np.array(x, dtype=object),
    "numpy strided": lambda x: np.repeat(np.array(x), 2)[::2],
    "masked array without a mask": np.ma.MaskedArray,
    "series": pl.Series,
    "chunks": lambda x: pl.concat([pl.Series(x[:3]), pl.Series(x[3:])], rechunk=False),
    "arrow": pa.array,
    "arrow chunks": lambda x: pa.chunked_array([x[:2], [], x[2:]], pa.array(x).type),
    "arrow stream": lambda x: Stream(pa.chunked_array([x])),
    "mapping": Counter,
    "count frame": count_frame,
    "structures of counts": count_structs,
    "arrow table of counts": lambda x: count_frame(x).to_arrow(),
    "floats that are whole": lambda x: {kind: float(count) for kind, count in Counter(x).items()},
    "unsigned counts": lambda x: count_frame(x).with_columns(pl.col("count").cast(pl.UInt8)),
}
WORD_FORMS: dict[str, Callable[[list[str]], Any]] = {
    "categories": lambda x: pl.Series(x, dtype=pl.Categorical),
    "enumeration": lambda x: pl.Series(x, dtype=pl.Enum(sorted(set(WORDS + OTHERS)))),
    "dictionary": lambda x: pa.array(x).dictionary_encode(),
}
NUMBER_FORMS: dict[str, Callable[[list[int]], Any]] = {
    "int16": lambda x: np.array(x, np.int16),
    "int32": lambda x: pl.Series(x, dtype=pl.Int32),
    "int128": lambda x: pl.Series(x, dtype=pl.Int128),
}


def numbers(reference: CountsLike, candidate: CountsLike) -> list[object]:
    """What every function says of two tables."""
    return [
        categorical.total_variation(reference, candidate),
        categorical.kl_divergence(reference, candidate, smoothing=0.5),
        categorical.jensen_shannon(reference, candidate),
        categorical.hellinger(reference, candidate),
        categorical.chi_square(reference, candidate),
        categorical.type_coverage(reference, candidate).rows(),
        categorical.compare_counts(reference, candidate, replicates=20).rows(),
        categorical.entropy(candidate),
        categorical.gini_simpson(candidate),
        categorical.missing_mass(candidate),
        categorical.rarefaction(candidate, 3),
        categorical.expected_types(candidate, 3),
        categorical.zipf_exponent(candidate),
    ]


@pytest.mark.parametrize("form", [*FORMS, *WORD_FORMS])
def test_forms_of_words(form: str) -> None:
    made = {**FORMS, **WORD_FORMS}[form]
    expected = numbers(WORDS, OTHERS)
    assert numbers(made(WORDS), made(OTHERS)) == expected
    assert numbers(made(WORDS), OTHERS) == expected
    assert numbers(WORDS, made(OTHERS)) == expected


@pytest.mark.parametrize("form", [*FORMS, *NUMBER_FORMS])
def test_forms_of_numbers(form: str) -> None:
    made = {**FORMS, **NUMBER_FORMS}[form]
    expected = numbers(NUMBERS, FEWER)
    assert numbers(made(NUMBERS), FEWER) == expected
    assert numbers(NUMBERS, made(FEWER)) == expected


@pytest.mark.parametrize(
    ("reference", "candidate"),
    [
        ([True, False, True], [True]),
        ([b"a", b"b", b"a"], [b"a"]),
        ([dt.date(2020, 1, d) for d in (1, 2, 1)], [dt.date(2020, 1, 1)]),
        ([("a", "b"), ("b", "c"), ("a", "b")], [("a", "b")]),
        ([2**63, 2**70, 2**63], [2**63]),
        ([2**63, 5, 2**63], [2**63]),
        (pl.Series([2**63, 5, 2**63]), pl.Series([2**63, -5, 2**63], dtype=pl.Int128)[[0]]),
    ],
    ids=["booleans", "bytes", "dates", "pairs", "large", "beyond int64", "mixed widths"],
)
def test_types_of_labels(reference: CountsLike, candidate: CountsLike) -> None:
    assert categorical.total_variation(reference, candidate) == pytest.approx(1 / 3, rel=1e-15)


def test_integers_of_all_widths_are_one_kind() -> None:
    wide = pl.Series([2**64, 7, 7], dtype=pl.Int128)
    assert categorical.total_variation([7, 8, 7], wide) == pytest.approx(1 / 3, rel=1e-15)


def test_no_function_changes_its_input() -> None:
    frame = count_frame(WORDS)
    before = frame.clone()
    numbers(frame, frame)
    assert frame.equals(before)
    array = np.array(WORDS)
    array.flags.writeable = False
    numbers(array, array)


def test_numbers_are_the_same_every_time() -> None:
    # Polars groups in parallel and in any order.
    rng = np.random.default_rng(0)
    x, y = (rng.zipf(1.5, 500) for _ in range(2))
    first = numbers(x, y)
    for seed in range(5):
        shuffled = np.random.default_rng(seed).permutation(x)
        assert numbers(shuffled, y) == first


def test_labels_in_an_aggregate() -> None:
    frame = pl.DataFrame({"source": ["a"] * 7 + ["b"] * 4, "label": WORDS + OTHERS})
    of_group = pl.map_groups(
        exprs=["label"],
        function=lambda group: categorical.entropy(group[0]),
        return_dtype=pl.Float64,
        returns_scalar=True,
    )
    found = frame.group_by("source").agg(of_group).sort("source")["label"].to_list()
    assert found == [float(categorical.entropy(labels)) for labels in (WORDS, OTHERS)]
    # Counts in an aggregate are structures.
    counted = frame.group_by("source").agg(pl.col("label").value_counts()).sort("source")["label"]
    assert [float(categorical.entropy(counts)) for counts in counted] == found


def test_an_estimate_is_a_float_with_an_interval() -> None:
    found = categorical.entropy(WORDS)
    for other in (copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert (other, other.standard_error, other.low, other.high) == (
            found,
            found.standard_error,
            found.low,
            found.high,
        )
    assert type(found + 0.0) is float
    assert repr(found) == "Estimate(1.27703, standard_error=0.326, low=0.638465, high=1.9156)"
    narrow = categorical.entropy(WORDS, confidence=0.5)
    assert found.low < narrow.low < found < narrow.high < found.high


EXPECTED = (
    "labels (a Series, a 1-D array, a list) or counts (a mapping of types to counts, "
    "a frame of the two columns type and count)"
)
NOT_WHOLE = "expected a whole number of at least 0 and below 2**53"
NO_LABELS = "labels: expected labels such as strings, integers or categories, got"
EACH_ONCE = "expected each type once; frame.group_by(type).sum() adds up what belongs together"
MEASUREMENTS = "numbers in themselves are for tailwatch.metrics.univariate"
BAD = {
    "no labels": ([], "labels: expected at least one label, got none"),
    "no labels in a series": (
        pl.Series([], dtype=pl.String),
        "labels: expected at least one label, got none",
    ),
    "no types": ({}, "labels: expected at least one label, got none"),
    "no types in a frame": (
        pl.DataFrame({"type": [], "count": []}, schema={"type": pl.String, "count": pl.Int64}),
        "labels: expected at least one type, got none",
    ),
    "only zeros": (
        {"a": 0, "b": 0},
        "labels: expected counts that add up to between 1 and 2**53, got 0",
    ),
    "too many labels": (
        {"a": 2**53 - 1, "b": 2},
        f"labels: expected counts that add up to between 1 and 2**53, got {2**53 + 1}",
    ),
    "null label": (["a", None, "b"], "labels: row 1 is null"),
    "only nulls": ([None, None], "labels: row 0 is null"),
    "null type": (
        pl.DataFrame({"t": ["a", None], "n": [1, 2]}),
        "labels: row 1 is null",
    ),
    "null count": (pl.DataFrame({"t": ["a", "b"], "n": [1, None]}), "labels: row 1 is null"),
    "null in a mapping": ({"a": 1, None: 2}, "labels: row 1 is null"),
    "no count in a mapping": ({"a": 1, "b": None}, "labels: row 1 is null"),
    "masked label": (
        np.ma.MaskedArray([1, 2, 3], [False, False, True]),
        "labels: row 2 holds a masked value",
    ),
    "negative count": ({"a": 3, "b": -1}, f"labels: row 1 counts -1 of 'b', {NOT_WHOLE}"),
    "broken count": ({"a": 3, "b": 0.5}, f"labels: row 1 counts 0.5 of 'b', {NOT_WHOLE}"),
    "NaN count": (
        pl.DataFrame({"t": [7, 8], "n": [float("nan"), 1.0]}),
        f"labels: row 0 counts nan of 7, {NOT_WHOLE}",
    ),
    "infinite count": ({"a": float("inf")}, f"labels: row 0 counts inf of 'a', {NOT_WHOLE}"),
    "too large a count": (
        {"a": 1, "b": 2**53},
        f"labels: row 1 counts {2**53} of 'b', {NOT_WHOLE}",
    ),
    "counts that are words": (
        {"a": "3"},
        "labels: expected counts that are integers, got String",
    ),
    "counts that are truths": (
        {"a": True},
        "labels: expected counts that are integers, got Boolean",
    ),
    "type twice": (
        pl.DataFrame({"t": ["a", "b", "a"], "n": [1, 2, 3]}),
        f"labels: 'a' is in rows 0 and 2, {EACH_ONCE}",
    ),
    "three columns": (
        pl.DataFrame({"t": ["a"], "n": [1], "share": [1.0]}),
        "labels: expected a frame of two columns, type and count, got 3: t, n, share",
    ),
    "one column": (
        pl.DataFrame({"t": ["a"]}),
        "labels: expected a frame of two columns, type and count, got 1: t",
    ),
    "floats": (
        [0.2, 0.8],
        f"{NO_LABELS} Float64; {MEASUREMENTS}",
    ),
    "float types": (
        {0.5: 1},
        f"{NO_LABELS} Float64; {MEASUREMENTS}",
    ),
    "objects": (
        [frozenset("a")],
        f"{NO_LABELS} Object; {MEASUREMENTS}",
    ),
    "two dimensions": (np.ones((2, 3), int), "labels: expected a 1-D array, got shape (2, 3)"),
    "a string": ("abc", f"labels: expected {EXPECTED}, got str"),
    "a number": (3, f"labels: expected {EXPECTED}, got int"),
    "None": (None, f"labels: expected {EXPECTED}, got NoneType"),
    "a set": ({"a"}, f"labels: expected {EXPECTED}, got set"),
    "lazy frame": (pl.LazyFrame({"t": ["a"]}), f"labels: expected {EXPECTED}, got LazyFrame"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_labels(name: str) -> None:
    data, text = BAD[name]
    with pytest.raises(InputError) as caught:
        categorical.entropy(data)
    assert str(caught.value) == text


def test_labels_of_two_types() -> None:
    with pytest.raises(InputError, match=r"^labels: expected labels of one type: "):
        categorical.entropy([1, "a"])


@pytest.mark.parametrize("argument", ["reference", "candidate"])
def test_an_error_names_its_argument(argument: str) -> None:
    arguments = {"reference": WORDS, "candidate": WORDS} | {argument: ["a", None]}
    for measure in (
        categorical.total_variation,
        categorical.kl_divergence,
        categorical.jensen_shannon,
        categorical.hellinger,
        categorical.chi_square,
        categorical.type_coverage,
        categorical.compare_counts,
    ):
        with pytest.raises(InputError) as caught:
            measure(**arguments)
        assert str(caught.value) == f"{argument}: row 1 is null"


@pytest.mark.parametrize(
    ("reference", "candidate", "text"),
    [
        (["1"], [1], "expected types of String as in the reference, got Int64"),
        ([1], [True], "expected types of Int64 as in the reference, got Boolean"),
        ([b"a"], ["a"], "expected types of Binary as in the reference, got String"),
    ],
)
def test_types_of_different_kinds(reference: list[Any], candidate: list[Any], text: str) -> None:
    with pytest.raises(InputError) as caught:
        categorical.total_variation(reference, candidate)
    assert str(caught.value) == f"candidate: {text}"


SETTINGS = {
    "smoothing": (
        lambda: categorical.kl_divergence(WORDS, OTHERS, smoothing=-1.0),
        "smoothing: expected a positive number, got -1.0",
    ),
    "correction": (
        lambda: categorical.entropy(WORDS, correction="jackknife"),  # type: ignore[arg-type]
        "correction: expected None, 'miller-madow' or 'chao-shen', got 'jackknife'",
    ),
    "confidence": (
        lambda: categorical.missing_mass(WORDS, confidence=95),
        "confidence: expected a number between 0 and 1, got 95",
    ),
    "unbiased": (
        lambda: categorical.gini_simpson(["a"], unbiased=True),
        "labels: expected at least two labels for the unbiased index, got 1",
    ),
    "draws": (
        lambda: categorical.expected_types(WORDS, 0),
        "draws: expected an integer of at least 1, got 0",
    ),
    "size": (
        lambda: categorical.rarefaction(WORDS, 8),
        "size: expected at most the 7 labels there are, got 8",
    ),
    "levels": (
        lambda: categorical.type_coverage(WORDS, OTHERS, levels=(0.1, 1.0)),
        "levels: expected a number between 0 and 1, got 1.0",
    ),
    "smallest": (
        lambda: categorical.zipf_exponent(WORDS, smallest=0),
        "smallest: expected an integer of at least 1, got 0",
    ),
    "seed": (
        lambda: categorical.chi_square(WORDS, OTHERS, seed=-1),
        "seed: expected an integer of at least 0, got -1",
    ),
    "replicates": (
        lambda: categorical.compare_counts(WORDS, OTHERS, replicates=5),
        "replicates: expected an integer of at least 20, got 5",
    ),
    "one label": (
        lambda: categorical.compare_counts(WORDS, ["a"]),
        "candidate: expected at least two labels, got 1",
    ),
    "large urn": (
        lambda: categorical.compare_counts({"a": 10**9}, {"a": 5}),
        "candidate: expected fewer than 10**9 labels in both tables, got 1000000005",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_bad_settings(name: str) -> None:
    call, text = SETTINGS[name]
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value) == text

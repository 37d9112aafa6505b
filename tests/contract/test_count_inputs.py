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
from tests.support.errors import fields, refused
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


BAD = {
    "no labels": ([], fields("labels", "at least one label", "none")),
    "no labels in a series": (
        pl.Series([], dtype=pl.String),
        fields("labels", "at least one label", "none"),
    ),
    "no types": ({}, fields("labels", "at least one label", "none")),
    "no types in a frame": (
        pl.DataFrame({"type": [], "count": []}, schema={"type": pl.String, "count": pl.Int64}),
        fields("labels", "at least one type", "none"),
    ),
    "only zeros": (
        {"a": 0, "b": 0},
        fields("labels", "counts that add up to between 1 and 2**53", "0"),
    ),
    "too many labels": (
        {"a": 2**53 - 1, "b": 2},
        fields("labels", "counts that add up to between 1 and 2**53", "9007199254740993"),
    ),
    "null label": (["a", None, "b"], fields("labels", "a label", "null", "row 1")),
    "only nulls": ([None, None], fields("labels", "a label", "null", "row 0")),
    "null type": (
        pl.DataFrame({"t": ["a", None], "n": [1, 2]}),
        fields("labels", "a label", "null", "row 1"),
    ),
    "null count": (
        pl.DataFrame({"t": ["a", "b"], "n": [1, None]}),
        fields("labels", "a label", "null", "row 1"),
    ),
    "null in a mapping": ({"a": 1, None: 2}, fields("labels", "a label", "null", "row 1")),
    "no count in a mapping": ({"a": 1, "b": None}, fields("labels", "a label", "null", "row 1")),
    "masked label": (
        np.ma.MaskedArray([1, 2, 3], [False, False, True]),
        fields("labels", "a label", "a masked value", "row 2"),
    ),
    "negative count": (
        {"a": 3, "b": -1},
        fields("labels", "a whole number of at least 0 and below 2**53", "-1 of 'b'", "row 1"),
    ),
    "broken count": (
        {"a": 3, "b": 0.5},
        fields("labels", "a whole number of at least 0 and below 2**53", "0.5 of 'b'", "row 1"),
    ),
    "NaN count": (
        pl.DataFrame({"t": [7, 8], "n": [float("nan"), 1.0]}),
        fields("labels", "a whole number of at least 0 and below 2**53", "nan of 7", "row 0"),
    ),
    "infinite count": (
        {"a": float("inf")},
        fields("labels", "a whole number of at least 0 and below 2**53", "inf of 'a'", "row 0"),
    ),
    "too large a count": (
        {"a": 1, "b": 2**53},
        fields(
            "labels",
            "a whole number of at least 0 and below 2**53",
            "9007199254740992 of 'b'",
            "row 1",
        ),
    ),
    "counts that are words": (
        {"a": "3"},
        fields("labels", "counts that are integers", "String"),
    ),
    "counts that are truths": (
        {"a": True},
        fields("labels", "counts that are integers", "Boolean"),
    ),
    "type twice": (
        pl.DataFrame({"t": ["a", "b", "a"], "n": [1, 2, 3]}),
        fields(
            "labels",
            "each type once",
            "'a'",
            "rows 0 and 2",
            "frame.group_by(type).sum() adds up what belongs together",
        ),
    ),
    "three columns": (
        pl.DataFrame({"t": ["a"], "n": [1], "share": [1.0]}),
        fields("labels", "a frame of two columns, type and count", "3: t, n, share"),
    ),
    "one column": (
        pl.DataFrame({"t": ["a"]}),
        fields("labels", "a frame of two columns, type and count", "1: t"),
    ),
    "floats": (
        [0.2, 0.8],
        fields(
            "labels",
            "labels such as strings, integers or categories",
            "Float64",
            hint="numbers in themselves are for tailwatch.metrics.univariate",
        ),
    ),
    "float types": (
        {0.5: 1},
        fields(
            "labels",
            "labels such as strings, integers or categories",
            "Float64",
            hint="numbers in themselves are for tailwatch.metrics.univariate",
        ),
    ),
    "objects": (
        [frozenset("a")],
        fields(
            "labels",
            "labels such as strings, integers or categories",
            "Object",
            hint="numbers in themselves are for tailwatch.metrics.univariate",
        ),
    ),
    "two dimensions": (np.ones((2, 3), int), fields("labels", "a 1-D array", "shape (2, 3)")),
    "a string": (
        "abc",
        fields("labels", "labels (a Series, a 1-D array, a list) or counts…", "str"),
    ),
    "a number": (
        3,
        fields("labels", "labels (a Series, a 1-D array, a list) or counts…", "int"),
    ),
    "None": (
        None,
        fields("labels", "labels (a Series, a 1-D array, a list) or counts…", "NoneType"),
    ),
    "a set": ({"a"}, fields("labels", "labels (a Series, a 1-D array, a list) or counts…", "set")),
    "lazy frame": (
        pl.LazyFrame({"t": ["a"]}),
        fields("labels", "labels (a Series, a 1-D array, a list) or counts…", "LazyFrame"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_labels(name: str) -> None:
    data, said = BAD[name]
    with refused(InputError, **said):
        categorical.entropy(data)


def test_labels_of_two_types() -> None:
    with refused(InputError, "labels", "labels of one type", "int, str"):
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
        with refused(InputError, argument, "a label", "null", "row 1"):
            measure(**arguments)


@pytest.mark.parametrize(
    ("reference", "candidate", "said"),
    [
        (["1"], [1], fields("candidate", "types of String as in the reference", "Int64")),
        ([1], [True], fields("candidate", "types of Int64 as in the reference", "Boolean")),
        ([b"a"], ["a"], fields("candidate", "types of Binary as in the reference", "String")),
    ],
)
def test_types_of_different_kinds(
    reference: list[Any], candidate: list[Any], said: dict[str, str]
) -> None:
    with refused(InputError, **said):
        categorical.total_variation(reference, candidate)


SETTINGS = {
    "smoothing": (
        lambda: categorical.kl_divergence(WORDS, OTHERS, smoothing=-1.0),
        fields("smoothing", "a positive number", "-1.0"),
    ),
    "correction": (
        lambda: categorical.entropy(WORDS, correction="jackknife"),  # type: ignore[arg-type]
        fields("correction", "None, 'miller-madow' or 'chao-shen'", "'jackknife'"),
    ),
    "confidence": (
        lambda: categorical.missing_mass(WORDS, confidence=95),
        fields("confidence", "a number between 0 and 1", "95"),
    ),
    "unbiased": (
        lambda: categorical.gini_simpson(["a"], unbiased=True),
        fields("labels", "at least two labels for the unbiased index", "1"),
    ),
    "draws": (
        lambda: categorical.expected_types(WORDS, 0),
        fields("draws", "an integer of at least 1", "0"),
    ),
    "size": (
        lambda: categorical.rarefaction(WORDS, 8),
        fields("size", "at most the 7 labels there are", "8"),
    ),
    "levels": (
        lambda: categorical.type_coverage(WORDS, OTHERS, levels=(0.1, 1.0)),
        fields("levels", "a number between 0 and 1", "1.0"),
    ),
    "smallest": (
        lambda: categorical.zipf_exponent(WORDS, smallest=0),
        fields("smallest", "an integer of at least 1", "0"),
    ),
    "seed": (
        lambda: categorical.chi_square(WORDS, OTHERS, seed=-1),
        fields("seed", "an integer of at least 0", "-1"),
    ),
    "replicates": (
        lambda: categorical.compare_counts(WORDS, OTHERS, replicates=5),
        fields("replicates", "an integer of at least 20", "5"),
    ),
    "one label": (
        lambda: categorical.compare_counts(WORDS, ["a"]),
        fields("candidate", "at least two labels", "1"),
    ),
    "large urn": (
        lambda: categorical.compare_counts({"a": 10**9}, {"a": 5}),
        fields("candidate", "fewer than 10**9 labels in both tables", "1000000005"),
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_bad_settings(name: str) -> None:
    call, said = SETTINGS[name]
    with refused(InputError, **said):
        call()

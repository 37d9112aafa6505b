"""Labels of a comparison by class: the forms they come in, and those that are refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError
from tests.support import samples
from tests.support.errors import fields, refused
from tests.support.labelled import METRICS, OF_X, OF_Y, SIZES, X, Y, compare, same

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def found() -> tw.ClassComparison:
    return compare()


LABELS: dict[str, Callable[[NDArray[np.str_]], object]] = {
    "list": lambda names: names.tolist(),
    "tuple": lambda names: tuple(names.tolist()),
    "object array": lambda names: names.astype(object),
    "series": pl.Series,
    "categorical": lambda names: pl.Series(names).cast(pl.Categorical),
    "enum": lambda names: pl.Series(names, dtype=pl.Enum(list(SIZES))),
    "arrow": pa.array,
    "arrow chunks": lambda names: pa.chunked_array([names[:7], names[7:]]),
}


@pytest.mark.parametrize("form", LABELS)
def test_labels_come_in_many_forms(form: str, found: tw.ClassComparison) -> None:
    shape = LABELS[form]
    assert same(compare((shape(OF_X), shape(OF_Y))), found)


def table(x: NDArray[np.float32], names: NDArray[np.str_], label: str = "label") -> pl.DataFrame:
    vectors = pl.Series(x, dtype=pl.Array(pl.Float32, x.shape[1]))
    return pl.DataFrame({"embedding": vectors, label: names})


def test_a_column_of_frames(found: tw.ClassComparison) -> None:
    frames = table(X, OF_X), table(Y, OF_Y)
    given: dict[str, Any] = {"metrics": METRICS, "tail_levels": (0.1, 0.05), "threads": 2}
    assert same(tw.compare(*frames, per="label", **given), found)
    named = frames[0], table(Y, OF_Y, "kind")
    assert same(tw.compare(*named, per=("label", "kind"), **given), found)
    assert same(tw.compare(frames[0], Y, per=("label", OF_Y), **given), found)
    assert same(tw.compare(frames[0].to_arrow(), Y, per=("label", OF_Y), **given), found)


def test_a_column_of_files(found: tw.ClassComparison, tmp_path: Path) -> None:
    frame = table(X, OF_X)
    frame[:500].write_parquet(tmp_path / "x-1.parquet")
    frame[500:500].write_parquet(tmp_path / "x-2.parquet")
    frame[500:].with_columns(pl.col("label").cast(pl.Categorical)).write_ipc(tmp_path / "x-3.arrow")
    table(Y, OF_Y).rename({"embedding": "vector"}).write_parquet(tmp_path / "y.parquet")
    again = tw.compare(
        [tmp_path / "x-1.parquet", tmp_path / "x-2.parquet", tmp_path / "x-3.arrow"],
        tw.open(tmp_path / "y.parquet", column="vector"),
        per="label",
        metrics=METRICS,
        tail_levels=(0.1, 0.05),
    )
    assert same(again, found)
    assert again.run["arguments"]["per"] == ["label", "label"]


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.int64])
def test_whole_numbers_keep_their_order_and_are_found_by_themselves(dtype: type) -> None:
    numbers = np.repeat(np.array([10, 9, 2], dtype), [130, 130, 20])
    x, y = samples.gaussian(1, 280, 3), samples.gaussian(2, 280, 3)
    found = tw.compare(x, y, per=(numbers, numbers.tolist()), metrics=["total_variance"])
    assert found.classes["class"].to_list() == ["9", "10", "2"]
    assert found.of(9).frame.equals(found.of("9").frame)


def test_booleans() -> None:
    yes = np.repeat([True, False], 140)
    x, y = samples.gaussian(1, 280, 3), samples.gaussian(2, 280, 3)
    found = tw.compare(x, y, per=(yes, pl.Series(yes)), metrics=["total_variance"])
    assert sorted(found.classes["class"]) == ["false", "true"]
    assert found.of(True).frame.equals(found.of("true").frame)


BAD: dict[str, tuple[object, dict[str, str]]] = {
    "one array": (
        OF_X,
        fields("per", "the name of a column, or a tuple of two: the …", "ndarray"),
    ),
    "three": (
        (OF_X, OF_Y, OF_Y),
        fields("per", "the name of a column, or a tuple of two: the …", "a tuple of 3"),
    ),
    "no table": (
        "label",
        fields("reference", "a table with a column 'label'", "an array"),
    ),
    "too few labels": (
        (OF_X, OF_Y[:-1]),
        fields("per: labels of candidate", "a label for each of 563 rows", "562"),
    ),
    "a missing label": (
        ([None, *OF_X[1:].tolist()], OF_Y),
        fields("per: labels of reference", "a label for each row", "null", "row 0"),
    ),
    "NaN among texts": (
        ([*OF_X[:7].tolist(), math.nan, *OF_X[8:].tolist()], OF_Y),
        fields("per: labels of reference", "a label for each row", "NaN", "row 7"),
    ),
    "NaN among texts of an array": (
        (OF_X, np.array([*OF_Y[:-1].tolist(), math.nan], dtype=object)),
        fields("per: labels of candidate", "a label for each row", "NaN", "row 562"),
    ),
    "whole numbers that NaN made floats": (
        (np.where(np.arange(len(X)) == 5, np.nan, 1.0), OF_Y),
        fields("per: labels of reference", "a label for each row", "NaN", "row 5"),
    ),
    "a series of floats": (
        (OF_X, pl.Series([1.0, math.nan, *[2.0] * (len(Y) - 2)])),
        fields("per: labels of candidate", "a label for each row", "NaN", "row 1"),
    ),
    "numbers with fractions": (
        (np.zeros(len(X)), OF_Y),
        fields("per: labels of reference", "strings, integers or booleans", "Float64"),
    ),
    "two dimensions": (
        (OF_X[:, np.newaxis], OF_Y),
        fields("per: labels of reference", "one dimension", "shape (1177, 1)"),
    ),
    "mixed": (
        ([1, *OF_X[1:].tolist()], OF_Y),
        fields(
            "per: labels of reference",
            "strings, integers or booleans of one type",
            "values of several",
        ),
    ),
    "other types": (
        (np.arange(len(X)), OF_Y),
        fields("per", "labels of one type", "integers for reference and strings for candidate"),
    ),
    "no labels": (
        (3, OF_Y),
        fields(
            "per: labels of reference",
            "the name of a column, an array, a series or a list",
            "int",
        ),
    ),
    "a class for every row": (
        (np.arange(len(X)), np.arange(len(Y))),
        fields(
            "per",
            "a class with at least 128 reference and 64 candidate rows",
            "1177 smaller ones",
        ),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_labels(case: str) -> None:
    per, said = BAD[case]
    with refused(InputError, **said) as caught:
        compare(per)
    # What to do about it may follow.
    assert case == "no table" or (caught.value.argument and caught.value.got)


def test_a_column_that_is_missing_or_holds_nulls(tmp_path: Path) -> None:
    frame = table(X, OF_X)
    with refused(
        SourceError,
        "candidate",
        "a column 'label'",
        "embedding (Array(Float32, shape=(6,))), kind (String)",
    ):
        tw.compare(frame, frame.rename({"label": "kind"}), per="label")
    path = tmp_path / "y.parquet"
    nulls = frame.with_columns(
        pl.when(pl.arange(pl.len()) != 7).then(pl.col("label")).alias("label")
    )
    nulls.write_parquet(path)
    with refused(InputError, "candidate: column 'label'", "a label for each row", "null", "row 7"):
        tw.compare(frame, path, per="label")


def test_categories_may_differ_between_files_of_a_side(tmp_path: Path) -> None:
    texts = np.repeat(["cat", "dog"], 140)
    x = samples.gaussian(1, 280, 3)
    given = [pl.Enum(["cat", "dog"]), pl.Enum(["dog", "eel", "cat"]), pl.Categorical(), pl.String()]
    for number, kind in enumerate(given):
        frame = table(x, texts).with_columns(pl.col("label").cast(kind))
        frame.write_parquet(tmp_path / f"{number}.parquet")
    for chosen in ("[01].parquet", "[02].parquet", "[13].parquet", "*.parquet"):
        source = str(tmp_path / chosen)
        found = tw.compare(source, source, per="label", metrics=["total_variance"])
        assert sorted(found.classes["class"]) == ["cat", "dog"]
        files = found.classes["reference_rows"].sum() // 280
        assert files == (4 if chosen[0] == "*" else 2)


def test_labels_are_looked_at_before_the_data_are_read() -> None:
    with refused(InputError, "per", got="int"):
        tw.compare("missing.npy", "missing.npy", per=3)  # type: ignore[call-overload]

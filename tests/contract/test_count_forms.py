"""Counts in every form are read as counts, or refused by name: none is taken for labels."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, defaultdict
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.exceptions import InputError
from tailwatch.metrics import categorical
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable


class RangeIndex(np.ndarray):
    """The index that pandas gives rows by default, as far as it is looked at."""

    def __new__(cls, size: int) -> Self:
        return np.arange(size).view(cls)

    def to_numpy(self) -> np.ndarray:
        return np.asarray(self)


class Index(RangeIndex):
    """An index of labels."""

    nlevels = 1

    def __new__(cls, labels: list[Any]) -> Self:
        return np.array(labels, object).view(cls)


class PandasSeries:
    """What of a pandas Series is looked at; it also hands its values, not its index, to Arrow."""

    def __init__(
        self, values: list[Any], index: RangeIndex | None = None, name: object = None
    ) -> None:
        self._values = np.array(values)
        self.index = RangeIndex(len(values)) if index is None else index
        self.name, self.dtype = name, self._values.dtype

    def to_numpy(self) -> np.ndarray:
        return self._values

    def __arrow_c_stream__(self, requested: object = None) -> object:
        return pa.chunked_array([pa.array(self._values)]).__arrow_c_stream__(requested)


def value_counts(labels: list[Any], name: str = "count") -> PandasSeries:
    counted = Counter(labels).most_common()
    return PandasSeries([count for _, count in counted], Index([kind for kind, _ in counted]), name)


def counts_first(labels: list[Any]) -> pl.DataFrame:
    counted = Counter(labels)
    return pl.DataFrame({"count": list(counted.values()), "label": list(counted)})


READ: dict[str, Callable[[list[Any]], Any]] = {
    "pandas": value_counts,
    "unique": lambda labels: np.unique(np.array(labels), return_counts=True),
    "unique counts": lambda labels: np.unique_counts(np.array(labels)),
    "counts first": counts_first,
    "counts first in Arrow": lambda labels: counts_first(labels).to_arrow(),
    "lengths": lambda labels: (
        pl.DataFrame({"label": labels}).group_by("label").len().select("len", "label")
    ),
    "floats first": lambda labels: counts_first(labels).select(
        pl.col("count").cast(pl.Float64).alias("times"), "label"
    ),
    "structures": lambda labels: counts_first(labels).to_struct("anything"),
    "Counter": Counter,
    "dict": lambda labels: dict(Counter(labels)),
    "OrderedDict": lambda labels: OrderedDict(Counter(labels)),
    "defaultdict": lambda labels: defaultdict(int, Counter(labels)),
    "dict of pairs": lambda labels: dict(Counter(labels).most_common()),
}


@pytest.mark.parametrize("labels", [["owl", "cat", "owl", "owl"], [7, 4, 7, 7], [3, 1, 1, 1, 1, 2]])
@pytest.mark.parametrize("form", READ)
def test_counts_are_counts(form: str, labels: list[Any]) -> None:
    counted = READ[form](labels)
    assert categorical.entropy(counted) == categorical.entropy(labels)
    assert categorical.total_variation(labels, counted) == 0.0
    shares = np.array(list(Counter(labels).values())) / len(labels)
    entropy = -(shares * np.log(shares)).sum()
    assert categorical.entropy(counted) == pytest.approx(entropy, rel=1e-12)


@given(st.lists(st.integers(-5, 300), min_size=1, max_size=60))
def test_integers_in_every_form(labels: list[int]) -> None:
    for form in READ.values():
        assert categorical.total_variation(labels, form(labels)) == 0.0


def test_pandas_itself() -> None:
    pandas = pytest.importorskip("pandas")
    for labels in (["owl", "cat", "owl"], [7, 4, 7]):
        series = pandas.Series(labels, name="label")
        for form in (
            series,
            series.value_counts(),
            series.value_counts().reset_index(),
            pandas.Categorical(labels).value_counts(),
        ):
            assert categorical.total_variation(labels, form) == 0.0


REFUSED: dict[str, tuple[Any, str, str]] = {
    "most common integers": (
        Counter([1, 1, 2]).most_common(),
        "a list of pairs with integers",
        "dict(pairs)",
    ),
    "most common words": (
        Counter(["a", "b", "a"]).most_common(),
        "a list of pairs with integers",
        "dict(pairs)",
    ),
    "items": (tuple({"a": 3}.items()), "a tuple of pairs with integers", "dict(pairs)"),
    "pairs from JSON": ([["a", 3], ["b", 1]], "a list of pairs with integers", "dict(pairs)"),
    "unique as a list": (
        list(np.unique([1, 1, 2], return_counts=True)),
        "a list of arrays",
        "dict(zip(",
    ),
    "unique with more": (
        np.unique([1, 1, 2], return_index=True, return_counts=True),
        "a tuple of arrays",
        "dict(zip(",
    ),
    "two integer columns": (
        pl.DataFrame({"year": [1, 2], "label": [3, 4]}),
        "a frame of 'year' and 'label'",
        "'count'",
    ),
    "two columns of counts": (
        pl.DataFrame({"n": [1, 2], "count": [3, 4]}),
        "a frame of 'n' and 'count'",
        "'count'",
    ),
    "structures of integers": (
        pl.Series([{"x": 1, "y": 2}]),
        "structures of 'x' and 'y'",
        "'count'",
    ),
    "structures that may be labels": (
        pl.Series([{"word": "a", "place": 2}]),
        "structures of 'word' and 'place'",
        "'count'",
    ),
    "an old pandas": (
        value_counts(["a", "b", "a"], "label"),
        "a pandas Series of integers with an index of its own",
        "to_dict()",
    ),
    "pandas after a filter": (
        PandasSeries([4, 4, 5], Index([3, 7, 9]), "label"),
        "a pandas Series of integers with an index of its own",
        "to_numpy()",
    ),
}


@pytest.mark.parametrize("form", REFUSED)
def test_what_may_be_either_is_refused(form: str) -> None:
    data, got, hint = REFUSED[form]
    with refused(InputError, "labels", "labels or counts", got, hint=f"…{hint}…"):
        categorical.entropy(data)


def test_an_array_of_pairs_has_a_hint() -> None:
    with refused(InputError, "labels", "a 1-D array", "shape (2, 2)", hint="dict(array…"):
        categorical.entropy(np.array([[1, 3], [2, 4]]))


def test_labels_stay_labels() -> None:
    labels = [5, 5, 300]
    for form in (
        PandasSeries(labels),
        PandasSeries(labels, name="count"),
        PandasSeries(["a", "a", "b"], Index([4, 5, 9]), "label"),
        pl.Series("count", labels),
        np.array(labels),
        [("a", "b"), ("a", "b"), ("b", "b")],
        [(1, 2, 3), (1, 2, 3), (2, 2, 2)],
        pl.Series([[1, 2], [1, 2], [2, 1]]),
    ):
        assert categorical.entropy(form) == categorical.entropy(["x", "x", "y"])


class Colour(Enum):
    RED = 1
    BLUE = 2


class Word(StrEnum):
    RED = "red"
    BLUE = "blue"


class Number(IntEnum):
    RED = 1
    BLUE = 2


@pytest.mark.parametrize("kind", [Colour, Word, Number])
def test_members_of_enumerations_are_their_values(kind: type[Enum]) -> None:
    red, blue = kind
    members = [red, blue, red]
    values = [member.value for member in members]
    for form in (members, np.array(members, dtype=object)):
        assert categorical.total_variation(values, form) == 0.0


def test_enumerations_of_other_categories_are_compared_by_name() -> None:
    first = pl.Series(["a", "b", "a"], dtype=pl.Enum(["a", "b"]))
    second = pl.Series(["a", "b", "a"], dtype=pl.Enum(["z", "b", "a"]))
    assert categorical.total_variation(first, second) == 0.0


MISSING = {
    "among words": (["a", math.nan, "b"], 1, "NaN"),
    "first": ([math.nan, "a"], 0, "NaN"),
    "objects": (np.array(["a", "b", np.nan], dtype=object), 2, "NaN"),
    "integers become floats": ([1.0, 2.0, math.nan], 2, "NaN"),
    "a column": (pl.Series([1.0, math.nan]), 1, "NaN"),
    "an array": (np.array([math.nan, 1.0]), 0, "NaN"),
    "pandas": (PandasSeries([1.0, math.nan]), 1, "NaN"),
    "None among words and NaN": (["a", None, math.nan], 1, "null"),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_label_is_named_by_its_row(name: str) -> None:
    data, row, got = MISSING[name]
    with refused(InputError, "candidate", "a label", got, f"row {row}"):
        categorical.total_variation(["a"], data)


def test_members_beside_other_labels_are_an_error_of_ours() -> None:
    with refused(InputError, "labels", "labels of one type", "Colour, int"):
        categorical.entropy([Colour.RED, 3])

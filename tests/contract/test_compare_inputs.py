"""Arguments of a comparison that must fail, each with one clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import DimensionError, InputError, NonFiniteError
from tests.support import samples
from tests.support.errors import fields, refused

X, Y = samples.gaussian(1, 200, 3), samples.gaussian(2, 100, 3)


def spoilt(array: np.ndarray, row: int, column: int, value: float) -> np.ndarray:
    array = array.copy()
    array[row, column] = value
    return array


DATA: dict[str, tuple[object, object, type[InputError], dict[str, str]]] = {
    "reference too small": (
        X[:127],
        Y,
        InputError,
        fields("reference", "at least 128 rows to compare", "127"),
    ),
    "candidate too small": (
        X,
        Y[:63],
        InputError,
        fields("candidate", "at least 64 rows to compare", "63"),
    ),
    "both too small": (
        X[:1],
        Y[:1],
        InputError,
        fields("candidate", "at least 64 rows to compare", "1"),
    ),
    "other columns": (
        X,
        Y[:, :2],
        DimensionError,
        fields("candidate", "3 columns as in reference", "2"),
    ),
    "NaN in the reference": (
        spoilt(X, 17, 2, np.nan),
        Y,
        NonFiniteError,
        fields("reference", "finite numbers", "NaN", "row 17, column 2"),
    ),
    "NaN in the candidate": (
        X,
        spoilt(Y, 99, 0, np.nan),
        NonFiniteError,
        fields("candidate", "finite numbers", "NaN", "row 99, column 0"),
    ),
    "infinity": (
        X,
        spoilt(Y, 0, 1, -np.inf),
        NonFiniteError,
        fields("candidate", "finite numbers", "a negative infinity", "row 0, column 1"),
    ),
}


@pytest.mark.parametrize("case", DATA)
def test_data(case: str) -> None:
    reference, candidate, error, said = DATA[case]
    with refused(error, **said) as caught:
        tw.compare(reference, candidate)  # type: ignore[arg-type]
    assert type(caught.value) is error


ARGUMENTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "k of 0": ({"k": 0}, fields("k", "an integer of at least 1", "0")),
    "k that is no integer": ({"k": 2.0}, fields("k", "an integer", "2.0")),
    "k as large as a half-sample": (
        {"k": 48},
        fields("k", "1 to 47 (half-samples have 48 rows)", "48"),
    ),
    "level of 0": (
        {"tail_levels": [0.1, 0]},
        fields("tail_levels", "a number between 0 and 1", "0"),
    ),
    "level of 1": (
        {"tail_levels": [1.0]},
        fields("tail_levels", "a number between 0 and 1", "1.0"),
    ),
    "level in per cent": (
        {"tail_levels": [5]},
        fields("tail_levels", "a number between 0 and 1", "5"),
    ),
    "level of NaN": (
        {"tail_levels": [float("nan")]},
        fields("tail_levels", "a number between 0 and 1", "nan"),
    ),
    "one number as levels": (
        {"tail_levels": 0.05},
        fields("tail_levels", "numbers between 0 and 1", "0.05"),
    ),
    "no levels": (
        {"tail_levels": []},
        fields("tail_levels", "at least one level and no level twice", "()"),
    ),
    "a level twice": (
        {"tail_levels": (0.1, 0.1)},
        fields("tail_levels", "at least one level and no level twice", "(0.1, 0.1)"),
    ),
    "confidence in per cent": (
        {"confidence": 95},
        fields("confidence", "a number between 0 and 1", "95"),
    ),
    "confidence of 1": (
        {"confidence": 1.0},
        fields("confidence", "a number between 0 and 1", "1.0"),
    ),
    "too few rows to bound": (
        {"max_rows": 127},
        fields("max_rows", "an integer of at least 128", "127"),
    ),
    "rows that are no integer": ({"max_rows": 1e4}, fields("max_rows", "an integer", "10000.0")),
    "negative seed": ({"seed": -1}, fields("seed", "an integer of at least 0", "-1")),
    "no threads": ({"threads": 0}, fields("threads", "an integer of at least 1", "0")),
    "progress that is no function": (
        {"progress": "bar"},
        fields("progress", "None, True or a callable", "str"),
    ),
    "unknown metric": ({"metrics": "fid"}, fields("metrics", got="'fid'")),
    "unknown metric among others": (
        {"metrics": ["recall", "fid"]},
        fields("metrics", got="'fid'"),
    ),
    "a panel among metrics": (
        {"metrics": ["fast", "recall"]},
        fields("metrics", got="'fast'"),
    ),
    "no metrics": ({"metrics": []}, fields("metrics", got="none")),
    "metrics that are a number": (
        {"metrics": 3},
        fields("metrics", "a panel's name or names of metrics", "3"),
    ),
    "metrics that are lists": (
        {"metrics": [["recall"]]},
        fields("metrics", "a panel's name or names of metrics", "[['recall']]"),
    ),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments(case: str) -> None:
    argument, said = ARGUMENTS[case]
    with refused(InputError, **said):
        tw.compare(X, Y, **argument)


def test_arguments_are_looked_at_before_the_data_are_read() -> None:
    for argument in ({"k": 0}, {"confidence": 2}, {"metrics": "fid"}, {"tail_levels": []}):
        with refused(InputError, next(iter(argument))):
            tw.compare("missing.npy", "missing.npy", **argument)  # type: ignore[arg-type]


def test_what_concerns_no_metric_that_was_asked_for_is_allowed() -> None:
    frame = tw.compare(X, Y, metrics=["total_variance"], k=1000).frame
    assert frame.height == 1


def test_the_smallest_samples_that_are_accepted() -> None:
    frame = tw.compare(X[:128], Y[:64], k=31).frame
    assert set(frame["n_candidate"]) == {64}
    with refused(InputError, "k", "1 to 31 (half-samples have 32 rows)", "32"):
        tw.compare(X[:128], Y[:64], k=32)

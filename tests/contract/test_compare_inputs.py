"""Arguments of a comparison that must fail, each with one clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import DimensionError, InputError, NonFiniteError
from tests.support import samples

X, Y = samples.gaussian(1, 200, 3), samples.gaussian(2, 100, 3)


def spoilt(array: np.ndarray, row: int, column: int, value: float) -> np.ndarray:
    array = array.copy()
    array[row, column] = value
    return array


DATA: dict[str, tuple[object, object, type[InputError], str]] = {
    "reference too small": (
        X[:127],
        Y,
        InputError,
        "reference: expected at least 128 rows to compare, got 127",
    ),
    "candidate too small": (
        X,
        Y[:63],
        InputError,
        "candidate: expected at least 64 rows to compare, got 63",
    ),
    "both too small": (
        X[:1],
        Y[:1],
        InputError,
        "candidate: expected at least 64 rows to compare, got 1",
    ),
    "other columns": (
        X,
        Y[:, :2],
        DimensionError,
        "candidate: expected 3 columns as in reference, got 2",
    ),
    "NaN in the reference": (
        spoilt(X, 17, 2, np.nan),
        Y,
        NonFiniteError,
        "reference: row 17, column 2 holds NaN",
    ),
    "NaN in the candidate": (
        X,
        spoilt(Y, 99, 0, np.nan),
        NonFiniteError,
        "candidate: row 99, column 0 holds NaN",
    ),
    "infinity": (
        X,
        spoilt(Y, 0, 1, -np.inf),
        NonFiniteError,
        "candidate: row 0, column 1 holds a negative infinity",
    ),
}


@pytest.mark.parametrize("case", DATA)
def test_data(case: str) -> None:
    reference, candidate, error, text = DATA[case]
    with pytest.raises(InputError) as caught:
        tw.compare(reference, candidate)  # type: ignore[arg-type]
    assert (type(caught.value), str(caught.value)) == (error, text)


ARGUMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "k of 0": ({"k": 0}, "k: expected an integer of at least 1, got 0"),
    "k that is no integer": ({"k": 2.0}, "k: expected an integer, got 2.0"),
    "k as large as a half-sample": (
        {"k": 48},
        "k: expected 1 to 47 (half-samples have 48 rows), got 48",
    ),
    "level of 0": (
        {"tail_levels": [0.1, 0]},
        "tail_levels: expected a number between 0 and 1, got 0",
    ),
    "level of 1": ({"tail_levels": [1.0]}, "tail_levels: expected a number between 0 and 1, got 1"),
    "level in per cent": (
        {"tail_levels": [5]},
        "tail_levels: expected a number between 0 and 1, got 5",
    ),
    "level of NaN": (
        {"tail_levels": [float("nan")]},
        "tail_levels: expected a number between 0 and 1, got nan",
    ),
    "one number as levels": (
        {"tail_levels": 0.05},
        "tail_levels: expected numbers between 0 and 1, got 0.05",
    ),
    "no levels": (
        {"tail_levels": []},
        "tail_levels: expected at least one level and no level twice, got ()",
    ),
    "a level twice": (
        {"tail_levels": (0.1, 0.1)},
        "tail_levels: expected at least one level and no level twice, got (0.1, 0.1)",
    ),
    "confidence in per cent": (
        {"confidence": 95},
        "confidence: expected a number between 0 and 1, got 95",
    ),
    "confidence of 1": (
        {"confidence": 1.0},
        "confidence: expected a number between 0 and 1, got 1.0",
    ),
    "too few rows to bound": (
        {"max_rows": 127},
        "max_rows: expected an integer of at least 128, got 127",
    ),
    "rows that are no integer": ({"max_rows": 1e4}, "max_rows: expected an integer, got 10000.0"),
    "negative seed": ({"seed": -1}, "seed: expected an integer of at least 0, got -1"),
    "no threads": ({"threads": 0}, "threads: expected an integer of at least 1, got 0"),
    "progress that is no function": (
        {"progress": "bar"},
        "progress: expected None, True or a callable, got str",
    ),
    "unknown metric": ({"metrics": "fid"}, "metrics: unknown 'fid'; expected a panel or metrics"),
    "unknown metric among others": (
        {"metrics": ["recall", "fid"]},
        (
            "metrics: unknown 'fid'; expected a panel or metrics out of 'standard', 'fast', 'all', "
            "precision, recall,"
        ),
    ),
    "a panel among metrics": (
        {"metrics": ["fast", "recall"]},
        "metrics: unknown 'fast'; expected a panel or metrics",
    ),
    "no metrics": ({"metrics": []}, "metrics: none; expected a panel or metrics"),
    "metrics that are a number": ({"metrics": 3}, "metrics: "),
    "metrics that are lists": ({"metrics": [["recall"]]}, "metrics: "),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments(case: str) -> None:
    argument, text = ARGUMENTS[case]
    with pytest.raises(InputError) as caught:
        tw.compare(X, Y, **argument)
    assert str(caught.value).startswith(text)


def test_arguments_are_looked_at_before_the_data_are_read() -> None:
    for argument in ({"k": 0}, {"confidence": 2}, {"metrics": "fid"}, {"tail_levels": []}):
        with pytest.raises(InputError, match=next(iter(argument))):
            tw.compare("missing.npy", "missing.npy", **argument)  # type: ignore[arg-type]


def test_what_concerns_no_metric_that_was_asked_for_is_allowed() -> None:
    frame = tw.compare(X, Y, metrics=["total_variance"], k=1000).frame
    assert frame.height == 1


def test_the_smallest_samples_that_are_accepted() -> None:
    frame = tw.compare(X[:128], Y[:64], k=31).frame
    assert set(frame["n_candidate"]) == {64}
    with pytest.raises(InputError, match=r"^k: expected 1 to 31 \(half-samples have 32 rows\)"):
        tw.compare(X[:128], Y[:64], k=32)

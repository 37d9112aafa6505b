"""One frame, to the bit, whatever the threads, the chunks, the file and the company."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tests.support import forms, samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

X = samples.clusters(1, 701, 19).astype(np.float32)
Y = samples.clusters(2, 401, 19, centres=6).astype(np.float32)


def bits(found: tw.Comparison) -> list[object]:
    numbers = [found.frame[name].fill_null(-1.0).to_numpy().tobytes() for name in NUMBERS]
    return [*numbers, *found.frame.select(pl.exclude(NUMBERS)).rows(), found.sentence]


NUMBERS = [
    "value",
    "low",
    "high",
    "null",
    "null_low",
    "null_high",
    "retention",
    "retention_low",
    "retention_high",
]


@pytest.fixture(scope="module")
def alone() -> list[object]:
    return bits(tw.compare(X, Y, threads=1))


@pytest.mark.parametrize("threads", [1, 2, 3, None])
def test_threads(threads: int | None, alone: list[object]) -> None:
    assert bits(tw.compare(X, Y, threads=threads)) == alone


@pytest.mark.parametrize("form", ["polars list", "arrow chunks", "numpy fortran order"])
def test_forms_in_memory(form: str, alone: list[object]) -> None:
    shape: Callable[[NDArray[np.float32]], object] = forms.IN_MEMORY[form]
    found = tw.compare(shape(X), shape(Y), threads=2)  # type: ignore[arg-type]
    assert bits(found) == alone


@pytest.mark.parametrize("form", ["npy", "npz", "parquet", "arrow", "arrow compressed"])
def test_files(form: str, alone: list[object], tmp_path: Path) -> None:
    write, name = forms.WRITERS[form]
    paths = tmp_path / f"human-{name}", tmp_path / f"generated-{name}"
    for array, path in zip((X, Y), paths, strict=True):
        write(array, path)
    found = tw.compare(*paths, threads=2)
    assert bits(found) == alone
    assert found.run["reference"]["name"] == str(paths[0])


@pytest.mark.parametrize("cuts", [[1], [2, 3, 300, 301], list(range(7, 700, 50))])
def test_parts(cuts: list[int], alone: list[object], tmp_path: Path) -> None:
    for number, part in enumerate(np.split(X, cuts)):
        np.save(tmp_path / f"{number:03}.npy", part)
    assert bits(tw.compare(f"{tmp_path}/*.npy", tw.open(Y), threads=2)) == alone


def test_seeds_are_the_only_chance() -> None:
    first, again, other = (tw.compare(X, Y, metrics=["recall"], seed=s).frame for s in (1, 1, 2))
    assert first.equals(again)
    assert first["value"][0] != other["value"][0]
    assert first["value_all"][0] == other["value_all"][0], "all rows are not drawn"


def test_wider_types_of_the_same_numbers(alone: list[object]) -> None:
    assert bits(tw.compare(X.astype(np.float64), Y.astype(np.float64), threads=2)) == alone


def test_a_metric_is_the_same_alone_and_in_company() -> None:
    frame = tw.compare(X, Y, threads=2).frame
    for metric in frame["metric"].unique():
        own = tw.compare(X, Y, metrics=[metric], threads=2).frame
        assert own.equals(frame.filter(pl.col("metric") == metric)), metric

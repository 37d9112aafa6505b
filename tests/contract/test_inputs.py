"""Data that must fail, each with one error that says which argument, what is wrong, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import tailwatch as tw
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import DimensionError, InputError, NonFiniteError, SourceError
from tests.support.bad_inputs import Case, arrow, lists, npy, ones, parquet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ACCEPTED = (
    "a 2-D NumPy array, a Polars Series of Array or List, an Arrow array, stream or table, a torch "
    "tensor on the CPU, tailwatch.Embeddings, or paths to .npy, .npz, .parquet or .arrow files"
)


def spoilt(row: int, column: int, value: float, dtype: str = "float32") -> NDArray[Any]:
    x = ones().astype(dtype)
    x[row, column] = value
    return x


class Tensor:
    """What is used of a torch tensor."""

    def __init__(self, device: str, dtype: str) -> None:
        self.device = device
        self.dtype = dtype

    def detach(self) -> Tensor:
        return self

    def numpy(self) -> NDArray[Any]:
        msg = "Got unsupported ScalarType BFloat16"
        raise TypeError(msg)


class BrokenStream:
    """An Arrow stream whose producer fails."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        del requested_schema
        msg = "the producer failed"
        raise RuntimeError(msg)


VALUES = {
    "NaN": Case(
        lambda _: spoilt(4, 1, np.nan), NonFiniteError, "reference: row 4, column 1 holds NaN"
    ),
    "NaN in half precision": Case(
        lambda _: spoilt(4, 1, np.nan, "float16"),
        NonFiniteError,
        "reference: row 4, column 1 holds NaN",
    ),
    "infinity": Case(
        lambda _: spoilt(5, 0, np.inf),
        NonFiniteError,
        "reference: row 5, column 0 holds an infinity",
    ),
    "negative infinity": Case(
        lambda _: spoilt(0, 0, -np.inf, "float64"),
        NonFiniteError,
        "reference: row 0, column 0 holds a negative infinity",
    ),
    "square that overflows": Case(
        lambda _: spoilt(2, 1, 1e200, "float64"),
        NonFiniteError,
        "reference: row 2, column 1 holds 1e200, whose square would overflow "
        "(magnitudes up to 1e150 are taken)",
    ),
    "NaN in a reversed view": Case(
        lambda _: spoilt(1, 0, np.nan)[::-1],
        NonFiniteError,
        "reference: row 4, column 0 holds NaN",
    ),
    "NaN in a later chunk": Case(
        lambda _: pl.concat([lists([[1, 2], [3, 4]]), lists([[5, 6], [7, float("nan")]])]),
        NonFiniteError,
        "reference: row 3, column 1 holds NaN",
    ),
    "NaN in a later file": Case(
        lambda at: [npy(at / "a.npy", ones()), npy(at / "b.npy", spoilt(3, 1, np.nan))],
        NonFiniteError,
        "reference: row 9, column 1 holds NaN, in @/b.npy",
    ),
    "NaN in a Parquet file": Case(
        lambda at: parquet(at / "a.parquet", embedding=spoilt(3, 1, np.nan)),
        NonFiniteError,
        "reference: row 3, column 1 holds NaN, in @/a.parquet",
    ),
    "masked value": Case(
        lambda _: np.ma.masked_equal(spoilt(4, 0, 7), 7),
        InputError,
        "reference: row 4 holds a masked value",
    ),
    "null row": Case(
        lambda _: lists([[1, 2], None, [3, 4]]), InputError, "reference: row 1 is null"
    ),
    "null in the first row": Case(
        lambda _: lists([None, [3, 4]]), InputError, "reference: row 0 is null"
    ),
    "null value": Case(
        lambda _: lists([[1, 2], [3, 4], [5, None]]),
        InputError,
        "reference: row 2 holds null in column 1",
    ),
    "null row of an Array": Case(
        lambda _: pl.Series([[1, 2], None], dtype=pl.Array(pl.Float32, 2)),
        InputError,
        "reference: row 1 is null",
    ),
    "null value of an Array": Case(
        lambda _: pl.Series([[1, 2], [None, 2]], dtype=pl.Array(pl.Float32, 2)),
        InputError,
        "reference: row 1 holds null in column 0",
    ),
    "null in a later chunk": Case(
        lambda _: pa.chunked_array([[[1.0, 2.0]], [[1.0, 2.0], None]]),
        InputError,
        "reference: row 2 is null",
    ),
    "null in a later file": Case(
        lambda at: [
            npy(at / "a.npy", ones()),
            parquet(at / "b.parquet", embedding=lists([[1, 2], [3, 4], [5, 6], None])),
        ],
        InputError,
        "reference: row 9 is null, in @/b.parquet",
    ),
    "ragged": Case(
        lambda _: lists([[1, 2], [3, 4], [5]]),
        DimensionError,
        "reference: row 2 holds 1 values, expected 2",
    ),
    "ragged with an empty row": Case(
        lambda _: lists([[1, 2], [], [5, 6]]),
        DimensionError,
        "reference: row 1 holds 0 values, expected 2",
    ),
    "ragged in a Parquet file": Case(
        lambda at: parquet(at / "a.parquet", embedding=lists([[1, 2], [3, 4], [5, 6, 7]])),
        DimensionError,
        "reference: row 2 holds 3 values, expected 2, in @/a.parquet",
    ),
    "ragged in an Arrow file": Case(
        lambda at: arrow(at / "a.arrow", embedding=lists([[1, 2], [3, 4], [5, 6, 7]])),
        DimensionError,
        "reference: row 2 holds 3 values, expected 2, in @/a.arrow",
    ),
}

SHAPES = {
    "one dimension": Case(
        lambda _: np.ones(5),
        DimensionError,
        "reference: expected a 2-D array (rows, columns), got shape (5,); "
        "of one row make array[None, :], of one column array[:, None]",
    ),
    "three dimensions": Case(
        lambda _: np.ones((2, 3, 4)),
        DimensionError,
        "reference: expected a 2-D array (rows, columns), got shape (2, 3, 4); "
        "flatten each row, as in array.reshape(len(array), -1)",
    ),
    "three dimensions in a file": Case(
        lambda at: npy(at / "a.npy", np.ones((2, 3, 4))),
        DimensionError,
        "reference: @/a.npy: expected a 2-D array (rows, columns), got shape (2, 3, 4); "
        "flatten each row, as in array.reshape(len(array), -1)",
    ),
    "three dimensions in Polars": Case(
        lambda _: pl.Series(np.ones((2, 3, 4))),
        InputError,
        "reference: expected Array or List of Float16, Float32 or Float64, "
        "got Array(Float64, shape=(3, 4)); flatten each row, as in series.reshape((-1, 12))",
    ),
    "no rows": Case(
        lambda _: ones(rows=0), InputError, "reference: expected at least one row, got none"
    ),
    "no rows in a Series": Case(
        lambda _: lists([]), InputError, "reference: expected at least one row, got none"
    ),
    "no rows in a stream": Case(
        lambda _: pa.chunked_array([], pa.list_(pa.float32())),
        InputError,
        "reference: expected at least one row, got none",
    ),
    "no rows in files": Case(
        lambda at: [npy(at / "a.npy", ones(rows=0)), parquet(at / "b.parquet", emb=lists([]))],
        InputError,
        "reference: @/a.npy: expected at least one row, got none",
    ),
    "no columns": Case(
        lambda _: ones(columns=0),
        DimensionError,
        "reference: expected at least one column, got none",
    ),
    "no columns in Polars": Case(
        lambda _: pl.Series([[], []], dtype=pl.Array(pl.Float32, 0)),
        DimensionError,
        "reference: expected at least one column, got none",
    ),
    "an empty first row": Case(
        lambda _: lists([[], []]), DimensionError, "reference: row 0 holds no values"
    ),
    "files of different widths": Case(
        lambda at: [
            npy(at / "a.npy", ones()),
            parquet(at / "b.parquet", embedding=lists([[1, 2, 3]])),
        ],
        DimensionError,
        "reference: @/b.parquet has 3 columns, @/a.npy has 2",
    ),
}

TYPES = {
    **{
        f"array of {dtype}": Case(
            lambda _, dtype=dtype: ones().astype(dtype),
            InputError,
            f"reference: expected float16, float32 or float64, got {np.dtype(dtype)}; "
            "convert it, as in array.astype('float32')",
        )
        for dtype in ("int64", "uint8", "bool", "complex64", "object", "U3", "datetime64[s]")
    },
    "integers in a file": Case(
        lambda at: npy(at / "a.npy", ones().astype(int)),
        InputError,
        "reference: @/a.npy: expected float16, float32 or float64, got int64; "
        "convert it, as in array.astype('float32')",
    ),
    "List of integers": Case(
        lambda _: pl.Series([[1, 2], [3, 4]]),
        InputError,
        "reference: expected Array or List of Float16, Float32 or Float64, got List(Int64); "
        "convert it, as in series.cast(polars.List(polars.Float32))",
    ),
    "Series of floats": Case(
        lambda _: pl.Series([1.0, 2.0]),
        InputError,
        "reference: expected Array or List of Float16, Float32 or Float64, got Float64; "
        "a number in a row is no vector; metrics.univariate takes a column of numbers",
    ),
    "Arrow array of strings": Case(
        lambda _: pa.array(["a", "b"]),
        InputError,
        "reference: expected Array or List of Float16, Float32 or Float64, got String; "
        "if it holds lists as JSON, series.str.json_decode(polars.List(polars.Float32))",
    ),
    "column of strings": Case(
        lambda at: parquet(at / "a.parquet", embedding=["a", "b"]),
        InputError,
        "reference: @/a.parquet: expected Array or List of Float16, Float32 or Float64, "
        "got String in column 'embedding'; if it holds lists as JSON, "
        "polars.col('embedding').str.json_decode(polars.List(polars.Float32))",
    ),
    "tensor on another device": Case(
        lambda _: Tensor("cuda:0", "torch.float32"),
        InputError,
        "reference: expected a tensor on the CPU, got one on cuda:0; pass tensor.cpu()",
    ),
    "tensor of bfloat16": Case(
        lambda _: Tensor("cpu", "torch.bfloat16"),
        InputError,
        "reference: expected a dense tensor of float16, float32 or float64, got torch.bfloat16; "
        "pass tensor.to_dense().float()",
    ),
    "list of rows": Case(
        lambda _: [[1.0, 2.0], [3.0, 4.0]],
        InputError,
        f"reference: expected {ACCEPTED}; got list",
    ),
    "None": Case(lambda _: None, InputError, f"reference: expected {ACCEPTED}; got NoneType"),
    "lazy frame": Case(
        lambda _: pl.LazyFrame({"embedding": [[1.0]]}),
        InputError,
        f"reference: expected {ACCEPTED}; got polars.lazyframe.frame.LazyFrame",
    ),
    "broken Arrow stream": Case(
        lambda _: BrokenStream(),
        SourceError,
        "reference: cannot read the data: the producer failed",
    ),
    "list of paths and others": Case(
        lambda at: [npy(at / "a.npy", ones()), 7],
        InputError,
        "reference: expected a list of paths, got int among them",
    ),
}


@pytest.mark.parametrize("name", [*VALUES, *SHAPES, *TYPES])
def test_bad_data(name: str, tmp_path: Path) -> None:
    case = {**VALUES, **SHAPES, **TYPES}[name]
    assert case.outcome(tmp_path) == (case.error, case.text)


@pytest.mark.parametrize(
    ("indices", "text"),
    [
        ([], "expected a non-empty list of row numbers, got float64 of shape (0,)"),
        ([0.5], "expected a non-empty list of row numbers, got float64 of shape (1,)"),
        ([[0]], "expected a non-empty list of row numbers, got int64 of shape (1, 1)"),
        ([True] * 6, "expected a non-empty list of row numbers, got bool of shape (6,)"),
        ([0, 6], "expected rows from 0 to 5, got 6"),
        ([0, -1], "expected rows from 0 to 5, got -1"),
    ],
    ids=str,
)
def test_rows_that_cannot_be_taken(indices: list[int], text: str) -> None:
    with pytest.raises(InputError) as caught:
        tw.open(ones()).take(indices)
    assert str(caught.value) == f"indices: {text}"


def test_batches_of_no_rows() -> None:
    with pytest.raises(InputError) as caught:
        tw.open(ones()).batches(0)
    assert str(caught.value) == "rows: expected an integer of at least 1, got 0"


def test_an_error_names_the_argument_of_the_call() -> None:
    opened = tw.open(spoilt(4, 1, np.nan))
    for argument in ("reference", "candidate"):
        with pytest.raises(NonFiniteError, match=f"^{argument}: row 4, column 1 holds NaN$"):
            as_embeddings(opened, argument).handle()

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
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


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
        lambda _: spoilt(4, 1, np.nan),
        NonFiniteError,
        fields("reference", "finite numbers", "NaN", "row 4, column 1"),
    ),
    "NaN in half precision": Case(
        lambda _: spoilt(4, 1, np.nan, "float16"),
        NonFiniteError,
        fields("reference", "finite numbers", "NaN", "row 4, column 1"),
    ),
    "infinity": Case(
        lambda _: spoilt(5, 0, np.inf),
        NonFiniteError,
        fields("reference", "finite numbers", "an infinity", "row 5, column 0"),
    ),
    "negative infinity": Case(
        lambda _: spoilt(0, 0, -np.inf, "float64"),
        NonFiniteError,
        fields("reference", "finite numbers", "a negative infinity", "row 0, column 0"),
    ),
    "square that overflows": Case(
        lambda _: spoilt(2, 1, 1e200, "float64"),
        NonFiniteError,
        fields(
            "reference",
            "finite numbers",
            "1e200, whose square would overflow (magnitudes up to 1e150 are taken)",
            "row 2, column 1",
        ),
    ),
    "NaN in a reversed view": Case(
        lambda _: spoilt(1, 0, np.nan)[::-1],
        NonFiniteError,
        fields("reference", "finite numbers", "NaN", "row 4, column 0"),
    ),
    "NaN in a later chunk": Case(
        lambda _: pl.concat([lists([[1, 2], [3, 4]]), lists([[5, 6], [7, float("nan")]])]),
        NonFiniteError,
        fields("reference", "finite numbers", "NaN", "row 3, column 1"),
    ),
    "NaN in a later file": Case(
        lambda at: [npy(at / "a.npy", ones()), npy(at / "b.npy", spoilt(3, 1, np.nan))],
        NonFiniteError,
        fields("reference", "finite numbers", "NaN", "row 9, column 1, in …/b.npy"),
    ),
    "NaN in a Parquet file": Case(
        lambda at: parquet(at / "a.parquet", embedding=spoilt(3, 1, np.nan)),
        NonFiniteError,
        fields("reference", "finite numbers", "NaN", "row 3, column 1, in …/a.parquet"),
    ),
    "masked value": Case(
        lambda _: np.ma.masked_equal(spoilt(4, 0, 7), 7),
        InputError,
        fields("reference", "no mask", "a masked value", "row 4"),
    ),
    "null row": Case(
        lambda _: lists([[1, 2], None, [3, 4]]),
        InputError,
        fields("reference", "a vector", "null", "row 1"),
    ),
    "null in the first row": Case(
        lambda _: lists([None, [3, 4]]),
        InputError,
        fields("reference", "a vector", "null", "row 0"),
    ),
    "null value": Case(
        lambda _: lists([[1, 2], [3, 4], [5, None]]),
        InputError,
        fields("reference", "a number in column 1", "null", "row 2"),
    ),
    "null row of an Array": Case(
        lambda _: pl.Series([[1, 2], None], dtype=pl.Array(pl.Float32, 2)),
        InputError,
        fields("reference", "a vector", "null", "row 1"),
    ),
    "null value of an Array": Case(
        lambda _: pl.Series([[1, 2], [None, 2]], dtype=pl.Array(pl.Float32, 2)),
        InputError,
        fields("reference", "a number in column 0", "null", "row 1"),
    ),
    "null in a later chunk": Case(
        lambda _: pa.chunked_array([[[1.0, 2.0]], [[1.0, 2.0], None]]),
        InputError,
        fields("reference", "a vector", "null", "row 2"),
    ),
    "null in a later file": Case(
        lambda at: [
            npy(at / "a.npy", ones()),
            parquet(at / "b.parquet", embedding=lists([[1, 2], [3, 4], [5, 6], None])),
        ],
        InputError,
        fields("reference", "a vector", "null", "row 9, in …/b.parquet"),
    ),
    "ragged": Case(
        lambda _: lists([[1, 2], [3, 4], [5]]),
        DimensionError,
        fields("reference", "2 values", "1 values", "row 2"),
    ),
    "ragged with an empty row": Case(
        lambda _: lists([[1, 2], [], [5, 6]]),
        DimensionError,
        fields("reference", "2 values", "0 values", "row 1"),
    ),
    "ragged in a Parquet file": Case(
        lambda at: parquet(at / "a.parquet", embedding=lists([[1, 2], [3, 4], [5, 6, 7]])),
        DimensionError,
        fields("reference", "2 values", "3 values", "row 2, in …/a.parquet"),
    ),
    "ragged in an Arrow file": Case(
        lambda at: arrow(at / "a.arrow", embedding=lists([[1, 2], [3, 4], [5, 6, 7]])),
        DimensionError,
        fields("reference", "2 values", "3 values", "row 2, in …/a.arrow"),
    ),
}

SHAPES = {
    "one dimension": Case(
        lambda _: np.ones(5),
        DimensionError,
        fields(
            "reference",
            "a 2-D array (rows, columns)",
            "shape (5,)",
            hint="of one row make array[None, :], of one column array[:, None]",
        ),
    ),
    "three dimensions": Case(
        lambda _: np.ones((2, 3, 4)),
        DimensionError,
        fields(
            "reference",
            "a 2-D array (rows, columns)",
            "shape (2, 3, 4)",
            hint="flatten each row, as in array.reshape(len(array), -1)",
        ),
    ),
    "three dimensions in a file": Case(
        lambda at: npy(at / "a.npy", np.ones((2, 3, 4))),
        DimensionError,
        fields("reference: …/a.npy", "a 2-D array (rows, columns)", "shape (2, 3, 4)"),
    ),
    "three dimensions in Polars": Case(
        lambda _: pl.Series(np.ones((2, 3, 4))),
        InputError,
        fields(
            "reference",
            "Array or List of Float16, Float32 or Float64",
            "Array(Float64, shape=(3, 4))",
            hint="flatten each row, as in series.reshape((-1, 12))",
        ),
    ),
    "no rows": Case(
        lambda _: ones(rows=0), InputError, fields("reference", "at least one row", "none")
    ),
    "no rows in a Series": Case(
        lambda _: lists([]), InputError, fields("reference", "at least one row", "none")
    ),
    "no rows in a stream": Case(
        lambda _: pa.chunked_array([], pa.list_(pa.float32())),
        InputError,
        fields("reference", "at least one row", "none"),
    ),
    "no rows in files": Case(
        lambda at: [npy(at / "a.npy", ones(rows=0)), parquet(at / "b.parquet", emb=lists([]))],
        InputError,
        fields("reference: …/a.npy", "at least one row", "none"),
    ),
    "no columns": Case(
        lambda _: ones(columns=0),
        DimensionError,
        fields("reference", "at least one column", "none"),
    ),
    "no columns in Polars": Case(
        lambda _: pl.Series([[], []], dtype=pl.Array(pl.Float32, 0)),
        DimensionError,
        fields("reference", "at least one column", "none"),
    ),
    "an empty first row": Case(
        lambda _: lists([[], []]),
        DimensionError,
        fields("reference", "at least one value", "none", "row 0"),
    ),
    "files of different widths": Case(
        lambda at: [
            npy(at / "a.npy", ones()),
            parquet(at / "b.parquet", embedding=lists([[1, 2, 3]])),
        ],
        DimensionError,
        fields("reference", "2 columns, as in …/a.npy", "3 columns", "…/b.parquet"),
    ),
}

TYPES = {
    **{
        f"array of {dtype}": Case(
            lambda _, dtype=dtype: ones().astype(dtype),
            InputError,
            fields(
                "reference",
                "float16, float32 or float64",
                f"{np.dtype(dtype)}",
                hint="convert it, as in array.astype('float32')",
            ),
        )
        for dtype in ("int64", "uint8", "bool", "complex64", "object", "U3", "datetime64[s]")
    },
    "integers in a file": Case(
        lambda at: npy(at / "a.npy", ones().astype(int)),
        InputError,
        fields("reference: …/a.npy", "float16, float32 or float64", "int64"),
    ),
    "List of integers": Case(
        lambda _: pl.Series([[1, 2], [3, 4]]),
        InputError,
        fields(
            "reference",
            "Array or List of Float16, Float32 or Float64",
            "List(Int64)",
            hint="convert it, as in series.cast(polars.List(polars.Float32))",
        ),
    ),
    "Series of floats": Case(
        lambda _: pl.Series([1.0, 2.0]),
        InputError,
        fields(
            "reference",
            "Array or List of Float16, Float32 or Float64",
            "Float64",
            hint="a number in a row is no vector; metrics.univaria…",
        ),
    ),
    "Arrow array of strings": Case(
        lambda _: pa.array(["a", "b"]),
        InputError,
        fields(
            "reference",
            "Array or List of Float16, Float32 or Float64",
            "String",
            hint="if it holds lists as JSON, series.str.json_decod…",
        ),
    ),
    "column of strings": Case(
        lambda at: parquet(at / "a.parquet", embedding=["a", "b"]),
        InputError,
        fields(
            "reference: …/a.parquet",
            "Array or List of Float16, Float32 or Float64",
            "String in column 'embedding'",
        ),
    ),
    "tensor on another device": Case(
        lambda _: Tensor("cuda:0", "torch.float32"),
        InputError,
        fields("reference", "a tensor on the CPU", "one on cuda:0", hint="pass tensor.cpu()"),
    ),
    "tensor of bfloat16": Case(
        lambda _: Tensor("cpu", "torch.bfloat16"),
        InputError,
        fields(
            "reference",
            "a dense tensor of float16, float32 or float64",
            "torch.bfloat16",
            hint="pass tensor.to_dense().float()",
        ),
    ),
    "list of rows": Case(
        lambda _: [[1.0, 2.0], [3.0, 4.0]],
        InputError,
        fields("reference", "a 2-D NumPy array, a Polars Series of Array or L…", "list"),
    ),
    "None": Case(
        lambda _: None,
        InputError,
        fields("reference", "a 2-D NumPy array, a Polars Series of Array or L…", "NoneType"),
    ),
    "lazy frame": Case(
        lambda _: pl.LazyFrame({"embedding": [[1.0]]}),
        InputError,
        fields(
            "reference",
            "a 2-D NumPy array, a Polars Series of Array or L…",
            "polars.lazyframe.frame.LazyFrame",
        ),
    ),
    "broken Arrow stream": Case(
        lambda _: BrokenStream(),
        SourceError,
        fields("reference", "readable data", "the producer failed"),
    ),
    "list of paths and others": Case(
        lambda at: [npy(at / "a.npy", ones()), 7],
        InputError,
        fields("reference", "a list of paths", "int among them"),
    ),
}


@pytest.mark.parametrize("name", [*VALUES, *SHAPES, *TYPES])
def test_bad_data(name: str, tmp_path: Path) -> None:
    case = {**VALUES, **SHAPES, **TYPES}[name]
    case.check(tmp_path)


@pytest.mark.parametrize(
    ("indices", "said"),
    [
        ([], fields("indices", "a non-empty list of row numbers", "float64 of shape (0,)")),
        ([0.5], fields("indices", "a non-empty list of row numbers", "float64 of shape (1,)")),
        ([[0]], fields("indices", "a non-empty list of row numbers", "int64 of shape (1, 1)")),
        ([True] * 6, fields("indices", "a non-empty list of row numbers", "bool of shape (6,)")),
        ([0, 6], fields("indices", "rows from 0 to 5", "6")),
        ([0, -1], fields("indices", "rows from 0 to 5", "-1")),
    ],
    ids=str,
)
def test_rows_that_cannot_be_taken(indices: list[int], said: dict[str, str]) -> None:
    with refused(InputError, **said):
        tw.open(ones()).take(indices)


def test_batches_of_no_rows() -> None:
    with refused(InputError, "rows", "an integer of at least 1", "0"):
        tw.open(ones()).batches(0)


def test_an_error_names_the_argument_of_the_call() -> None:
    opened = tw.open(spoilt(4, 1, np.nan))
    for argument in ("reference", "candidate"):
        with refused(NonFiniteError, argument, "finite numbers", "NaN", "row 4, column 1"):
            as_embeddings(opened, argument).handle()

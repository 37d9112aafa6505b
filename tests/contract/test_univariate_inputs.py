"""Samples of numbers in every form, and those that must fail with one error that says where."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tailwatch.exceptions import DimensionError, InputError, NonFiniteError, SourceError
from tailwatch.metrics import univariate

if TYPE_CHECKING:
    from collections.abc import Callable

Y = np.array([0, 5, 9])
X = np.array([3, 1, 4, 1, 5])
W1 = 2.533333333333333

FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "numpy": lambda x: x,
    "strided": lambda x: np.repeat(x, 2)[::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "read only": lambda x: np.frombuffer(x.tobytes(), x.dtype),
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "off alignment": lambda x: np.frombuffer(b"." + x.tobytes(), x.dtype, offset=1),
    "column of a matrix": lambda x: np.stack([x, x], axis=1)[:, 0],
    "masked array without a mask": np.ma.MaskedArray,
    "list": lambda x: x.tolist(),
    "tuple of NumPy numbers": tuple,
    "polars": pl.Series,
    "polars chunks": lambda x: pl.concat([pl.Series(x[:2]), pl.Series(x[2:])], rechunk=False),
    "polars slice": lambda x: pl.Series(np.concatenate([x, x]))[len(x) :],
    "arrow": pa.array,
    "arrow chunks": lambda x: pa.chunked_array([pa.array(x[:2]), pa.array(x[:0]), pa.array(x[2:])]),
}
TYPES = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")


@pytest.mark.parametrize("other", TYPES)
@pytest.mark.parametrize("dtype", TYPES)
def test_types(dtype: str, other: str) -> None:
    assert univariate.wasserstein_distance(X.astype(dtype), Y.astype(other)) == W1


@pytest.mark.parametrize("dtype", ["i4", "f4", "f8"])
@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str, dtype: str) -> None:
    x, y = (FORMS[form](values.astype(dtype)) for values in (X, Y))
    assert univariate.wasserstein_distance(x, y) == W1
    assert univariate.kolmogorov_smirnov(x, y) == univariate.kolmogorov_smirnov(X, Y)
    assert univariate.hill_index(x) == univariate.hill_index(X)


def test_other_polars_types() -> None:
    x = pl.Series(X)
    for dtype in (pl.Decimal(10, 2), pl.Int128, pl.UInt128):
        assert univariate.wasserstein_distance(x.cast(dtype), pl.Series(Y)) == W1


def test_large_integers_are_not_rounded() -> None:
    far = 2**60
    x, y = np.array([0, far]), np.array([0, far + 1])
    assert float(far) == float(far + 1)
    assert univariate.wasserstein_distance(x, y) == 0.5
    assert univariate.energy_distance(x, y) == 0.5
    assert univariate.kolmogorov_smirnov(x, y).statistic == 0.5
    large = np.array([2**64 - 1, 2**64 - 3], dtype=np.uint64)
    assert univariate.wasserstein_distance(large, large - np.uint64(4)) == 4.0
    assert univariate.wasserstein_distance(np.array([1, 2], np.uint64), np.array([1, -2])) == 2.0


def test_float32_is_compared_with_float64_as_it_is() -> None:
    tenth = np.array([0.1])
    found = univariate.wasserstein_distance(tenth.astype(np.float32), tenth)
    assert found == float(np.float32(0.1)) - 0.1


def test_negative_zero_is_zero() -> None:
    assert univariate.kolmogorov_smirnov(np.array([-0.0, 0.0]), np.zeros(3)).statistic == 0.0


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_and_chunks_change_no_bit(threads: int) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=400_000), rng.normal(size=250_001)
    parts = pl.concat([pl.Series(part) for part in np.split(x, [1, 9, 200_000])], rechunk=False)
    for metric in (
        univariate.wasserstein_distance,
        univariate.energy_distance,
        univariate.kolmogorov_smirnov,
        univariate.cramer_von_mises,
        univariate.jensen_shannon,
        univariate.population_stability_index,
    ):
        assert metric(parts, y, threads=threads) == metric(x, y, threads=1), metric.__name__


BAD: dict[str, tuple[Callable[[], Any], type[InputError], str]] = {
    "NaN": (
        lambda: np.array([1.0, np.nan]),
        NonFiniteError,
        "reference: position 1 holds NaN",
    ),
    "NaN in a later chunk": (
        lambda: pl.concat([pl.Series([1.0, 2.0]), pl.Series([np.nan])], rechunk=False),
        NonFiniteError,
        "reference: position 2 holds NaN",
    ),
    "infinity": (
        lambda: np.array([np.inf], np.float32),
        NonFiniteError,
        "reference: position 0 holds an infinity",
    ),
    "negative infinity": (
        lambda: pl.Series([1.0, -np.inf]),
        NonFiniteError,
        "reference: position 1 holds a negative infinity",
    ),
    "too large": (
        lambda: np.array([0.0, -1e200]),
        NonFiniteError,
        "reference: position 1 holds -1e200 (magnitudes up to 1e150 are taken)",
    ),
    "null": (lambda: pl.Series([1, None, 2]), InputError, "reference: position 1 is null"),
    "null in Arrow": (
        lambda: pa.chunked_array([[1.5], [None]]),
        InputError,
        "reference: position 1 is null",
    ),
    "masked": (
        lambda: np.ma.masked_equal([1, 7], 7),
        InputError,
        "reference: position 1 holds a masked value",
    ),
    "empty": (
        lambda: np.array([]),
        InputError,
        "reference: expected at least one number, got none",
    ),
    "empty series": (
        lambda: pl.Series([], dtype=pl.Float64),
        InputError,
        "reference: expected at least one number, got none",
    ),
    "two dimensions": (
        lambda: np.ones((2, 2)),
        DimensionError,
        "reference: expected a 1-D array, got shape (2, 2)",
    ),
    "strings": (
        lambda: pl.Series(["a"]),
        InputError,
        "reference: expected numbers, got String",
    ),
    "booleans": (
        lambda: np.array([True]),
        InputError,
        "reference: expected integers or floats of up to 64 bits, got bool",
    ),
    "objects": (
        lambda: np.array([1, None]),
        InputError,
        "reference: expected integers or floats of up to 64 bits, got object",
    ),
    "a set": (
        lambda: {1.0},
        InputError,
        (
            "reference: expected a 1-D NumPy array, a list, a Polars Series or an Arrow array of "
            "numbers, got set"
        ),
    ),
    "an empty list": (
        list,
        InputError,
        "reference: expected at least one number, got none",
    ),
    "None in a list": (
        lambda: [1.0, None],
        InputError,
        "reference: position 1 is null",
    ),
    "NaN in a list": (
        lambda: [1, float("nan")],
        NonFiniteError,
        "reference: position 1 holds NaN",
    ),
    "a string in a list": (
        lambda: [1.0, 2.0, "3"],
        InputError,
        "reference: position 2 holds '3', expected a number",
    ),
    "a boolean in a list": (
        lambda: [True],
        InputError,
        "reference: position 0 holds True, expected a number",
    ),
    "a list of lists": (
        lambda: [[1.0]],
        InputError,
        "reference: position 0 holds [1.0], expected a number",
    ),
    "an integer of a list that float64 rounds": (
        lambda: [0.5, 2**53 + 1],
        InputError,
        (
            "reference: position 1 holds 9007199254740993, which float64, the type of the others, "
            "does not"
        ),
    ),
    "an integer of a list beyond 64 bits": (
        lambda: [2**64],
        InputError,
        "reference: position 0 holds 18446744073709551616, which uint64 does not",
    ),
    "a negative integer beside one beyond int64": (
        lambda: [2**63, -1],
        InputError,
        "reference: position 0 holds 9223372036854775808, which int64 does not",
    ),
    "a frame": (
        lambda: pl.DataFrame({"a": [1], "b": [2]}),
        InputError,
        (
            "reference: expected one column of numbers, got a frame of a, b; counts=NAME names the "
            "column that says how often each number was seen"
        ),
    ),
    "an integer that float64 rounds": (
        lambda: np.array([1, 2**53 + 1]),
        InputError,
        (
            "reference: position 1 holds 9007199254740993, which float64, the type of the other, "
            "does not"
        ),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data(name: str) -> None:
    make, error, text = BAD[name]
    good = np.array([1.0, 2.0])
    for metric in (univariate.wasserstein_distance, univariate.jensen_shannon):
        with pytest.raises(InputError) as caught:
            metric(make(), good)
        assert (type(caught.value), str(caught.value)) == (error, text)
        with pytest.raises(InputError) as caught:
            metric(good, make())
        assert str(caught.value) == text.replace("reference", "candidate")


def test_unsigned_integers_beyond_int64_against_negative_ones() -> None:
    with pytest.raises(InputError) as caught:
        univariate.wasserstein_distance(np.array([-1]), np.array([2**63], np.uint64))
    expected = "candidate: position 0 holds 9223372036854775808, which int64, the type of the "
    assert str(caught.value) == expected + "other, does not"


@pytest.mark.parametrize(
    ("columns", "error", "text"),
    [
        ({"v": [1], "m": [1]}, SourceError, "column 'n' of counts and one of numbers, got v, m"),
        ({"n": [1]}, SourceError, "column 'n' of counts and one of numbers, got n"),
        ({"v": [1], "n": [-1]}, InputError, "'n': position 0 holds -1, expected a count from 0"),
        ({"v": [1], "n": [None]}, InputError, "column 'n': expected integers, got Null"),
        ({"v": [1, 2], "n": [1, None]}, InputError, "position 1 holds None, expected a count"),
        ({"v": [1], "n": [0.5]}, InputError, "column 'n': expected integers, got Float64"),
        ({"v": [1], "n": [0]}, InputError, "column 'n': expected a total from 1 to 2**53, got 0"),
        ({"v": [None, 2.0], "n": [1, 1]}, InputError, "column 'v': position 0 is null"),
        ({"v": [1, 2], "n": [2**62, 2**62]}, InputError, "total from 1 to 2**53, got 9.22337e+18"),
    ],
    ids=str,
)
def test_bad_counts(columns: dict[str, list[Any]], error: type[InputError], text: str) -> None:
    frame = pl.DataFrame(columns)
    with pytest.raises(InputError) as caught:
        univariate.energy_distance(frame, frame, counts="n")
    assert type(caught.value) is error
    assert str(caught.value).startswith("reference: ")
    assert text in str(caught.value)


def test_counts_need_a_frame() -> None:
    with pytest.raises(InputError, match="counts='n' needs a frame of numbers and counts"):
        univariate.energy_distance(X, Y, counts="n")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: univariate.jensen_shannon(X, Y, bins=1), "bins: expected an integer of at least"),
        (
            lambda: univariate.population_stability_index(X, Y, smoothing=-1),
            "smoothing: expected a number from 0 to 1,000,000, got -1",
        ),
        (lambda: univariate.cramer_von_mises(X, Y[:1]), "candidate: expected at least two numbers"),
        (lambda: univariate.hill_index(X, level=1.0), "level: expected a number between 0 and 1"),
        (lambda: univariate.hill_index(X[:1]), "values: expected at least two numbers, got one"),
        (lambda: univariate.hill_index(-X), "values: expected a tail of positive numbers, got one"),
        (
            lambda: univariate.hill_index(np.array([1.0, np.nan])),
            "values: position 1 holds nan",
        ),
    ],
)
def test_bad_options(call: Callable[[], object], text: str) -> None:
    with pytest.raises(InputError, match=f"^{text.replace('(', '[(]')}"):
        call()


# --- groups


def test_groups() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "label": rng.integers(0, 7, 3000),
            "source": rng.choice(["human", "model"], 3000),
            "score": rng.normal(size=3000),
        }
    )
    human, model = (pl.col("score").filter(pl.col("source") == name) for name in ("human", "model"))
    found = frame.group_by("label").agg(
        univariate.aggregate(univariate.wasserstein_distance, human, model).alias("w1"),
        univariate.aggregate(univariate.jensen_shannon, human, model, bins=4).alias("js"),
        univariate.aggregate(univariate.kolmogorov_smirnov, human, model).alias("ks"),
        univariate.aggregate(univariate.hill_index, pl.col("score").abs(), level=0.1).alias("hill"),
    )
    assert found["hill"].dtype.to_schema()["rows"] == pl.Int64
    for row in found.rows(named=True):
        group = frame.filter(label=row["label"])
        x, y = (group.filter(source=name)["score"] for name in ("human", "model"))
        assert row["w1"] == univariate.wasserstein_distance(x, y)
        assert row["js"] == univariate.jensen_shannon(x, y, bins=4)
        assert row["ks"]["p_value"] == univariate.kolmogorov_smirnov(x, y).p_value
        assert row["hill"]["index"] == univariate.hill_index(group["score"].abs(), level=0.1).index


def test_a_group_that_lacks_a_sample_is_null() -> None:
    frame = pl.DataFrame({"label": ["a", "a", "b"], "source": [0, 1, 0], "v": [1.0, 2.0, 3.0]})
    parts = (pl.col("v").filter(pl.col("source") == source) for source in (0, 1))
    found = frame.group_by("label", maintain_order=True).agg(
        univariate.aggregate(univariate.wasserstein_distance, *parts).alias("w1")
    )
    assert found["w1"].to_list() == [1.0, None]


# --- interruption


def test_an_interrupted_sort_ends_before_its_end() -> None:
    x = np.random.default_rng(1).normal(size=6_000_000)
    begun = time.perf_counter()
    univariate.wasserstein_distance(x, x[:-1], threads=1)
    whole = time.perf_counter() - begun

    def stop(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    begun = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        univariate.wasserstein_distance(x, x[:-1], threads=1, progress=stop)
    assert time.perf_counter() - begun < whole


def test_integers_of_lists_keep_all_their_digits() -> None:
    big = 2**63
    assert univariate.wasserstein_distance([big, big + 1], [big + 3, big + 4]) == 3.0
    assert univariate.wasserstein_distance([-big], [1 - big]) == 1.0
    assert univariate.wasserstein_distance([1, 2.5], range(1, 3)) == 0.25

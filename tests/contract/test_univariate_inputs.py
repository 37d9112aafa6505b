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
from tests.support.errors import fields, refused

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


BAD: dict[str, tuple[Callable[[], Any], type[InputError], dict[str, str]]] = {
    "NaN": (
        lambda: np.array([1.0, np.nan]),
        NonFiniteError,
        fields("reference", "finite numbers", "NaN", "position 1"),
    ),
    "NaN in a later chunk": (
        lambda: pl.concat([pl.Series([1.0, 2.0]), pl.Series([np.nan])], rechunk=False),
        NonFiniteError,
        fields("reference", "finite numbers", "NaN", "position 2"),
    ),
    "infinity": (
        lambda: np.array([np.inf], np.float32),
        NonFiniteError,
        fields("reference", "finite numbers", "an infinity", "position 0"),
    ),
    "negative infinity": (
        lambda: pl.Series([1.0, -np.inf]),
        NonFiniteError,
        fields("reference", "finite numbers", "a negative infinity", "position 1"),
    ),
    "too large": (
        lambda: np.array([0.0, -1e200]),
        NonFiniteError,
        fields(
            "reference", "finite numbers", "-1e200 (magnitudes up to 1e150 are taken)", "position 1"
        ),
    ),
    "null": (
        lambda: pl.Series([1, None, 2]),
        InputError,
        fields("reference", "numbers", "null", "position 1"),
    ),
    "null in Arrow": (
        lambda: pa.chunked_array([[1.5], [None]]),
        InputError,
        fields("reference", "numbers", "null", "position 1"),
    ),
    "masked": (
        lambda: np.ma.masked_equal([1, 7], 7),
        InputError,
        fields("reference", "numbers", "a masked value", "position 1"),
    ),
    "empty": (
        lambda: np.array([]),
        InputError,
        fields("reference", "at least one number", "none"),
    ),
    "empty series": (
        lambda: pl.Series([], dtype=pl.Float64),
        InputError,
        fields("reference", "at least one number", "none"),
    ),
    "two dimensions": (
        lambda: np.ones((2, 2)),
        DimensionError,
        fields("reference", "a 1-D array", "shape (2, 2)"),
    ),
    "strings": (
        lambda: pl.Series(["a"]),
        InputError,
        fields("reference", "numbers", "String"),
    ),
    "booleans": (
        lambda: np.array([True]),
        InputError,
        fields("reference", "integers or floats of up to 64 bits", "bool"),
    ),
    "objects": (
        lambda: np.array([1, None]),
        InputError,
        fields("reference", "integers or floats of up to 64 bits", "object"),
    ),
    "a set": (
        lambda: {1.0},
        InputError,
        fields(
            "reference",
            "a 1-D NumPy array, a list, a Polars Series or an Arrow array of numbers",
            "set",
        ),
    ),
    "an empty list": (
        list,
        InputError,
        fields("reference", "at least one number", "none"),
    ),
    "None in a list": (
        lambda: [1.0, None],
        InputError,
        fields("reference", "numbers", "null", "position 1"),
    ),
    "NaN in a list": (
        lambda: [1, float("nan")],
        NonFiniteError,
        fields("reference", "finite numbers", "NaN", "position 1"),
    ),
    "a string in a list": (
        lambda: [1.0, 2.0, "3"],
        InputError,
        fields("reference", "numbers", "'3'", "position 2"),
    ),
    "a boolean in a list": (
        lambda: [True],
        InputError,
        fields("reference", "numbers", "True", "position 0"),
    ),
    "a list of lists": (
        lambda: [[1.0]],
        InputError,
        fields("reference", "numbers", "[1.0]", "position 0"),
    ),
    "an integer of a list that float64 rounds": (
        lambda: [0.5, 2**53 + 1],
        InputError,
        fields("reference", "numbers that float64 holds exactly", "9007199254740993", "position 1"),
    ),
    "an integer of a list beyond 64 bits": (
        lambda: [2**64],
        InputError,
        fields(
            "reference", "numbers that uint64 holds exactly", "18446744073709551616", "position 0"
        ),
    ),
    "a negative integer beside one beyond int64": (
        lambda: [2**63, -1],
        InputError,
        fields(
            "reference", "numbers that int64 holds exactly", "9223372036854775808", "position 0"
        ),
    ),
    "a frame": (
        lambda: pl.DataFrame({"a": [1], "b": [2]}),
        InputError,
        fields(
            "reference",
            "one column of numbers",
            "a frame of a, b",
            hint="counts=NAME names the column that says how often each number was seen",
        ),
    ),
    "an integer that float64 rounds": (
        lambda: np.array([1, 2**53 + 1]),
        InputError,
        fields("reference", "numbers that float64 holds exactly", "9007199254740993", "position 1"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data(name: str) -> None:
    make, error, said = BAD[name]
    good = np.array([1.0, 2.0])
    for metric in (univariate.wasserstein_distance, univariate.jensen_shannon):
        with refused(error, **said) as caught:
            metric(make(), good)
        assert type(caught.value) is error
        with refused(error, **(said | {"argument": "candidate"})):
            metric(good, make())


def test_unsigned_integers_beyond_int64_against_negative_ones() -> None:
    with refused(
        InputError,
        "candidate",
        "numbers that int64 holds exactly",
        "9223372036854775808",
        "position 0",
    ):
        univariate.wasserstein_distance(np.array([-1]), np.array([2**63], np.uint64))


@pytest.mark.parametrize(
    ("columns", "error", "said"),
    [
        (
            {"v": [1], "m": [1]},
            SourceError,
            fields("reference", "the column 'n' of counts and one of numbers", "v, m"),
        ),
        (
            {"n": [1]},
            SourceError,
            fields("reference", "the column 'n' of counts and one of numbers", "n"),
        ),
        (
            {"v": [1], "n": [-1]},
            InputError,
            fields("reference: column 'n'", "a count from 0", "-1", "position 0"),
        ),
        ({"v": [1], "n": [None]}, InputError, fields("reference: column 'n'", "integers", "Null")),
        (
            {"v": [1, 2], "n": [1, None]},
            InputError,
            fields("reference: column 'n'", "a count from 0", "None", "position 1"),
        ),
        (
            {"v": [1], "n": [0.5]},
            InputError,
            fields("reference: column 'n'", "integers", "Float64"),
        ),
        (
            {"v": [1], "n": [0]},
            InputError,
            fields("reference: column 'n'", "a total from 1 to 2**53", "0"),
        ),
        (
            {"v": [None, 2.0], "n": [1, 1]},
            InputError,
            fields("reference: column 'v'", "numbers", "null", "position 0"),
        ),
        (
            {"v": [1, 2], "n": [2**62, 2**62]},
            InputError,
            fields("reference: column 'n'", "a total from 1 to 2**53", "9.22337e+18"),
        ),
    ],
    ids=str,
)
def test_bad_counts(
    columns: dict[str, list[Any]], error: type[InputError], said: dict[str, str]
) -> None:
    frame = pl.DataFrame(columns)
    with refused(InputError, **said) as caught:
        univariate.energy_distance(frame, frame, counts="n")
    assert type(caught.value) is error


def test_counts_need_a_frame() -> None:
    with refused(InputError, "reference", "a frame of numbers and counts", "numpy.ndarray"):
        univariate.energy_distance(X, Y, counts="n")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: univariate.jensen_shannon(X, Y, bins=1),
            fields("bins", "an integer of at least 2", "1"),
        ),
        (
            lambda: univariate.population_stability_index(X, Y, smoothing=-1),
            fields("smoothing", "a number from 0 to 1,000,000", "-1"),
        ),
        (
            lambda: univariate.cramer_von_mises(X, Y[:1]),
            fields("candidate", "at least two numbers", "one"),
        ),
        (
            lambda: univariate.hill_index(X, level=1.0),
            fields("level", "a number between 0 and 1", "1.0"),
        ),
        (lambda: univariate.hill_index(X[:1]), fields("values", "at least two numbers", "one")),
        (
            lambda: univariate.hill_index(-X),
            fields("values", "a tail of positive numbers", "one that begins at -1"),
        ),
        (
            lambda: univariate.hill_index(np.array([1.0, np.nan])),
            fields("values", "finite numbers", "nan", "position 1"),
        ),
    ],
)
def test_bad_options(call: Callable[[], object], said: dict[str, str]) -> None:
    with refused(InputError, **said):
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

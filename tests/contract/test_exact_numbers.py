"""One rule for numbers that float64 may not hold: taken as they are, or refused by place."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.arguments import floats_of_decimals, inexact, is_float64
from tailwatch.exceptions import InputError
from tailwatch.metrics import univariate
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable

W1 = univariate.wasserstein_distance
BEYOND = 2**53 + 1
HALF = [0.5, 0.25]


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**64 - 1))
def test_integers_are_held_or_not(signed: int, unsigned: int) -> None:
    for value, kind in ((signed, np.int64), (unsigned, np.uint64)):
        exact = int(float(value)) == value
        assert is_float64(value) == exact
        assert (inexact(np.array([0, value], kind)) is None) == exact


@given(st.integers(0, 2**53), st.integers(0, 10))
def test_a_float64_is_no_matter_how_large(digits: int, exponent: int) -> None:
    assert inexact(np.array([digits << exponent], np.uint64)) is None


@given(st.lists(st.integers(-(10**20), 10**20), min_size=1, max_size=20), st.integers(0, 30))
def test_decimals_are_the_nearest_floats_or_refused(digits: list[int], scale: int) -> None:
    decimals = [Decimal(value).scaleb(-scale) for value in digits]
    numbers, lost = floats_of_decimals(pl.Series(decimals, dtype=pl.Decimal(38, scale)))
    assert numbers.tolist() == [float(value) for value in decimals]
    again = [round(Fraction(float(value)) * 10**scale) for value in decimals]
    differ = [place for place, value in enumerate(digits) if again[place] != value]
    assert lost == (differ[0] if differ else None)


def test_decimals_of_fifteen_digits_always_fit() -> None:
    rng = np.random.default_rng(0)
    digits = rng.integers(-(10**15), 10**15, 2000)
    for scale in (0, 2, 15, 22, 30):
        decimals = [Decimal(int(value)).scaleb(-scale) for value in digits]
        assert floats_of_decimals(pl.Series(decimals, dtype=pl.Decimal(38, scale)))[1] is None


TAKEN: dict[str, tuple[Any, Any, float]] = {
    "decimals of cents": (
        pl.Series([Decimal("0.10"), Decimal("1.30")]),
        np.array([0.1, 0.1]),
        (1.3 - 0.1) / 2,
    ),
    "a decimal of 16 digits that fits": (
        pl.Series([Decimal("1234567890.123456")]),
        [1234567890.123456],
        0.0,
    ),
    "long doubles that are float64": (np.array(HALF, np.longdouble), HALF, 0.0),
    "long doubles in a list": ([np.longdouble(0.5)], [0.25], 0.25),
    "a large power of two beside floats": (np.array([2**60]), np.array([0.0]), 2.0**60),
    "Int128 within uint64": (pl.Series([2**64 - 1], dtype=pl.Int128), [2**64 - 3], 2.0),
    "Int128 that is a float64": (pl.Series([2**100], dtype=pl.Int128), [0.0], 2.0**100),
    "UInt128": (pl.Series([2**53 + 1], dtype=pl.UInt128), [2**53], 1.0),
    "an integer of a list that is a float64": ([2**60, 0.5], [2.0**60, 0.5], 0.0),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_held_is_taken_as_it_is(name: str) -> None:
    x, y, expected = TAKEN[name]
    assert W1(x, y) == W1(y, x) == pytest.approx(expected, rel=1e-15)


THIRD = np.longdouble(1) / np.longdouble(3)
REFUSED: dict[str, tuple[Callable[[], Any], int, str]] = {
    "a decimal of 16 digits": (
        lambda: pl.Series([Decimal("0.00"), Decimal("90071992547409.93")]),
        1,
        "90071992547409.93",
    ),
    "a decimal beyond 2**53": (lambda: pl.Series([Decimal(0), Decimal(BEYOND)]), 1, str(BEYOND)),
    "a decimal with a tail": (
        lambda: pl.Series([Decimal("1.000000000000000001")]),
        0,
        "1.000000000000000001",
    ),
    "Arrow decimals": (lambda: pa.array([Decimal(3), Decimal(BEYOND)]), 1, str(BEYOND)),
    "a long double": (lambda: np.array([0, THIRD]), 1, str(THIRD)),
    "a long double beyond float64": (lambda: np.array([np.longdouble("1e400")]), 0, "1e+400"),
    "a long double of a list": (lambda: [0.5, 1, THIRD], 2, str(THIRD)),
    "an integer beside floats": (lambda: np.array([1, BEYOND]), 1, str(BEYOND)),
    "UInt64 beside floats": (lambda: np.array([2**64 - 1], np.uint64), 0, str(2**64 - 1)),
    "Int128": (lambda: pl.Series([1, 2**100 + 1], dtype=pl.Int128), 1, str(2**100 + 1)),
    "a list": (lambda: [BEYOND, 0.5], 0, str(BEYOND)),
    "a list of what is too large": (lambda: [0.5, 10**5000], 1, "an integer of about 5,000 digits"),
}


@pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="long double is float64 here")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_held_is_refused_by_place_and_value(name: str) -> None:
    make, place, value = REFUSED[name]
    for swapped in (False, True):
        arguments = (HALF, make()) if swapped else (make(), HALF)
        argument, expected = "candidate" if swapped else "reference", "…float64…"
        with refused(InputError, argument, expected, value, f"position {place}"):
            W1(*arguments)


def test_every_function_of_numbers_keeps_the_rule() -> None:
    x = pl.Series([Decimal(BEYOND), Decimal(1)])
    for metric in (
        univariate.wasserstein_distance,
        univariate.energy_distance,
        univariate.kolmogorov_smirnov,
        univariate.cramer_von_mises,
        univariate.jensen_shannon,
        univariate.population_stability_index,
    ):
        with refused(
            InputError,
            "reference",
            "numbers that float64 holds exactly",
            "9007199254740993",
            "position 0",
        ):
            metric(x, [1, 2])
    with refused(
        InputError, "values", "numbers that float64 holds exactly", "9007199254740993", "position 0"
    ):
        univariate.hill_index(x)
    frame = pl.DataFrame({"value": x, "n": [1, 2]})
    with refused(
        InputError,
        "reference: column 'value'",
        "numbers that float64 holds exactly",
        "9007199254740993",
        "position 0",
    ):
        W1(frame, frame, counts="n")

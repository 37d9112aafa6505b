"""Plain arguments: what is taken, and what is said of what is not."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tailwatch.arguments import integer, positive, real, share, shares, tail_size
from tailwatch.exceptions import InputError
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    "value", [3, np.int64(3), np.uint8(3)], ids=lambda value: type(value).__name__
)
def test_integers(value: int | np.integer) -> None:
    found = integer(value, "k")
    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize(("value", "least"), [(0, 0), (1, 1), (2**63 - 1, 1), (-5, -5)])
def test_bounds_belong_to_integers(value: int, least: int) -> None:
    assert integer(value, "k", least=least) == value


@pytest.mark.parametrize(
    "value",
    [0.05, np.float32(0.05), np.float64(0.05), Fraction(1, 20)],
    ids=lambda value: type(value).__name__,
)
def test_shares_of_any_type(value: float | Fraction | np.floating) -> None:
    for found in (share(value, "level"), shares([value], "levels")[0], positive(value, "sigma")):
        assert found == pytest.approx(0.05)
        assert type(found) is float


def test_shares_come_from_anything_that_has_elements() -> None:
    expected = (0.1, 0.01)
    for values in ([0.1, 0.01], (0.1, 0.01), np.array([0.1, 0.01]), (v for v in expected)):
        assert shares(values, "levels") == expected


@pytest.mark.parametrize("value", [1e-300, 1, 1e300])
def test_positive_numbers(value: float) -> None:
    assert positive(value, "sigma") == value


@pytest.mark.parametrize(
    ("value", "number"),
    [(-1.5, -1.5), (0, 0.0), (np.float16(2), 2.0), (10**400, np.inf), (-(10**400), -np.inf)],
    ids=["negative", "zero", "half precision", "huge", "huge and negative"],
)
def test_numbers_of_any_size(value: float, number: float) -> None:
    found = real(value, "q")
    assert found == number
    assert type(found) is float


REFUSED: list[tuple[Callable[..., object], object, dict[str, str]]] = [
    (integer, 1.0, fields(expected="an integer", got="1.0")),
    (integer, "1", fields(expected="an integer", got="'1'")),
    (integer, None, fields(expected="an integer", got="None")),
    (integer, True, fields(expected="an integer", got="True")),
    (integer, 0, fields(expected="an integer of at least 1", got="0")),
    (integer, -(2**70), fields(expected="an integer of at least 1", got="-1180591620717411303424")),
    (share, 0, fields(expected="a number between 0 and 1", got="0")),
    (share, 1.0, fields(expected="a number between 0 and 1", got="1.0")),
    (share, -0.1, fields(expected="a number between 0 and 1", got="-0.1")),
    (share, float("nan"), fields(expected="a number between 0 and 1", got="nan")),
    (share, float("inf"), fields(expected="a number between 0 and 1", got="inf")),
    (share, "0.5", fields(expected="a number between 0 and 1", got="'0.5'")),
    (share, True, fields(expected="a number between 0 and 1", got="True")),
    (share, Decimal("0.5"), fields(expected="a number between 0 and 1", got="Decimal('0.5')")),
    (
        share,
        10**400,
        fields(expected="a number between 0 and 1", got="a number of about 400 digits"),
    ),
    (shares, 0.5, fields(expected="numbers between 0 and 1", got="0.5")),
    (shares, "0.5", fields(expected="numbers between 0 and 1", got="'0.5'")),
    (shares, None, fields(expected="numbers between 0 and 1", got="None")),
    (shares, [], fields(expected="at least one level and no level twice", got="()")),
    (
        shares,
        [0.5, 0.5],
        fields(expected="at least one level and no level twice", got="(0.5, 0.5)"),
    ),
    (shares, [0.5, 2], fields(expected="a number between 0 and 1", got="2")),
    (positive, 0, fields(expected="a positive number", got="0")),
    (positive, -1.0, fields(expected="a positive number", got="-1.0")),
    (positive, float("nan"), fields(expected="a positive number", got="nan")),
    (positive, float("inf"), fields(expected="a positive number", got="inf")),
    (positive, "1", fields(expected="a positive number", got="'1'")),
    (positive, True, fields(expected="a positive number", got="True")),
    (positive, 10**400, fields(expected="a positive number", got="a number of about 400 digits")),
    (real, float("nan"), fields(expected="a number", got="nan")),
    (real, "1", fields(expected="a number", got="'1'")),
    (real, None, fields(expected="a number", got="None")),
    (real, True, fields(expected="a number", got="True")),
    (real, 1j, fields(expected="a number", got="1j")),
]


@pytest.mark.parametrize(
    ("check", "value", "said"),
    REFUSED,
    ids=[
        f"{check.__name__} {str(value)[:20]!r} {number}"
        for number, (check, value, _) in enumerate(REFUSED)
    ],
)
def test_what_is_refused(check: Callable[..., object], value: object, said: dict[str, str]) -> None:
    with refused(InputError, "k", **said):
        check(value, "k")


def test_an_integer_too_large_for_the_core_is_not_said_to_be_too_small() -> None:
    with refused(InputError, "seed", "an integer below 2**63", "9223372036854775808"):
        integer(2**63, "seed", least=0)


@pytest.mark.parametrize("rows", [1, 2, 7, 100, 1000, 12_345])
def test_a_tail_is_the_share_rounded_up_as_decimals_are_meant(rows: int) -> None:
    for percent in range(1, 100):
        assert tail_size(percent / 100, rows) == -(-percent * rows // 100)


def test_a_tail_holds_a_row_and_no_more_than_all() -> None:
    assert tail_size(1e-12, 10) == 1
    assert tail_size(1 - 1e-12, 10) == 10


def test_levels_without_end_are_refused() -> None:
    halves = (0.5 ** (1 + n % 1000) for n in itertools.count())
    with refused(InputError, "k", "at most 1,000 levels", "more"):
        shares(halves, "k")

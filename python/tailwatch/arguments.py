"""Checks of plain arguments, and the one rule for numbers that float64 may not hold.

What is wrong is said by name, expectation and value. A number is taken as it is, or refused by its
place and value; nothing is rounded in silence.

- An **integer** is taken where the type that is computed in holds it: 2**53 + 1 is no float64, and
  2**60 is one.
- A **long double** is taken where it is a float64.
- A **decimal** is written in base ten, as the literal 0.1 is, and is taken as the float64 nearest
  to it, as that literal is: where this one, rounded to the digits of the column, is the decimal
  again. So decimals that differ never become one number; 15 digits always fit.

float16, float32 and integers of up to 32 bits are float64 numbers, all of them.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import islice
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = [
    "DECIMAL_DIGITS",
    "LARGEST",
    "NO_SERIES",
    "floats_of_decimals",
    "inexact",
    "integer",
    "is_float64",
    "number_text",
    "positive",
    "real",
    "refuse_surrogates",
    "share",
    "shares",
    "tail_size",
]

LARGEST = 2**63 - 1
"""The largest integer that the core takes."""

NO_SERIES = (
    AttributeError,  # of an enumeration's members beside others
    TypeError,
    ValueError,
    OverflowError,
    pl.exceptions.PolarsError,
)
"""What Polars raises of values that are not of one type."""

DECIMAL_DIGITS = 15
"""Decimals of so many digits are told apart by the float64 nearest to each."""

_POWERS = 22
"""Powers of ten up to this one are float64 numbers."""

_MOST_SHARES = 1000


def integer(value: object, name: str, *, least: int = 1, most: int = LARGEST) -> int:
    """Return `value` as an int from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InputError(argument=name, expected="an integer", got=shown(value))
    if int(value) < least:
        raise InputError(
            argument=name, expected=f"an integer of at least {least}", got=shown(int(value))
        )
    if int(value) > most:
        bound = "below 2**63" if most == LARGEST else f"of at most {most:,}"
        raise InputError(argument=name, expected=f"an integer {bound}", got=shown(int(value)))
    return int(value)


def positive(value: object, name: str, *, most: float | None = None) -> float:
    """Return `value` as a finite float above 0, and at most `most`."""
    number = _real(value)
    if number is None or not math.isfinite(number) or number <= 0:
        raise InputError(argument=name, expected="a positive number", got=shown(value))
    if most is not None and number > most:
        expected = f"a positive number of at most {most:,}"
        raise InputError(argument=name, expected=expected, got=shown(value))
    return number


def real(value: object, name: str) -> float:
    """Return `value` as a float, which may be infinite and is not NaN."""
    number = _real(value)
    if number is None or math.isnan(number):
        raise InputError(argument=name, expected="a number", got=shown(value))
    return number


def refuse_surrogates(texts: Iterable[object], name: str, *, of: str = "row") -> None:
    """Refuse text that UTF-8 cannot hold, as a byte of a file name is in Python, by its number."""
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            continue
        try:
            text.encode()
        except UnicodeEncodeError:
            where, got = f"{of} {number}", shown(text)
            msg = f"{where} holds {got}, which is no Unicode text: a surrogate stands alone"
            raise InputError(
                msg,
                argument=name,
                expected="text that UTF-8 can hold",
                got=got,
                where=where,
                hint="text.encode('utf-8', 'backslashreplace').decode() shows such bytes as text",
            ) from None


def share(value: object, name: str) -> float:
    """Return `value` as a float strictly between 0 and 1."""
    number = _real(value)
    if number is None or not 0 < number < 1:
        raise InputError(argument=name, expected="a number between 0 and 1", got=shown(value))
    return number


def shares(values: object, name: str) -> tuple[float, ...]:
    """Return `values` as different floats strictly between 0 and 1, at least one."""
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise InputError(argument=name, expected="numbers between 0 and 1", got=shown(values))
    checked = tuple(share(value, name) for value in islice(values, _MOST_SHARES + 1))
    if len(checked) > _MOST_SHARES:
        raise InputError(argument=name, expected=f"at most {_MOST_SHARES:,} levels", got="more")
    if not checked or len(set(checked)) < len(checked):
        expected = "at least one level and no level twice"
        raise InputError(argument=name, expected=expected, got=shown(checked))
    return checked


def tail_size(level: float, rows: int) -> int:
    """Rows in a tail: ⌈level · rows⌉, not thrown off by the last bit of `level`."""
    return min(max(math.ceil(level * rows - 1e-9), 1), rows)


def is_float64(value: float) -> bool:
    """Return whether float64 holds a Python or NumPy number."""
    try:
        return bool(float(value) == value or value != value)  # noqa: PLR0124  (NaN is a float64)
    except OverflowError:
        return False


def number_text(value: object) -> str:
    """Write a number for an error: of a very long integer, how long it is."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of about {value.bit_length() * 0.30103:,.0f} digits"
    return str(value)


def inexact(values: NDArray[Any]) -> int | None:
    """Find the first number that is no float64 number.

    Parameters
    ----------
    values
        Integers or floats of any width and shape.

    Returns
    -------
    int or None
        Its place in the flattened array; None if float64 holds all of them.
    """
    flat = values.reshape(-1)
    if flat.dtype.kind in "iu" and flat.dtype.itemsize == 8:
        # A float64 has 53 binary digits, wherever the first of them is.
        magnitudes = np.abs(flat).astype(np.uint64, copy=False)
        lowest = magnitudes & (~magnitudes + np.uint64(1))
        lost = magnitudes >= np.maximum(lowest, np.uint64(1)) << np.uint64(53)
        # Beyond that shift the limit would leave 64 bits; then all digits fit.
        lost &= lowest < np.uint64(1 << 11)
    elif flat.dtype.kind == "f" and flat.dtype.itemsize > 8:
        with np.errstate(over="ignore"):
            lost = (flat.astype(np.float64) != flat) & ~np.isnan(flat)
    else:
        return None
    return int(lost.argmax()) if lost.any() else None


def floats_of_decimals(series: pl.Series) -> tuple[NDArray[np.float64], int | None]:
    """Take decimals as the float64 nearest to each.

    Parameters
    ----------
    series
        A column of decimals without nulls.

    Returns
    -------
    tuple
        The numbers, and the place of the first decimal that is not told from another by its own;
        None if there is none.
    """
    scale = series.dtype.scale if isinstance(series.dtype, pl.Decimal) else 0
    digits = series.to_physical().cast(pl.Int128)
    numbers = series.cast(pl.Float64).to_numpy(writable=True)
    largest = 10**DECIMAL_DIGITS
    long = (digits.abs() > largest) if scale <= _POWERS else digits.is_not_null()
    first: int | None = None
    seen: dict[int, tuple[float, bool]] = {}
    for place in long.arg_true():
        unscaled = int(digits[place])
        if unscaled not in seen:
            nearest = float(f"{unscaled}e-{scale}")
            seen[unscaled] = nearest, round(Fraction(nearest) * 10**scale) == unscaled
        numbers[place], told = seen[unscaled]
        if not told and first is None:
            first = place
    return numbers, first


def _real(value: object) -> float | None:
    """Return a number as a float, infinite if it is too large for one; None if it is no number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value == abs(value) else -math.inf

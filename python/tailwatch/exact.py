"""The one rule for numbers that float64 may not hold.

A number is taken as it is, or refused by its place and value; nothing is rounded in silence.

- An **integer** is taken where the type that is computed in holds it: 2**53 + 1 is no float64, and
  2**60 is one.
- A **long double** is taken where it is a float64.
- A **decimal** is written in base ten, as the literal 0.1 is, and is taken as the float64 nearest
  to it, as that literal is: where this one, rounded to the digits of the column, is the decimal
  again. So decimals that differ never become one number; 15 digits always fit.

float16, float32 and integers of up to 32 bits are float64 numbers, all of them.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DECIMAL_DIGITS", "NO_SERIES", "floats_of_decimals", "held", "inexact", "shown"]

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


def held(value: float) -> bool:
    """Say whether float64 holds a Python or NumPy number."""
    try:
        return bool(float(value) == value or value != value)  # noqa: PLR0124  (NaN is a float64)
    except OverflowError:
        return False


def shown(value: object) -> str:
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

"""Rows that cannot be scored, by number and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch.exceptions import NonFiniteError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.io.part import Matrix

__all__ = ["LARGEST_MAGNITUDE", "check_finite", "not_finite"]

LARGEST_MAGNITUDE = 1e150
"""Beyond it squares overflow."""


def check_finite(rows: Matrix, numbers: NDArray[np.int64], argument: str) -> None:
    """Raise an error at the first row that holds NaN, an infinity or too large a value.

    Parameters
    ----------
    rows
        The values.
    numbers
        Number of each row in the argument.
    argument
        Its name.

    Raises
    ------
    NonFiniteError
        If there is such a row.
    """
    finite = np.isfinite(rows)
    if rows.dtype == np.float64:
        finite &= np.abs(rows) <= LARGEST_MAGNITUDE
    good = finite.all(axis=1)
    if not good.all():
        row = int((~good).argmax())
        raise not_finite(rows, row, int(numbers[row]), argument)


def not_finite(rows: Matrix, row: int, number: int, argument: str) -> NonFiniteError:
    """Make the error that says what is wrong with a row."""
    values = rows[row].astype(np.float64)
    bad = ~(np.abs(values) <= LARGEST_MAGNITUDE)
    if not bad.any():
        return NonFiniteError(
            f"row {number} is so large that its score overflows",
            argument=argument,
            expected="values whose score float32 can hold",
            got="larger ones",
            where=f"row {number}",
        )
    column = int(bad.argmax())
    value = values[column]
    if np.isnan(value):
        kind = "NaN"
    elif np.isinf(value):
        kind = "an infinity" if value > 0 else "a negative infinity"
    else:
        kind = f"{value:g}, whose square would overflow (magnitudes up to 1e150 are taken)"
    return NonFiniteError(
        f"row {number}, column {column} holds {kind}",
        argument=argument,
        expected=f"finite values of magnitudes up to {LARGEST_MAGNITUDE:g}",
        got=f"{value:g}",
        where=f"row {number}, column {column}",
    )

"""Checks of plain arguments; what is wrong is said by name, expectation and value."""

from __future__ import annotations

import math
from itertools import islice
from numbers import Integral, Real
from typing import TYPE_CHECKING

from tailwatch.exceptions import InputError
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "LARGEST",
    "integer",
    "positive",
    "real",
    "refuse_surrogates",
    "share",
    "shares",
    "tail_size",
]

LARGEST = 2**63 - 1
"""The largest integer that the core takes."""

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


def _real(value: object) -> float | None:
    """Return a number as a float, infinite if it is too large for one; None if it is no number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value == abs(value) else -math.inf


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

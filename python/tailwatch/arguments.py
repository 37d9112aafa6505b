"""Checks of plain arguments; what is wrong is said by name, expectation and value."""

from __future__ import annotations

import math
from numbers import Integral, Real

from tailwatch.exceptions import InputError

__all__ = ["integer", "positive", "real", "share", "shares", "tail_size"]


def integer(value: object, name: str, *, least: int = 1) -> int:
    """Return `value` as an int of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        message = f"{name}: expected an integer, got {value!r}"
        raise InputError(message)
    if int(value) < least:
        message = f"{name}: expected an integer of at least {least}, got {value}"
        raise InputError(message)
    if int(value) >= 2**63:
        message = f"{name}: expected an integer below 2**63, got {value}"
        raise InputError(message)
    return int(value)


def positive(value: object, name: str) -> float:
    """Return `value` as a finite float above 0."""
    number = _real(value)
    if number is None or not math.isfinite(number) or number <= 0:
        message = f"{name}: expected a positive number, got {value!r}"
        raise InputError(message)
    return number


def real(value: object, name: str) -> float:
    """Return `value` as a float, which may be infinite and is not NaN."""
    number = _real(value)
    if number is None or math.isnan(number):
        message = f"{name}: expected a number, got {value!r}"
        raise InputError(message)
    return number


def share(value: object, name: str) -> float:
    """Return `value` as a float strictly between 0 and 1."""
    number = _real(value)
    if number is None or not 0 < number < 1:
        message = f"{name}: expected a number between 0 and 1, got {value!r}"
        raise InputError(message)
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
        message = f"{name}: expected numbers between 0 and 1, got {values!r}"
        raise InputError(message)
    checked = tuple(share(value, name) for value in values)
    if not checked or len(set(checked)) < len(checked):
        message = f"{name}: expected at least one level and no level twice, got {checked}"
        raise InputError(message)
    return checked


def tail_size(level: float, rows: int) -> int:
    """Rows in a tail: ⌈level · rows⌉, not thrown off by the last bit of `level`."""
    return min(max(math.ceil(level * rows - 1e-9), 1), rows)

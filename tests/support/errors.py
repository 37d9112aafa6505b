"""What tests assert of an error of tailwatch: its kind and its fields, not its wording.

Fields stand in the order of the text that is made of them: argument, expected, got, where, hint.
``…`` in one that a test expects stands for any text, such as the folder of a test; all else is
compared letter by letter. Whole texts are in ``tests/unit/test_error_texts.py``.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import pytest

from tailwatch.exceptions import TailwatchError

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = TypeVar("Kind", bound=TailwatchError)


def fields(
    argument: str | None = None,
    expected: str | None = None,
    got: str | None = None,
    where: str | None = None,
    hint: str | None = None,
) -> dict[str, str]:
    """Return those fields of an error that a test names."""
    named = {"argument": argument, "expected": expected, "got": got, "where": where, "hint": hint}
    return {name: text for name, text in named.items() if text is not None}


def is_like(text: str | None, pattern: str) -> bool:
    """Tell whether a text is `pattern`, in which ``…`` stands for any text."""
    parts = (re.escape(part) for part in pattern.split("…"))
    return text is not None and re.fullmatch(".*".join(parts), text) is not None


def check_fields(error: BaseException, named: dict[str, str]) -> None:
    """Raise AssertionError unless an error of tailwatch has the fields that a test names."""
    assert isinstance(error, TailwatchError), f"no error of tailwatch: {error!r}"
    assert named, "a test names at least one field"
    other = [
        f"{name} is {error.fields[name]!r}, not {pattern!r}"
        for name, pattern in named.items()
        if not is_like(error.fields[name], pattern)
    ]
    assert not other, f"{'; '.join(other)}: {error}"


@contextmanager
def refused(
    kind: type[Kind],
    argument: str | None = None,
    expected: str | None = None,
    got: str | None = None,
    where: str | None = None,
    hint: str | None = None,
) -> Iterator[pytest.ExceptionInfo[Kind]]:
    """Raise AssertionError unless the block ends by an error of a kind, with these fields.

    Examples
    --------
    >>> from tailwatch.arguments import integer
    >>> from tailwatch.exceptions import InputError
    >>> with refused(InputError, "k", "an integer of at least …", "0") as caught:
    ...     _ = integer(0, "k")
    >>> caught.value.expected
    'an integer of at least 1'
    """
    with pytest.raises(kind) as caught:
        yield caught
    check_fields(caught.value, fields(argument, expected, got, where, hint))

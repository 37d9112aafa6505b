"""Calls of what the user brought: a learner, a model, a policy.

What these raise passes through unchanged, with a note that says which call it came from, so that
nobody takes it for a defect of tailwatch. Only a wish to end the process is made an error: a run
that a learner ends is not finished.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tailwatch.exceptions import InputError, TailwatchError
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["asking", "call_that_raised"]

NOTE = "raised by a call of "


@contextmanager
def asking(part: object, call: str, where: str | None = None) -> Iterator[None]:
    """Note on what the block raises that it came of calling `part`.

    Parameters
    ----------
    part
        What is called; of the parts that ship with tailwatch nothing is noted.
    call
        Its name and method, such as ``learner.fit``.
    where
        When, such as the generation.

    Raises
    ------
    InputError
        The block called ``sys.exit``.
    """
    try:
        yield
    except SystemExit as error:
        raise InputError(
            argument=call,
            expected="a result",
            got=f"sys.exit({shown(error.code)})",
            where=where,
            hint="raise an error instead",
        ) from error
    except TailwatchError:
        raise
    except Exception as error:
        if not type(part).__module__.startswith("tailwatch."):
            error.add_note(f"{NOTE}{call}{f', {where}' if where else ''}")
        raise


def call_that_raised(error: BaseException) -> str | None:
    """Name the call of the user's own that an error came of, if it did."""
    notes: list[str] = getattr(error, "__notes__", [])
    found = next((note for note in notes if note.startswith(NOTE)), None)
    return None if found is None else found.removeprefix(NOTE)

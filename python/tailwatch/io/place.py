"""Where data came from, in the words of an error."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tailwatch.exceptions import SourceError, TailwatchError
from tailwatch.text_form import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Place", "reason"]


@dataclass(frozen=True, slots=True)
class Place:
    """An argument, the file behind it, and the number of its first row.

    Parameters
    ----------
    argument
        Name of the argument as the caller knows it, such as ``"reference"``.
    file
        Path of the file, or ``None`` for an object in memory.
    first_row
        Number of rows of the same argument that come before these.
    """

    argument: str
    file: str | None = None
    first_row: int = 0

    @property
    def subject(self) -> str:
        """Start of a message about the whole: the argument, and the file where there is one."""
        # The core takes no text that is not UTF-8, as the name of a file may be.
        return visible(self.argument if self.file is None else f"{self.argument}: {self.file}")

    def row(
        self, row: int, problem: str, *, expected: str | None = None, got: str | None = None
    ) -> dict[str, str | None]:
        """Return the fields of an error about a row, by its number in the argument and its file."""
        number = self.first_row + row
        within = "" if self.file is None else f", in {self.file}"
        return {
            "problem": f"row {number} {problem}{within}",
            "argument": self.argument,
            "expected": expected,
            "got": got,
            "where": f"row {number}{within}",
        }

    def after(self, rows: int) -> Place:
        """Return the place `rows` rows further on."""
        return Place(self.argument, self.file, self.first_row + rows)

    def unreadable(self, why: str, hint: str | None = None) -> SourceError:
        """Return the error that says that the data cannot be read."""
        return SourceError(
            f"cannot read {self.file or 'the data'}: {why}",
            argument=self.argument,
            expected="readable data",
            got=why,
            where=self.file,
            hint=hint,
        )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn whatever a reader raises within the block into a :class:`SourceError`.

        Readers of damaged files raise nearly anything, and a panic of Polars is no `Exception`.
        Errors that are tailwatch's own, and a lack of memory, pass unchanged.
        """
        try:
            yield
        except (TailwatchError, MemoryError):
            raise
        except (Exception, pl.exceptions.PanicException) as error:
            raise self.unreadable(reason(error), _hint(error)) from error


def _hint(error: BaseException) -> str | None:
    """Return what to do about a type of Arrow that Polars does not know, such as list_view."""
    text = str(error)
    if "not supported in Rust implementation" in text or "does not support primitive" in text:
        return "cast it first, as in column.cast(pyarrow.list_(pyarrow.float32()))"
    return None


def reason(error: BaseException) -> str:
    """Return the first line of an error: Polars adds the query plan below it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__

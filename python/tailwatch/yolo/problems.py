"""Problems of a data set: which, in what file and line; and the one error that names them all.

========  ======================================================================================
severity  meaning
========  ======================================================================================
error     nothing is trained on such data; a *bad file*, an image that Ultralytics would pass over
          with a line in its log, may be left out instead
warning   what is measured has to be read with it: said on every page
note      nothing to mend
========  ======================================================================================

Level: at the bottom of the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError, SourceError
from tailwatch.text_form import path_text, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "BAD_FILES",
    "ERROR",
    "NOTE",
    "WARNING",
    "DataError",
    "Problem",
    "check_bad_files",
    "refuse",
]

ERROR, WARNING, NOTE = "error", "warning", "note"

BAD_FILES = ("refuse", "leave-out")
"""What may become of files that Ultralytics would pass over."""

NAMED = 5
"""Problems that the text of an error names; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a data set, or has to be known of it.

    Attributes
    ----------
    kind
        Short name of the kind: ``"image"``, ``"row"``, ``"picture in two splits"``, …
    message
        What it is, in words, without the place.
    severity
        ``"error"``, ``"warning"`` or ``"note"``.
    split
        The set that has it, if it is of one.
    file, line
        Where it is, if it is in one place.
    cause
        The error that reading raised, if one did.
    """

    kind: str
    message: str
    severity: str = ERROR
    split: str | None = None
    file: Path | None = None
    line: int | None = None
    cause: InputError | None = None

    @classmethod
    def of(
        cls, cause: InputError, kind: str, split: str, file: Path, line: int | None = None
    ) -> Problem:
        """Return the problem that an error of reading tells of."""
        message = str(cause)
        place = path_text(file) if line is None else f"{path_text(file)}: line {line}"
        # The place first: of a row in a line the number of the row stays.
        for lead in (place, cause.argument):
            if message.startswith(f"{lead}: "):
                return cls(kind, message[len(f"{lead}: ") :], ERROR, split, file, line, cause)
        return cls(kind, message, ERROR, split, file, line, cause)

    @property
    def place(self) -> str:
        """The file and the line, or the set, or nothing."""
        if self.file is None:
            return self.split or ""
        return path_text(self.file) + ("" if self.line is None else f": line {self.line}")

    @property
    def text(self) -> str:
        """Place and message."""
        return f"{self.place}: {self.message}" if self.place else self.message

    def describe(self) -> dict[str, Any]:
        """Return the problem as JSON takes it."""
        return {
            "severity": self.severity,
            "kind": self.kind,
            "split": self.split,
            "file": None if self.file is None else path_text(self.file),
            "line": self.line,
            "message": self.message,
        }


class DataError(SourceError):
    """A data set has several problems.

    Attributes
    ----------
    problems
        All of them.
    """

    problems: tuple[Problem, ...] = ()


def refuse(problems: Sequence[Problem], argument: str, hint: str | None = None) -> None:
    """Raise one error for all problems of severity error; do nothing without any.

    Parameters
    ----------
    problems
        What was found.
    argument
        The data set, as the caller knows it.
    hint
        What may be done about it.

    Raises
    ------
    InputError
        One problem: the error that told of it. Several: a :class:`DataError` that has them all.
    """
    errors = [problem for problem in problems if problem.severity == ERROR]
    if not errors:
        return
    first = errors[0]
    if len(errors) == 1 and first.cause is not None:
        raise first.cause
    more = f"; and {len(errors) - NAMED} more" if len(errors) > NAMED else ""
    listed = "; ".join(problem.text for problem in errors[:NAMED]) + more
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    error = DataError(
        f"{count}: {listed}",
        argument=argument,
        expected="a data set without problems",
        got=count,
        where=first.place or None,
        hint=hint,
    )
    error.problems = tuple(errors)
    raise error


def check_bad_files(bad_files: object, argument: str = "bad_files") -> None:
    """Refuse a word that says nothing about files that cannot be used."""
    if bad_files not in BAD_FILES:
        raise InputError(
            argument=argument, expected="'refuse' or 'leave-out'", got=shown(bad_files)
        )

"""The errors of tailwatch: a small tree under :class:`TailwatchError`, and names that were meant.

Every error carries what went wrong as fields, and its text is made of them: the argument, what was
expected, what came, where, and what to do about it. Values, names and texts of other libraries come
into the fields from outside, so each is made one line of bounded length in which control characters
are shown as escapes.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any

from tailwatch.text_form import one_line, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "DimensionError",
    "InputError",
    "MissingDependencyError",
    "NonFiniteError",
    "OutputError",
    "ShardError",
    "SourceError",
    "TailwatchError",
    "TailwatchWarning",
    "meant",
    "no_such_name",
]

_LONGEST_FIELD, _LONGEST_PROBLEM, _LONGEST_NAME = 400, 1200, 200


class TailwatchError(Exception):
    """Base of every error that tailwatch raises on purpose.

    The text is ``argument: expected …, got … (where); hint``, of the fields that are there; with a
    `problem`, that stands in place of what was expected, what came, and where.

    Parameters
    ----------
    problem
        What is wrong, in words of its own.
    argument
        Name of the argument, option, file or column as the caller knows it.
    expected
        What would have been right.
    got
        What came instead.
    where
        The row, line, file or member that it came in.
    hint
        What to do about it.
    """

    def __init__(
        self,
        problem: str | None = None,
        *,
        argument: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.problem = _line(problem, _LONGEST_PROBLEM)
        self.argument = _line(argument, _LONGEST_FIELD)
        self.expected = _line(expected, _LONGEST_PROBLEM)
        self.got = _line(got, _LONGEST_FIELD)
        self.where = _line(where, _LONGEST_FIELD)
        self.hint = _line(hint, _LONGEST_PROBLEM)
        super().__init__(self._text())

    def _text(self) -> str:
        """Put the fields into one line."""
        said = self.problem
        if said is None:
            parts = [("expected", self.expected), ("got", self.got)]
            said = ", ".join(f"{word} {value}" for word, value in parts if value is not None)
            said += f" ({self.where})" if self.where is not None else ""
        lead = f"{self.argument}: " if self.argument is not None else ""
        return f"{lead}{said}" + (f"; {self.hint}" if self.hint is not None else "")

    def __str__(self) -> str:
        """Return the text, which those errors that are an `OSError` too would put otherwise."""
        return str(self.args[0])

    @property
    def fields(self) -> dict[str, str | None]:
        """The five fields by name; ``None`` for one that says nothing here."""
        names = ("argument", "expected", "got", "where", "hint")
        return {name: getattr(self, name) for name in names}

    def __reduce__(self) -> tuple[Callable[..., TailwatchError], tuple[str | None], dict[str, Any]]:
        """Travel between processes with all fields."""
        return partial(type(self), **self.fields), (self.problem,), self.__dict__


def _line(text: str | None, most: int) -> str | None:
    """Make a field one line that can be shown anywhere."""
    if text is None:
        return None
    return shortened(one_line(str(text)), most)


class InputError(TailwatchError, ValueError):
    """An argument is not what the function takes."""


class DimensionError(InputError):
    """Shapes do not fit: not two-dimensional, ragged, or different numbers of columns."""


class NonFiniteError(InputError):
    """The data hold NaN, an infinity, or a magnitude whose square overflows."""


class SourceError(InputError):
    """A file, column or pattern that was asked for cannot be read."""


class ShardError(SourceError):
    """Shards of a data set could not be scored; the others were.

    Attributes
    ----------
    report
        What was found in the others; None where no shard could be scored, or at the first failure
        in strict mode.
    """

    report: Any = None

    def __init__(
        self,
        problem: str | None = None,
        report: Any = None,  # noqa: ANN401  (of a layer above)
        **fields: str | None,
    ) -> None:
        super().__init__(problem, **fields)
        self.report = report


class OutputError(TailwatchError, OSError):
    """Results cannot be written where they were to go."""


class MissingDependencyError(TailwatchError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""

    @classmethod
    def of_extra(
        cls, *, extra: str, argument: str, expected: str, where: str | None = None
    ) -> MissingDependencyError:
        """Return the error of what `extra` of this package would bring.

        Parameters
        ----------
        extra
            Name of the extra.
        argument
            What needs it, as the caller knows it.
        expected
            The package, and what it does.
        where
            The file that it was needed for.
        """
        return cls(
            argument=argument,
            expected=expected,
            got="none that can be imported",
            where=where,
            hint=f"pip install 'tailwatch[{extra}]'",
        )


class TailwatchWarning(UserWarning):
    """A number may mislead, and the message says why."""


def meant(name: str, known: Iterable[str]) -> str | None:
    """Return the question after those names that may have been meant, the hint of an error.

    Parameters
    ----------
    name
        What was given, and is none of the names.
    known
        The names there are.

    Examples
    --------
    >>> from tailwatch.exceptions import meant
    >>> meant("acumulate", ["replace", "accumulate"])
    'did you mean accumulate?'
    """
    lower = name[:_LONGEST_NAME].lower()
    names = list(dict.fromkeys(known))
    near = [each for each in names if lower == each.lower() or lower in each.lower().split("_")]
    near = near or get_close_matches(name[:_LONGEST_NAME], names, cutoff=0.7)
    if not near:
        plain = {each.lower().replace("_", ""): each for each in reversed(names)}
        found = get_close_matches(lower.replace("_", ""), plain, cutoff=0.7)
        near = [plain[each] for each in found]
    return f"did you mean {' or '.join(near)}?" if near else None


def no_such_name(module: str, name: str, public: Iterable[str]) -> AttributeError:
    """Make the error about a name that a module has not, with those that may have been meant.

    Examples
    --------
    >>> from tailwatch.exceptions import no_such_name
    >>> print(no_such_name("m", "coverage", ["mmd", "tail_coverage"]))
    module 'm' has no attribute 'coverage'; did you mean tail_coverage?
    """
    question = meant(name, public)
    said = f"module {module!r} has no attribute {name!r}"
    return AttributeError(f"{said}; {question}" if question else said, name=name)

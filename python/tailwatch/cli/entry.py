"""The way in and the way out: arguments to a command, errors and signals to an exit code."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from typing import TYPE_CHECKING, NoReturn

import typer

from tailwatch.cli import signals
from tailwatch.cli.app import app
from tailwatch.cli.streams import Outlets
from tailwatch.cli.wording import ExitCode
from tailwatch.exceptions import TailwatchError, TailwatchWarning
from tailwatch.text_form import one_line, path_text, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

__all__ = ["main", "run"]

_REACHED = (
    ExitCode.FINE,
    ExitCode.GATE_FAILED,
    ExitCode.INCONCLUSIVE,
    ExitCode.INCOMPLETE,
)
_LONGEST_LINE = 4000
# Commands that have --max-rows.
_BOUNDED = {"compare", "loop"}


def main() -> NoReturn:
    """Run the command line of this process and end the process."""
    outlets = Outlets()
    try:
        signals.raise_from_now_on()
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = _interrupted()
    except BaseException:  # noqa: BLE001  (a panic of the native code is not an Exception)
        # A library in the middle of which a signal came may have made another error of it.
        code = _interrupted() if signals.was_interrupted() else _defect()
    # Whatever was to be done is done or was given up; a late signal must not look like a defect.
    signals.listen()
    failure = outlets.failure()
    if failure is not None and code in _REACHED:
        _say(f"error: standard output: {failure.strerror}; what was to be written there is lost")
        code = ExitCode.BAD_INPUT
    if code == ExitCode.INTERRUPTED:
        # An abandoned worker may be deep in native code: a regular exit would wait for its locks.
        signals.leave(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors become one line on standard error.

    With ``TAILWATCH_TRACEBACK=1`` in the environment the traceback is printed before that line.

    Parameters
    ----------
    arguments
        What follows the program's name.

    Returns
    -------
    int
        One of :class:`tailwatch.cli.wording.ExitCode`.
    """
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            code: int | None = app(list(arguments), prog_name="tailwatch", standalone_mode=False)
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
        except (
            TailwatchError,
            typer.TyperException,
            typer.Abort,
            MemoryError,
            OSError,
            SystemExit,
        ) as error:
            if signals.was_interrupted():
                return _interrupted()
            if os.environ.get("TAILWATCH_TRACEBACK") == "1":
                traceback.print_exc()
            _say(f"error: {_describe(error, arguments)}")
            return ExitCode.BAD_INPUT
    if code == ExitCode.INTERRUPTED:
        return _interrupted()
    return code or ExitCode.FINE


def _interrupted() -> int:
    _say("interrupted")
    return ExitCode.INTERRUPTED


def _defect() -> int:
    traceback.print_exc()
    return ExitCode.DEFECT


def _show_warning(  # noqa: PLR0917  (the signature is Python's)
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show our own warnings as a line for people, all others as Python does."""
    if issubclass(category, TailwatchWarning):
        _say(f"warning: {message}")
    else:
        text = warnings.formatwarning(message, category, filename, lineno, line)
        (file or sys.stderr).write(text)


def _describe(error: BaseException, arguments: Sequence[str]) -> str:
    """Return what went wrong."""
    if isinstance(error, typer.Abort | SystemExit) and isinstance(
        error.__context__, EOFError | OSError
    ):
        # What Typer makes of the end of a file, and of a pipe that broke.
        error = error.__context__
    if isinstance(error, typer.TyperException):
        return error.format_message() + _where_to_look(error)
    if isinstance(error, OSError) and error.strerror:
        names = [path_text(error.filename)] if isinstance(error.filename, str | bytes) else []
        return ": ".join([*names, error.strerror])
    if isinstance(error, MemoryError):
        is_bounded = bool(_BOUNDED.intersection(arguments[:1]))
        hint = " (--max-rows bounds what is compared)" if is_bounded else ""
        return f"not enough memory: {error}{hint}"
    if isinstance(error, SystemExit):
        return f"the command was ended by sys.exit({error.code!r}) before it was done"
    return str(error) or type(error).__name__


def _where_to_look(error: typer.TyperException) -> str:
    context: typer.Context | None = getattr(error, "ctx", None)
    return f" (see {context.command_path} --help)" if context else ""


def _say(text: str) -> None:
    """Write one line of text for people."""
    sys.stderr.write(shortened(one_line(text), _LONGEST_LINE) + "\n")

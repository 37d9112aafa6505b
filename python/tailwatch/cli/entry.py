"""The way in and the way out: arguments to a command, errors and signals to an exit code."""

from __future__ import annotations

import os
import signal
import sys
import traceback
import warnings
from typing import TYPE_CHECKING, NoReturn

import typer

from tailwatch.cli.app import app
from tailwatch.cli.exits import ExitCode
from tailwatch.exceptions import TailwatchError, TailwatchWarning

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

__all__ = ["main", "run"]


def main() -> NoReturn:
    """Run the command line of this process and end the process."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = run(sys.argv[1:])
    except BaseException:  # noqa: BLE001  (a panic of the native code is not an Exception)
        traceback.print_exc()
        code = ExitCode.DEFECT
    if code == ExitCode.INTERRUPTED:
        # An abandoned worker may be deep in native code: a regular exit would wait for its locks.
        sys.stderr.flush()
        os._exit(code)
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
        One of :class:`tailwatch.cli.exits.ExitCode`.
    """
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            code: int | None = app(list(arguments), prog_name="tailwatch", standalone_mode=False)
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
        except SystemExit:
            # Typer's way to say that standard output was closed: its reader has seen enough.
            return ExitCode.FINE
        except (TailwatchError, typer.TyperException, MemoryError, OSError) as error:
            if os.environ.get("TAILWATCH_TRACEBACK") == "1":
                traceback.print_exc()
            _say(f"error: {_describe(error)}")
            return ExitCode.BAD_INPUT
    if code == ExitCode.INTERRUPTED:
        _say("interrupted")
    return code or ExitCode.FINE


def _interrupt(*_: object) -> NoReturn:
    """Treat a polite request to end (SIGTERM) as Ctrl-C."""
    raise KeyboardInterrupt


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


def _describe(error: Exception) -> str:
    """Put an error into one line."""
    if isinstance(error, typer.TyperException):
        text = error.format_message() + _where_to_look(error)
    elif isinstance(error, OSError) and error.strerror:
        text = ": ".join(str(part) for part in (error.filename, error.strerror) if part)
    elif isinstance(error, MemoryError):
        text = f"not enough memory: {error} (--max-rows bounds what is compared)"
    else:
        text = str(error)
    return " ".join(text.split())


def _where_to_look(error: typer.TyperException) -> str:
    context: typer.Context | None = getattr(error, "ctx", None)
    return f" (see {context.command_path} --help)" if context else ""


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")

"""Where results go: looked at before the work that makes them begins, written when it is done."""

from __future__ import annotations

import tempfile
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

from tailwatch.background import wait_for
from tailwatch.exceptions import InputError, TailwatchError
from tailwatch.text_form import path_text
from tailwatch.writing import target_of, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailwatch.results import Result

__all__ = ["check_directory", "check_file", "open_page", "say_written", "write_page", "write_text"]


def check_file(option: str, path: Path, *, suffix: str, sources: Iterable[str] = ()) -> None:
    """Refuse an output file that could not be written at the end of a long run.

    Parameters
    ----------
    option
        The option that named the file, as the user typed it: it opens every message.
    path
        The file to be written.
    suffix
        What its name must end in, with the dot.
    sources
        The inputs of the run, as paths or glob patterns: none of them may be overwritten.

    Raises
    ------
    InputError
        The name, the directory or an existing file stands in the way.
    """
    name = path_text(path)
    if path.suffix.lower() != suffix:
        expected = f"a file name that ends in {suffix}"
        raise InputError(argument=option, expected=expected, got=name)
    if path.is_dir():
        raise InputError(argument=option, expected="a file name", got="a directory", where=name)
    _check_directory(option, path.parent)
    try:
        target_of(path)
    except TailwatchError as error:
        # What stands there would be lost, or a rename put a file in its place.
        raise InputError(
            argument=option, expected=error.expected, got=error.got, where=name, hint=error.hint
        ) from error
    if path.exists() and any(_is_same(path, source) for source in sources):
        problem = f"{name} is one of the inputs and would be overwritten"
        raise InputError(
            problem,
            argument=option,
            expected="a file that is no input",
            got="one of the inputs",
            where=name,
            hint="name another file",
        )
    _check_can_create(option, path.parent)


def check_directory(option: str, path: Path) -> None:
    """Create the directory `path` if need be, and make sure that files can be made in it.

    Raises
    ------
    InputError
        It is a file, or cannot be created or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot create the directory {path_text(path)} ({error.strerror})"
        raise InputError(
            msg,
            argument=option,
            expected="a directory that can be created",
            got=error.strerror,
            where=path_text(path),
        ) from error
    _check_can_create(option, path)


def write_page(result: Result, path: Path) -> None:
    """Write the report page of a result to `path`, whole or not at all.

    Drawing its charts takes native code half a second, so that is waited for; the file itself is
    written here, where an interruption removes what is unfinished.
    """
    page = wait_for(result.to_html)
    write_atomically(path, lambda file: file.write_text(page, encoding="utf-8"))
    say_written(path)


def write_text(path: Path, text: str) -> None:
    """Write a text to `path`, whole or not at all."""
    write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))
    say_written(path)


def say_written(path: Path) -> None:
    """Tell people that a file is there."""
    from tailwatch.cli.table import for_people

    for_people().print(f"wrote {path_text(path)}", soft_wrap=True)


def open_page(path: Path) -> None:
    """Show a page in the browser."""
    import webbrowser

    webbrowser.open(path.resolve().as_uri())


def _check_directory(option: str, directory: Path) -> None:
    if not directory.is_dir():
        msg = f"the directory {path_text(directory)} does not exist"
        raise InputError(
            msg,
            argument=option,
            expected="a directory that exists",
            got="nothing",
            where=path_text(directory),
            hint="make it first",
        )


def _check_can_create(option: str, directory: Path) -> None:
    """Make and drop a nameless file: permission bits alone do not tell (root, read-only mounts)."""
    _check_directory(option, directory)
    try:
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        msg = f"cannot write to the directory {path_text(directory)} ({error.strerror})"
        raise InputError(
            msg,
            argument=option,
            expected="a directory that can be written to",
            got=error.strerror,
            where=path_text(directory),
        ) from error


def _is_same(path: Path, source: str) -> bool:
    # `Path.glob` takes no absolute patterns. A name may also hold a bracket and mean it.
    matches = {Path(source), *map(Path, glob(source))}  # noqa: PTH207
    return any(match.exists() and match.samefile(path) for match in matches)

"""Files inside a directory that a run, a job, a pack or a study owns: no link is followed.

Such a directory may come from a stranger, with any of its parts replaced by a link, a device or
another thing. Whoever reads or writes in it names the directory, which the user gave and which may
itself be a link, and the name of a part below it; each step from the directory to that part has to
be a real directory, and the part a regular file. What is not is refused by its name, and nothing
outside of the directory is read, written or removed.

A directory that another process changes at the same time is beyond this: the checks come before
the use.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO

from tailwatch.exceptions import OutputError, SourceError, TailwatchError
from tailwatch.text_form import path_text
from tailwatch.writing import kind_of, replace_by

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "make_owned",
    "open_owned",
    "owned_directory",
    "owned_file",
    "read_owned",
    "remove_owned",
    "write_owned",
]

LARGEST_TEXT = 1 << 28
"""Bytes of a file that is read as a whole: 256 MiB."""


def owned_file(
    directory: Path, name: str | PurePath, *, error: type[TailwatchError] = SourceError
) -> Path:
    """Return the path of a file below `directory`: one that is there, or one that may be made.

    Raises
    ------
    TailwatchError
        Of the class `error`: a step on the way is a link or no directory, or the file is a link, a
        directory or a device.
    """
    return _checked(directory, name, stat.S_IFREG, error)


def owned_directory(
    directory: Path, name: str | PurePath, *, error: type[TailwatchError] = SourceError
) -> Path:
    """Return the path of a directory below `directory`, as :func:`owned_file` does for a file."""
    return _checked(directory, name, stat.S_IFDIR, error)


def make_owned(directory: Path, name: str | PurePath) -> Path:
    """Make a directory below `directory`, and those that it lies in; it may be there already."""
    path = owned_directory(directory, name, error=OutputError)
    path.mkdir(parents=True, exist_ok=True)
    return path


def write_owned(directory: Path, name: str | PurePath, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a temporary file, then put it in place below `directory`.

    Parameters
    ----------
    directory
        What owns the file; its path may lead through links.
    name
        Of the file, or its path from the directory.
    write
        Called with the temporary path, beside the file. If it fails, or the process is interrupted,
        the temporary file is removed and the file is as it was.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    OSError
        The file cannot be written; as an :class:`~tailwatch.exceptions.OutputError` where a link, a
        device or another thing stands in its place or on the way.
    """
    path = owned_file(directory, name, error=OutputError)
    replace_by(path, write)
    return path


def open_owned(directory: Path, name: str | PurePath) -> BinaryIO:
    """Open a regular file below `directory` for reading, without waiting for a FIFO.

    Raises
    ------
    SourceError
        See :func:`owned_file`.
    OSError
        It is not there, or cannot be read.
    """
    path = owned_file(directory, name)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _refusal(directory, path, "something else since it was looked at", SourceError)
    return file


def read_owned(directory: Path, name: str | PurePath, *, most: int = LARGEST_TEXT) -> bytes:
    """Return the bytes of a regular file below `directory`, of at most `most` bytes.

    Raises
    ------
    SourceError
        The file is larger, or see :func:`owned_file`.
    OSError
        It is not there, or cannot be read.
    """
    with open_owned(directory, name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise SourceError(
            argument=path_text(directory / name),
            expected=f"a file of at most {most:,} bytes",
            got=f"{(directory / name).stat().st_size:,}",
        )
    return content


def remove_owned(directory: Path, name: str | PurePath) -> None:
    """Remove a file, a link or a whole directory below `directory`; it may be missing.

    A link is removed, and what it leads to is left alone; so it is within a directory.

    Raises
    ------
    OutputError
        A step on the way is a link or no directory.
    OSError
        It cannot be removed.
    """
    path = directory / name
    _check_way(directory, PurePath(name), OutputError)
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _checked(directory: Path, name: str | PurePath, kind: int, error: type[TailwatchError]) -> Path:
    path = directory / name
    _check_way(directory, PurePath(name), error)
    mode = _mode(directory, path, error)
    if mode is not None and stat.S_IFMT(mode) != kind:
        raise _refusal(directory, path, _named(path, mode), error, wanted=kind)
    return path


def _check_way(directory: Path, name: PurePath, error: type[TailwatchError]) -> None:
    """Refuse a name that leads out of the directory, or through anything but real directories."""
    if name.is_absolute() or name.anchor or ".." in name.parts or not name.parts:
        raise error(
            argument=path_text(directory),
            expected="the name of a part of it",
            got=path_text(name),
        )
    for depth in range(1, len(name.parts)):
        step = directory.joinpath(*name.parts[:depth])
        mode = _mode(directory, step, error)
        if mode is None:
            return
        if not stat.S_ISDIR(mode):
            raise _refusal(directory, step, _named(step, mode), error, wanted=stat.S_IFDIR)


def _mode(directory: Path, path: Path, error: type[TailwatchError]) -> int | None:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None
    except OSError as failure:
        if failure.errno == errno.ENOTDIR:
            return None
        raise _refusal(directory, path, failure.strerror or "nothing readable", error) from failure


def _named(path: Path, mode: int) -> str:
    if not stat.S_ISLNK(mode):
        return "a file" if stat.S_ISREG(mode) else kind_of(mode)
    try:
        return f"a link to {path_text(path.readlink())}"
    except OSError:
        return "a link"


def _refusal(
    directory: Path,
    path: Path,
    got: str,
    error: type[TailwatchError],
    wanted: int = stat.S_IFREG,
) -> TailwatchError:
    return error(
        argument=path_text(path),
        expected="a directory of its own" if wanted == stat.S_IFDIR else "a regular file",
        got=got,
        where=f"in {path_text(directory)}",
        hint="links and devices inside this directory are not followed; remove it",
    )

"""Files that appear whole or not at all: where the user named them, and in directories of ours.

**At a path that the user named on this call** a link is followed: the file that it leads to is
replaced, the link stays. What is no regular file (a device, a FIFO, a socket, a link that leads in
a circle) is refused, since a rename would put a file in its place; standard output is written by
``--json`` alone. A file that is replaced keeps its permissions and, where the system allows it, its
owner; a new one has those that the umask gives.

**Inside a directory that a run, a job, a pack or a study owns** no link is followed. Such a
directory may come from a stranger, with any of its parts replaced by a link, a device or another
thing. Whoever reads or writes in it names the directory, which the user gave and which may itself
be a link, and the name of a part below it; each step from the directory to that part has to be a
real directory, and the part a regular file. What is not is refused by its name, and nothing outside
of the directory is read, written or removed. A directory that another process changes at the same
time is beyond this: the checks come before the use.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, BinaryIO

from tailwatch.exceptions import OutputError, SourceError, TailwatchError
from tailwatch.text_form import path_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "fill",
    "kind_of",
    "make_owned",
    "open_owned",
    "owned_directory",
    "owned_file",
    "read_owned",
    "remove_owned",
    "replace_by",
    "target_of",
    "write_atomically",
    "write_owned",
]

LARGEST_TEXT = 1 << 28
"""Bytes of a file that is read as a whole: 256 MiB."""

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a link",
}

_READABLE_BY_ALL = 0o044


def write_atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a temporary file beside `path`, then rename it to `path`.

    Parameters
    ----------
    path
        The file to make or replace. A link is followed.
    write
        Called with the temporary path. If it fails, or the process is interrupted, the temporary
        file is removed and `path` is as it was.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    OSError
        The folder does not exist, or the file cannot be written; as an
        :class:`~tailwatch.exceptions.OutputError` if `path` is a device, a FIFO, a socket, a
        directory, or links that lead in a circle.
    """
    replace_by(target_of(path), write)
    return path


def target_of(path: Path) -> Path:
    """Return the file that `path` names, links followed, if a file can be made or replaced there.

    Raises
    ------
    OSError
        See :func:`write_atomically`.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = None
    except OSError as error:
        circle = error.errno == errno.ELOOP
        got = "links that lead in a circle" if circle else error.strerror or "no such thing"
        raise _refusal(path, got) from error
    target = Path(os.path.realpath(path))
    if mode is None:
        if not target.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "No such directory", str(path.parent))
    elif not stat.S_ISREG(mode):
        raise _refusal(path, kind_of(mode))
    elif not mode & 0o222:
        # A rename would replace it without a word, and root may write to any.
        raise _refusal(path, "a file that is read-only")
    return target


def replace_by(target: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `target`, then put it there, following no link."""
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        before = target.lstat()
    except FileNotFoundError:
        before = None
    try:
        if before is not None and before.st_mode & _READABLE_BY_ALL != _READABLE_BY_ALL:
            # What few may read must not be read by more while it is written.
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        write(temporary)
        if before is not None:
            _take_over(before, temporary)
        _keep(temporary)
        temporary.replace(target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        # A full disk has no name, and the temporary one tells the caller nothing.
        if isinstance(error, OSError) and error.errno is not None:
            error.filename = str(target) if _is_unnamed(error, temporary) else error.filename
        raise


def fill(file: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file that is open: Polars takes no path that is not UTF-8."""
    with file.open("wb") as opened:
        write(opened)


def kind_of(mode: int) -> str:
    """Name what a mode says a thing is."""
    return _KINDS.get(stat.S_IFMT(mode), "no regular file")


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
        raise _refusal_of_part(
            directory, path, "something else since it was looked at", SourceError
        )
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


def _is_unnamed(error: OSError, temporary: Path) -> bool:
    return error.filename in {None, str(temporary)}


def _take_over(before: os.stat_result, temporary: Path) -> None:
    """Give a new file the owner and the permissions of the one that it replaces."""
    if os.name == "nt":
        return
    now = temporary.stat()
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        # Only root may give a file away; for others the new file is their own.
        with suppress(OSError):
            os.chown(temporary, before.st_uid, before.st_gid)
    temporary.chmod(before.st_mode & 0o777)


def _keep(temporary: Path) -> None:
    """Have the system write a file to its disk."""
    # Reading suffices, and the permissions may be those of a file that nobody may write to.
    file = os.open(temporary, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _refusal(path: Path, got: str) -> OutputError:
    return OutputError(
        argument=path_text(path),
        expected="a regular file, or a name for one",
        got=got,
        hint="name another file" if got != "a directory" else "name a file in it",
    )


def _checked(directory: Path, name: str | PurePath, kind: int, error: type[TailwatchError]) -> Path:
    path = directory / name
    _check_way(directory, PurePath(name), error)
    mode = _mode(directory, path, error)
    if mode is not None and stat.S_IFMT(mode) != kind:
        raise _refusal_of_part(directory, path, _named(path, mode), error, wanted=kind)
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
            raise _refusal_of_part(directory, step, _named(step, mode), error, wanted=stat.S_IFDIR)


def _mode(directory: Path, path: Path, error: type[TailwatchError]) -> int | None:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None
    except OSError as failure:
        if failure.errno == errno.ENOTDIR:
            return None
        raise _refusal_of_part(
            directory, path, failure.strerror or "nothing readable", error
        ) from failure


def _named(path: Path, mode: int) -> str:
    if not stat.S_ISLNK(mode):
        return "a file" if stat.S_ISREG(mode) else kind_of(mode)
    try:
        return f"a link to {path_text(path.readlink())}"
    except OSError:
        return "a link"


def _refusal_of_part(
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

"""Files that appear whole or not at all, at a path that the user named on this call.

A link at that path is followed: the file that it leads to is replaced, the link stays. What is no
regular file (a device, a FIFO, a socket, a link that leads in a circle) is refused, since a rename
would put a file in its place; standard output is written by ``--json`` alone. A file that is
replaced keeps its permissions and, where the system allows it, its owner; a new one has those that
the umask gives. Files inside a directory that a run, a job or a pack owns are written by
:mod:`tailwatch.owned`, which follows no link.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tailwatch.exceptions import OutputError
from tailwatch.text_form import path_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fill", "kind_of", "replace_by", "target_of", "write_atomically"]

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


def _is_unnamed(error: OSError, temporary: Path) -> bool:
    return error.filename in {None, str(temporary)}


def fill(file: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file that is open: Polars takes no path that is not UTF-8."""
    with file.open("wb") as opened:
        write(opened)


def kind_of(mode: int) -> str:
    """Name what a mode says a thing is."""
    return _KINDS.get(stat.S_IFMT(mode), "no regular file")


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

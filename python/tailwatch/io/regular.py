"""Regular files, and nothing else, opened for reading.

A pipe waits for a writer and is deaf to signals meanwhile, a device may do anything: they are
refused by their kind, before they are opened, and again once they are, should one have taken the
place of a file.
"""

from __future__ import annotations

import os
import stat
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from tailwatch.exceptions import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from tailwatch.io.place import Place

__all__ = [
    "Stamp",
    "fill",
    "open_regular",
    "refuse_pointer",
    "refuse_special",
    "stamp_at",
    "stamp_of",
]


class Stamp(NamedTuple):
    """Inode, size, times of the last change of content and of anything, and links of a file."""

    inode: int
    size: int
    modified: int
    changed: int
    links: int

    def is_written_to(self, later: Stamp) -> bool:
        """Return whether an open file was written to; the loss of a name changes a time, too."""
        return self[:3] != later[:3] or (
            self.changed != later.changed and self.links == later.links
        )

    def is_another(self, other: Stamp) -> bool:
        """Return whether the file or its content is another; a new link to it changes neither."""
        return self[:3] != other[:3]


_KINDS: Final = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a directory",
}
_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_POINTER_BYTES: Final = 1024


def refuse_special(path: Path, place: Place) -> None:
    """Refuse what is no regular file, without opening it.

    Raises
    ------
    SourceError
        It is a pipe, a socket or a device.
    """
    with place.reading():
        found = path.stat()
    _check(found.st_mode, place)


def open_regular(path: Path, place: Place) -> IO[bytes]:
    """Open a regular file for reading.

    Raises
    ------
    SourceError
        It is none, or cannot be opened.
    """
    refuse_special(path, place)
    with place.reading():
        # A pipe that came in between would otherwise be waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    file = os.fdopen(descriptor, "rb", buffering=0)
    try:
        _check(os.fstat(descriptor).st_mode, place)
    except SourceError:
        file.close()
        raise
    return file


def refuse_pointer(path: Path, place: Place) -> None:
    """Refuse what Git LFS puts in place of a file that was not fetched.

    Raises
    ------
    SourceError
        It is such a pointer, or cannot be read.
    """
    with open_regular(path, place) as file, place.reading():
        start = file.read(_POINTER_BYTES)
    if start.startswith(_POINTER):
        raise SourceError(
            argument=place.subject,
            expected="the data",
            got="a Git LFS pointer to it",
            hint="`git lfs pull` fetches what it points to",
        )


def fill(file: IO[bytes], buffer: memoryview) -> bool:
    """Fill a buffer from where a file stands; return whether there were enough bytes."""
    left: Any = buffer
    read: Any = file
    while left:
        count = read.readinto(left)
        if not count:
            return False
        left = left[count:]
    return True


def stamp_of(file: IO[bytes]) -> Stamp:
    """Return the stamp of an open file."""
    return _stamp(os.fstat(file.fileno()))


def stamp_at(path: Path) -> Stamp:
    """Return the stamp of the file of a name."""
    return _stamp(path.stat())


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_nlink)


_BINARY: Final = getattr(os, "O_BINARY", 0)


def _check(mode: int, place: Place) -> None:
    if stat.S_ISREG(mode):
        return
    raise SourceError(
        argument=place.subject,
        expected="a regular file",
        got=_KINDS.get(stat.S_IFMT(mode), "something else"),
        hint="write its content to a file first",
    )

"""Regular files, and nothing else, opened for reading; and where they came from, in an error.

A pipe waits for a writer and is deaf to signals meanwhile, a device may do anything: they are
refused by their kind, before they are opened, and again once they are, should one have taken the
place of a file.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from tailwatch.exceptions import SourceError, TailwatchError
from tailwatch.text_form import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "Place",
    "Stamp",
    "fill",
    "open_regular",
    "reason",
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

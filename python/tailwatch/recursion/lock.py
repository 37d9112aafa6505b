"""One run at a time in a directory.

The lock is the system's (``flock``) on the file ``.lock``, which names the process that holds it: a
process that ends, however it ends, holds it no longer, and the file that a killed one leaves behind
stands in nobody's way. On systems, and on network file systems, without such locks there is none.
"""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from tailwatch.exceptions import InputError, OutputError
from tailwatch.text_form import path_text, visible
from tailwatch.writing import owned_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOCK", "Lock"]

LOCK = ".lock"
LONGEST_HOLDER = 200


class Lock:
    """The lock of a run directory, held from now on.

    Parameters
    ----------
    directory
        The directory.

    Raises
    ------
    InputError
        Another run holds it; the message names its process.
    """

    def __init__(self, directory: Path) -> None:
        self._path = owned_file(directory, LOCK, error=OutputError)
        self._owner = os.getpid()
        self._descriptor = _locked(self._path, directory)

    def release(self) -> None:
        """Hold it no longer; a child that was forked meanwhile leaves it alone."""
        if self._descriptor is None or os.getpid() != self._owner:
            return
        # First the name: whoever opens it from now on makes a file of their own.
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None


def _locked(path: Path, directory: Path) -> int | None:
    try:
        import fcntl
    except ImportError:
        return None
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    while True:
        descriptor = os.open(path, flags, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, LONGEST_HOLDER).decode("utf-8", "replace").strip()
            os.close(descriptor)
            raise InputError(
                problem=f"another run is at work in {path_text(directory)} "
                f"({visible(holder) or 'of an unknown process'})",
                argument="directory",
                expected="a directory that no other run is at work in",
                got=visible(holder) or "a run of an unknown process",
                where=path_text(directory),
                hint="wait for it, or choose another directory",
            ) from None
        except OSError:
            # Some network file systems have no locks.
            os.close(descriptor)
            path.unlink(missing_ok=True)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        if _is_at(descriptor, path):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {platform.node()}\n".encode())
            return descriptor
        # Its holder has ended and removed it since it was opened.
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)

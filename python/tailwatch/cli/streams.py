"""Standard output and standard error that never end a command: what could not be written is kept.

A terminal that is gone, a pipe whose reader has left, a full disk or a descriptor that was closed
from the start make every ``print`` of Python raise, in the middle of a job or after its verdict.
Here such a write is dropped and its error remembered; the job goes on, its files are written, and
the exit code is decided at the end:

=========================  =======================================================================
standard error             nothing changes: what people are told is no part of the result
standard output, its       nothing changes: a reader who has left has seen enough
reader has left (EPIPE)
standard output, all else  an error that is named, exit code 2: what was asked for is not there
=========================  =======================================================================
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["Outlets"]


class _Outlet(io.RawIOBase):
    """A descriptor to write to, whatever becomes of it."""

    def __init__(self, descriptor: int, failure: OSError | None) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._was_closed = failure
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: object) -> int:
        """Write some of `data`; where that fails, take it all and remember why."""
        view = memoryview(data).cast("B")  # type: ignore[arg-type]
        if self._was_closed is not None:
            self.failure = self._was_closed
        while self.failure is None:
            try:
                return os.write(self._descriptor, view)
            except BlockingIOError:
                # A terminal or a pipe that another process made non-blocking.
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.failure = error
        return len(view)


class Outlets:
    """Both standard streams of this process, replaced by such that do not fail."""

    def __init__(self) -> None:
        closed = _open_what_is_closed()
        self._output = _Outlet(1, closed.get(1))
        sys.stdout = _text(self._output, sys.stdout)
        sys.stderr = _text(_Outlet(2, closed.get(2)), sys.stderr)

    def failure(self) -> OSError | None:
        """Return what kept standard output from being written, unless its reader has left."""
        sys.stdout.flush()
        sys.stderr.flush()
        failure = self._output.failure
        return None if failure is None or failure.errno == errno.EPIPE else failure


def _open_what_is_closed() -> dict[int, OSError]:
    """Put the null device where a standard descriptor is closed.

    A file that is opened later would get that number, and what is written to standard error, by
    whatever library, would go into it.
    """
    closed: dict[int, OSError] = {}
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError as error:
            closed[descriptor] = error
            # The lowest free number, which is this one.
            os.open(os.devnull, os.O_RDWR)
    return closed


def _text(outlet: _Outlet, before: TextIO | None) -> TextIO:
    """Return a text stream like the one before, for which no character is too much."""
    return io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding="utf-8" if before is None else before.encoding,
        errors="backslashreplace",
        line_buffering=outlet.fileno() == 2 or outlet.isatty(),
    )

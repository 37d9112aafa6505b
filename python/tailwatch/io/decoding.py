"""Files that a library decodes, read in a process of its own (:mod:`tailwatch.io.decoder`).

A damaged file can end or hang the process that decodes it. Here that is another one: its death is
an error that names the file, and the next file gets a new process. Rows come over a pipe, batch by
batch; while one is used, the next is decoded.

Processes are started when they are needed, by ``multiprocessing``'s executable (set it with
``multiprocessing.set_executable`` where Python is embedded), without ``fork``, so they work in
forked children and beside any threads. A few are kept for the next file. They end with this
process, however it ends, since each ends with its standard input.

Cost: a third of a second for the first file; about 0.1 s of a core for each GB that comes over.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import multiprocessing.spawn
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final

from tailwatch.io.decoder import Head, received
from tailwatch.io.regular import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PATIENCE_SECONDS", "DecodingError", "answers", "processes"]

PATIENCE_SECONDS: Final = 10.0
"""How long a process may work on a batch before it counts as hung, and on its share of the file."""

_BYTES_PER_SECOND: Final = 10_000_000
_START_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.05
_KEPT: Final = 2
_PIPE_BYTES: Final = 1 << 20
_SAID_BYTES: Final = 4096
_CODE: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.stdin.buffer.readline()); "
    "from tailwatch.io.decoder import serve; serve()"
)


class DecodingError(Exception):
    """A file could not be decoded; the text says why."""


def answers(request: Head) -> Iterator[tuple[Head, NDArray[np.uint8]]]:
    """Ask a process for something, and yield what it answers.

    Parameters
    ----------
    request
        As :mod:`tailwatch.io.decoder` lists them; of a ``stream`` every batch is yielded.

    Raises
    ------
    DecodingError
        The file is damaged, or the process died or hung over it.
    """
    process, answer = _begun(request)
    try:
        while True:
            head, body = answer
            del answer
            if head.get("end", request["do"] != "stream"):
                process.idle = True
            if head.get("end"):
                return
            if not process.idle:
                process.send({"do": "next"})
            yield head, body
            del body
            if process.idle:
                return
            answer = process.receive(request["path"])
    finally:
        _given_back(process)


def _begun(request: Head) -> tuple[_Process, tuple[Head, NDArray[np.uint8]]]:
    """Put a request to a process, and wait for the first answer."""
    process = _taken()
    try:
        process.send(request)
        try:
            return process, process.receive(request["path"])
        except DecodingError:
            if process.idle or not process.panicked:
                raise
            # What an earlier file left behind may be at fault: this one gets a fresh process.
            process.kill()
        process = _Process()
        process.send(request)
        return process, process.receive(request["path"])
    except BaseException:
        _given_back(process)
        raise


class _Process:
    """One process and the pipes to it."""

    def __init__(self) -> None:
        self.idle = True
        self.panicked = False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        try:
            self._popen = subprocess.Popen(  # noqa: S603  (this Python, and code from here)
                [_executable(), "-I", "-c", _CODE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                bufsize=0,
                # A signal that a terminal sends to all is for the process that asks.
                process_group=0 if os.name == "posix" else None,
            )
        except (OSError, ValueError) as error:
            self._said.close()
            raise DecodingError(_cannot_start(str(error))) from error
        self._into: Any = self._popen.stdin
        self._out: Any = self._popen.stdout
        _ALL.add(self)
        self._enlarge()
        here = [entry or os.getcwd() for entry in sys.path]  # noqa: PTH109  (text, as in sys.path)
        try:
            self.send(here)
            self._wait(_START_SECONDS)
            received(self._fill)
        except (DecodingError, ValueError, MemoryError) as error:
            said = self._last_words()
            self.kill()
            raise DecodingError(_cannot_start(said or str(error))) from error
        except BaseException:
            self.kill()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._popen.poll() is None

    @property
    def number(self) -> int:
        """Number of the process in the system."""
        return self._popen.pid

    def send(self, request: Head | list[str]) -> None:
        """Send a request."""
        self.idle = False
        # A process that is gone is noticed where its answer is read.
        with contextlib.suppress(BrokenPipeError):
            left = memoryview(json.dumps(request).encode("ascii") + b"\n")
            while left:
                left = left[self._into.write(left) :]

    def receive(self, path: str) -> tuple[Head, NDArray[np.uint8]]:
        """Wait for a message."""
        with contextlib.suppress(OSError):
            size = os.stat(path).st_size  # noqa: PTH116  (a name in any encoding)
            self._wait(PATIENCE_SECONDS + size / _BYTES_PER_SECOND)
        head, body = received(self._fill)
        if "error" in head:
            self.idle = head["state"] != "spent"
            self.panicked |= head["state"] == "panicked"
            raise DecodingError(head["error"])
        return head, body

    def kill(self) -> None:
        """Kill the process, and close its pipes."""
        self._popen.kill()
        self._close()
        self._popen.wait()

    def finish(self) -> None:
        """Let the process end by itself, and wait for it."""
        self._close()
        try:
            self._popen.wait(1.0)
        except subprocess.TimeoutExpired:
            self.kill()

    def forget(self) -> None:
        """Close what a forked child has of its parent's process."""
        self._close()
        # It is none of the child's own: there is nothing to wait for.
        self._popen.returncode = 0

    def _close(self) -> None:
        for file in (self._into, self._out, self._said):
            with contextlib.suppress(OSError):
                file.close()

    def _enlarge(self) -> None:
        """Let the pipe hold more, which saves switches between the two processes."""
        with contextlib.suppress(ImportError, AttributeError, OSError):
            import fcntl

            fcntl.fcntl(self._out.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def _fill(self, buffer: memoryview) -> None:
        if not fill(self._out, buffer):
            raise DecodingError(self._death())

    def _wait(self, seconds: float) -> None:
        """Wait until there is something to read; signals are heard meanwhile.

        What counts is the time in which the process could have worked: not that in which it, or
        this one, was stopped, or in which the system kept it waiting for a disk.
        """
        if os.name != "posix":
            return
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        left = seconds
        while not poll.poll(1000 * _POLL_SECONDS):
            if not _is_waiting(self._popen.pid):
                left -= _POLL_SECONDS
            if left <= 0:
                message = f"nothing came of it in {seconds:.0f} s; the file is damaged"
                raise DecodingError(message)

    def _death(self) -> str:
        """Return how the process ended."""
        try:
            code = self._popen.wait(5.0)
        except subprocess.TimeoutExpired:
            return "the process that decodes it fell silent"
        said = self._last_words()
        try:
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        except ValueError:
            how = f"signal {-code}"
        return f"decoding it ended the process that did it ({how}{said and ': '}{said}): damaged?"

    def _last_words(self) -> str:
        """Return the last line that the process wrote to standard error."""
        try:
            size = self._said.seek(0, os.SEEK_END)
            self._said.seek(max(size - _SAID_BYTES, 0))
            lines = self._said.read().decode("utf-8", "backslashreplace").strip().splitlines()
        except (OSError, ValueError):
            return ""
        return lines[-1].strip() if lines else ""


_ALL: weakref.WeakSet[_Process] = weakref.WeakSet()
_LOCK = threading.Lock()
_IDLE: list[_Process] = []


def processes() -> list[int]:
    """Return the numbers of the processes that are kept."""
    return [process.number for process in _IDLE]


def _taken() -> _Process:
    while True:
        with _LOCK:
            process = _IDLE.pop() if _IDLE else None
        if process is None:
            return _Process()
        # One that was killed meanwhile, by whomever, is not the next file's fault.
        if process.is_alive:
            return process
        process.kill()


def _given_back(process: _Process) -> None:
    if process.idle:
        with _LOCK:
            if len(_IDLE) < _KEPT:
                _IDLE.append(process)
                return
    process.kill()


def _end_all() -> None:
    with _LOCK:
        ended, _IDLE[:] = list(_IDLE), []
    for process in ended:
        process.finish()


def _forget_all() -> None:
    """Forget the processes in a forked child, whose parent they belong to."""
    global _LOCK  # noqa: PLW0603  (another thread may have held it at the fork)
    _LOCK = threading.Lock()
    _IDLE.clear()
    for process in list(_ALL):
        process.forget()
    _ALL.clear()


atexit.register(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def _executable() -> str:
    found: Any = multiprocessing.spawn.get_executable()
    if not found or getattr(sys, "frozen", False):
        msg = "no Python executable is known"
        raise ValueError(msg)
    return os.fsdecode(found)


def _cannot_start(why: str) -> str:
    return (
        f"the process that decodes files cannot be started ({why}); "
        "multiprocessing.set_executable(...) names the Python to start"
    )


def _is_waiting(process: int) -> bool:
    """Return whether a process is stopped, or waits for a disk."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123  (twenty times a second)
            return file.read().rpartition(b")")[2].split()[0] in (b"D", b"T", b"t")
    except (OSError, IndexError):
        return False

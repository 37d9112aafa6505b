"""From a Vega-Lite specification to SVG, drawn in a process of its own.

vl-convert draws with V8, which ends the process that it runs in where it finds no memory, or no
address space, or a character that it cannot write; and which waits for ever in a forked child. In a
process of its own (`draw.py` of this folder) none of that reaches the caller: a drawing that fails
is an error like others, and a forked child has a process of its own. It is started at the first
drawing, which costs some hundredths of a second beside V8's own start, and ends when nothing was
drawn for ten seconds.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn, cast

from tailwatch.exceptions import OutputError
from tailwatch.text_form import visible

__all__ = ["svg_of"]

# The Vega-Lite release that vl-convert bundles and that Altair 6 writes.
_VEGALITE = "6.4"
_LONGEST_SECONDS = 120


def svg_of(specification: dict[str, Any]) -> str:
    """Draw a Vega-Lite specification.

    Parameters
    ----------
    specification
        What to draw; hidden characters in its texts are drawn as escapes.

    Returns
    -------
    str
        An SVG file's text.

    Raises
    ------
    OutputError
        The drawing failed, or the process that draws was ended.
    """
    request = {"specification": _shown(specification), "version": _VEGALITE}
    answer = json.loads(_drawer().ask(json.dumps(request).encode("ascii")))
    if "error" in answer:
        raise _failure(answer["error"])
    svg: str = answer["svg"]
    return svg


class _Running(NamedTuple):
    """The process that draws, and the ends of its pipes on this side."""

    process: subprocess.Popen[bytes]
    requests: IO[bytes]
    answers: IO[bytes]
    errors: IO[bytes]

    def exchange(self, request: bytes) -> bytes:
        """Send a line and read one; nothing comes if the process has ended."""
        try:
            self.requests.write(request + b"\n")
            self.requests.flush()
        except BrokenPipeError:
            return b""
        if os.name != "nt" and not select.select([self.answers], [], [], _LONGEST_SECONDS)[0]:
            self.process.kill()
        return self.answers.readline()

    def end(self) -> None:
        """End the process, if it has not ended."""
        for pipe in (self.requests, self.answers, self.errors):
            with suppress(OSError):
                pipe.close()
        self.process.kill()
        self.process.wait()

    def reason(self) -> str:
        """Say how the process ended, and the first that it said."""
        code = self.process.wait()
        ended = f"ended by {_name(-code)}" if code < 0 else f"ended with code {code}"
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").split("\n")
        first = next((line for line in map(_plain, said) if line), "")
        return f"the process that draws {ended}" + (f" ({first[:200]})" if first else "")


class _Drawer:
    """What draws for this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def ask(self, request: bytes) -> bytes:
        """Send a request and return the answer to it."""
        with self._lock:
            running = self._running
            if running is not None and running.process.poll() is None:
                answer = self._try(running, request)
                # One that had nothing to do may end in the moment in which it is asked again.
                if answer or running.process.wait() != 0:
                    return answer or self._fail(running)
            running = self._start()
            return self._try(running, request) or self._fail(running)

    def end(self) -> None:
        """End the process, if there is one."""
        if self._running is not None:
            self._running.end()
            self._running = None

    def disown(self) -> None:
        """In a forked child: the process is the parent's, and nothing of it is touched."""
        if self._running is not None:
            self._running.process.returncode = 0

    def _try(self, running: _Running, request: bytes) -> bytes:
        try:
            return running.exchange(request)
        except BaseException:
            # Whatever it would still answer must not be taken for another drawing.
            self.end()
            raise

    def _fail(self, running: _Running) -> NoReturn:
        reason = running.reason()
        self.end()
        raise _failure(reason)

    def _start(self) -> _Running:
        self.end()
        origin = getattr(find_spec("vl_convert"), "origin", None)
        if not origin or not sys.executable:
            reason = "vl-convert, or the interpreter that should run it, was not found"
            raise _failure(reason)
        script = files(__package__).joinpath("draw.py").read_text("utf-8")
        # Isolated: what lies in the working directory, or in a variable, is not imported.
        command = [sys.executable, "-I", "-S", "-c", script, str(Path(origin).parent.parent)]
        pipe = subprocess.PIPE
        try:
            errors = tempfile.TemporaryFile()  # noqa: SIM115  (as long as the process)
            try:
                process = subprocess.Popen(  # noqa: S603
                    command, stdin=pipe, stdout=pipe, stderr=errors
                )
            except BaseException:
                errors.close()
                raise
        except OSError as error:
            raise _failure(error.strerror or str(error)) from error
        requests, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        self._running = _Running(process, requests, answers, errors)
        return self._running


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _plain(line: str) -> str:
    return line.strip(" #\r\t")


def _failure(reason: str) -> OutputError:
    return OutputError(
        f"the charts could not be drawn: {reason}",
        argument="report page",
        hint="the numbers do not need it: save them as .parquet, .csv or .json; V8, which draws, "
        "needs some gigabytes of address space (ulimit -v)",
    )


def _shown(part: Any) -> Any:  # noqa: ANN401  (any JSON)
    """Return a specification whose texts have no hidden characters."""
    if isinstance(part, str):
        return visible(part)
    if isinstance(part, dict):
        return {_shown(key): _shown(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_shown(item) for item in part]
    return part


# By process: a forked child must not write into the pipes of its parent, nor close them.
_drawers: dict[int, _Drawer] = {}


def _drawer() -> _Drawer:
    return _drawers.setdefault(os.getpid(), _Drawer())


def _disown() -> None:
    for drawer in _drawers.values():
        drawer.disown()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown)


@atexit.register
def _end() -> None:
    if os.getpid() in _drawers:
        _drawers[os.getpid()].end()

"""The settings of a call: its threads, and where its progress goes.

``progress=`` means nothing, a display on standard error, or the caller's own function:

==============  =================  ==============================================================
``progress``    standard error is  what happens
==============  =================  ==============================================================
``None``        anything           nothing is shown
``True``        a terminal         one bar with stage, share done, elapsed and remaining time; it
                                   appears after half a second and is gone at the end
``True``        a file, a pipe,    plain lines with the same: one for a new stage, but none within
                a notebook         two seconds of the last one, and one every half minute
a callable      anything           ``progress(stage, done, total)`` about ten times a second, in
                                   the thread that called tailwatch
==============  =================  ==============================================================

A stage whose name ends in ``rows`` shows its rate too.

A display never outlives its ``with`` block, whichever way the block is left: the cursor and the
line it stood on are restored before an error or an interruption is reported.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from tailwatch.exceptions import InputError
from tailwatch.text_form import visible

if TYPE_CHECKING:
    from typing import TextIO

    from rich.progress import Progress, Task, TaskID

__all__ = [
    "MOST_THREADS",
    "ProgressOption",
    "ProgressReport",
    "Settings",
    "reporting",
    "running",
]

ProgressReport: TypeAlias = Callable[[str, int, int], object]
"""``report(stage, done, total)``: `done` of `total` units of the stage are finished."""

ProgressOption: TypeAlias = bool | ProgressReport | None

MOST_THREADS = 1024
"""Threads that a call may ask for, as the core has it."""

BAR_DELAY_SECONDS = 0.5
STAGE_SECONDS = 2.0
HEARTBEAT_SECONDS = 30.0


class Settings(TypedDict):
    """What the functions of the core take besides their data.

    Attributes
    ----------
    threads
        Threads to use; ``None`` for the default.
    progress
        Takes ``(stage, done, total)``.
    """

    threads: int | None
    progress: ProgressReport | None


@contextmanager
def reporting(progress: ProgressOption) -> Iterator[ProgressReport]:
    """Turn the `progress` argument of a call into a function that takes reports.

    Parameters
    ----------
    progress
        ``None`` or ``False`` for silence, ``True`` for a display on standard error, or a callable
        that takes ``(stage, done, total)``.

    Yields
    ------
    callable
        ``report(stage, done, total)``. The caller's own callable is yielded as it is, so what it
        raises stops the work.

    Raises
    ------
    InputError
        `progress` is none of these.

    Examples
    --------
    >>> seen = []
    >>> with reporting(lambda stage, done, total: seen.append((stage, done, total))) as report:
    ...     report("neighbours", 10, 40)
    >>> seen
    [('neighbours', 10, 40)]
    """
    if progress is None or progress is False:
        yield _ignore
    elif progress is True:
        display: _Bar | _Lines | _Nothing = _display()
        try:
            yield display.report
        finally:
            display.close()
    elif callable(progress):
        yield progress
    else:
        expected = "None, True or a callable"
        raise InputError(argument="progress", expected=expected, got=type(progress).__name__)


@contextmanager
def running(threads: int | None, progress: ProgressOption) -> Iterator[Settings]:
    """Check `threads`, show `progress`, and yield the settings for the core.

    Parameters
    ----------
    threads
        Threads to use; ``None`` for ``TAILWATCH_NUM_THREADS`` or, without it, all cores.
    progress
        As in :func:`reporting`.

    Yields
    ------
    dict
        What the functions of ``tailwatch._core`` take as ``settings``.
    """
    if threads is not None:
        # Not before: it brings NumPy and Polars, and a command shows its help without them.
        from tailwatch.arguments import integer

        threads = integer(threads, "threads", most=MOST_THREADS)
    with reporting(progress) as report:
        yield {"threads": threads, "progress": report}


def _ignore(stage: str, done: int, total: int) -> None:
    """Take a report and show nothing."""


def _display() -> _Bar | _Lines | _Nothing:
    """Choose what standard error can show; a process may have none, or a closed one."""
    try:
        return _Bar() if sys.stderr.isatty() else _Lines(sys.stderr)
    except (AttributeError, ValueError):
        return _Nothing()


class _Nothing:
    """No display."""

    def report(self, stage: str, done: int, total: int) -> None:
        _ignore(stage, done, total)

    def close(self) -> None:
        pass


class _Bar:
    """A Rich bar for the current stage, built only when the work turns out not to be short."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._closed = False
        self._stage = ""
        self._bar: tuple[Progress, TaskID] | None = None

    def report(self, stage: str, done: int, total: int) -> None:
        # A worker thread that was abandoned on Ctrl-C may still report: the screen is no longer
        # ours by then.
        if self._closed:
            return
        if self._bar is None:
            if time.monotonic() - self._started < BAR_DELAY_SECONDS:
                return
            self._bar = _start_bar(stage)
        progress, task = self._bar
        if stage != self._stage:
            self._stage = stage
            progress.reset(task, total=total, completed=done, description=visible(stage))
        progress.update(task, total=total, completed=done)

    def close(self) -> None:
        self._closed = True
        if self._bar is not None:
            # A terminal that is gone stops no work. Rich ends the process where a pipe is broken.
            with suppress(OSError, ValueError, SystemExit):
                self._bar[0].stop()


def _start_bar(stage: str) -> tuple[Progress, TaskID]:
    """Show an empty bar for `stage` on standard error."""
    # Rich takes longer to import than a short comparison takes to run.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Rows a second, where the stage counts rows."""

        def render(self, task: Task) -> Text:
            """Write the rate, once there is one."""
            known = _counts_rows(task.description) and task.speed
            return Text(_rate(task.speed) if known and task.speed else "")

    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = progress.add_task(visible(stage), total=None)
    progress.start()
    return progress, task


def _counts_rows(stage: str) -> bool:
    return stage.endswith(" rows")


def _rate(speed: float) -> str:
    """Write rows a second to three digits: ``1.25 M rows/s``."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if speed >= size:
            return f"{speed / size:.3g} {unit} rows/s"
    return f"{speed:.3g} rows/s"


class _Lines:
    """Plain lines for a log: where a long job is, without control characters."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._started = time.monotonic()
        self._written = self._started
        self._closed = False
        self._stage = ""
        # What was done when the stage was first heard of took no time of this run's.
        self._running, self._began, self._first = "", self._started, 0

    def report(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != self._running:
            self._running, self._began, self._first = stage, now, done
        pause = HEARTBEAT_SECONDS if stage == self._stage else STAGE_SECONDS
        if self._closed or now - self._written < pause:
            return
        self._stage = stage
        self._written = now
        share = f"{100 * done // total} %" if total > 0 else "…"
        pace = _pace(stage, now - self._began, done - self._first, total - done)
        line = f"{stage}: {share} after {now - self._started:.0f} s{pace}"
        try:
            self._stream.write(visible(line) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # A log that is full or gone stops no work.
            self.close()

    def close(self) -> None:
        self._closed = True


def _pace(stage: str, seconds: float, done: int, missing: int) -> str:
    """Return how long a stage will go on at the rate of its first `seconds`, if it has one."""
    if seconds <= 0 or done <= 0 or missing <= 0:
        return ""
    rate = f", {_rate(done / seconds)}" if _counts_rows(stage) else ""
    return f"{rate}, {seconds * missing / done:.0f} s left"

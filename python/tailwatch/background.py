"""Work in threads of its own, and the threads of Polars, which a fork loses.

Results of our own threads come in order, and Ctrl-C is heard meanwhile.
Python runs its signal handlers in the main thread, between two bytecodes: whatever native code the
main thread is in holds them off. So reading, scoring and compressing run in daemon threads and the
caller only waits; it alone writes files and shows progress.

A forked child has one thread: the pool that Polars started in its parent is gone, and whatever
waits for it (a filter, a file of CSV or Parquet) waits for ever. Nothing brings the pool back, so
such work is refused in a child of a process in which the pool has run. A child that is spawned, or
forked before Polars was put to work, has a pool of its own. Where the system shows the threads of a
process (Linux), the pool is looked for at the moment of the fork, whoever started it; elsewhere it
counts as started once :func:`uses_polars` was called.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from tailwatch.exceptions import TailwatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["in_order", "uses_polars", "wait_for"]

S = TypeVar("S")
T = TypeVar("T")

# POSIX wakes a waiting thread when a signal arrives; Windows does not, so it has to look.
POLL_SECONDS = 0.05

_THREADS = Path("/proc/self/task")
_OF_THE_POOL = re.compile(r"polars-\d")


def in_order(items: Iterable[S], work: Callable[[S], T], threads: int) -> Iterator[T]:
    """Yield ``work(item)`` for each item, in order, from `threads` threads.

    Parameters
    ----------
    items
        Taken one at a time, by whichever thread is free; at most one item for each thread is held.
    work
        What to do with one; it must not write files, since it is abandoned on an interruption.
    threads
        Threads, at least 1.

    Yields
    ------
    object
        The results. An error of an item, or in taking it, is raised when its turn comes; a caller
        that stops early leaves the threads to end by themselves.
    """
    line = _Line(iter(items), work, 2 * threads)
    for _ in range(threads):
        threading.Thread(target=line.run, name="tailwatch-work", daemon=True).start()
    try:
        yield from line.results()
    finally:
        line.stop()


def wait_for(work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises, from a thread of its own.

    The caller hears signals at once, whatever the work is in the middle of. On `KeyboardInterrupt`
    the work is abandoned, not stopped; it must therefore write no files.
    """
    return next(in_order([work], lambda each: each(), 1))


def uses_polars(doing: str) -> None:
    """Say that `doing` is about to use Polars' threads; refuse it where they are lost.

    Parameters
    ----------
    doing
        What needs them, as the subject of an error: ``"saving Parquet"``.

    Raises
    ------
    TailwatchError
        This process was forked from one in which they had run.
    """
    if _pool.lost:
        problem = (
            f"{doing} would wait for ever in this process, which was forked from one where Polars "
            "had started its threads: they do not live on in a fork"
        )
        hint = "start child processes by spawn: multiprocessing.get_context('spawn')"
        raise TailwatchError(
            problem,
            argument="process",
            expected="one in which Polars may start its threads",
            got="a fork of one where Polars had started them",
            hint=hint,
        )
    if not _pool.is_shown:
        _pool.started = True


class _Line(Generic[S, T]):
    """Items on one side, results on the other, in the same order."""

    def __init__(self, items: Iterator[S], work: Callable[[S], T], window: int) -> None:
        self._items = items
        self._work = work
        self._window = window
        self._taking = threading.Lock()
        self._changed = threading.Condition()
        # What gives a result, or raises its error.
        self._finished: dict[int, Callable[[], T]] = {}
        self._taken = 0
        self._given = 0
        self._last: int | None = None
        self._stopped = False

    def run(self) -> None:
        """Work until there is nothing left."""
        while True:
            with self._taking:
                with self._changed:
                    while not self._stopped and self._taken - self._given >= self._window:
                        self._changed.wait()
                    if self._stopped or self._last is not None:
                        return
                    number = self._taken
                    self._taken += 1
                try:
                    item = next(self._items)
                except StopIteration:
                    self._close(number)
                    return
                except BaseException as error:  # noqa: BLE001  (raised where results are taken)
                    self._put(number, _raising(error))
                    self._close(number + 1)
                    return
            try:
                self._put(number, _giving(self._work(item)))
            except BaseException as error:  # noqa: BLE001  (raised where results are taken)
                self._put(number, _raising(error))
            # A batch must not be held while the next one is waited for.
            del item

    def results(self) -> Iterator[T]:
        """Yield results as their turn comes."""
        while True:
            with self._changed:
                while self._given not in self._finished and self._given != self._last:
                    self._changed.wait(POLL_SECONDS)
                if self._given not in self._finished:
                    return
                result = self._finished.pop(self._given)
                self._given += 1
                self._changed.notify_all()
            yield result()

    def stop(self) -> None:
        """Let no thread take another item."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _close(self, number: int) -> None:
        with self._changed:
            self._last = number
            self._changed.notify_all()

    def _put(self, number: int, result: Callable[[], T]) -> None:
        with self._changed:
            self._finished[number] = result
            self._changed.notify_all()


def _giving(value: T) -> Callable[[], T]:
    return lambda: value


def _raising(error: BaseException) -> Callable[[], NoReturn]:
    def fail() -> NoReturn:
        raise error

    return fail


def _has_threads() -> bool:
    with suppress(OSError):
        for thread in _THREADS.iterdir():
            with suppress(OSError):
                if _OF_THE_POOL.match((thread / "comm").read_text(encoding="utf-8")):
                    return True
    return False


class _Pool:
    """Whether Polars' threads were started, and whether a fork has lost them."""

    def __init__(self) -> None:
        self.is_shown = _THREADS.is_dir()
        self.started = False
        self.lost = False

    def look(self) -> None:
        """Before a fork: see whether there is a pool that the child will not have."""
        self.started = self.started or _has_threads()

    def forget(self) -> None:
        """In the child: what ran in the parent is lost."""
        self.lost = self.started


_pool = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pool.look, after_in_child=_pool.forget)

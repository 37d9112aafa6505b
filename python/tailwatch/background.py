"""Work in threads of its own, with results in order and Ctrl-C heard meanwhile.

Python runs its signal handlers in the main thread, between two bytecodes: whatever native code the
main thread is in holds them off. So reading, scoring and compressing run in daemon threads and the
caller only waits; it alone writes files and shows progress.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["apart", "in_order"]

S = TypeVar("S")
T = TypeVar("T")

# POSIX wakes a waiting thread when a signal arrives; Windows does not, so it has to look.
POLL_SECONDS = 0.05


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


def apart(work: Callable[[], T]) -> T:
    """Return what `work` returns, from a thread of its own."""
    return next(in_order([work], lambda each: each(), 1))


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

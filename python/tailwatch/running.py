"""The settings that every call of the core takes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypedDict

from tailwatch.arguments import integer
from tailwatch.progress import reporting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.progress import ProgressOption, ProgressReport

__all__ = ["MOST_THREADS", "Settings", "running"]

MOST_THREADS = 1024
"""Threads that a call may ask for, as the core has it."""


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
def running(threads: int | None, progress: ProgressOption) -> Iterator[Settings]:
    """Check `threads`, show `progress`, and yield the settings for the core.

    Parameters
    ----------
    threads
        Threads to use; ``None`` for ``TAILWATCH_NUM_THREADS`` or, without it, all cores.
    progress
        As in :func:`tailwatch.progress.reporting`.

    Yields
    ------
    dict
        What the functions of ``tailwatch._core`` take as ``settings``.
    """
    if threads is not None:
        threads = integer(threads, "threads", most=MOST_THREADS)
    with reporting(progress) as report:
        yield {"threads": threads, "progress": report}

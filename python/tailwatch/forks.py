"""Polars in a process that was forked.

A forked child has one thread: the pool that Polars started in its parent is gone, and whatever
waits for it (a filter, a file of CSV or Parquet) waits for ever. Nothing brings the pool back, so
such work is refused in a child of a process in which the pool has run. A child that is spawned, or
forked before Polars was put to work, has a pool of its own.

Where the system shows the threads of a process (Linux), the pool is looked for at the moment of the
fork, whoever started it; elsewhere it counts as started once :func:`uses_polars` was called.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from tailwatch.exceptions import TailwatchError

__all__ = ["uses_polars"]

_THREADS = Path("/proc/self/task")
_OF_THE_POOL = re.compile(r"polars-\d")


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
        raise TailwatchError(problem, argument="process", hint=hint)
    if not _pool.is_shown:
        _pool.started = True


def _has_threads() -> bool:
    with suppress(OSError):
        for thread in _THREADS.iterdir():
            with suppress(OSError):
                if _OF_THE_POOL.match((thread / "comm").read_text(encoding="utf-8")):
                    return True
    return False

"""Ctrl-C and polite requests to end, from the first moment of a command to its last.

Until a command runs nothing is unfinished, and an exception in the middle of an import would come
out as whatever the imported library makes of it: so an early signal ends the process at once.
Afterwards a signal is a `KeyboardInterrupt`, remembered so that what a library turns it into is
still known for what it was. This module imports next to nothing, since no signal is heard before.

Python runs its signal handlers in the main thread, between two bytecodes. A matrix product or an
eigendecomposition in the main thread would hold them off for as long as it lasts; so the work is
done in another thread and the main thread only waits
(:func:`~tailwatch.background.wait_for`).
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["INTERRUPTED", "leave", "listen", "raise_from_now_on", "was_interrupted"]

INTERRUPTED = 130

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
# `timeout` and terminals may send a signal twice, to the process and to its group.
_ECHO_SECONDS = 1.0

_seen: list[float] = []


def listen() -> None:
    """End the process at once on a signal, unless whoever started it had it ignored."""
    _heed(_leave)


def raise_from_now_on() -> None:
    """Raise `KeyboardInterrupt` on a signal."""
    _heed(_interrupt)


def was_interrupted() -> bool:
    """Return whether a signal has come."""
    return bool(_seen)


def leave(code: int) -> NoReturn:
    """End the process without a regular exit, for which threads in native code would be waited."""
    os._exit(code)


def _heed(handler: object) -> None:
    for number in _SIGNALS:
        # `nohup` and `&` of a shell without job control have signals ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)  # type: ignore[arg-type]


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    with suppress(OSError):
        os.write(2, b"interrupted\n")
    leave(INTERRUPTED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Raise at the first signal; let what is cleared away be cleared, unless another one comes."""
    now = time.monotonic()
    if not _seen:
        _seen.append(now)
        raise KeyboardInterrupt
    if now - _seen[0] > _ECHO_SECONDS:
        _leave(number, frame)

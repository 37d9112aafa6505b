"""Run work so that Ctrl-C is heard at once, whatever the work is in the middle of.

Python runs its signal handlers in the main thread, between two bytecodes. A matrix product or an
eigendecomposition in the main thread would hold them off for as long as it lasts; so the work runs
in another thread and the main thread only waits.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["wait_for"]

T = TypeVar("T")

# POSIX wakes a waiting thread when a signal arrives; Windows does not, so it has to look.
POLL_SECONDS = 0.05


def wait_for(work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises, while staying open to signals.

    On `KeyboardInterrupt` the work is abandoned, not stopped: its thread is a daemon, and the
    command line ends the process without waiting for it. It must therefore write no files.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def deliver() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  (handed to the waiting thread)
            errors.append(error)

    thread = threading.Thread(target=deliver, name="tailwatch-work", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(POLL_SECONDS)
    if errors:
        raise errors[0]
    return results[0]

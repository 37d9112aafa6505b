"""A stretch of time in which this process belongs to Ultralytics, and what is put back after it.

Ultralytics sets the number of threads by itself (cores − 1), seeds the global generators, switches
deterministic kernels on for the whole process, and logs to standard output. In a session it has the
threads that were asked for and is quiet; afterwards torch is as it was.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tailwatch.yolo.environment import extra, ultralytics

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["session"]


@contextmanager
def session(threads: int) -> Iterator[None]:
    """Hold the process to `threads` threads, quiet and replayable, until the block is left."""
    ultralytics()
    torch: Any = extra("torch")
    of_devices: Any = extra("ultralytics.utils.torch_utils")
    logger: logging.Logger = extra("ultralytics.utils").LOGGER
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        logger.level,
        of_devices.NUM_THREADS,
    )
    # Choosing a device sets torch's threads to this number.
    of_devices.NUM_THREADS = threads
    torch.set_num_threads(threads)
    logger.setLevel(logging.CRITICAL)
    try:
        with torch.random.fork_rng(), warnings.catch_warnings():
            # Its own use of torch; nothing that a user of tailwatch could do anything about.
            warnings.filterwarnings("ignore", module=r"(torch|torchvision|ultralytics)\b")
            yield
    finally:
        number, enabled, warn_only, level, of_devices.NUM_THREADS = before
        torch.set_num_threads(number)
        torch.use_deterministic_algorithms(enabled, warn_only=warn_only)
        logger.setLevel(level)

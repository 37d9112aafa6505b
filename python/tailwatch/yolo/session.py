"""A stretch of time in which this process belongs to Ultralytics, and what is put back after it.

Ultralytics sets the number of threads by itself (cores − 1), seeds the global generators, switches
deterministic kernels on for the whole process, and logs to standard output. In a session it has the
threads that were asked for, begins at a seed and is quiet; afterwards the generators of torch (of
all its devices), NumPy and Python, torch's settings and the environment are as they were.

What it raises is its own: an error of one line says that it was Ultralytics, and during what.
"""

from __future__ import annotations

import logging
import os
import random
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.exceptions import TailwatchError
from tailwatch.text_form import shortened, visible
from tailwatch.yolo.environment import ultralytics
from tailwatch.yolo.extra import extra

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["amp_unchecked", "answering", "said", "session"]

VARIABLES = ("CUBLAS_WORKSPACE_CONFIG", "PYTHONHASHSEED")
"""What a deterministic training sets in the environment."""


@contextmanager
def session(threads: int, *, seed: int = 0) -> Iterator[None]:
    """Hold the process to `threads` threads, quiet and replayable, until the block is left."""
    ultralytics()
    torch: Any = extra("torch")
    of_devices: Any = extra("ultralytics.utils.torch_utils")
    logger: logging.Logger = extra("ultralytics.utils").LOGGER
    cudnn, deterministic = torch.backends.cudnn, torch.utils.deterministic
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        logger.level,
        of_devices.NUM_THREADS,
        cudnn.deterministic,
        cudnn.benchmark,
        deterministic.fill_uninitialized_memory,
    )
    environment = {name: os.environ.get(name) for name in VARIABLES}
    generators = random.getstate(), np.random.get_state()  # noqa: NPY002  (what Ultralytics draws from)
    # Choosing a device sets torch's threads to this number.
    of_devices.NUM_THREADS = threads
    torch.set_num_threads(threads)
    logger.setLevel(logging.CRITICAL)
    devices = range(torch.cuda.device_count())
    try:
        with torch.random.fork_rng(devices), warnings.catch_warnings():
            # Its own use of torch; nothing that a user of tailwatch could do anything about.
            warnings.filterwarnings("ignore", module=r"(torch|torchvision|ultralytics)\b")
            random.seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002
            torch.manual_seed(seed)
            yield
    finally:
        random.setstate(generators[0])
        np.random.set_state(generators[1])  # noqa: NPY002
        number, enabled, warn_only, level, of_devices.NUM_THREADS, *kernels = before
        cudnn.deterministic, cudnn.benchmark, deterministic.fill_uninitialized_memory = kernels
        torch.set_num_threads(number)
        torch.use_deterministic_algorithms(enabled, warn_only=warn_only)
        logger.setLevel(level)
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def amp_unchecked() -> Iterator[None]:
    """Leave out the check before mixed precision, which compares weights that it would fetch.

    It warns of cards whose half precision is broken, and switches it off on a CPU; without it mixed
    precision is what was asked for.
    """
    ultralytics()
    trainer: Any = extra("ultralytics.engine.trainer")
    check = trainer.check_amp
    trainer.check_amp = lambda model: next(model.parameters()).device.type not in {"cpu", "mps"}
    try:
        yield
    finally:
        trainer.check_amp = check


@contextmanager
def answering(step: str, passed: list[BaseException] | None = None) -> Iterator[None]:
    """Turn what Ultralytics raises in the block into one error of tailwatch.

    Parameters
    ----------
    step
        Step of the work, as a verb: ``train``.
    passed
        Errors that are not Ultralytics' own, and stay what they are: those of a caller's report.
    """
    try:
        yield
    except (TailwatchError, MemoryError):
        raise
    except Exception as error:
        if any(error is each for each in passed or ()):
            raise
        raise TailwatchError(
            problem=f"Ultralytics could not {step}: {said(error)}",
            expected=f"Ultralytics to {step}",
            got=said(error),
        ) from error


def said(error: BaseException) -> str:
    """Return an error of a library as one short line."""
    text = " ".join(str(error).split())
    return shortened(
        visible(f"{type(error).__name__}: {text}" if text else type(error).__name__), 300
    )

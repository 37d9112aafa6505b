"""A stretch of time in which this process belongs to Ultralytics, and what is put back after it.

Ultralytics sets the number of threads by itself (cores − 1), seeds the global generators, switches
deterministic kernels on for the whole process, and logs to standard output. In a session it has the
threads that were asked for, begins at a seed and is quiet; afterwards the generators of torch (of
all its devices), NumPy and Python, torch's settings and the environment are as they were.

What it raises is its own: an error of one line says that it was Ultralytics, and during what.

Training arguments that a caller may give are checked before anything is trained.
"""

from __future__ import annotations

import json
import logging
import os
import random
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.exceptions import InputError, TailwatchError
from tailwatch.text_form import shortened, shown, visible
from tailwatch.yolo.environment import ultralytics
from tailwatch.yolo.extra import extra

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["answering", "check_settings", "session"]

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


OURS = frozenset(
    {
        "amp", "batch", "cfg", "data", "device", "epochs", "exist_ok", "fraction", "imgsz", "iou",
        "max_det", "mode", "model", "name", "nbs", "nms", "patience", "plots", "pretrained",
        "project", "resume", "save", "seed", "task", "val", "verbose", "warmup_epochs", "workers",
        # What would change the classes, the budget, or what is written and shown.
        "classes", "conf", "deterministic", "distill_model", "embed", "half", "int8", "profile",
        "quantize", "save_conf", "save_crop", "save_frames", "save_json", "save_period", "save_txt",
        "show", "single_cls", "source", "split", "time", "visualize",
    }
)  # fmt: skip
"""Arguments of Ultralytics that `settings` may not have."""

OPTIMIZERS = frozenset(
    {"SGD", "MuSGD", "Adam", "Adamax", "AdamW", "NAdam", "RAdam", "RMSProp", "auto"}
)


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings that Ultralytics does not have, or that are not the caller's to give.

    Raises
    ------
    InputError
        Before anything is trained.
    """
    if not isinstance(settings, Mapping):
        raise InputError(argument="settings", expected="a mapping", got=type(settings).__name__)
    if taken := sorted(OURS & {str(name) for name in settings}):
        raise InputError(
            argument="settings",
            expected="none that tailwatch sets, or has as an argument of its own",
            got=", ".join(taken),
        )
    if not settings:
        return
    ultralytics()
    given = dict(settings)
    try:
        # What is written into the record of a run, and read back.
        json.dumps(given, allow_nan=False)
        extra("ultralytics.cfg").get_cfg(overrides=given)
    except (Exception, SystemExit) as error:
        # Its answer to a name that it does not know is a SyntaxError with a page of help.
        raise InputError(
            argument="settings",
            expected="training arguments of Ultralytics",
            got=f"{shown(dict(settings))} ({said(error)})",
        ) from error
    optimizer = given.get("optimizer", "auto")
    if optimizer not in OPTIMIZERS:
        raise InputError(
            argument="settings",
            expected=f"an optimizer among {', '.join(sorted(OPTIMIZERS))}",
            got=shown(optimizer),
        )

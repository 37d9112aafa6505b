"""The other end of a worker: starts its process in the environment it needs, and asks it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Self

import numpy as np

from benches.recording import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benches.rivals.task import Answer, Contender, Task
    from benches.samples import Size

CHOICE = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_ENABLE_INSTRUCTIONS")
"""Variables that choose kernels. Found in the environment they are removed, so that a library
chooses by itself unless its contender says otherwise."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TAILWATCH_NUM_THREADS")


class ContenderError(Exception):
    """A contender that could not do its job, with its own words."""


class Conditions(NamedTuple):
    """What all contenders have in common."""

    size: Size
    kind: str
    seed: int
    threads: int


class Run(NamedTuple):
    """One run of a job."""

    seconds: float
    peak: int


class Session:
    """A running worker; a context manager that ends it."""

    def __init__(
        self,
        task: Task,
        contender: Contender,
        conditions: Conditions,
        environment: Mapping[str, str],
        log: IO[str] | None = None,
    ) -> None:
        self.contender, self.environment = contender, environment
        size, kind, seed, threads = conditions
        words = (task.name, contender.name, *size, kind, seed)
        inherited = {name: value for name, value in os.environ.items() if name not in CHOICE}
        self._process = subprocess.Popen(  # noqa: S603 (fixed words)
            [sys.executable, "-m", "benches.rivals.worker", *map(str, words)],
            cwd=ROOT,
            env=inherited | dict.fromkeys(THREADS, str(threads)) | dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log if log is not None else subprocess.DEVNULL,
            text=True,
            # Ctrl-C is for the runner, which ends its workers.
            start_new_session=True,
        )
        try:
            self._hear()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.communicate()

    def run(self) -> Run:
        """Do the job once."""
        self._say("run")
        found = self._hear()
        return Run(found["seconds"], int(found["peak"]))

    def answer(self) -> Answer:
        """Return what the last run found."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "answer.npz")
            self._say(f"save {path}")
            self._hear()
            with np.load(path) as arrays:
                return tuple(arrays.values())

    def _say(self, command: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ContenderError(self._ended()) from None

    def _hear(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ContenderError(self._ended())
        heard = json.loads(line)
        if "error" in heard:
            raise ContenderError(heard["error"])
        return heard

    def _ended(self) -> str:
        return f"its process ended with {self._process.wait()}"

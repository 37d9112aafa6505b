"""A run that kills its own process after so many calls of Python functions.

Arguments are the directory and the number of calls; 0 calls never come, and how many the whole run
takes is printed.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import tailwatch as tw
from tailwatch.recursion import AccumulateSubsample
from tests.support.recursion_learners import Restless

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["GENERATIONS", "main", "run_in"]

GENERATIONS = 6


class Saving(Restless):
    """A model that is kept in the directory too."""

    def save(self, directory: Path) -> None:
        for number in range(3):
            np.save(directory / f"{number}.npy", self._rows)


def run_in(directory: Path, generations: int = GENERATIONS) -> tw.recursion.Run:
    """Run the loop that is killed, or goes on with it."""
    human = np.random.default_rng(5).normal(size=(260, 2))
    return tw.recursion.run(
        Saving(),
        human,
        policy=AccumulateSubsample(),
        generations=generations,
        size=70,
        holdout=0.5,
        metrics=["total_variance"],
        threads=1,
        seed=7,
        directory=directory,
    )


def main() -> None:
    """Count calls, and end the process at the one that was asked for."""
    directory, fatal = Path(sys.argv[1]), int(sys.argv[2])
    # What a run imports on its way is there by then: all moments are of the run itself.
    with tempfile.TemporaryDirectory() as other:
        run_in(Path(other), 1)
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += 1
        if calls == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    run_in(directory)
    sys.setprofile(None)
    sys.stdout.write(f"{calls}\n")

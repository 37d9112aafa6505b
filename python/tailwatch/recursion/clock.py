"""Where a run is, how long its generations take, and how long it will go on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailwatch.progress import ProgressReport, Settings

__all__ = ["Clock"]


class Clock:
    """Tells the progress of a run.

    The stage that is shown names generation, step and the time left at the pace of the generations
    that this call has computed; its share done is that of the step, where the step can tell.

    Parameters
    ----------
    generations
        Of the run.
    settings
        Threads and progress of the call.
    """

    def __init__(self, generations: int, settings: Settings) -> None:
        self._generations, self._threads = generations, settings["threads"]
        self._report = settings["progress"]
        self._number, self._computed = 0, 0
        self._began = self._started = self._step_started = time.perf_counter()
        self._step, self._seconds = "", dict[str, float]()
        self._stage = ""

    def start(self, number: int) -> None:
        """Begin a generation."""
        self._number, self._seconds, self._step = number, {}, ""
        self._started = time.perf_counter()

    def step(self, name: str) -> None:
        """Begin a step of the generation."""
        self._end_step()
        self._step = name
        self._stage = f"generation {self._number} of {self._generations}{self._left()}: {name}"
        if self._report is not None:
            self._report(self._stage, 0, 0)

    def stop(self) -> dict[str, float]:
        """End a generation, and say how long its steps took."""
        self._end_step()
        self._computed += 1
        return self._seconds

    def finish(self) -> None:
        """Say that what is left is to write down what was found."""
        if self._report is not None:
            self._report("writing the run", 0, 0)

    @property
    def settings(self) -> Settings:
        """What the core takes, for the step that has begun."""
        return {"threads": self._threads, "progress": self._within(self._stage)}

    def _within(self, stage: str) -> ProgressReport | None:
        report = self._report
        if report is None:
            return None
        return lambda inner, done, total: report(f"{stage}, {inner}", done, total)

    def _end_step(self) -> None:
        now = time.perf_counter()
        if self._step:
            self._seconds[self._step] = now - self._step_started
        self._step_started = now

    def _left(self) -> str:
        if not self._computed:
            return ""
        each = (self._started - self._began) / self._computed
        seconds = each * (self._generations - self._number + 1)
        if seconds < 1:
            return ""
        return f", {seconds:.0f} s left" if seconds < 120 else f", {seconds / 60:.0f} min left"

"""The process of one contender: draws the data, then runs the job whenever it is told to.

A contender has a process of its own because its environment chooses its kernels when it is loaded,
because two OpenMP runtimes in one process disturb each other, and because its peak of memory is to
be its own. Reads one command per line, answers each with one line of JSON::

    python -m benches.rivals.worker neighbors tailwatch 1000 64 clusters 0

| command | answer |
|---|---|
| (none: it is ready) | `{}` |
| `run` | `{"seconds": …, "peak": …}`: bytes above what was held before the first run |
| `save PATH` | `{}` after the last answer was written there |
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benches.rivals.registry import TASKS
from benches.samples import Size, draw

if TYPE_CHECKING:
    from benches.rivals.task import Answer, Contender, Task

STATUS = Path("/proc/self/status")
FORGET = Path("/proc/self/clear_refs")


def memory(field: str) -> int:
    """Return a field of the process's status in bytes, 0 on systems that have none."""
    if not STATUS.exists():
        return 0
    return 1024 * int(STATUS.read_text(encoding="ascii").split(f"{field}:")[1].split()[0])


class Job:
    """A contender with its input, ready to run."""

    def __init__(self, task: Task, contender: Contender, size: Size, kind: str, seed: int) -> None:
        self.call = contender.call
        # Loads the libraries: their memory is no part of a run.
        # Encoders have their own columns: what comes first is of another kind.
        first = "clusters" if kind == "embeddings" else kind
        self.call(contender.prepare(draw(task.smoke[0], first, seed)))
        self.inputs: Any = contender.prepare(draw(size, kind, seed))
        draw.cache_clear()
        gc.collect()
        self.held = memory("VmRSS")
        self.answer: Answer = ()

    def run(self) -> dict[str, float]:
        """Run once; the highest memory of earlier runs is forgotten first."""
        self.answer = ()
        gc.collect()
        if FORGET.exists():
            FORGET.write_text("5", encoding="ascii")
        started = time.perf_counter()
        self.answer = self.call(self.inputs)
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "peak": max(0, memory("VmHWM") - self.held)}


def main() -> None:
    """Serve commands until the input ends."""
    task, name, rows, columns, kind, seed = sys.argv[1:]
    # Some peers print; what is said to the caller goes another way.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as caller:
        os.dup2(2, 1)

        def say(**answer: object) -> None:
            caller.write(json.dumps(answer) + "\n")
            caller.flush()

        try:
            contender = TASKS[task].contender(name)
            size = Size(int(rows), int(columns))
            job = Job(TASKS[task], contender, size, kind, int(seed))
            say()
            for line in sys.stdin:
                command, _, path = line.strip().partition(" ")
                if command == "run":
                    say(**job.run())
                else:
                    np.savez(path, *job.answer)
                    say()
        except Exception as error:  # noqa: BLE001 (whatever a peer raises is reported, not known)
            traceback.print_exc()
            say(error=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()

"""A process that gives altered files to their targets, and says before each which it is.

``python -m tests.fuzz.batch REPORT KIND SEED FIRST COUNT TARGETS PYARROW``: lines of JSON are
appended to the report: ``{"case": n}`` before case n, ``{"case": n, "problem": ...}`` for what is
not one of tailwatch's errors, and ``{"finished": ...}`` at the end, by target.

What costs most and reads nothing of a file is spared: of the pages of jobs every five-hundredth is
drawn; the files are in memory where the system has a place for that.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Read from disk each time, and asked for by every job.
importlib.metadata.version = functools.cache(importlib.metadata.version)

from tailwatch.contamination.dataset.report import ContaminationReport  # noqa: E402
from tailwatch.exceptions import TailwatchError  # noqa: E402
from tailwatch.io.decoding import processes  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fuzz.targets import Source

HUNG_SECONDS = 10.0
MOST_BYTES = 1 << 30
MEMORY = "/dev/shm"
DRAWN_EVERY = 500


def main() -> None:
    """Do the cases of the arguments."""
    report, kind, *numbers, targets, with_pyarrow = sys.argv[1:]
    seed, first, count = (int(number) for number in numbers)
    warnings.simplefilter("ignore")
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with (
        tempfile.TemporaryDirectory(dir=place) as folder,
        Path(report).open("a", encoding="utf-8") as out,
    ):

        def say(line: dict[str, Any]) -> None:
            out.write(json.dumps(line) + "\n")
            out.flush()

        from tests.fuzz.targets import source
        from tests.support.datasets import model

        made = source(kind, Path(folder))
        if with_pyarrow == "0":
            # From here on: the files themselves are written with it, and scikit-learn, which the
            # model is fitted by, takes whatever is in its place for the library.
            model()
            sys.modules["pyarrow"] = None  # type: ignore[assignment]
        _draw_seldom()
        _cases(made, seed, range(first, first + count), targets.split(","), say)


def _draw_seldom() -> None:
    """Let most jobs have the page of another."""
    drawn, pages = ContaminationReport.to_html, list[str]()
    number = 0

    def to_html(report: ContaminationReport) -> str:
        nonlocal number
        number += 1
        if number % DRAWN_EVERY == 1:
            pages[:] = [drawn(report)]
        return pages[0]

    ContaminationReport.to_html = to_html  # type: ignore[method-assign]


def _cases(
    made: Source, seed: int, numbers: range, names: list[str], say: Callable[[dict[str, Any]], None]
) -> None:
    outcomes = {name: Counter[str]() for name in names}
    seconds = dict.fromkeys(names, 0.0)
    for number in numbers:
        say({"case": number})
        path = made.write(seed, number)
        for name in names:
            began = time.monotonic()
            case = {"case": number, "target": name}
            outcome, problem = _tried(made, name, path)
            if outcome == "slow":
                # On a machine with much else to do anything may be: what hangs does it again.
                for _ in range(2):
                    again, problem = _tried(made, name, made.write(seed, number))
                    if again != "slow":
                        outcome = again
                        break
            seconds[name] += time.monotonic() - began
            outcomes[name][outcome] += 1
            if outcome not in {"accepted", "refused"}:
                say(case | {"problem": outcome, **problem})
    say({"finished": {name: outcomes[name] | {"seconds": seconds[name]} for name in names}})


def _tried(made: Source, name: str, path: Path) -> tuple[str, dict[str, Any]]:
    """Give a file to a target, and what came of it."""
    before, memory = time.monotonic(), _held()
    outcome, problem = "accepted", dict[str, Any]()
    try:
        made.run(name, path)
    except TailwatchError:
        outcome = "refused"
    except BaseException as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
        outcome = "foreign"
        problem["text"] = f"{type(error).__module__}.{type(error).__name__}: {error}"[:300]
        problem["at"] = traceback.format_exc().strip().splitlines()[-8:]
    taken = _peak() - memory
    if taken > MOST_BYTES:
        return "memory", {"bytes": taken}
    passed = time.monotonic() - before
    return ("slow", {"seconds": passed}) if passed > HUNG_SECONDS else (outcome, problem)


def _held() -> int:
    """Give the memory of this process and those that read for it, and forget their peaks."""
    for process in ("self", *processes()):
        # 5: the peak begins anew with what is held.
        with suppress(OSError), open(f"/proc/{process}/clear_refs", "w") as file:  # noqa: PTH123
            file.write("5")
    return _peak()


def _peak() -> int:
    """Give the most memory that this process, or one that reads for it, had since it was held."""
    peaks = [0]
    for process in ("self", *processes()):
        try:
            with open(f"/proc/{process}/status", "rb") as file:  # noqa: PTH123  (thousands of times)
                found = re.search(rb"VmHWM:\s*(\d+)", file.read())
        except OSError:
            continue
        peaks.append(1024 * int(found[1]) if found else 0)
    return max(peaks)


if __name__ == "__main__":
    main()

"""A process that gives altered files to their targets, and says before each which it is.

``python -m tests.fuzz.batch REPORT KIND SEED FIRST COUNT TARGETS PYARROW``: lines of JSON are
appended to the report: ``{"case": n}`` before case n, ``{"case": n, "problem": ...}`` for what is
not one of tailwatch's errors, and ``{"finished": ...}`` at the end.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import TailwatchError
from tailwatch.io.decoding import processes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fuzz.targets import Source

HUNG_SECONDS = 10.0
MOST_BYTES = 1 << 30


def main() -> None:
    """Do the cases of the arguments."""
    report, kind, *numbers, targets, with_pyarrow = sys.argv[1:]
    seed, first, count = (int(number) for number in numbers)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder, Path(report).open("a", encoding="utf-8") as out:

        def say(line: dict[str, Any]) -> None:
            out.write(json.dumps(line) + "\n")
            out.flush()

        from tests.fuzz.targets import source

        made = source(kind, Path(folder))
        if with_pyarrow == "0":
            # From here on: the files themselves are written with it.
            sys.modules["pyarrow"] = None  # type: ignore[assignment]
        _cases(made, seed, range(first, first + count), targets.split(","), say)


def _cases(
    made: Source, seed: int, numbers: range, names: list[str], say: Callable[[dict[str, Any]], None]
) -> None:
    outcomes: Counter[str] = Counter()
    for number in numbers:
        say({"case": number})
        path = made.write(seed, number)
        for name in names:
            before, memory = time.monotonic(), _peak()
            try:
                made.run(name, path)
                outcomes["accepted"] += 1
            except TailwatchError:
                outcomes["refused"] += 1
            except BaseException as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
                where = traceback.format_exc().strip().splitlines()[-8:]
                text = f"{type(error).__module__}.{type(error).__name__}: {error}"[:300]
                say(
                    {
                        "case": number,
                        "target": name,
                        "problem": "foreign",
                        "text": text,
                        "at": where,
                    }
                )
            if time.monotonic() - before > HUNG_SECONDS:
                say({"case": number, "target": name, "problem": "slow"})
            if _peak() - memory > MOST_BYTES:
                say({"case": number, "target": name, "problem": "memory"})
    say({"finished": dict(outcomes)})


def _peak() -> int:
    """Give the most memory that this process, or one that reads for it, ever had."""
    peaks = [0]
    for process in ("self", *processes()):
        try:
            status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        found = re.search(r"VmHWM:\s*(\d+)", status)
        peaks.append(1024 * int(found[1]) if found else 0)
    return max(peaks)


if __name__ == "__main__":
    main()

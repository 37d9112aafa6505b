"""Batches of altered files, each in a process; one that dies or hangs goes on behind the case."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Found", "fuzz"]

ROOT = Path(__file__).resolve().parents[2]
HUNG_SECONDS = 120.0
"""Without a new case; a batch notes slower ones itself, but cannot when it hangs in native code."""


@dataclass
class Found:
    """What a run gave.

    Attributes
    ----------
    cases, accepted, refused
        Files altered, and outcomes of all targets together.
    problems
        Deaths, hangs, memory, foreign exceptions: one entry each, with the number of its case.
    """

    kind: str
    cases: int = 0
    accepted: int = 0
    refused: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)

    def __str__(self) -> str:
        counts = {
            name: sum(problem["problem"] == name for problem in self.problems)
            for name in ("died", "hung", "slow", "memory", "foreign")
        }
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        return (
            f"{self.kind}: {self.cases} cases, {self.accepted} accepted, {self.refused} refused; "
            f"{listed}"
        )


def fuzz(
    kind: str,
    targets: list[str],
    *,
    seed: int,
    cases: int,
    first: int = 0,
    pyarrow: bool = True,
    batch: int = 1000,
) -> Found:
    """Alter files of a kind and give them to targets.

    Parameters
    ----------
    kind, targets
        As in :mod:`tests.fuzz.targets`.
    seed, first, cases
        Which alterations: numbers `first` and up.
    pyarrow
        Whether pyarrow may be imported.
    batch
        Cases of one process.
    """
    found = Found(kind)
    at, end = first, first + cases
    while at < end:
        count = min(batch, end - at)
        at += _batch(found, kind, targets, seed, at, count, pyarrow=pyarrow)
    return found


def _batch(
    found: Found, kind: str, targets: list[str], seed: int, first: int, count: int, *, pyarrow: bool
) -> int:
    """Run one process, and give how many cases it did."""
    with tempfile.TemporaryDirectory() as folder:
        report, said = Path(folder, "report"), Path(folder, "said")
        report.touch()
        arguments = [report, kind, seed, first, count, ",".join(targets), int(pyarrow)]
        with said.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.batch", *map(str, arguments)],
                cwd=ROOT,
                env=os.environ | {"TAILWATCH_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            is_hung = _waited(process, report)
        lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
        tail = said.read_text(encoding="utf-8", errors="replace")[-600:]
    found.problems += [line for line in lines if "problem" in line]
    for line in lines:
        if "finished" in line:
            found.cases += count
            found.accepted += line["finished"].get("accepted", 0)
            found.refused += line["finished"].get("refused", 0)
            return count
    started = [line["case"] for line in lines if "case" in line]
    if not started:
        message = f"a batch of {kind} did not start: {tail}"
        raise RuntimeError(message)
    problem = "hung" if is_hung else "died"
    found.problems.append(
        {"case": started[-1], "problem": problem, "code": process.returncode, "text": tail}
    )
    done = started[-1] - first + 1
    found.cases += done
    return done


def _waited(process: subprocess.Popen[bytes], report: Path) -> bool:
    """Wait for a batch; end it, and say so, if nothing new comes of it."""
    size, since = -1, time.monotonic()
    while process.poll() is None:
        time.sleep(0.1)
        now = report.stat().st_size
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > HUNG_SECONDS:
            process.kill()
            process.wait()
            return True
    return False

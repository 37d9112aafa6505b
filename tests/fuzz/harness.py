"""Batches of altered files, each in a process; one that dies or hangs goes on behind the case."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Found", "fuzz"]

ROOT = Path(__file__).resolve().parents[2]
# One thread of each; backtraces of panics, which are many, cost more than what they are of.
ENVIRONMENT = {"TAILWATCH_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0"}
HUNG_SECONDS = 120.0
"""Without a new case; a batch notes slower ones itself, but cannot when it hangs in native code."""


@dataclass
class Found:
    """What a run gave.

    Attributes
    ----------
    cases
        Files altered.
    outcomes, seconds
        By target: how many files came to what, and how long that took. What a process that died
        had done before is not among them.
    problems
        Deaths, hangs, memory, foreign exceptions: one entry each, with the number of its case.
    """

    kind: str
    cases: int = 0
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    seconds: Counter[str] = field(default_factory=Counter)
    problems: list[dict[str, Any]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """How often a file was taken."""
        return sum(counts["accepted"] for counts in self.outcomes.values())

    @property
    def refused(self) -> int:
        """How often a file was refused with an error of tailwatch."""
        return sum(counts["refused"] for counts in self.outcomes.values())

    def absorb(self, other: Found) -> None:
        """Take over what another run of the kind gave."""
        self.cases += other.cases
        self.problems += other.problems
        for name, counts in other.outcomes.items():
            self.outcomes.setdefault(name, Counter()).update(counts)
        self.seconds.update(other.seconds)

    def state(self) -> dict[str, Any]:
        """Give all of it as JSON holds it."""
        return dict(vars(self))

    @classmethod
    def of(cls, state: dict[str, Any]) -> Found:
        """Make it of what :meth:`state` gave."""
        outcomes = {name: Counter(counts) for name, counts in state["outcomes"].items()}
        seconds = Counter(state["seconds"])
        return cls(state["kind"], state["cases"], outcomes, seconds, state["problems"])

    def add(self, finished: dict[str, dict[str, float]]) -> None:
        """Count what a batch says of its targets."""
        for name, counts in finished.items():
            self.seconds[name] += counts.pop("seconds")
            self.outcomes.setdefault(name, Counter()).update(counts)

    def __str__(self) -> str:
        counts = {
            name: sum(problem["problem"] == name for problem in self.problems)
            for name in ("died", "hung", "slow", "memory", "foreign")
        }
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        targets = ", ".join(
            f"{name} {found['accepted']} accepted {found['refused']} refused "
            f"in {self.seconds[name]:.1f} s"
            for name, found in self.outcomes.items()
        )
        return f"{self.kind}: {self.cases} cases; {listed}; {targets}"


def fuzz(
    kind: str,
    targets: list[str],
    *,
    seed: int,
    cases: int,
    first: int = 0,
    pyarrow: bool = True,
    batch: int = 2000,
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
                env=os.environ | ENVIRONMENT,
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
            found.add(line["finished"])
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

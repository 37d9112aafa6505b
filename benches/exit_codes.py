"""Exit codes with standard streams that are closed, broken or full, at ten moments of each command.

``python -m benches.exit_codes`` runs `compare`, `score` and `loop`, and with ``--yolo-model`` also
`yolo-loop`, on small data: with each stream lost from the start, and after each tenth of the time
that the command takes alone with the reader of a pipe leaving and with the disk full that takes the
stream. What comes out is held against the rule of ``docs/reference/schemas.md``: 0 and 1 only
with the verdict reached, the files there and all written that was to be written.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tailwatch import contamination

MOMENTS = 10
SHELL = shutil.which("bash") or "bash"
# Shell words, and whether what is written to standard output is lost by them.
STREAMS = {
    "2>&-": False,
    "2>/dev/full": False,
    ">&-": True,
    ">/dev/full": True,
    ">&- 2>&-": True,
    ">/dev/full 2>/dev/full": True,
    "<&- >&- 2>&-": True,
}

# A command of whose streams one is a file on a disk that is full after some time.
FILLS = """
import os, sys, threading, time

def fill():
    time.sleep({seconds})
    os.dup2(os.open("/dev/full", os.O_WRONLY), {descriptor})

threading.Thread(target=fill, daemon=True).start()
sys.argv = ["tailwatch", *{arguments!r}]
from tailwatch.cli import main
main()
"""


@dataclass(frozen=True)
class Job:
    """A command, the code that it leaves behind undisturbed, and the files that it writes."""

    name: str
    arguments: tuple[str, ...]
    code: int
    files: tuple[str, ...]

    @property
    def words(self) -> str:
        """The command for a shell."""
        return " ".join([sys.executable, "-m", "tailwatch", *self.arguments])


def jobs(folder: Path, yolo: tuple[str, str] | None) -> list[Job]:
    """Write small data and say what is run on it."""
    random = np.random.default_rng(0)
    human, other = random.standard_normal((2, 400, 4)).astype(np.float32)
    np.save(folder / "human.npy", human)
    np.save(folder / "other.npy", other + 1)
    contamination.fit(human, other + 1).save(folder / "web.tailwatch")
    (folder / "shards").mkdir()
    rows = np.concatenate([human, other[:100] + 1])
    for number, part in enumerate(np.array_split(rows, 3)):
        table = pl.DataFrame({"embedding": pl.Series(part, dtype=pl.Array(pl.Float32, 4))})
        table.write_parquet(folder / "shards" / f"{number}.parquet")
    scored = ("score", "shards", "--model", "web.tailwatch", "--out", "out", "--json")
    summary = ("out/summary.json", "out/report.html")
    compared = ("compare", "human.npy", "other.npy", "--metrics", "fast", "--json")
    looped = ("loop", "--data", "human.npy", "--learner", "Gaussian", "--generations", "2")
    found = [
        Job("compare", (*compared, "--parquet", "out/a.parquet"), 0, ("out/a.parquet",)),
        Job("score", scored, 0, summary),
        Job("score, gate failed", (*scored, "--fail-above", "0.01"), 1, summary),
        Job("score, gate passed", (*scored, "--fail-above", "0.9"), 0, summary),
        Job("loop", (*looped, "--out", "out", "--json"), 0, ("out/frame.parquet",)),
    ]
    if yolo is not None:
        data, model = yolo
        asked = ("yolo-loop", data, "--model", model, "--epochs", "1", "--generations", "1")
        more = ("--seeds", "1", "--imgsz", "32", "--out", "out", "--json")
        found.append(Job("yolo-loop", (*asked, *more), 0, ("out/frame.parquet",)))
    return found


def fresh(folder: Path) -> None:
    """Begin without what an earlier run left."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "out").mkdir()


def is_right(job: Job, code: int, folder: Path, *, lost: bool) -> bool:
    """Tell whether a code is the one that the rule gives."""
    if code in {0, 1}:
        whole = all((folder / file).stat().st_size > 0 for file in job.files)
        return not lost and code == job.code and whole
    return lost and code == 2


def alone(job: Job, folder: Path) -> float:
    """Run a command undisturbed, and give the seconds that it took."""
    began = time.monotonic()
    assert from_the_start(job, "", folder) == job.code, job
    return time.monotonic() - began


def from_the_start(job: Job, streams: str, folder: Path) -> int:
    """Run a command with streams that are lost from the start."""
    fresh(folder)
    shell = [SHELL, "-c", f"{job.words} {streams}"]
    done = subprocess.run(shell, cwd=folder, check=False, capture_output=True)  # noqa: S603
    return done.returncode


def with_a_reader_that_leaves(job: Job, stream: str, seconds: float, folder: Path) -> int:
    """Run a command of which a stream is a pipe whose reader leaves after some time."""
    fresh(folder)
    read, write = os.pipe()
    ends = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: write}
    child = subprocess.Popen([SHELL, "-c", f"exec {job.words}"], cwd=folder, **ends)  # noqa: S603
    os.close(write)
    with suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    os.close(read)
    return child.wait()


def with_a_disk_that_fills(job: Job, stream: str, seconds: float, folder: Path) -> tuple[int, bool]:
    """Run a command of which a stream is a file whose disk is full after some time.

    Gives the code, and whether less than what was to be written is on standard output.
    """
    fresh(folder)
    descriptor = 1 if stream == "stdout" else 2
    code = FILLS.format(seconds=seconds, descriptor=descriptor, arguments=job.arguments)
    output = folder / "output.json"
    with output.open("wb") as out, (folder / "errors").open("wb") as errors:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code], cwd=folder, check=False, stdout=out, stderr=errors
        )
    try:
        json.loads(output.read_bytes())
    except ValueError:
        return done.returncode, True
    return done.returncode, False


def main() -> None:
    """Run all and say what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--yolo-data")
    parser.add_argument("--yolo-model")
    parser.add_argument("--commands", default="compare,score,loop,yolo-loop")
    parser.add_argument("--moments", type=int, default=MOMENTS)
    chosen = parser.parse_args()
    yolo = (chosen.yolo_data, chosen.yolo_model) if chosen.yolo_model else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for job in jobs(folder, yolo):
            if not any(job.name.startswith(name) for name in chosen.commands.split(",")):
                continue
            seconds = min(alone(job, folder) for _ in range(2))
            codes: Counter[int] = Counter()
            wrong = []
            for streams, lost in STREAMS.items():
                code = from_the_start(job, streams, folder)
                codes[code] += 1
                if not is_right(job, code, folder, lost=lost):
                    wrong.append((streams, code))
            for stream in ("stdout", "stderr"):
                for moment in range(chosen.moments):
                    at = seconds * moment / chosen.moments
                    code = with_a_reader_that_leaves(job, stream, at, folder)
                    codes[code] += 1
                    if not is_right(job, code, folder, lost=False):
                        wrong.append((f"reader of {stream} left after {at:.2f} s", code))
                    code, lost = with_a_disk_that_fills(job, stream, at, folder)
                    codes[code] += 1
                    if not is_right(job, code, folder, lost=lost):
                        wrong.append((f"disk of {stream} full after {at:.2f} s", code))
            print(f"{job.name}: {dict(codes)}, wrong: {wrong or 'none'}", flush=True)


if __name__ == "__main__":
    main()

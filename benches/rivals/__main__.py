"""Race tailwatch against its peers, on the same data, in the same run.

Every contender has a process of its own with as many threads as the others and its best kernels.
The peers that are not installed are named and left out; `pip install .[rivals]` brings them all.
Each task writes benches/results/TASK.parquet as soon as it is done, or
TASK-KIND.parquet of other data than clusters.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from benches.recording import RESULTS, installed, machine, read, results_of, revision, write
from benches.rivals.race import LONG, expected, race, rounds_of
from benches.rivals.registry import TASKS
from benches.rivals.session import Conditions, ContenderError
from benches.samples import KINDS, Size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benches.rivals.task import Contender, Task

EXAMPLES = """\
examples:
  python -m benches.rivals                        # all, full sizes, into benches/results
  python -m benches.rivals neighbors --rounds 7   # one task
  python -m benches.rivals --resume               # what an interrupted run left
  python -m benches.rivals --estimate             # how long it would take
  python -m benches.rivals --sizes smoke          # seconds; prints, writes nothing
  python -m benches.rivals prdc --size 5000x256   # a size of one's own; writes nothing
  python -m benches.speed_table                   # put the results into the README
"""

START = 3.0
"""Seconds that a process takes to import its library and draw its data."""


def say(text: str) -> None:
    """Show progress."""
    print(f"  {text}", file=sys.stderr, flush=True)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.rivals",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "tasks", nargs="*", metavar="task", help=f"of {', '.join(TASKS)}; all by default"
    )
    parser.add_argument("--sizes", choices=("smoke", "full"), default="full", help="ladder")
    parser.add_argument("--size", metavar="ROWSxCOLUMNS", help="one size instead of the ladder")
    parser.add_argument(
        "--rounds", type=int, default=5, help="runs of each (default 5; slow ones 3)"
    )
    parser.add_argument("--threads", type=int, default=2, help="threads of each (default 2)")
    parser.add_argument("--seed", type=int, default=0, help="of the data (default 0)")
    parser.add_argument("--data", choices=KINDS, default="clusters", help="kind of the data")
    parser.add_argument(
        "--out", type=Path, help="folder of the results of other than full sizes too"
    )
    parser.add_argument(
        "--resume", action="store_true", help="leave out tasks with results of this revision"
    )
    parser.add_argument("--estimate", action="store_true", help="only say how long it would take")
    chosen = parser.parse_args()
    if unknown := set(chosen.tasks) - set(TASKS):
        parser.error(f"unknown tasks {', '.join(sorted(unknown))}; there are {', '.join(TASKS)}")
    if chosen.rounds < 1:
        parser.error(f"--rounds: expected 1 or more, got {chosen.rounds}")
    if chosen.size is not None:
        try:
            chosen.size = Size(*map(int, chosen.size.split("x")))
        except (TypeError, ValueError):
            parser.error(f"--size: expected ROWSxCOLUMNS such as 5000x256, got {chosen.size}")
    return chosen


def estimate(task: Task, size: Size, peers: Sequence[Contender], rounds: int) -> float:
    """Return about how many seconds a race takes on two Zen 4 cores."""
    total = 0.0
    for one in (task.ours, *peers):
        seconds, choices = expected(task, one, size), len(one.environments)
        warm_ups = 0 if seconds > LONG and choices == 1 else choices
        total += START * choices + seconds * (warm_ups + rounds_of(seconds, rounds))
    return total


def summary(rows: Sequence[dict[str, object]]) -> str:
    """Write what was found as lines for a terminal."""
    lines = []
    for row in rows:
        line = (
            "{task} {rows}x{columns}: tailwatch {seconds:.3g} s, {peer} {peer_seconds:.3g} s, "
            "ratio {ratio:.2f} [{ratio_low:.2f}, {ratio_high:.2f}]".format_map(row)
        )
        if row["to_reach"] is not None:
            line += f", to reach {row['to_reach']:g}"
        peaks = (f"{row[name] / 1e6:.0f}" for name in ("peak_bytes", "peer_peak_bytes"))  # type: ignore[operator]
        lines.append(f"{line}; peak beside inputs {' and '.join(peaks)} MB; {row['agreement']}")
    return "\n".join(lines)


def is_done(task: Task, sizes: Sequence[Size], chosen: argparse.Namespace, folder: Path) -> bool:
    """Say whether results of this revision, machine and setting hold all sizes of a task."""
    found = read(results_of(task.name, chosen.data), folder)
    if found is None:
        return False
    same = {
        "revision": revision(),
        "cpu": machine()["cpu"],
        "seed": chosen.seed,
        "threads": chosen.threads,
        "data": chosen.data,
    }
    held = found.filter(*(pl.col(name) == value for name, value in same.items()))
    return set(sizes) <= set(held.select("rows", "columns").iter_rows())


def main() -> int:
    """Run the races and return the exit code."""
    chosen = options()
    tasks = [task for name, task in TASKS.items() if not chosen.tasks or name in chosen.tasks]
    writes = chosen.out is not None or (chosen.sizes == "full" and chosen.size is None)
    folder = chosen.out or RESULTS
    missing: set[str] = set()
    planned: list[tuple[Task, tuple[Size, ...], list[Contender]]] = []
    for task in tasks:
        sizes = (chosen.size,) if chosen.size else getattr(task, chosen.sizes)
        if writes and chosen.resume and is_done(task, sizes, chosen, folder):
            say(f"{task.name}: done before")
            continue
        peers = [peer for peer in task.peers if installed(peer.package)]
        missing |= {peer.package for peer in task.peers if peer not in peers}
        if peers:
            planned.append((task, sizes, peers))
    for package in sorted(missing):
        say(f"{package} is not installed: left out")
    seconds = sum(
        estimate(task, size, peers, chosen.rounds)
        for task, sizes, peers in planned
        for size in sizes
    )
    print(f"{len(planned)} tasks, about {seconds / 60:.0f} minutes", file=sys.stderr)
    if chosen.estimate:
        return 0
    started, failed = time.perf_counter(), 0
    for number, (task, sizes, peers) in enumerate(planned, start=1):
        rows: list[dict[str, object]] = []
        for size in sizes:
            print(f"[{number}/{len(planned)}] {task.title}, {size}", file=sys.stderr, flush=True)
            conditions = Conditions(size, chosen.data, chosen.seed, chosen.threads)
            try:
                rows += race(task, conditions, peers, chosen.rounds, say)
            except ContenderError as error:
                say(f"tailwatch failed: {error}")
                failed += 1
        if rows:
            print(summary(rows), flush=True)
            if writes:
                name = results_of(task.name, chosen.data)
                say(f"wrote {os.path.relpath(write(name, rows, folder))}")
    print(f"took {(time.perf_counter() - started) / 60:.1f} minutes", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted; finished tasks are written", file=sys.stderr)
        sys.exit(130)

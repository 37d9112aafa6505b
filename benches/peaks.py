"""What this machine can do: the peaks that the speed of a metric is held against.

| row | measured by |
|---|---|
| f32, f64 multiply-add, NumPy and torch | a product of two square matrices, which comes near it |
| memory read | the largest value of an array that no cache holds, a share for every thread |

The int8 peak is that of our own tile: `cargo bench -p tailwatch-kernels`. Writes
benches/results/peaks.parquet.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benches.recording import RESULTS, installed, write
from benches.rivals.session import CHOICE, THREADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLES = """\
examples:
  python -m benches.peaks
  python -m benches.peaks --order 1000 --megabytes 64 --out /tmp/try   # to see that it works
"""


def jobs(
    order: int, megabytes: int, threads: int
) -> Iterator[tuple[str, str, Callable[[], object], float]]:
    """Yield what is measured: name, unit, job, and 1e9 units of work in it."""
    import numpy as np

    rng = np.random.default_rng(0)
    work = 2 * order**3 / 1e9
    for dtype in (np.float32, np.float64):
        a = rng.standard_normal((order, order)).astype(dtype)
        b = a.T.copy()
        kind = np.dtype(dtype).name
        yield f"{kind} product, NumPy", "GFLOP/s", lambda a=a, b=b: a @ b, work
        if installed("torch"):
            import torch

            torch.set_num_threads(threads)
            x, y = torch.from_numpy(a), torch.from_numpy(b)
            yield f"{kind} product, torch", "GFLOP/s", lambda x=x, y=y: x @ y, work
    shares = np.array_split(np.ones(megabytes * 250_000, np.float32), threads)
    with ThreadPoolExecutor(threads) as pool:
        yield "memory read", "GB/s", lambda: list(pool.map(np.max, shares)), megabytes / 1e3


def measure(job: Callable[[], object], rounds: int) -> list[float]:
    """Time a job after a warm-up."""
    job()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - started)
    return seconds


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.peaks",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--order", type=int, default=6_000, help="of the matrices")
    parser.add_argument("--megabytes", type=int, default=2_000, help="of the array that is read")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    wanted = dict.fromkeys(THREADS, str(options.threads))
    if any(name in os.environ for name in CHOICE) or wanted.items() - os.environ.items():
        # Libraries read these when they are loaded, so the process starts anew with them.
        kept = {name: value for name, value in os.environ.items() if name not in CHOICE}
        words = [sys.executable, "-m", "benches.peaks", *sys.argv[1:]]
        os.execve(sys.executable, words, kept | wanted)  # noqa: S606 (itself)
    rows: list[dict[str, object]] = []
    for name, unit, job, work in jobs(options.order, options.megabytes, options.threads):
        seconds = measure(job, options.rounds)
        typical, best = work / median(seconds), work / min(seconds)
        print(f"{name:<24} {typical:>8.1f} {unit} (best {best:.1f})", flush=True)
        rows.append(
            {
                "peak": name,
                "unit": unit,
                "median": typical,
                "best": best,
                "rounds": options.rounds,
                "threads": options.threads,
            }
        )
    write("peaks", rows, options.out)


if __name__ == "__main__":
    main()

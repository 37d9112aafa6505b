"""Whether the time per pair of exact neighbours stays the same from 10,000 to 200,000 rows.

Every round climbs all sizes once, so that a machine that changes its speed changes it for all of
them. What is compared is the medians of nanoseconds per pair and column: by how much the largest is
above the smallest, and by how much any is off the one rate that is nearest to all of them. Writes
benches/results/ladder.parquet, or ladder-KIND.parquet of other data than clusters.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import tailwatch as tw
from benches.recording import RESULTS, results_of, write
from benches.samples import KINDS, Size, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = """\
examples:
  python -m benches.ladder                                  # minutes: 200,000 × 200,000 pairs
  python -m benches.ladder --queries 20000                  # the base alone grows
  python -m benches.ladder --data embeddings --columns 256 --rows 10000 20000 50000 100000
  python -m benches.ladder --rows 1000 2000 --out /tmp/try  # to see that it works
"""

ROWS = (10_000, 20_000, 50_000, 100_000, 200_000)
COLUMNS = 384
K = 5

SECONDS = 1.0
"""Short calls are repeated within a round until this is over, and the fastest counts."""


def seconds_of(size: Size, queries: int, kind: str, threads: int) -> float:
    """Time the neighbours of the candidate's first rows among all reference rows."""
    reference, candidate = draw(size, kind)
    asked: Any = candidate[:queries]
    best, started = float("inf"), time.perf_counter()
    while True:
        before = time.perf_counter()
        tw.metrics.nearest_neighbors(asked, reference, k=K, threads=threads)
        after = time.perf_counter()
        best = min(best, after - before)
        if after - started > SECONDS:
            return best


def climb(
    sizes: Sequence[Size], *, queries: int | None, rounds: int, kind: str, threads: int
) -> list[dict[str, object]]:
    """Measure all sizes in turn and return a row of results for each."""
    taken: dict[Size, list[float]] = {size: [] for size in sizes}
    for turn in range(rounds):
        for size in sizes:
            taken[size].append(seconds_of(size, queries or size.rows, kind, threads))
            print(
                f"  round {turn + 1} of {rounds}: {size} {taken[size][-1]:.2f} s",
                file=sys.stderr,
                flush=True,
            )
    rows: list[dict[str, object]] = []
    for size, seconds in taken.items():
        asked = min(queries or size.rows, size.rows)
        per_pair = [1e9 * one / (asked * size.rows * size.columns) for one in seconds]
        rows.append(
            {
                "rows": size.rows,
                "columns": size.columns,
                "queries": asked,
                "k": K,
                "dtype": "float32",
                "data": kind,
                "seed": 0,
                "threads": threads,
                "rounds": rounds,
                "seconds": median(seconds),
                "ns_per_pair_and_column": median(per_pair),
                "ns_low": min(per_pair),
                "ns_high": max(per_pair),
                "effective_gflops": 2 / median(per_pair),
            }
        )
    return rows


class Flatness(NamedTuple):
    """How far times per pair are from being one rate, as shares."""

    spread: float
    """By how much the most is above the least."""

    off: float
    """By how much any is at most off the middle of the two."""

    def __str__(self) -> str:
        return (
            f"the most is {100 * self.spread:.0f} % above the least, "
            f"and all are within {100 * self.off:.0f} % of one rate"
        )


def flatness(per_pair: Sequence[float]) -> Flatness:
    """Return how far times per pair are from being proportional to the pairs."""
    least, most = min(per_pair), max(per_pair)
    return Flatness(most / least - 1, (most - least) / (most + least))


def main() -> None:
    """Climb, print and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.ladder",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="rows of each sample")
    parser.add_argument("--columns", type=int, default=COLUMNS)
    parser.add_argument("--queries", type=int, help="at most so many queries; all rows by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", choices=KINDS, default="clusters", help="kind of the data")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    sizes = [Size(rows, options.columns) for rows in options.rows]
    rows = climb(
        sizes,
        queries=options.queries,
        rounds=options.rounds,
        kind=options.data,
        threads=options.threads,
    )
    row = "{:>8} {:>8} {:>9} {:>12} {:>12}"
    print(row.format("rows", "queries", "seconds", "ns/pair/col", "eff. GFLOP/s"))
    for found in rows:
        values = (found[name] for name in ("rows", "queries"))
        numbers = (
            f"{found[name]:.3g}"
            for name in ("seconds", "ns_per_pair_and_column", "effective_gflops")
        )
        print(row.format(*values, *numbers))
    print(f"per pair, {flatness([r['ns_per_pair_and_column'] for r in rows])}")  # type: ignore[misc]
    write(results_of("ladder", options.data), rows, options.out)


if __name__ == "__main__":
    main()

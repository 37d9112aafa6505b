"""What rows that are equal, or tie otherwise, cost: against distinct rows of the same shape.

Rounds take the kinds in turn, so that a machine that changes its speed changes it for all of them;
what is compared is the median of each kind's seconds.
"""

from __future__ import annotations

import argparse
import platform
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

import tailwatch as tw

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

K = 5


def kinds(rows: int, columns: int) -> dict[str, NDArray[np.float32]]:
    """Draw one set of each kind."""
    generator = np.random.default_rng(0)
    distinct = generator.standard_normal((rows, columns), dtype=np.float32)
    half = distinct.copy()
    half[generator.permutation(rows)[: rows // 2]] = distinct[0]
    twice = distinct[generator.permutation(np.arange(rows) // 2)]
    near: Any = half.astype(np.float64)
    near += 1e-12 * generator.standard_normal((rows, columns))
    categories = np.eye(columns, dtype=np.float32)
    return {
        "distinct": distinct,
        "half identical": half,
        "all identical": np.tile(distinct[0], (rows, 1)),
        "each row twice": twice,
        "40 positions": distinct[generator.integers(40, size=rows)],
        "half within 1e-12": near,
        "one-hot": categories[generator.integers(columns, size=rows)],
        "binary": (distinct > 0).astype(np.float32),
        "integers 1-5": generator.integers(1, 6, (rows, columns)).astype(np.float32),
    }


def jobs() -> dict[str, Callable[[Any], object]]:
    """Name what is timed: each takes a set."""
    neighbors = tw.metrics.nearest_neighbors
    metrics = tw.metrics
    return {
        "within": lambda rows: neighbors(rows, rows, k=K, exclude_self=True),
        "across": lambda rows: neighbors(rows[::2], rows[1::2], k=K),
        "few queries": lambda rows: neighbors(rows[:50], rows, k=K),
        "prdc": lambda rows: metrics.precision_recall_density_coverage(rows[::2], rows[1::2], k=K),
        "tail test": lambda rows: metrics.tail_test(rows[::2], rows[1::2], k=K, level=0.05),
    }


def main() -> None:
    """Print a table of ratios to distinct rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=8000)
    parser.add_argument("--columns", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    drawn = kinds(options.rows, options.columns)
    print(f"{platform.processor() or platform.machine()}: {options.rows:,} × {options.columns}")
    for name, job in jobs().items():
        taken: dict[str, list[float]] = {kind: [] for kind in drawn}
        for _ in range(options.rounds):
            for kind, rows in drawn.items():
                before = time.perf_counter()
                job(rows)
                taken[kind].append(time.perf_counter() - before)
        base = median(taken["distinct"])
        print(f"{name}: distinct {base:.3f} s")
        for kind, seconds in taken.items():
            print(f"  {kind:20} {median(seconds) / base:6.2f}")


if __name__ == "__main__":
    main()

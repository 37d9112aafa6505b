"""How fast rows are scored, beside how fast their file can be read.

A float16 ``.npy`` file of 512 columns in the page cache is read through a buffer of 64 MiB, and
scored, in turn; medians of 7 of each::

    python -m benches.score_rate --gigabytes 1
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import tailwatch as tw

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS, TURNS, BUFFER, THREADS = 512, 7, 1 << 26, 2


def model() -> tw.contamination.ContaminationModel:
    """Fit to rows of no account: the rate does not depend on them."""
    rng = np.random.default_rng(0)
    return tw.contamination.fit(
        rng.normal(size=(2000, COLUMNS)), 0.1 + rng.normal(size=(2000, COLUMNS))
    )


def write(path: Path, size: int) -> None:
    """Write about `size` bytes of rows."""
    rows = size // (2 * COLUMNS)
    file = np.lib.format.open_memmap(path, "w+", np.float16, (rows, COLUMNS))
    block = np.random.default_rng(1).normal(size=(4096, COLUMNS)).astype(np.float16)
    for start in range(0, rows, len(block)):
        file[start : start + len(block)] = block[: rows - start]
    file.flush()


def read(path: Path) -> None:
    """Read the file, as fast as one can."""
    buffer = bytearray(BUFFER)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def seconds(call: Callable[[], object]) -> float:
    """Time one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def rates(size: int) -> tuple[float, float]:
    """Give bytes a second, read and scored."""
    scorer = model()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        write(path, size)
        calls = (lambda: read(path), lambda: scorer.score(str(path), threads=THREADS))
        times = [[seconds(call) for call in calls] for _ in range(TURNS)]
        size = path.stat().st_size
    found = [size / statistics.median(each) for each in zip(*times, strict=True)]
    return found[0], found[1]


def main() -> None:
    """Print both rates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, default=1.0)
    by_reading, by_scoring = rates(int(parser.parse_args().gigabytes * 1e9))
    print(
        f"read {by_reading / 1e9:.2f} GB/s, scored {by_scoring / 1e9:.2f} GB/s with {THREADS} "
        f"threads: {by_scoring / by_reading:.0%}"
    )


if __name__ == "__main__":
    main()

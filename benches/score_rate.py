"""How fast rows are scored, beside how fast their file can be read.

A float16 ``.npy`` file of 512 columns in the page cache is, in turn, read into buffers of 64 MiB,
read where it is mapped, which is how it is scored, and scored; each on 2 threads, a half of the
file each where it is only read. Bytes for a second of processor time, which other work on the
machine does not change; both threads together do twice as much in a second. Medians of 7::

    python -m benches.score_rate --gigabytes 1
"""

from __future__ import annotations

import argparse
import mmap
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

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


class Rates(NamedTuple):
    """Bytes for a second of processor time."""

    buffered: float
    mapped: float
    scored: float


def read(path: Path, buffers: list[bytearray]) -> None:
    """Read the file into buffers, one for each thread."""
    half = path.stat().st_size // THREADS

    def part(number: int) -> None:
        # Opened here, so that each thread has a place in the file of its own.
        buffer, missing = memoryview(buffers[number]), half
        with path.open("rb", buffering=0) as file:
            file.seek(number * half)
            while missing > 0:
                missing -= file.readinto(buffer[:missing]) or missing

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(part, range(THREADS)))


def read_mapped(path: Path) -> None:
    """Read every word of the mapped file."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    words = np.frombuffer(mapped, np.uint64, path.stat().st_size // 8)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(np.bitwise_or.reduce, np.array_split(words, THREADS)))


def seconds(call: Callable[[], object]) -> float:
    """Give the processor time of one call, over all threads."""
    started = time.process_time()
    call()
    return time.process_time() - started


def rates(size: int) -> Rates:
    """Time reading and scoring a file of `size` bytes."""
    scorer = model()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        write(path, size)
        # A thread that writes to fresh memory would wait for pages.
        buffers = [bytearray(b"1") * BUFFER for _ in range(THREADS)]
        calls = (
            lambda: read(path, buffers),
            lambda: read_mapped(path),
            lambda: scorer.score(str(path), threads=THREADS),
        )
        times = [[seconds(call) for call in calls] for _ in range(TURNS)]
        size = path.stat().st_size
    return Rates(*(size / statistics.median(each) for each in zip(*times, strict=True)))


def said(found: Rates) -> str:
    """Put the rates into words."""
    return (
        f"{found.scored / found.buffered:.0%}: {found.scored / 1e9:.1f} of "
        f"{found.buffered / 1e9:.1f} GB into buffers for a second of each thread; reading without "
        f"a copy, {found.mapped / 1e9:.1f}"
    )


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, default=1.0)
    print(said(rates(int(parser.parse_args().gigabytes * 1e9))))


if __name__ == "__main__":
    main()

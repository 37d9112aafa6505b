"""How fast a data set is scored, beside how fast its files can be read, and in what memory.

A float16 data set of 512 columns in the page cache: a packed folder, or shards of Parquet with a
column of identifiers, as Polars writes them. In turn, medians of 5 of each: all its files are read
through a buffer of 64 MiB; all rows are scored and counted, with nothing kept on disk; the whole
job runs, ``score_dataset`` with its tables, summary and page. The job runs once more in a process
of its own: its largest anonymous memory (heap), beside that of the process before it began. Mapped
pages of the files are left out: the system may take them back at any time::

    python -m benches.dataset_rate --rows 2000000
    python -m benches.dataset_rate --rows 1000000 --format parquet
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

import tailwatch as tw
from tailwatch.io.pack_folder import Pack, array_path, write_pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

COLUMNS, TURNS, BUFFER, THREADS, ROWS_PER_SHARD = 512, 5, 1 << 26, 2, 250_000


def model() -> tw.contamination.ContaminationModel:
    """Fit to rows that are told apart as ordinary ones are (AUC about 0.95)."""
    rng = np.random.default_rng(0)
    return tw.contamination.fit(
        rng.normal(size=(10_000, COLUMNS)), 0.1 + rng.normal(size=(10_000, COLUMNS))
    )


def shard(number: int, size: int) -> NDArray[np.float16]:
    """Make the rows of a shard, a tenth of them synthetic."""
    rng = np.random.default_rng(number + 1)
    block = rng.standard_normal((5000, COLUMNS), np.float32).astype(np.float16)
    block[4500:] += np.float16(0.1)
    # Other rows in each block, at the cost of a copy: values that moved on by a column.
    blocks = (np.roll(block, moved, axis=1) for moved in range(-(-size // len(block))))
    return np.concatenate(list(blocks))[:size]


def write(folder: Path, rows: int, form: str) -> None:
    """Write a data set of `rows` rows."""
    sizes = [min(ROWS_PER_SHARD, rows - start) for start in range(0, rows, ROWS_PER_SHARD)]
    if form == "parquet":
        folder.mkdir(parents=True)
        for number, size in enumerate(sizes):
            vectors = pl.Series(shard(number, size), dtype=pl.Array(pl.Float16, COLUMNS))
            keys = pl.int_range(size, eager=True).cast(pl.String)
            frame = pl.DataFrame({"key": keys, "embedding": vectors})
            frame.write_parquet(folder / f"{number:05}.parquet")
        return
    array_path(folder, 0).parent.mkdir(parents=True)
    for number, size in enumerate(sizes):
        np.save(array_path(folder, number), shard(number, size))
    write_pack(folder, Pack(COLUMNS, "float16", rows, metadata=False, shards=tuple(sizes)))


def read(folder: Path) -> None:
    """Read all files, as fast as one can."""
    buffer = bytearray(BUFFER)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass


def seconds(call: Callable[[], object]) -> float:
    """Time one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def anonymous() -> int:
    """Give the bytes of this process that are not pages of files."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return 1024 * int(line.split()[1])
    return 0


def job(folder: Path, out: Path, saved: Path) -> None:
    """Run the whole job into a new folder."""
    shutil.rmtree(out, ignore_errors=True)
    loaded = tw.contamination.ContaminationModel.load(saved)
    loaded.score_dataset(folder, out, threads=THREADS)


def peak(folder: Path, out: Path, saved: Path, found: multiprocessing.Queue[int]) -> None:
    """Run the job and put what its memory was before, and at most meanwhile."""
    before, largest, done = anonymous(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            largest[0] = max(largest[0], anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    job(folder, out, saved)
    done.set()
    watcher.join()
    found.put(before)
    found.put(largest[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--keep", type=Path, help="folder of the rows: used if there, else made")
    parser.add_argument("--format", choices=("packed", "parquet"), default="packed")
    given = parser.parse_args()
    rows: int = given.rows
    with tempfile.TemporaryDirectory() as place:
        out, saved = Path(place, "out"), Path(place, "m.tailwatch")
        folder: Path = given.keep or Path(place, "data")
        scorer = model()
        scorer.save(saved)
        if not folder.exists():
            write(folder, rows, given.format)
        source = folder if given.format == "packed" else sorted(folder.glob("*.parquet"))
        rows = len(tw.open(source))
        size = 2 * COLUMNS * rows
        calls: dict[str, Callable[[], object]] = {
            "read": lambda: read(folder),
            "score": lambda: scorer.histogram(tw.open(source), threads=THREADS),
            "score_dataset": lambda: job(folder, out, saved),
        }
        times: dict[str, list[float]] = {name: [] for name in calls}
        read(folder)
        for _ in range(TURNS):
            for name, call in calls.items():
                times[name].append(seconds(call))
        medians = {name: statistics.median(found) for name, found in times.items()}
        print(
            f"{rows:,} rows × {COLUMNS} float16, {given.format}, {size / 1e9:.2f} GB, "
            f"{THREADS} threads"
        )
        for name, median in medians.items():
            print(
                f"{name:>14}: {median:.2f} s, {rows / median / 1e6:.2f} M rows/s, "
                f"{size / median / 1e9:.2f} GB/s, {100 * medians['read'] / median:.0f} % of reading"
            )
        found: multiprocessing.Queue[int] = multiprocessing.get_context("spawn").Queue()
        child = multiprocessing.get_context("spawn").Process(
            target=peak, args=(folder, out, saved, found)
        )
        child.start()
        before, largest = found.get(), found.get()
        child.join()
        print(f"memory of the job: {before / 1e6:.0f} MB before, {largest / 1e6:.0f} MB at most")


if __name__ == "__main__":
    main()

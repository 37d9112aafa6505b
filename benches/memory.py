"""Peak memory of the quadratic jobs at sizes where n × m numbers would not fit.

Each job runs in a process of its own, so that its peak is its own. The peak is that of the whole
process, interpreter and libraries included, and is held against the bytes of the embeddings plus an
allowance. Exits with 1 if a job needs more::

    python benches/memory.py                 # all, about ten minutes on two cores
    python benches/memory.py compare --rows 20000
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MB = 1_000_000
"""As disks and papers count: the stricter reading."""

CHUNK = 4096
"""Rows that are drawn at a time, so that drawing needs no memory of its own."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is run on two samples, and what it may take beside them.

    Attributes
    ----------
    run
        Takes the sources of reference and candidate.
    rows, columns
        Of each sample.
    allowance
        Bytes beside the embeddings.
    mapped
        Whether the samples are memory-mapped files instead of arrays.
    dtype
        Of the samples.
    """

    run: Callable[[object, object], object]
    rows: int
    columns: int
    allowance: int
    mapped: bool = False
    dtype: type[np.floating] = np.float32

    @property
    def inputs(self) -> int:
        """Bytes of both samples."""
        return 2 * self.rows * self.columns * np.dtype(self.dtype).itemsize


def compare(reference: object, candidate: object) -> object:
    import tailwatch as tw

    return tw.compare(reference, candidate, max_rows=20_000)


def prdc(reference: object, candidate: object) -> object:
    import tailwatch as tw

    return tw.metrics.precision_recall_density_coverage(reference, candidate, progress=True)


JOBS = {
    "compare": Job(compare, 100_000, 256, 500 * MB),
    "compare-mapped": Job(compare, 100_000, 256, 500 * MB, mapped=True),
    "prdc": Job(prdc, 30_000, 64, 200 * MB),
    # A fifth of what a million rows may take: what is kept is kept by row, and what is not is less.
    "prdc-mapped": Job(prdc, 200_000, 384, 4 * 2**30 // 5, mapped=True, dtype=np.float16),
}


def samples(job: Job, folder: Path) -> tuple[object, object]:
    """Make both samples with nothing left behind but themselves."""
    rng = np.random.default_rng(0)

    def filled(into: NDArray[np.floating]) -> NDArray[np.floating]:
        for start in range(0, job.rows, CHUNK):
            part = into[start : start + CHUNK]
            part[:] = rng.standard_normal(part.shape, dtype=np.float32)
        return into

    shape = (job.rows, job.columns)
    if not job.mapped:
        first, second = (filled(np.empty(shape, job.dtype)) for _ in range(2))
        return first, second
    paths = folder / "reference.npy", folder / "candidate.npy"
    for path in paths:
        filled(np.lib.format.open_memmap(path, "w+", job.dtype, shape)).flush()
    return paths


def peak(job: Job, folder: Path) -> tuple[int, float]:
    """Run a job and return the peak of its process in bytes, and its seconds."""
    sources = samples(job, folder)
    started = time.perf_counter()
    job.run(*sources)
    seconds = time.perf_counter() - started
    # getrusage would do, but its peak is inherited from the process that started this one.
    kibibytes = Path("/proc/self/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0]
    return 1024 * int(kibibytes), seconds


def main() -> None:
    """Run the jobs and print what each needed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("jobs", nargs="*", default=list(JOBS), metavar="job", help=", ".join(JOBS))
    parser.add_argument("--rows", type=int, help="rows of each sample instead of the job's own")
    options = parser.parse_args()
    if sys.platform != "linux":
        parser.error("peaks are read from /proc, which only Linux has")
    if unknown := set(options.jobs) - set(JOBS):
        parser.error(f"unknown jobs {', '.join(sorted(unknown))}; there are {', '.join(JOBS)}")
    row = "{:<15} {:>21} {:>10} {:>12} {:>10} {:>9}"
    print(
        row.format("job", "samples (rows × cols)", "inputs MB", "peak − in MB", "allowed MB", "s")
    )
    failed = False
    # A forked child would count its parent's pages as its own.
    context = multiprocessing.get_context("spawn")
    for name in options.jobs:
        job = JOBS[name]
        job = replace(job, rows=options.rows or job.rows)
        with tempfile.TemporaryDirectory() as folder, context.Pool(1) as pool:
            highest, seconds = pool.apply(peak, (job, Path(folder)))
        beside = highest - job.inputs
        failed |= beside > job.allowance
        print(
            row.format(
                name,
                f"2 × {job.rows} × {job.columns}",
                f"{job.inputs / MB:.0f}",
                f"{beside / MB:.0f}",
                f"{job.allowance / MB:.0f}",
                f"{seconds:.0f}",
            ),
            flush=True,
        )
    sys.exit(failed)


if __name__ == "__main__":
    main()

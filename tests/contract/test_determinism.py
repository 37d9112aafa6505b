"""The same bits whatever the threads, the chunks, the layout, the process or the company."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tests.support import samples
from tests.support.calls import CALLS, bits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Rows and columns that are no multiple of a tile, and enough of them for several blocks each.
X = samples.clusters(1, 1501, 37).astype(np.float32)
Y = samples.clusters(2, 1303, 37, centres=6).astype(np.float32)


@pytest.fixture(scope="module")
def alone() -> dict[str, object]:
    """Bits of every result on one thread and one chunk."""
    return {name: bits(call(X, Y, threads=1)) for name, call in CALLS.items()}


@pytest.mark.parametrize("threads", [3])
@pytest.mark.parametrize("name", CALLS)
def test_threads(name: str, threads: int, alone: dict[str, object]) -> None:
    assert bits(CALLS[name](X, Y, threads=threads)) == alone[name]


def cut(rows: np.ndarray, where: list[int]) -> list[np.ndarray]:
    return np.split(rows, where)


def as_series(rows: np.ndarray) -> pl.Series:
    first, *others = (pl.Series("embedding", part) for part in cut(rows, [1, 8, 700]))
    for other in others:
        first = first.append(other)
    assert first.n_chunks() == 4
    return first


def as_arrow(rows: np.ndarray) -> pa.ChunkedArray:
    parts = [
        pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), rows.shape[1])
        for part in cut(rows, [333, 334, 1000])
    ]
    return pa.chunked_array(parts)


LAYOUTS: dict[str, Callable[[np.ndarray], object]] = {
    "polars series of four chunks": as_series,
    "arrow chunks": as_arrow,
    "columns first": np.asfortranarray,
    "every other row of a larger array": lambda rows: np.repeat(rows, 2, axis=0)[::2],
    "backwards twice": lambda rows: rows[::-1].copy()[::-1],
    "part of wider rows": lambda rows: np.pad(rows, ((0, 0), (3, 2)))[:, 3:-2],
    "read only": lambda rows: np.frombuffer(rows.tobytes(), rows.dtype).reshape(rows.shape),
}


PAIRS = [
    # The parts of the two sides need not fit each other.
    ("polars series of four chunks", "arrow chunks"),
    ("arrow chunks", "columns first"),
    ("every other row of a larger array", "backwards twice"),
    ("part of wider rows", "read only"),
]
assert {layout for pair in PAIRS for layout in pair} == set(LAYOUTS)


@pytest.mark.parametrize(
    ("name", "pair"),
    # Two pairs for each call, and the other two where there is time.
    [
        pytest.param(name, PAIRS[(at + more) % 4], marks=[pytest.mark.slow] * (more > 1))
        for at, name in enumerate(CALLS)
        for more in range(4)
    ],
)
def test_chunks_and_layout(name: str, pair: tuple[str, str], alone: dict[str, object]) -> None:
    x, y = (LAYOUTS[layout](rows) for layout, rows in zip(pair, (X, Y), strict=True))
    assert bits(CALLS[name](x, y, threads=2)) == alone[name]


@pytest.mark.parametrize("name", CALLS)
def test_files(name: str, tmp_path: Path, alone: dict[str, object]) -> None:
    # Files of one row, of none that fits a block, and of one whole block and more.
    paths = []
    for number, part in enumerate(cut(X, [1, 2, 3, 500, 501, *range(540, 1300, 40)])):
        paths.append(tmp_path / f"{number:03}.npy")
        np.save(paths[-1], part)
    assert bits(CALLS[name](paths, Y, threads=2)) == alone[name]


def test_among_others(alone: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    # Four calls at once on the shared pool, each beside all the others that stand near it, and the
    # number of threads that is the default.
    monkeypatch.delenv("TAILWATCH_NUM_THREADS", raising=False)
    names = [*CALLS, *reversed(CALLS)]
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(CALLS[name], X, Y, threads=None) for name in names]
    for name, call in zip(names, calls, strict=True):
        assert bits(call.result()) == alone[name], name


FORKED = """
import os, sys
import numpy as np
from tailwatch import metrics

rng = np.random.default_rng(0)
x, y = rng.normal(size=(600, 24)), rng.normal(size=(500, 24))

def results():
    distances, indices = metrics.nearest_neighbors(y, x, k=5, threads=2)
    prdc = metrics.precision_recall_density_coverage(x, y, threads=2)
    return (
        distances.tobytes(), indices.tobytes(), prdc.density, prdc.coverage,
        metrics.energy_distance(x, y, threads=2), metrics.frechet_distance(x, y, threads=2),
        metrics.mmd(x, y, kernel="polynomial", threads=2),
    )

before = results()  # the pool of the parent is running when it forks
for generation in range(3):  # child, grandchild, great-grandchild
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        own = results() == before  # and the parent goes on
        code = 0 if own and os.waitstatus_to_exitcode(status) == 0 else 1
        if generation:
            os._exit(code)
        sys.exit(code)
    if results() != before:
        os._exit(1)
os._exit(0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="fork is a POSIX call")
def test_forked_children() -> None:
    # In a process of its own, so that a pool that hangs after the fork hangs nothing else.
    run = subprocess.run(
        [sys.executable, "-c", FORKED], timeout=120, check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


# Rows, so that each takes some tenths of a second on one thread of most processors.
LONG_CALLS = {
    "nearest_neighbors": 8000,
    "prdc": 5000,
    "energy_distance": 3000,
    "mmd_polynomial": 3000,
    "mmd_gaussian": 3000,
}


@pytest.mark.parametrize("name", LONG_CALLS)
def test_other_python_threads_go_on(name: str) -> None:
    # If the call held the interpreter lock, this thread would not run between its start and its
    # end. One turn in 20 ms is far below what a free lock allows and above what polling gives.
    count = LONG_CALLS[name]
    span: list[float] = []

    def work() -> None:
        span.append(time.perf_counter())
        CALLS[name](rows, rows[::-1], threads=1)
        span.append(time.perf_counter())

    start = end = 0.0
    turns: list[float] = []
    # On a fast processor more rows, until a call is long enough to tell.
    while end - start < 0.1:
        rows = samples.gaussian(3, count, 64)
        count *= 2
        span.clear()
        turns.clear()
        worker = threading.Thread(target=work)
        worker.start()
        while worker.is_alive():
            turns.append(time.perf_counter())
            time.sleep(0.001)
        start, end = span
    during = sum(start < turn < end for turn in turns)
    assert during >= (end - start) / 0.020

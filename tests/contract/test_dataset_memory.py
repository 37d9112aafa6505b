"""A job takes the memory of some batches, whatever the sizes of the shards."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tailwatch import contamination

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

COLUMNS = 512
SMALL, LARGE = 40_000, 240_000
# Six times the rows are 205 MB more of float16. Copies are counted from 8 bytes a row, and the
# allocator keeps what it likes of some batches of 32 MB.
ALLOWANCE = 128_000_000

CHILD = """
import sys, threading, time
from pathlib import Path
from tailwatch.contamination import ContaminationModel
import tailwatch.contamination.dataset.job

def anonymous():
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.split("RssAnon:")[1].split()[0])

largest, done = [0], threading.Event()

def watch():
    while not done.wait(0.005):
        largest[0] = max(largest[0], anonymous())

model = ContaminationModel.load(sys.argv[1])
watcher = threading.Thread(target=watch)
watcher.start()
by = "month" if sys.argv[2].endswith(".parquet") else None
model.score_dataset(sys.argv[2], sys.argv[3], by=by, threads=2)
done.set()
watcher.join()
print(largest[0])
"""


def write_npy(path: Path, rows: int) -> None:
    """Write in pieces; mapped pages of a file are not memory of a process."""
    file = np.lib.format.open_memmap(path, "w+", np.float16, (rows, COLUMNS))
    piece = np.random.default_rng(0).standard_normal((10_000, COLUMNS), np.float32)
    piece = piece.astype(np.float16)
    for number, start in enumerate(range(0, rows, len(piece))):
        # The same numbers in other columns: no row is there twice.
        file[start : start + len(piece)] = np.roll(piece, number, axis=1)


def write_parquet(path: Path, rows: int) -> None:
    """Write one row group, the hardest of all, with a column that names groups."""
    write_npy(path.with_suffix(".npy"), rows)
    values = np.load(path.with_suffix(".npy"), mmap_mode="r")
    series = pl.Series("embedding", values, dtype=pl.Array(pl.Float16, COLUMNS))
    frame = pl.DataFrame({"embedding": series, "month": np.arange(rows) % 24})
    frame.write_parquet(path, row_group_size=rows, compression="uncompressed")


FORMATS: dict[str, Callable[[Path, int], None]] = {".npy": write_npy, ".parquet": write_parquet}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    human, synthetic = np.random.default_rng(0).normal(size=(2, 600, COLUMNS))
    path = tmp_path_factory.mktemp("model") / "m.tailwatch"
    return contamination.fit(human, synthetic + 0.1, folds=2).save(path)


def peak(model: Path, shard: Path, out: Path) -> int:
    command = [sys.executable, "-c", CHILD, str(model), str(shard), str(out)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("suffix", [".parquet", pytest.param(".npy", marks=pytest.mark.slow)])
def test_a_shard_six_times_as_large_takes_no_more(suffix: str, model: Path, tmp_path: Path) -> None:
    found = []
    for rows in (SMALL, LARGE):
        shard = tmp_path / f"{rows}{suffix}"
        FORMATS[suffix](shard, rows)
        found.append(peak(model, shard, tmp_path / f"out-{rows}"))
        shard.unlink()
    print(f"{suffix}: {[round(each / 1e6) for each in found]} MB")  # noqa: T201
    assert found[1] - found[0] < ALLOWANCE

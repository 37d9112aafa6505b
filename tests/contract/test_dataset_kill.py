"""SIGKILL at any moment of a job over a data set, and the same bytes as if it had not been."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tailwatch.contamination import ContaminationModel
from tests.support.datasets import contents, model, rows, write_shards

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

KILLS = 4
SHARDS, ROWS = 12, 5_000
JOB = """
import sys
from tailwatch.contamination import ContaminationModel
import tailwatch.contamination.dataset.job
model = ContaminationModel.load(sys.argv[1])
print("ready", flush=True)
model.score_dataset(
    sys.argv[2], sys.argv[3], id_column="url", by="month", copies_of=sys.argv[4], threads=2
)
print("done", flush=True)
"""


class Job:
    """A data set, a model, and what a run that nobody disturbs makes of them."""

    def __init__(self, folder: Path) -> None:
        self.source = write_shards(folder / "shards", SHARDS, ROWS)
        for number, file in enumerate(sorted(self.source.iterdir())):
            # Months that begin and end within shards.
            month = (pl.int_range(pl.len()) + 4000 * number) // 7000
            pl.read_parquet(file).with_columns(month=month).write_parquet(file)
        self.model = model().save(folder / "model.tailwatch")
        self.templates = folder / "templates.npy"
        np.save(self.templates, rows(50, 99, share=1.0))
        started = time.monotonic()
        self.run(folder / "undisturbed")
        self.seconds = time.monotonic() - started
        self.expected = contents(folder / "undisturbed")

    def run(self, out: Path) -> None:
        ContaminationModel.load(self.model).score_dataset(
            self.source, out, id_column="url", by="month", copies_of=self.templates
        )

    def kill(self, out: Path, after: float) -> bool:
        """Run in a process of its own and kill it; tell whether it was killed before its end."""
        with subprocess.Popen(
            [sys.executable, "-c", JOB, self.model, self.source, out, self.templates],
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(after)
            child.send_signal(signal.SIGKILL)
            return "done" not in child.stdout.read()


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    return Job(tmp_path_factory.mktemp("killed"))


def test_kills_at_random_moments_leave_no_trace(job: Job, tmp_path: Path) -> None:
    moments = np.random.default_rng(0).uniform(0, job.seconds, KILLS)
    # The last moments of a job are short, and a kill may come too late for them.
    killed = 0
    for number, after in enumerate(moments):
        out = tmp_path / str(number)
        killed += job.kill(out, after)
        job.run(out)
        assert contents(out) == job.expected, f"killed after {after:.3f} of {job.seconds:.3f} s"
    assert killed >= KILLS // 2


def test_a_job_that_is_killed_again_and_again_gets_to_its_end(job: Job, tmp_path: Path) -> None:
    out = tmp_path / "out"
    moments = np.random.default_rng(1).uniform(0, job.seconds / 4, KILLS)
    assert sum(job.kill(out, after) for after in moments) >= KILLS // 2
    job.run(out)
    assert contents(out) == job.expected


def test_what_was_done_before_a_kill_is_not_done_again(job: Job, tmp_path: Path) -> None:
    out = tmp_path / "out"
    job.run(out)
    before = {file: file.stat().st_mtime_ns for file in (out / "shards").rglob("*.parquet")}
    (out / "summary.json").unlink()
    (out / "shards" / "part-003.parquet").unlink()
    job.run(out)
    after = {file: file.stat().st_mtime_ns for file in (out / "shards").rglob("*.parquet")}
    assert {file.name for file in before if before[file] != after[file]} == {"part-003.parquet"}
    assert contents(out) == job.expected

"""A shard that is cut, replaced or deleted while it is scored: named, and the others are scored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CHANGING = """
import json, os, sys
import numpy as np
from pathlib import Path
from tailwatch.contamination.dataset import shard_scores
from tailwatch.contamination.dataset.report import ContaminationReport
from tailwatch.exceptions import ShardError
from tests.support.datasets import COLUMNS, model, rows, table
shard_scores.BATCH_BYTES = 100 * 4 * COLUMNS
# To draw the page of a job takes as long as all else of it.
ContaminationReport.to_html = ContaminationReport.to_json
place, suffix = Path(sys.argv[1]), sys.argv[2]
scorer = model()


def write(path, seed, count):
    if suffix == ".npy":
        np.save(path, rows(count, seed))
    elif suffix == ".arrow":
        table(rows(count, seed)).write_ipc(path, record_batch_size=100)
    else:
        table(rows(count, seed)).write_parquet(path, row_group_size=100)


def cut(path):
    os.truncate(path, path.stat().st_size // 3)


def replace(path):
    before = path.stat()
    write(place / f"other{suffix}", 99, 2000)
    os.utime(place / f"other{suffix}", ns=(before.st_atime_ns, before.st_mtime_ns))
    (place / f"other{suffix}").replace(path)


said = []
for act in (cut, replace, Path.unlink):
    for moment in (0, 8):
        source = place / f"{act.__name__}{moment}"
        source.mkdir()
        for number in range(3):
            write(source / f"{number}{suffix}", number, (300, 2000, 200)[number])
        calls = []

        def report(stage, done, total):
            if stage == "scoring rows" and done > 300:
                calls.append(done)
                if len(calls) == 2 * moment + 1:
                    act(source / f"1{suffix}")

        try:
            scorer.score_dataset(source, place / f"out{act.__name__}{moment}", progress=report)
            said.append([act.__name__, moment, "fine", len(calls)])
        except ShardError as error:
            found = error.report.summary
            failures = [each["shard"] for each in found["failures"]]
            sizes = [each["rows"] for each in found["shards"]]
            said.append([act.__name__, moment, failures, sizes])
print(json.dumps(said))
"""


@pytest.mark.skipif(os.name == "nt", reason="an open file stays where it is")
@pytest.mark.parametrize(
    "suffix", [".npy", ".parquet", pytest.param(".arrow", marks=pytest.mark.slow)]
)
def test_a_shard_that_changes_while_it_is_scored_is_named(suffix: str, tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHANGING, str(tmp_path), suffix],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    said = json.loads(child.stdout)
    assert len(said) == 6
    for act, moment, failures, sizes in said:
        assert (failures, sizes) == ([f"1{suffix}"], [300, 200]), (act, moment)

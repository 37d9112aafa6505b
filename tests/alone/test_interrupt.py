"""Ctrl-C in the middle of a long job: an exit at once, and nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tailwatch as tw

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

ROWS, COLUMNS = 100_000, 256
"""Every job goes on for ten times what passes before its first line, on fast machines too."""

# The promise is 0.2 s; a busy machine may need longer to run the child at all.
EXIT_SECONDS = 2.0
# Far less than the comparison takes, far more than it takes to begin.
START_SECONDS = 60.0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("data")
    paths = folder / "human.npy", folder / "generated.npy"
    random = np.random.default_rng(0)
    for path in paths:
        np.save(path, random.standard_normal((ROWS, COLUMNS), dtype=np.float32))
    return paths


@pytest.fixture(scope="module")
def model(data: tuple[Path, Path]) -> Path:
    random = np.random.default_rng(1)
    human, synthetic = random.normal(size=(2, 500, COLUMNS))
    return tw.contamination.fit(human, synthetic + 0.1).save(data[0].with_name("m.tailwatch"))


def compare(data: tuple[Path, Path], _: Path, folder: Path) -> list[str]:
    """A comparison that writes everywhere."""
    outputs = ["--html", str(folder / "report.html"), "--parquet", str(folder / "numbers.parquet")]
    return ["compare", *map(str, data), *outputs, "--json"]


def fit(data: tuple[Path, Path], _: Path, folder: Path) -> list[str]:
    """Fifty models take long."""
    return ["fit", *map(str, data), "--folds", "50", "--out", str(folder / "fitted.tailwatch")]


def score(data: tuple[Path, Path], model: Path, folder: Path) -> list[str]:
    """Copies among all pairs of rows take long."""
    options = ["--model", str(model), "--copies-of", str(data[0]), "--json"]
    return ["score", str(data[1]), "--out", str(folder / "scores"), *options]


JOBS = {"compare": compare, "fit": fit, "score": score}


def start(command: list[str]) -> subprocess.Popen[str]:
    """Start a job that would take long."""
    return subprocess.Popen(
        [sys.executable, "-m", "tailwatch", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background of a shell inherits that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def wait_until_it_works(child: subprocess.Popen[str]) -> str:
    """Return the first line of progress: the job is then in native code."""
    assert child.stderr is not None
    line = child.stderr.readline()
    assert child.poll() is None, line + child.stderr.read()
    return line


@pytest.mark.parametrize(
    ("job", "signal_number", "after"),
    [
        *((job, signal.SIGINT, 0.3) for job in JOBS),
        ("score", signal.SIGTERM, 0.0),
        *(
            pytest.param(job, signal.SIGTERM, 0.0, marks=pytest.mark.slow)
            for job in ("compare", "fit")
        ),
    ],
)
def test_an_interrupted_job_ends_at_once_and_leaves_nothing(
    job: str,
    signal_number: signal.Signals,
    after: float,
    data: tuple[Path, Path],
    model: Path,
    tmp_path: Path,
) -> None:
    with start(JOBS[job](data, model, tmp_path)) as child:
        stage = wait_until_it_works(child)
        time.sleep(after)
        sent = time.monotonic()
        child.send_signal(signal_number)
        out, errors = child.communicate(timeout=START_SECONDS)
        seconds = time.monotonic() - sent
    # Shown by `pytest -s`: the promise itself is checked there, by eye, on a quiet machine.
    print(f"{signal_number.name} during {stage.strip()!r}: {1000 * seconds:.0f} ms")  # noqa: T201
    assert child.returncode == 130
    assert errors.endswith("interrupted\n")
    assert "Traceback" not in errors
    assert out == ""
    # A job over a data set keeps what it needs to go on, and no half-written file.
    kept = {"scores", "scores/manifest.jsonl", "scores/work", "scores/work/attempts"}
    kept = kept if job == "score" else set()
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")} == kept
    assert seconds < EXIT_SECONDS

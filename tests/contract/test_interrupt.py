"""Ctrl-C in the middle of a long comparison: an exit at once, and nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

ROWS, COLUMNS = 60_000, 256
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


def start(data: tuple[Path, Path], folder: Path) -> subprocess.Popen[str]:
    """Start a comparison that would take long and write everywhere."""
    reference, candidate = data
    command = [sys.executable, "-m", "tailwatch", "compare", str(reference), str(candidate)]
    outputs = ["--html", str(folder / "report.html"), "--parquet", str(folder / "numbers.parquet")]
    return subprocess.Popen(
        [*command, *outputs, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background of a shell inherits that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def wait_until_it_works(child: subprocess.Popen[str]) -> str:
    """Return the first line of progress: the comparison is then in native code."""
    assert child.stderr is not None
    line = child.stderr.readline()
    assert child.poll() is None, line + child.stderr.read()
    return line


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0.0, 1.0])
def test_an_interrupted_comparison_ends_at_once_and_leaves_nothing(
    signal_number: signal.Signals, after: float, data: tuple[Path, Path], tmp_path: Path
) -> None:
    with start(data, tmp_path) as child:
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
    assert list(tmp_path.iterdir()) == []
    assert seconds < EXIT_SECONDS

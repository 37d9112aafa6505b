"""Nothing of the size of all pairs is ever held."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")

ROWS, COLUMNS = 10_000, 16
INPUTS = 2 * ROWS * COLUMNS * 4
# One byte for each pair would be 100 MB; Python with the libraries alone needs about 75 MB.
ALLOWANCE = 150_000_000

# The samples are float32 from the start: drawn as float64 they would make a peak of their own. The
# mark of the peak is put down again before each job.
CHILD = """
import json
import sys
from pathlib import Path

import numpy as np

import tailwatch as tw

rows, columns = map(int, sys.argv[1:3])
rng = np.random.default_rng(0)
x, y = (rng.standard_normal((rows, columns), dtype=np.float32) for _ in range(2))
jobs = {
    "nearest_neighbors": lambda: tw.metrics.nearest_neighbors(x, y, k=5),
    "prdc": lambda: tw.metrics.precision_recall_density_coverage(x, y),
    "energy_distance": lambda: tw.metrics.energy_distance(x, y),
    "knn_divergence": lambda: tw.metrics.knn_divergence(x, y, dimension="intrinsic"),
    "knn_jensen_shannon": lambda: tw.metrics.knn_jensen_shannon(x, np.concatenate([y, y[:9]])),
    "authenticity": lambda: tw.metrics.authenticity(x, y),
    "vendi_score": lambda: tw.metrics.vendi_score(x),
    "mauve": lambda: tw.metrics.mauve(x, y),
    "mmd_test": lambda: tw.metrics.mmd_test(x, y),
    "sliced_wasserstein": lambda: tw.metrics.sliced_wasserstein(x, y, projections=4096),
    "all_projections": lambda: (x @ np.ones((columns, 4096), np.float32), y)[0].sum(),
    "all_pairs": lambda: np.ones((rows, rows), dtype=np.uint8),
}
peaks = {}
for name, job in jobs.items():
    Path("/proc/self/clear_refs").write_text("5")
    job()
    status = Path("/proc/self/status").read_text()
    peaks[name] = 1024 * int(status.split("VmHWM:")[1].split()[0])
print(json.dumps(peaks))
"""


QUADRATIC = (
    "nearest_neighbors",
    "prdc",
    "energy_distance",
    "knn_divergence",
    "knn_jensen_shannon",
    "authenticity",
    "vendi_score",
    "mauve",
    "mmd_test",
)


@pytest.fixture(scope="module")
def peaks() -> dict[str, int]:
    """Bytes that a process of its own holds at its peak in each job, less those of the samples."""
    command = [sys.executable, "-W", "error", "-c", CHILD, str(ROWS), str(COLUMNS)]
    child = subprocess.run(command, check=True, capture_output=True, text=True)
    return {job: peak - INPUTS for job, peak in json.loads(child.stdout).items()}


@pytest.mark.parametrize("job", QUADRATIC)
def test_a_quadratic_metric_holds_nothing_quadratic(job: str, peaks: dict[str, int]) -> None:
    assert peaks[job] < ALLOWANCE


def test_a_number_for_each_row_and_direction_is_not_held(peaks: dict[str, int]) -> None:
    assert peaks["sliced_wasserstein"] < ALLOWANCE


@pytest.mark.parametrize("job", ["all_pairs", "all_projections"])
def test_what_must_not_be_held_would_be_seen(job: str, peaks: dict[str, int]) -> None:
    """One byte for each pair, and float32 projections of one sample."""
    assert peaks[job] > ALLOWANCE

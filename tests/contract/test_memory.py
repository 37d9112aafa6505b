"""Nothing of the size of all pairs is ever held."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc"),
]

ROWS, COLUMNS = 12_000, 16
INPUTS = 2 * ROWS * COLUMNS * 4
# One byte for each pair would be 144 MB; Python with the libraries alone needs about 75 MB.
ALLOWANCE = 150_000_000

# The samples are float32 from the start: drawn as float64 they would make a peak of their own.
CHILD = """
import sys
from pathlib import Path

import numpy as np

import tailwatch as tw

job, rows, columns = sys.argv[1], *map(int, sys.argv[2:])
rng = np.random.default_rng(0)
x, y = (rng.standard_normal((rows, columns), dtype=np.float32) for _ in range(2))
{
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
}[job]()
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


JOBS = [
    "nearest_neighbors",
    "prdc",
    "energy_distance",
    "knn_divergence",
    "knn_jensen_shannon",
    "authenticity",
    "vendi_score",
    "mauve",
    "mmd_test",
]


def peak_beside_inputs(job: str) -> int:
    """Bytes that a process of its own holds at its peak, less those of the samples."""
    command = [sys.executable, "-W", "error", "-c", CHILD, job, str(ROWS), str(COLUMNS)]
    child = subprocess.run(command, check=True, capture_output=True, text=True)
    return 1024 * int(child.stdout) - INPUTS


@pytest.mark.parametrize("job", JOBS)
def test_a_quadratic_metric_holds_nothing_quadratic(job: str) -> None:
    assert peak_beside_inputs(job) < ALLOWANCE


def test_one_byte_for_each_pair_would_be_seen() -> None:
    assert peak_beside_inputs("all_pairs") > ALLOWANCE


def test_a_number_for_each_row_and_direction_is_not_held() -> None:
    assert peak_beside_inputs("sliced_wasserstein") < ALLOWANCE


def test_float32_projections_of_one_sample_would_be_seen() -> None:
    assert peak_beside_inputs("all_projections") > ALLOWANCE

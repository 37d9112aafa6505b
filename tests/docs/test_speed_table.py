"""The README's table of speed is what the committed results say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benches.recording import write
from benches.rivals.race import Interval, interval
from benches.speed_table import NOTHING, PLACE, speed

ROOT = Path(__file__).resolve().parents[2]

ROW = {
    "task": "neighbors",
    "title": "exact nearest neighbours",
    "rows": 20_000,
    "columns": 768,
    "seed": 0,
    "threads": 2,
    "peer": "a peer",
    "version": "1.2",
    "rounds": 5,
    "seconds": 0.5,
    "peer_seconds": 20.4,
    "ratio": 40.8,
    "ratio_low": 39.0,
    "ratio_high": 42.0,
    "peak_bytes": 12_000_000,
    "peer_peak_bytes": 5_400_000_000,
}


def test_the_readme_shows_the_committed_results() -> None:
    (section,) = PLACE.finditer((ROOT / "README.md").read_text("utf-8"))
    assert section[0] == section[1] + speed() + section[2]


def test_a_row_of_results_becomes_a_row_of_the_table(tmp_path: Path) -> None:
    assert speed(tmp_path) == NOTHING
    write("neighbors", [ROW], tmp_path)
    table = speed(tmp_path)
    assert (
        "| exact nearest neighbours | 20,000 × 768 | 0.5 s | a peer 1.2 | 20.4 s "
        "| 41 [39, 42] | 12 against 5,400 MB |\n"
    ) in table
    assert "per pair" not in table


def test_flatness_is_that_of_the_slowest_size_over_the_fastest(tmp_path: Path) -> None:
    write("neighbors", [ROW], tmp_path)
    ladder = {"columns": 384, "queries": 10, "k": 5}
    per_pair = {10_000: 0.0020, 50_000: 0.0019, 200_000: 0.0021}
    rows = [ladder | {"rows": n, "ns_per_pair_and_column": t} for n, t in per_pair.items()]
    write("ladder", rows, tmp_path)
    table = speed(tmp_path)
    assert "neighbours of 10,000, 50,000, 200,000 rows of 384\ncolumns" in table
    assert "take 0.002, 0.0019, 0.0021 ns per pair" in table
    assert "the most is 11 % above the least, and all are within 5 % of one rate." in table


# 1 − 2 P[Bin(n, ½) < k]: 1 − 2/8, 1 − 2/32, 1 − 2/128, 1 − 18/256.
@pytest.mark.parametrize(
    ("n", "k", "confidence"), [(3, 1, 0.75), (5, 1, 0.9375), (7, 1, 0.984375), (8, 2, 0.9296875)]
)
def test_the_interval_is_that_of_the_sign_test(n: int, k: int, confidence: float) -> None:
    found = interval([float(value) for value in reversed(range(1, n + 1))])
    assert found == Interval((n + 1) / 2, k, n + 1 - k, confidence)

"""The fixture of pytest, in sessions of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import numpy as np

from tests.support import samples

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import numpy as np
import pytest

FAST = ["copies", "normalised_copies", "tail_odds_ratio"]


def test_fresh(tailwatch_compare):
    found = tailwatch_compare("human.npy", "fresh.npy", metrics=FAST, fail_on="copies,tails_lost")
    assert found.frame.height > 0


def test_copied(tailwatch_compare):
    tailwatch_compare("human.npy", "human.npy", metrics=FAST, fail_on="copies")


@pytest.mark.parametrize("inconclusive", ["fail", "skip", "pass"])
def test_open(tailwatch_compare, inconclusive):
    tailwatch_compare(
        "human.npy", "fresh.npy", metrics=FAST, fail_on="junk", inconclusive=inconclusive
    )
"""


def test_a_test_fails_where_its_gate_does(tmp_path: Path) -> None:
    np.save(tmp_path / "human.npy", samples.gaussian(1, 300, 4))
    np.save(tmp_path / "fresh.npy", samples.gaussian(2, 300, 4))
    (tmp_path / "test_data.py").write_text(TESTS)
    # Where the package was installed its entry point is known; else it is named.
    known = [each.value for each in entry_points(group="pytest11")]
    named = [] if "tailwatch.pytest_plugin" in known else ["-p", "tailwatch.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", *named, "-rA", "-q"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-p", "no:xdist"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout
    assert "2 failed, 2 passed, 1 skipped" in said, said + done.stderr
    assert "FAILED test_data.py::test_copied - Failed: All candidate rows are copies" in said
    assert "gate: inconclusive: junk cannot be told" in said

"""The page about the loop: its code runs, and its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.cli import options
from tailwatch.cli.parts import LEARNERS
from tailwatch.recursion.frame import GROUPS, SCHEMA
from tailwatch.recursion.participants import text_of
from tailwatch.recursion.policy_text import FORMS, POLICIES, policy_from

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "recursion.md"
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """Text of a section."""
    return PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = PYTHON_BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) == 4
    np.random.seed(0)  # noqa: NPY002
    exec(compile("\n".join(blocks), str(PAGE), "exec"), {"__name__": "page"})
    assert (tmp_path / "policies.html").exists()


def test_the_columns_are_those_of_the_frame() -> None:
    named: list[str] = []
    for line in section("The frame").splitlines():
        if line.startswith("| `"):
            named += re.findall(r"`(\w+)`", line.split("|")[1])
    assert named == list(SCHEMA)
    groups = next(line for line in section("The frame").splitlines() if "| `group`" in line)
    assert re.findall(r"`(\w+)`", groups)[1:] == list(GROUPS)


def test_every_learner_and_policy_is_there() -> None:
    learners = re.findall(r"^\| `(\w+)\(", section("A learner"), re.MULTILINE)
    assert {*LEARNERS} <= {*learners}
    policies = re.findall(r"^\| `([A-Z]\w+)\(", section("Policies"), re.MULTILINE)
    assert {*policies} == {*(kind.__name__ for kind in POLICIES.values()), "Verified"}


def test_every_text_of_a_policy_is_there() -> None:
    cells = re.findall(r"^\| `[A-Z]\w+\([^|]*\| ([^|]*) \|", section("Policies"), re.MULTILINE)
    texts = [text for cell in cells for text in re.findall(r"`([^`]+)`", cell)]
    assert [text_of(policy_from(text)) for text in texts] == texts
    forms = {text.replace("0.25", "SHARE").replace("1000", "ROWS") for text in texts}
    assert forms == {*FORMS}
    assert " | ".join(FORMS) == options.POLICIES

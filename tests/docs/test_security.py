"""Every promise of SECURITY.md names a test that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(?P<file>tests/[\w/]+\.py)(?:::(?P<test>\w+))?`")


def promises() -> list[str]:
    """Return the lines of the tables whose heads are promise and test."""
    tables = re.findall(r"^\| promise \| test \|\n\|[-| ]+\|\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    return [line for table in tables for line in table.splitlines()]


def missing(reference: re.Match[str]) -> bool:
    file = ROOT / reference["file"]
    if not file.is_file():
        return True
    if reference["test"] is None:
        return False
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return reference["test"] not in {
        node.name for node in nodes if isinstance(node, ast.FunctionDef)
    }


def test_there_are_promises() -> None:
    assert len(promises()) > 10


@pytest.mark.parametrize("promise", promises())
def test_a_promise_names_its_test(promise: str) -> None:
    references = list(NAMED.finditer(promise))
    assert references
    assert not [reference[0] for reference in references if missing(reference)]


def test_a_test_that_is_not_there_is_noticed() -> None:
    for text in ("`tests/none.py`", "`tests/docs/test_security.py::test_none`"):
        (reference,) = NAMED.finditer(text)
        assert missing(reference)

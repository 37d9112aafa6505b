"""The examples run, small, and say what they promise."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(
    name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> str:
    """Run an example as its user does; give what it prints."""
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return capsys.readouterr().out


def test_text_collapse(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    small = ["--tokens", "15000", "--generations", "2", "--packages", "numpy"]
    out = run("text_collapse.py", small, monkeypatch, capsys)
    assert "generation 2" in out
    assert "self_repetition" in out
    last = out.strip().splitlines()[-1]
    assert last.startswith("Generation 2 has ")
    assert "rare_type_coverage" in last
    assert run("text_collapse.py", small, monkeypatch, capsys) == out


def test_text_collapse_names_a_package_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit, match="'no-such-package' is not installed"):
        run("text_collapse.py", ["--packages", "no-such-package"], monkeypatch, capsys)


def test_text_collapse_explains_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as ended:
        run("text_collapse.py", ["--help"], monkeypatch, capsys)
    assert ended.value.code == 0
    assert "--generations" in capsys.readouterr().out

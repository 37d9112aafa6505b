"""The examples run, small, and say what they promise."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from tests.unit.test_report_page import Page

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(
    name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> str:
    """Run an example as its user does; give what it prints."""
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return capsys.readouterr().out


RUNS = ("replace", "accumulate", "mix(0.25)")


def read(page: Path) -> Page:
    """Parse a report, which has to be small and to load nothing."""
    markup = page.read_text(encoding="utf-8")
    assert len(markup.encode()) < 1_000_000
    assert "http://" not in markup
    assert "https://" not in markup
    parsed = Page(markup)
    assert not parsed.all("script")
    for run_name in RUNS:
        assert f"The evidence for {run_name}" in parsed.text("summary")
    return parsed


def test_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    small = ["--rows", "300", "--generations", "2", "--out", str(tmp_path)]
    small += ["--metrics", "tail_recall,coverage,precision,total_variance"]
    out = run("recursion_digits.py", small, monkeypatch, capsys)
    for model in ("mixture", "kernel"):
        page = read(tmp_path / f"{model}.html")
        assert any(text.startswith("Tail recall") for text in page.text("desc"))
        lines = [line for line in out.splitlines() if line.startswith(f"│ {model} ")]
        assert [line.split()[3] for line in lines] == list(RUNS)
        assert all(line.count("[") == 4 for line in lines)
    # Blurring adds variance: the kernel's last generation has more than the mixture's.
    rows = [line.split() for line in out.splitlines() if line.startswith("│ ")]
    kept = {row[1]: float(row[-4]) for row in rows if row[3] == "replace"}
    assert kept["kernel"] > kept["mixture"]


def test_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    page = tmp_path / "text.html"
    small = ["--documents", "300", "--generations", "2", "--packages", "numpy", "--out", str(page)]
    out = run("recursion_text.py", small, monkeypatch, capsys)
    assert out.startswith("300 docstrings of numpy: ")
    for line in ("words kept", "rarer words kept", "nats per word, unseen text"):
        assert out.count(f"│ {line} ") == 1
    assert any(text.startswith("Types kept") for text in read(page).text("desc"))
    first = page.read_bytes()
    assert run("recursion_text.py", small, monkeypatch, capsys) == out
    assert page.read_bytes() == first


def test_text_names_a_package_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit, match="'no-such-package' is not installed"):
        run("recursion_text.py", ["--packages", "no-such-package"], monkeypatch, capsys)


def test_regression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    page = tmp_path / "regression.html"
    small = ["--generations", "3", "--out", str(page)]
    out = run("recursion_regression.py", small, monkeypatch, capsys)
    _, *lines = [line for line in out.splitlines() if line.startswith("│ ")]
    assert [line.split()[3] for line in lines] == ["1", "3"] * 3
    # Under replace there is a closed form, and the risk of least squares grows with its own noise.
    (start, end) = (float(line.split()[-2]) for line in lines[:2])
    assert end > start > 0
    told = [text for text in read(page).text("desc") if text.startswith("Risk on held-out")]
    assert "theory" in told[0]


@pytest.mark.parametrize("name", ["recursion_digits", "recursion_text", "recursion_regression"])
def test_examples_explain_themselves(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(f"{name}.py", ["--help"], monkeypatch, capsys)
    assert ended.value.code == 0
    assert "--generations" in capsys.readouterr().out

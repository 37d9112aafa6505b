"""The examples run, small, and say what they promise."""

from __future__ import annotations

import importlib.util
import runpy
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.support.page import Page

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(
    name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> str:
    """Run an example as its user does; give what it prints."""
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    monkeypatch.syspath_prepend(str(EXAMPLES))
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return capsys.readouterr().out


RUNS = ("replace", "accumulate", "mix:0.25")


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


@pytest.mark.slow
def test_text_contamination(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    file = tmp_path / "intervals.parquet"
    small = ["--replications", "3", "--packages", "altair", "numpy", "polars", "--out", str(file)]
    out = run("text_contamination.py", small, monkeypatch, capsys)
    assert "within_floor" in out
    frame = pl.read_parquet(file)
    # Three splits of each question, with and without strata, four shares each.
    assert len(frame) == 3 * 2 * 2 * 4
    assert set(frame["package"]) == {"", "altair", "numpy", "polars"}
    assert frame.select((pl.col("low") <= pl.col("value")) & (pl.col("value") <= pl.col("high")))[
        "low"
    ].all()
    # A target of the reference's own packages: strata do not move the estimate, but its interval.
    same = frame.filter(question="same packages", share=0.3)
    assert same["value"].mean() == pytest.approx(0.3, abs=0.1)
    with_strata, without = (same.filter(strata=given) for given in (True, False))
    assert with_strata["value"].to_list() == without["value"].to_list()
    assert (with_strata["high"] - with_strata["low"] > without["high"] - without["low"]).all()


def test_the_word_model_continues_what_it_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import numpy as np
    from word_model import WordModel

    # After "a b" only "c" or what backing off allows, after "c" nothing but what starts a document.
    model = WordModel([["a", "b", "c"]] * 50)
    written = model.write(np.full(4000, 3), np.random.default_rng(0))
    starts = np.mean([words[0] == "a" for words in written])
    # Trust 50/51 in both levels; below them one word in three is "a". Four standard errors.
    expected = 50 / 51 + (1 / 51) * (50 / 51) + (1 / 51) ** 2 / 3
    assert abs(starts - expected) <= 4 * (expected * (1 - expected) / 4000) ** 0.5
    lengths = np.array([1, 3, 2])
    assert [len(words) for words in model.write(lengths, np.random.default_rng(1))] == [1, 3, 2]


@pytest.mark.parametrize(
    ("task", "generations"),
    # Half a minute each and more: loops of YOLO26 are tested in tests/yolo.
    [
        pytest.param(task, count, marks=pytest.mark.slow)
        for task, count in (("detect", 1), ("detect", 2), ("segment", 2))
    ],
)
def test_yolo_recursion(tmp_path: Path, task: str, generations: int) -> None:
    """In a process of its own: torch and Ultralytics warn of themselves as they are imported."""
    if importlib.util.find_spec("ultralytics") is None:
        pytest.skip("ultralytics is not installed")
    out = tmp_path / "study"
    command = [sys.executable, str(EXAMPLES / "yolo_recursion.py"), "--small", "--seeds", "1"]
    command += ["--generations", str(generations), "--task", task, "--out", out.name]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    head, *rows = (line for line in done.stdout.splitlines() if line.startswith("|"))
    assert [cell.strip() for cell in head.split("|")][3:6] == ["replace", "mix:0.25", "human only"]
    assert any(row.startswith("| `classes_gone` | ") for row in rows), done.stdout
    frame = pl.read_parquet(out / "frame.parquet")
    expected = {"map50", "class_kl", "classes_gone"}
    expected |= {"mask_map50", "mask_area", "mask_parts"} if task == "segment" else set()
    assert expected <= set(frame["metric"])
    assert "://" not in (out / "report.html").read_text(encoding="utf-8")

"""The examples run, small, and say what they promise."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import polars as pl
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(
    name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> str:
    """Run an example as its user does; give what it prints."""
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    monkeypatch.syspath_prepend(str(EXAMPLES))
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
    assert run("text_contamination.py", small, monkeypatch, capsys) == out


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

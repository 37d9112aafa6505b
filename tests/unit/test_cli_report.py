"""`tailwatch report` from run directories to page, JSON and files."""

from __future__ import annotations

import json
import shutil
import webbrowser
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.cli import run
from tailwatch.recursion import Accumulate, Gaussian, Replace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of three generations, each in a directory of its own."""
    human = np.random.default_rng(1).normal(size=(300, 3))
    root = tmp_path_factory.mktemp("runs")
    for name, policy in {"replace": Replace(), "accumulate": Accumulate()}.items():
        tw.recursion.run(
            Gaussian(),
            human,
            policy=policy,
            generations=3,
            size=80,
            holdout=0.5,
            metrics=("tail_mass", "total_variance"),
            directory=root / name,
        )
    return root


@pytest.fixture
def directories(kept: Path, tmp_path: Path) -> tuple[str, str]:
    """Copies with nothing in them but what a report may read."""
    for name in ("replace", "accumulate"):
        (tmp_path / name).mkdir()
        for file in ("run.json", "frame.parquet"):
            shutil.copy(kept / name / file, tmp_path / name)
    return str(tmp_path / "replace"), str(tmp_path / "accumulate")


def test_one_run_gets_its_page_beside_it(
    directories: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", directories[0]]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    page = tmp_path / "replace" / "report.html"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert f"wrote {page}\n" in shown.err
    assert " ".join(shown.err.split()).startswith("Under replace, ")
    assert "collapsing variance" in shown.err
    assert "evidence" in shown.err


def test_several_runs_share_a_page(
    directories: tuple[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.chdir(tmp_path)
    assert run(["report", *directories, "--open"]) == 0
    assert opened == [(tmp_path / "report.html").as_uri()]
    markup = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The evidence for replace" in markup
    assert "The evidence for accumulate" in markup
    head = next(line for line in capsys.readouterr().err.splitlines() if "definition  " in line)
    assert head.split() == ["definition", "replace", "accumulate"]


def test_numbers_go_where_they_are_asked_for(
    directories: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / f"out.{suffix}" for suffix in ("html", "parquet", "csv")]
    options = [part for file in files for part in (f"--{file.suffix[1:]}", str(file))]
    assert run(["report", *directories, *options, "--json"]) == 0
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert list(document["arguments"]) == ["replace", "accumulate"]
    frame = pl.read_parquet(files[1])
    parts = [pl.read_parquet(f"{directory}/frame.parquet") for directory in directories]
    assert frame.equals(pl.concat(parts))
    assert len(document["frame"]) == frame.height
    for file in files:
        assert f"wrote {file}\n" in shown.err
    assert not (tmp_path / "replace" / "report.html").exists()


def test_the_same_directory_gives_the_same_page(
    directories: tuple[str, str], tmp_path: Path
) -> None:
    page = tmp_path / "replace" / "report.html"
    run(["report", directories[0]])
    first = page.read_bytes()
    run(["report", directories[0]])
    assert page.read_bytes() == first


def test_a_run_that_is_not_finished_shows_what_is_done(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(kept / "replace", tmp_path / "cut")
    (tmp_path / "cut" / "frame.parquet").unlink()
    (tmp_path / "cut" / "generations" / "0003" / "done").unlink()
    assert run(["report", str(tmp_path / "cut"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {row["generation"] for row in document["frame"]} == {1, 2}


def test_what_is_no_run_is_refused(
    directories: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert run(["report", str(tmp_path / "empty")]) == 2
    assert "error: directory: expected the directory of a run, got" in capsys.readouterr().err
    assert run(["report", directories[0], "--html", str(tmp_path / "page.pdf")]) == 2
    assert "--html: expected a file name that ends in .html" in capsys.readouterr().err

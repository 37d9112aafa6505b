"""`tailwatch fit`, `pack` and `score`: results, the gate, errors, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.cli import run
from tailwatch.contamination import ContaminationModel, fit
from tests.support.datasets import COLUMNS, SHIFT, contents, model, rows, table, write_shards

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and shards of which a tenth is synthetic."""
    at = tmp_path_factory.mktemp("score")
    model().save(at / "web.tailwatch")
    write_shards(at / "shards", 4, 5000)
    return at


def score(folder: Path, out: Path, *options: str) -> int:
    return run(
        [
            "score",
            str(folder / "shards"),
            "--model",
            str(folder / "web.tailwatch"),
            "--out",
            str(out),
            *options,
        ]
    )


def test_score_writes_what_the_call_writes(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(folder, tmp_path / "out", "--id-column", "url", "--threads", "1", "--json") == 0
    report = model().score_dataset(folder / "shards", tmp_path / "expected", id_column="url")
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")
    shown = capsys.readouterr()
    assert json.loads(shown.out) == report.summary
    said = " ".join(shown.err.split())
    assert report.sentence in said
    assert f"wrote {tmp_path / 'out' / 'report.html'}" in said


@pytest.mark.parametrize(
    ("limit", "code", "says"),
    [
        ("0.05", 1, "gate: failed: ["),
        ("0", 1, "gate: failed: ["),
        ("0.5", 0, "gate: passed: ["),
        ("0.1", 3, "gate: inconclusive: ["),
    ],
)
def test_the_gate_has_three_answers(
    limit: str,
    code: int,
    says: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert score(folder, tmp_path / "out", "--fail-above", limit) == code
    assert says in capsys.readouterr().err


def test_the_gate_is_decided_by_the_ends_of_the_interval(folder: Path, tmp_path: Path) -> None:
    report = model().score_dataset(folder / "shards", tmp_path / "out")
    low, high = report.prevalence.low, report.prevalence.high
    assert report.gate(np.nextafter(low, 0)) == "exceeded"
    assert report.gate(low) == "open"
    assert report.gate(np.nextafter(high, 0)) == "open"
    assert report.gate(high) == "kept"


@pytest.mark.parametrize(
    ("limit", "code", "says"),
    [
        (None, 4, "error: source: 1 of 3 shards could not be scored: part-001.parquet: cannot "),
        ("0.9", 4, "gate: passed: ["),
        ("0.1", 4, "gate: inconclusive: ["),
        ("0.01", 1, "gate: failed: ["),
    ],
)
def test_a_shard_that_fails_leaves_the_others_and_their_gate(
    limit: str | None, code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = write_shards(tmp_path / "shards", 3)
    (shards / "part-001.parquet").write_text("")
    model().save(tmp_path / "web.tailwatch")
    options = [] if limit is None else ["--fail-above", limit]
    assert score(tmp_path, tmp_path / "out", *options, "--json") == code
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert lines[-1].startswith(says)
    assert sum(line.startswith("error: source: 1 of 3 shards could not ") for line in lines) == 1
    assert [each["shard"] for each in json.loads(shown.out)["failures"]] == ["part-001.parquet"]
    assert (tmp_path / "out" / "report.html").exists()


def test_without_a_shard_that_was_scored_it_is_bad_input(tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", 2)
    (shards / "part-001.parquet").write_text("")
    model().save(tmp_path / "web.tailwatch")
    assert score(tmp_path, tmp_path / "strict", "--strict") == 2
    assert not (tmp_path / "strict" / "summary.json").exists()
    (shards / "part-000.parquet").write_text("")
    assert score(tmp_path, tmp_path / "out", "--fail-above", "0.9") == 2


@pytest.mark.parametrize(
    ("share", "code", "finding", "says"),
    [
        (0.06, 3, "not found", "gate: inconclusive: ["),
        (0.2, 1, "found", "gate: failed: ["),
    ],
)
def test_a_gate_fails_on_nothing_that_is_told_from_none(
    share: float,
    code: int,
    finding: str,
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One of 20 strata differs from the others: its interval ends higher than that of 6 %."""
    human, strata = rows(2000, 6, 0.0), np.arange(2000) % 20
    human[strata == 0] += np.float32(0.15 * SHIFT)
    fit(human, rows(1000, 7, 1.0), strata=strata).save(tmp_path / "web.tailwatch")
    (tmp_path / "shards").mkdir()
    table(rows(3000, 8, share)).write_parquet(tmp_path / "shards" / "a.parquet")
    assert score(tmp_path, tmp_path / "out", "--fail-above", "0.01", "--json") == code
    shown = capsys.readouterr()
    summary, last = json.loads(shown.out), shown.err.splitlines()[-1]
    assert summary["prevalence"]["low"] > 0.01
    assert summary["finding"] == finding
    assert ("cannot be told from none" in summary["sentence"]) == (finding == "not found")
    assert last.startswith(says)
    assert ("but human rows alone give up to " in last) == (finding == "not found")
    page = (tmp_path / "out" / "report.html").read_text()
    assert ("cannot be told from none" in page) == (finding == "not found")


def test_a_group_above_fails_the_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shards = tmp_path / "shards"
    shards.mkdir()
    for number, share in enumerate((0.0, 0.0, 0.4)):
        month = pl.lit(f"2024-0{number + 1}").alias("month")
        shard = table(rows(1000, number, share)).with_columns(month)
        shard.write_parquet(shards / f"{number}.parquet")
    model().save(tmp_path / "web.tailwatch")
    assert score(tmp_path, tmp_path / "whole", "--fail-above", "0.2") == 0
    capsys.readouterr()
    asked = ["--by", "month", "--fail-above", "0.2", "--json"]
    assert score(tmp_path, tmp_path / "out", *asked) == 1
    shown = capsys.readouterr()
    last = shown.err.splitlines()[-1]
    assert last.startswith("gate: failed: month=2024-03 [")
    assert last.endswith(") is above 20\u202f%")
    groups = json.loads(shown.out)["groups"]
    assert [row["above"] for row in groups["table"]] == [False, False, True]
    assert score(tmp_path, tmp_path / "out", "--by", "month", "--fail-above", "0.6") == 0
    assert score(tmp_path, tmp_path / "other", "--by", "domain") == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--fail-above", "1"], "error: --fail-above: expected a share from 0 to below 1, got 1.0"),
        (["--column", "vector"], "error: source: 4 of 4 shards could not be scored: part-000"),
        (["--threads", "0"], "error: Invalid value for '--threads'"),
    ],
)
def test_bad_options(
    options: list[str],
    says: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert score(folder, tmp_path / "out", *options) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(says)


def test_a_file_that_is_no_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.tailwatch"
    path.write_text("no model")
    assert run(["score", str(folder / "shards"), "--model", str(path), "--out", "x"]) == 2
    assert capsys.readouterr().err == f"error: model: {path} is not a tailwatch model\n"


def test_restart_begins_anew(folder: Path, tmp_path: Path) -> None:
    assert score(folder, tmp_path / "out", "--id-column", "url") == 0
    assert score(folder, tmp_path / "out") == 2
    assert score(folder, tmp_path / "out", "--restart") == 0
    model().score_dataset(folder / "shards", tmp_path / "expected")
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


def test_fit_writes_the_model_of_the_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    human, synthetic = rows(400, 1, share=0), rows(300, 2, share=1)
    months = [f"2024-{1 + row % 4:02}" for row in range(400)]
    table(human).with_columns(month=pl.Series(months)).write_parquet(tmp_path / "human.parquet")
    np.save(tmp_path / "synthetic.npy", synthetic)
    out = tmp_path / "web.tailwatch"
    command = ["fit", str(tmp_path / "human.parquet"), str(tmp_path / "synthetic.npy")]
    options = ["--strata", "month", "--encoder", "minilm", "--folds", "3", "--seed", "5"]
    assert run([*command, *options, "--out", str(out)]) == 0
    expected = tw.contamination.fit(
        human, synthetic, strata=months, encoder="minilm", folds=3, seed=5
    )
    assert ContaminationModel.load(out).fingerprint == expected.fingerprint
    assert f"wrote {out}" in capsys.readouterr().err


def test_fit_without_synthetic_rows(tmp_path: Path) -> None:
    np.save(tmp_path / "human.npy", rows(400, 1, share=0))
    np.save(tmp_path / "target.npy", rows(400, 2))
    out = str(tmp_path / "web.tailwatch")
    assert run(["fit", str(tmp_path / "human.npy"), "--out", out]) == 2
    target = ["--target", str(tmp_path / "target.npy")]
    assert run(["fit", str(tmp_path / "human.npy"), *target, "--out", out]) == 0
    assert ContaminationModel.load(out).human_only


def test_pack_writes_what_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_shards(tmp_path / "shards", 2)
    out = tmp_path / "packed"
    options = ["--dtype", "f16", "--rows-per-shard", "400"]
    assert run(["pack", f"{source}/*.parquet", str(out), *options]) == 0
    assert tw.open(out).dtype == np.float16
    expected = tw.open(f"{source}/*.parquet").to_numpy().astype(np.float16)
    assert np.array_equal(tw.open(out).to_numpy(), expected)
    assert capsys.readouterr().err == f"wrote {out}\n"
    assert run(["pack", f"{source}/*.parquet", str(out)]) == 2
    says = f"error: out: {out} exists already; expected a new or empty folder\n"
    assert capsys.readouterr().err == says


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_job_goes_on_where_it_was(number: signal.Signals, tmp_path: Path) -> None:
    source = write_shards(tmp_path / "shards", 16, 5000)
    model().save(tmp_path / "web.tailwatch")
    out = tmp_path / "out"
    command = ["score", source, "--model", tmp_path / "web.tailwatch", "--out", out]
    with subprocess.Popen(
        [sys.executable, "-m", "tailwatch", *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as child:
        while not (out / "work" / "part-003.parquet").exists():
            assert child.poll() is None
            time.sleep(0.001)
        child.send_signal(number)
        _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert errors.endswith("interrupted\n")
    assert "Traceback" not in errors
    assert not list(out.rglob("*.part"))
    assert not (out / "summary.json").exists()
    model().score_dataset(source, out)
    model().score_dataset(source, tmp_path / "expected")
    assert contents(out) == contents(tmp_path / "expected")


def test_the_shape_of_the_sample_is_as_said(folder: Path) -> None:
    # A tenth of each shard is moved by SHIFT: the gate's tests rest on it.
    first = tw.open(folder / "shards" / "part-000.parquet").to_numpy()
    assert first.shape == (5000, COLUMNS)
    assert first[-500:].mean() == pytest.approx(SHIFT, abs=4 / np.sqrt(500 * COLUMNS))

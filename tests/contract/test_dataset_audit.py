"""Verified labels in the job: the same share as in memory, and probabilities that add up to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tailwatch.cli import run
from tailwatch.exceptions import InputError
from tests.support.datasets import contents, model, rows, table, write_shards
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from pathlib import Path

# Of another share than the target, so that labels and templates disagree and labels must show.
AUDITED = rows(400, 50, share=0.3)
LABELS = np.arange(400) >= 280


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("audit") / "in", 3, 2000)


def together(source: Path) -> np.ndarray:
    return np.concatenate(
        [pl.read_parquet(file)["embedding"].to_numpy() for file in sorted(source.iterdir())]
    )


def test_the_share_is_that_of_the_labels_and_the_rows_add_up_to_it(
    source: Path, tmp_path: Path
) -> None:
    report = model().score_dataset(source, tmp_path / "out", audit=(AUDITED, LABELS))
    found = report.prevalence
    assert found == model().prevalence(together(source), audit=(AUDITED, LABELS))
    assert found.method == "audit"
    assert found.audit is not None
    assert (found.audit.rows, found.audit.positive) == (400, 120)
    tables = pl.concat([pl.read_parquet(file) for file in (tmp_path / "out/shards").iterdir()])
    assert tables["probability"].mean() == pytest.approx(found.value, abs=1e-6)
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["prevalence"]["audit"]["positive"] == 120
    assert "400 rows with verified labels" in (tmp_path / "out/report.html").read_text()


def test_labels_that_come_later_change_the_tables_and_nothing_is_scored_again(
    source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    model().score_dataset(source, out)
    plain = contents(out)
    stages = []
    model().score_dataset(
        source, out, audit=(AUDITED, LABELS), progress=lambda stage, *_: stages.append(stage)
    )
    assert "scoring rows" not in stages
    model().score_dataset(source, tmp_path / "expected", audit=(AUDITED, LABELS))
    assert contents(out) == contents(tmp_path / "expected")
    assert contents(out)["shards/part-000.parquet"] != plain["shards/part-000.parquet"]
    model().score_dataset(source, out)
    assert contents(out) == plain


def test_the_command_takes_a_table_of_labels_and_one_of_templates(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model().save(tmp_path / "web.tailwatch")
    table(AUDITED).with_columns(fake=pl.Series(LABELS)).write_parquet(tmp_path / "audit.parquet")
    np.save(tmp_path / "synthetic.npy", AUDITED[280:])
    command = ["score", str(source), "--model", str(tmp_path / "web.tailwatch")]
    audit = ["--audit", str(tmp_path / "audit.parquet"), "--audit-label"]
    copies = ["--copies-of", str(tmp_path / "synthetic.npy"), "--copy-distance", "0.25"]
    assert run([*command, "--out", str(tmp_path / "out"), *audit, "fake", *copies]) == 0
    model().score_dataset(
        source,
        tmp_path / "expected",
        audit=(AUDITED, LABELS),
        copies_of=AUDITED[280:],
        copy_distance=0.25,
    )
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")
    capsys.readouterr()
    assert run([*command, "--out", str(tmp_path / "other"), *audit, "none"]) == 2
    assert capsys.readouterr().err.startswith(
        f"error: --audit: {tmp_path / 'audit.parquet'}: no column 'none'; it has url "
    )


@pytest.mark.parametrize(
    ("audit", "said"),
    [
        (
            (AUDITED, LABELS[1:]),
            fields("audit", "a label, 0 or 1, for each of 400 rows", "bool of shape (399,)"),
        ),
        ((AUDITED, LABELS * 2), fields("audit", "0 or 1", "2", "row 280")),
        ((AUDITED[:, 1:], LABELS), fields("audit", "16 columns as the references have", "15")),
    ],
)
def test_bad_labels_are_refused_before_anything_is_made(
    audit: tuple[np.ndarray, np.ndarray], said: dict[str, str], source: Path, tmp_path: Path
) -> None:
    with refused(InputError, **said):
        model().score_dataset(source, tmp_path / "out", audit=audit)
    assert not (tmp_path / "out").exists()

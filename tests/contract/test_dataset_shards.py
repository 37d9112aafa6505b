"""Shards that cannot be scored: each named once with its reason, and nothing lost of the others."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tailwatch.exceptions import InputError, ShardError
from tests.support.datasets import COLUMNS, contents, model, rows, table, write_shards
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BAD = "part-001.parquet"


def with_nan(path: Path) -> None:
    bad = rows(300, 9)
    bad[41, 3] = np.nan
    table(bad).write_parquet(path)


def corrupt(path: Path) -> None:
    """Damage the pages of a file whose footer stays whole."""
    data = bytearray(path.read_bytes())
    data[100:4000] = b"\xff" * 3900
    path.write_bytes(data)


def null_row(path: Path) -> None:
    frame = table(rows(300, 9))
    where = pl.int_range(pl.len()) == 17
    frame.with_columns(pl.when(~where).then("embedding")).write_parquet(path)


def unreadable(path: Path) -> None:
    """A folder in place of the file: root may read any file, but no folder as one."""
    path.unlink()
    path.mkdir()
    (path / "inside.txt").write_text("")


CASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "another type": (lambda at: at.write_text("no Parquet"), f"cannot read @/{BAD}: "),
    "cut short": (lambda at: at.write_bytes(at.read_bytes()[:-200]), f"cannot read @/{BAD}: "),
    "damaged": (corrupt, ""),
    "no bytes": (lambda at: at.write_bytes(b""), f"cannot read @/{BAD}: "),
    "NaN": (with_nan, "row 41, column 3 holds NaN"),
    "null": (null_row, f"row 17 is null, in @/{BAD}"),
    "other columns": (
        lambda at: table(np.zeros((9, COLUMNS + 1), np.float32)).write_parquet(at),
        f"@/{BAD}: expected {COLUMNS} columns as the references have, got {COLUMNS + 1}",
    ),
    "other name": (
        lambda at: table(rows(9, 9), column="vector").write_parquet(at),
        f"@/{BAD}: no column 'embedding'; it has url (String), length (Int64), vector (",
    ),
    "no identifier": (
        lambda at: table(rows(9, 9)).drop("url").write_parquet(at),
        f"@/{BAD}: no column 'url'; it has length (Int64)",
    ),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_shards(tmp_path / "source", 3)


@pytest.mark.parametrize("case", CASES)
def test_a_bad_shard_is_named_and_the_others_are_scored(
    case: str, source: Path, tmp_path: Path
) -> None:
    spoil, reason = CASES[case]
    good = tmp_path / "good"
    shutil.copytree(source, good)
    (good / BAD).unlink()
    spoil(source / BAD)
    with refused(
        ShardError, "source", "shards that can be scored", "1 of 3 that cannot", f"{BAD}: …"
    ) as caught:
        model().score_dataset(source, tmp_path / "out", id_column="url")
    failures = caught.value.report.failures
    assert [failure.shard for failure in failures] == [BAD]
    assert failures[0].reason.startswith(reason.replace("@", str(source)))
    assert caught.value.where == f"{BAD}: {failures[0].reason}"
    assert "\n" not in str(caught.value)
    # The others are what they are without it.
    model().score_dataset(good, tmp_path / "without", id_column="url")
    found, expected = contents(tmp_path / "out"), contents(tmp_path / "without")
    tables = ["shards/part-000.parquet", "shards/part-002.parquet"]
    assert [name for name in found if name.startswith("shards/")] == tables
    assert all(found[name] == expected[name] for name in tables)
    summary = json.loads(found["summary.json"])
    assert summary["failures"] == [{"shard": BAD, "reason": failures[0].reason}]
    assert summary["prevalence"] == json.loads(expected["summary.json"])["prevalence"]


def test_a_folder_in_place_of_a_file_is_named(source: Path, tmp_path: Path) -> None:
    unreadable(source / BAD)
    with refused(
        InputError,
        "source",
        "files, such as '…/source/part-001.parquet/*.parquet'",
        "a directory",
        "…/source/part-001.parquet",
    ):
        model().score_dataset(f"{source}/*", tmp_path / "out")


def test_strict_stops_at_the_first(source: Path, tmp_path: Path) -> None:
    with_nan(source / BAD)
    with refused(
        ShardError,
        "source",
        "shards that can be scored",
        "1 of 3 that cannot",
        f"{BAD}: …row 41, column 3 holds NaN…",
    ):
        model().score_dataset(source, tmp_path / "out", strict=True)
    assert not (tmp_path / "out" / "summary.json").exists()


def test_none_that_can_be_scored(source: Path, tmp_path: Path) -> None:
    for file in source.iterdir():
        file.write_bytes(b"")
    with refused(
        ShardError,
        "source",
        "shards that can be scored",
        "3 of 3 that cannot",
        "part-000.parquet: …",
    ) as caught:
        model().score_dataset(source, tmp_path / "out")
    assert caught.value.report is None


def test_a_shard_that_was_mended_is_scored_at_the_next_run(source: Path, tmp_path: Path) -> None:
    whole = (source / BAD).read_bytes()
    (source / BAD).write_bytes(whole[:-100])
    with pytest.raises(ShardError):
        model().score_dataset(source, tmp_path / "out")
    (source / BAD).write_bytes(whole)
    model().score_dataset(source, tmp_path / "out")
    model().score_dataset(source, tmp_path / "expected")
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


def test_shards_that_are_new_join_those_that_are_done(source: Path, tmp_path: Path) -> None:
    model().score_dataset(source, tmp_path / "out")
    table(rows(600, 77, share=0.5)).write_parquet(source / "part-0015.parquet")
    model().score_dataset(source, tmp_path / "out")
    model().score_dataset(source, tmp_path / "expected")
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


@pytest.mark.parametrize(("problem", "says"), [("changed", "has changed"), ("gone", "is gone")])
def test_a_source_that_is_not_what_it_was_is_refused(
    problem: str, says: str, source: Path, tmp_path: Path
) -> None:
    model().score_dataset(source, tmp_path / "out")
    before = contents(tmp_path / "out")
    if problem == "changed":
        table(rows(507, 123)).write_parquet(source / BAD)
    else:
        (source / BAD).unlink()
    expected = "the files that were scored, as they were"
    with refused(InputError, "source", expected, f"one that {says}", BAD):
        model().score_dataset(source, tmp_path / "out")
    assert contents(tmp_path / "out") == before
    model().score_dataset(source, tmp_path / "out", resume=False)
    model().score_dataset(source, tmp_path / "expected")
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


def test_a_change_that_keeps_the_size_is_noticed(source: Path, tmp_path: Path) -> None:
    np.save(source / "x.npy", rows(100, 5))
    model().score_dataset(source, tmp_path / "out")
    np.save(source / "x.npy", rows(100, 6))
    with refused(
        InputError,
        "source",
        "the files that were scored, as they were",
        "one that has changed",
        "x.npy",
    ):
        model().score_dataset(source, tmp_path / "out")

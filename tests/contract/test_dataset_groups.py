"""Groups of a data set in shards: what is read, what goes on, and what is refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tailwatch.exceptions import InputError, ShardError
from tests.support.datasets import contents, model, rows, table
from tests.support.errors import refused

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, months: list[pl.Series]) -> Path:
    """Write a shard for each series of months, the later ones with more synthetic rows."""
    folder.mkdir()
    for number, each in enumerate(months):
        shard = table(rows(len(each), number, 0.2 + 0.1 * number), first=10_000 * number)
        shard.with_columns(month=each).write_parquet(folder / f"{number}.parquet")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three shards whose months cross them, in types that differ."""
    early = pl.Series([1] * 300 + [2] * 300)
    late = pl.Series([2] * 200 + [10] * 400)
    return write(tmp_path / "in", [early.cast(pl.Int8), early.cast(pl.String), late])


def test_groups_across_shards_are_those_of_the_rows(source: Path, tmp_path: Path) -> None:
    report = model().score_dataset(source, tmp_path / "out", by="month")
    frames = [pl.read_parquet(source / f"{number}.parquet") for number in range(3)]
    everything = pl.concat(
        frame.select("embedding", pl.col("month").cast(pl.String)) for frame in frames
    )
    expected = model().prevalence(everything, by="month").groups
    assert report.groups is not None
    assert report.groups.equals(expected.frame)
    assert report.groups["group"].to_list() == ["1", "2", "10"]
    assert report.summary["groups"]["table"] == report.groups.to_dicts()
    kept = pl.read_parquet(tmp_path / "out" / "shards" / "2.parquet")
    assert kept.columns[:3] == ["row", "month", "score"]
    assert kept["row"].to_list() == list(range(600))
    assert kept["month"].to_list() == [2] * 200 + [10] * 400


def test_an_identifier_names_groups_of_a_run_that_is_done(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    model().score_dataset(source, out, id_column=["url", "month"])
    tables = {file: file.stat().st_mtime_ns for file in (out / "shards").iterdir()}
    report = model().score_dataset(source, out, id_column=["url", "month"], by="month")
    assert {file: file.stat().st_mtime_ns for file in (out / "shards").iterdir()} == tables
    assert report.groups is not None
    assert report.groups["rows"].to_list() == [600, 800, 400]
    first = contents(out)
    other = tmp_path / "other"
    model().score_dataset(source, other, id_column=["url", "month"], by="month")
    assert contents(other) == first


def test_another_column_of_groups_is_another_run(source: Path, tmp_path: Path) -> None:
    model().score_dataset(source, tmp_path / "out", by="month")
    with refused(InputError, "out_dir", "by None", "'month'"):
        model().score_dataset(source, tmp_path / "out")
    with refused(InputError, "out_dir", "by 'length'", "'month'"):
        model().score_dataset(source, tmp_path / "out", by="length")


def test_a_shard_with_a_row_of_no_group_is_named_with_the_row(tmp_path: Path) -> None:
    months = [pl.Series([1.0] * 500), pl.Series([1.0] * 40 + [None] + [2.0] * 459)]
    source = write(tmp_path / "in", [*months, pl.Series([1.0] * 7 + [float("nan")] * 493)])
    np.save(source / "array.npy", rows(200, 9))
    with refused(ShardError, "source", got="3 of 4 that cannot") as caught:
        model().score_dataset(source, tmp_path / "out", by="month")
    report = caught.value.report
    assert [failure.shard for failure in report.failures] == ["1.parquet", "2.parquet", "array.npy"]
    reasons = [failure.reason for failure in report.failures]
    assert reasons[0].endswith("column 'month': row 40 is null")
    assert reasons[1].endswith("column 'month': row 7 is null")
    assert reasons[2].endswith("by='month' needs a table, and there is none")
    assert report.groups["rows"].to_list() == [500]


def test_a_run_that_is_done_without_groups_names_shard_and_row(tmp_path: Path) -> None:
    months = [pl.Series([1] * 500), pl.Series([1] * 40 + [None] + [2] * 459)]
    source = write(tmp_path / "in", months)
    model().score_dataset(source, tmp_path / "out", id_column="month")
    with refused(InputError, "1.parquet: column 'month'", "a name", "null", "row 40"):
        model().score_dataset(source, tmp_path / "out", id_column="month", by="month")


def test_names_that_are_refused(source: Path, tmp_path: Path) -> None:
    for name in ("score", "q_value", "row"):
        with refused(InputError, "by", "none of row, score…", repr(name)):
            model().score_dataset(source, tmp_path / "out", by=name)
    with refused(InputError, "by", "the name of a column of the shards", "list"):
        model().score_dataset(source, tmp_path / "out", by=["month"])  # type: ignore[arg-type]
    with refused(ShardError, where="0.parquet: …no column 'domain'; it has …"):
        model().score_dataset(source, tmp_path / "out", by="domain")
    tagged = write(tmp_path / "tagged", [pl.Series([["a"]] * 300)])
    with refused(ShardError, where="…column 'month': expected text, numbers or dates, got List…"):
        model().score_dataset(tagged, tmp_path / "other", by="month")
    assert not (tmp_path / "out" / "summary.json").exists()


def test_a_shard_without_rows_has_no_groups(tmp_path: Path) -> None:
    months = [pl.Series([1] * 300), pl.Series([], dtype=pl.Null), pl.Series([2] * 300)]
    source = write(tmp_path / "in", months)
    report = model().score_dataset(source, tmp_path / "out", by="month")
    assert report.groups is not None
    assert report.groups["rows"].to_list() == [300, 300]

"""The result of a job: kept, shown, and read again."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from tailwatch import contamination
from tailwatch.contamination.dataset.report import ContaminationReport, sentence_of
from tailwatch.exceptions import ShardError, SourceError
from tests.support.datasets import COLUMNS, model, rows, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def shards(folder: Path) -> Path:
    folder.mkdir()
    for number in range(2):
        np.save(folder / f"{number}.npy", rows(400, number))
    return folder


def plainly(at: Path) -> ContaminationReport:
    return model().score_dataset(shards(at / "in"), at / "out", copies_of=rows(30, 9))


def by_strata(at: Path) -> ContaminationReport:
    human = np.random.default_rng(3).normal(size=(800, COLUMNS))
    strata = np.arange(800) // 200
    fitted = contamination.fit(human, rows(800, 4, 1.0), strata=strata)
    return fitted.score_dataset(shards(at / "in"), at / "out")


def human_alone(at: Path) -> ContaminationReport:
    human = np.random.default_rng(3).normal(size=(800, COLUMNS))
    fitted = contamination.fit(human, target=rows(800, 4))
    return fitted.score_dataset(shards(at / "in"), at / "out")


def audited(at: Path) -> ContaminationReport:
    labelled = rows(60, 5, 0.5), np.repeat([0, 1], 30)
    return model().score_dataset(shards(at / "in"), at / "out", audit=labelled)


def with_failures(at: Path) -> ContaminationReport:
    source = shards(at / "in")
    (source / "broken.npy").write_bytes(b"no array")
    with pytest.raises(ShardError) as caught:
        model().score_dataset(source, at / "out")
    report: ContaminationReport = caught.value.report
    return report


def by_groups(at: Path) -> ContaminationReport:
    source = at / "in"
    source.mkdir()
    for number in range(2):
        month = pl.Series("month", [10 + row // 150 for row in range(400)])
        shard = table(rows(400, number, 0.5)).with_columns(month)
        shard.write_parquet(source / f"{number}.parquet")
    return model().score_dataset(source, at / "out", by="month")


JOBS: dict[str, Callable[[Path], ContaminationReport]] = {
    "both references": plainly,
    "strata": by_strata,
    "human alone": human_alone,
    "audit": audited,
    "failures": with_failures,
    "groups": by_groups,
}


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_a_report_is_read_again(job: Callable[[Path], ContaminationReport], tmp_path: Path) -> None:
    report = job(tmp_path)
    found = ContaminationReport.load(report.save(tmp_path / "r.tailwatch"))
    assert found == report
    assert repr(found.prevalence) == repr(report.prevalence)
    assert found.prevalence.histogram.to_bytes() == report.prevalence.histogram.to_bytes()
    assert (found.directory, found.failures) == (report.directory, report.failures)
    assert found.frame.equals(report.frame)
    assert (found.groups is None) == (report.groups is None)
    if report.groups is not None:
        assert report.groups.equals(found.groups)
    assert found.groups_above(0.2).equals(report.groups_above(0.2))
    assert found.to_html() == report.to_html()
    assert found.gate(0.5) == report.gate(0.5)
    assert pickle.loads(pickle.dumps(found)) == report


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ContaminationReport:
    return human_alone(tmp_path_factory.mktemp("job"))


def test_other_forms(report: ContaminationReport, tmp_path: Path) -> None:
    kept = report.save(tmp_path / "a.json").read_bytes()
    assert json.loads(kept) == report.summary
    assert kept == (report.directory / "summary.json").read_bytes()
    assert report.save(tmp_path / "a.csv").read_text().startswith("shard,rows,share\n0.npy,400,")


def test_what_a_notebook_and_a_terminal_show(report: ContaminationReport) -> None:
    assert repr(report) == f"{report.sentence}\n{report.frame!r}"
    shown = report._repr_html_()
    assert shown.startswith('<div class="tailwatch tw-fragment">')
    assert "Null floor" in shown
    assert "<svg" not in shown


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_share_that_human_rows_give_too_is_first_said_to_be_none(share: float) -> None:
    fitted = model()
    for seed in range(10):
        found = fitted.prevalence(rows(800, 40 + seed, share))
        is_none = found.low <= 0 or found.value <= found.null_floor.high
        said = sentence_of(found)
        none = "The share of synthetic rows among the 800 cannot be told from none: "
        assert said.startswith(none) == is_none
        assert is_none == (share == 0)
        # A value and its interval to the same place; an exact 0 has none.
        places = 1 if found.high >= 0.1 else 2
        numbers = (found.value, found.low, found.high)
        value, low, high = (f"{100 * n:.{places}f} %" if n else "0 %" for n in numbers)
        assert f"between {low} and {high}, with" in said
        assert f" {value} is estimated" in said or said.startswith(f"{value} of")
        floor = found.null_floor.high
        assert said.endswith(f" {100 * floor:.{1 if floor >= 0.1 else 2}f} %.")


def test_reports_differ(report: ContaminationReport, tmp_path: Path) -> None:
    assert human_alone(tmp_path) != report


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a field missing": lambda kept: kept["prevalence"].pop("null_floor"),
    "a field too many": lambda kept: kept["prevalence"].update(more=1),
    "no summary": lambda kept: kept.pop("summary"),
    "a failure of three": lambda kept: kept["failures"].append([1, 2, 3]),
    "other counts": lambda kept: kept.update(histogram=b"tailwatch-counts1"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_file_that_no_job_gives_is_refused(
    change: Callable[[dict[str, Any]], object],
    report: ContaminationReport,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = json.loads(json.dumps(report._parts() | {"histogram": None}))
    parts["histogram"] = report.prevalence.histogram.to_bytes()
    change(parts)
    with monkeypatch.context() as patch:
        patch.setattr(ContaminationReport, "_parts", lambda _: parts)
        path = report.save(tmp_path / "r.tailwatch")
    with pytest.raises(SourceError) as caught:
        ContaminationReport.load(path)
    assert (caught.value.argument, caught.value.where) == ("path", str(path))

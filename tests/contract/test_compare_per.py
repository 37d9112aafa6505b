"""A comparison class by class: each class as if it were alone, and all classes told of."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.comparison.by_class.classes import class_seed
from tailwatch.comparison.by_class.judgement import CLASSES_SCHEMA, FRAME_SCHEMA
from tailwatch.comparison.frame import SCHEMA
from tailwatch.exceptions import InputError, SourceError
from tests.support import samples
from tests.support.errors import refused
from tests.support.labelled import METRICS, OF_X, OF_Y, SIZES, X, Y, compare, same

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def found() -> tw.ClassComparison:
    return compare()


def test_schemas_are_promises(found: tw.ClassComparison) -> None:
    leading = {
        "class": pl.String(),
        "reference_rows": pl.Int64(),
        "candidate_rows": pl.Int64(),
        "verdict": pl.String(),
    }
    assert list(found.frame.schema.items())[:4] == list(leading.items())
    assert list(found.frame.schema)[4:] == list(SCHEMA)
    assert list(found.classes.schema.items())[:4] == list(leading.items())
    assert list(found.classes.schema)[4:] == [
        "p_value",
        "q_value",
        "metric",
        "level",
        "value",
        "low",
        "high",
        "seed",
        "note",
    ]
    assert found.frame.schema == pl.Schema(FRAME_SCHEMA)
    assert found.classes.schema == pl.Schema(CLASSES_SCHEMA)


def test_every_class_of_either_side_is_told_of_by_the_evidence_of_loss(
    found: tw.ClassComparison,
) -> None:
    verdicts = dict(found.classes.select("class", "verdict").iter_rows())
    assert verdicts == {
        "shrunk": "lost",
        "kept": "no change found",
        "gone": "absent",
        "few": "not compared",
        "small": "not compared",
        "new": "new",
    }
    assert found.classes["class"].to_list() == ["shrunk", "kept", "gone", "small", "few", "new"]
    assert found.frame["class"].unique(maintain_order=True).to_list() == list(verdicts)
    sizes = found.classes.select("class", "reference_rows", "candidate_rows").iter_rows()
    assert {name: counts for name, *counts in sizes} == {
        name: list(counts) for name, counts in SIZES.items()
    }


def test_why_a_class_was_not_compared_is_said_in_both_frames(found: tw.ClassComparison) -> None:
    share = len(Y) / len(X)
    notes = {
        "gone": f"no candidate rows, where {200 * share:.3g} were to be expected",
        "few": "127 reference rows, of 128 at least",
        "small": "63 candidate rows, of 64 at least",
        "new": "no reference rows",
    }
    missing = found.classes.filter(pl.col("note").is_not_null())
    assert dict(missing.select("class", "note").iter_rows()) == notes
    for name, note in notes.items():
        (row,) = found.frame.filter(pl.col("class") == name).select(*SCHEMA).to_dicts()
        expected = {"n_reference": SIZES[name][0], "n_candidate": SIZES[name][1]}
        expected |= {"reason": note}
        assert {key: value for key, value in row.items() if value is not None} == expected


@pytest.mark.parametrize("name", ["kept", "shrunk"])
def test_a_class_is_compared_as_if_it_were_alone(name: str, found: tw.ClassComparison) -> None:
    seed = class_seed(0, name)
    x, y = X[name == OF_X], Y[name == OF_Y]
    alone = tw.compare(x, y, metrics=METRICS, tail_levels=(0.1, 0.05), seed=seed)
    (row,) = found.classes.filter(pl.col("class") == name).to_dicts()
    assert row["seed"] == seed
    assert (row["reference_rows"], row["candidate_rows"]) == SIZES[name]
    assert found.of(name).frame.equals(alone.frame)
    assert found.of(name).sentence == alone.sentence
    for key in ("rows_used", "arguments"):
        expected = alone.run[key]
        assert {part: found.of(name).run[key][part] for part in expected} == expected
    test = tw.metrics.tail_test(x, y, level=0.05)
    decided = [row[key] for key in ("metric", "level", "value", "low", "high", "p_value")]
    expected = ["tail_odds_ratio", 0.05, test.odds_ratio, test.low, test.high, test.p_value]
    assert decided == expected


def test_q_values_are_over_the_classes_that_were_compared(found: tw.ClassComparison) -> None:
    least, other = (found.classes["p_value"][row] for row in (0, 1))
    assert found.classes["q_value"].to_list() == [2 * least, other, None, None, None, None]
    assert least < 1e-3


def test_other_classes_make_no_difference_to_the_numbers_of_one(found: tw.ClassComparison) -> None:
    of_x, of_y = OF_X == "kept", OF_Y == "kept"
    others = (np.where(of_x, "kept", "rest"), np.where(of_y, "kept", "rest"))
    again = compare(others)
    assert again.of("kept").frame.equals(found.of("kept").frame)
    assert again.of("kept").run["arguments"] == found.of("kept").run["arguments"]


def test_rows_of_a_class_may_lie_anywhere_among_those_of_others(found: tw.ClassComparison) -> None:
    order = np.argsort(OF_X, kind="stable")
    again = tw.compare(
        X[order],
        Y,
        per=(OF_X[order], OF_Y),
        metrics=METRICS,
        tail_levels=(0.1, 0.05),
        threads=1,
    )
    assert same(again, found)


@pytest.mark.parametrize("threads", [1, 3, None])
def test_threads(threads: int | None, found: tw.ClassComparison) -> None:
    assert same(compare(threads=threads), found)


def test_another_seed_is_another_split(found: tw.ClassComparison) -> None:
    again = compare(seed=1)
    assert not again.frame["null"].equals(found.frame["null"])
    assert again.classes["p_value"].equals(found.classes["p_value"]), "all rows are not drawn"


def test_what_fails_in_one_class_is_said_there_and_in_all_is_raised() -> None:
    # Half-samples have 75 rows in the one class, 65 in the other.
    found = compare(k=70, metrics=["recall"])
    (row,) = found.classes.filter(pl.col("class") == "kept").to_dicts()
    assert row["verdict"] == "undetermined"
    (row,) = found.classes.filter(pl.col("class") == "shrunk").to_dicts()
    assert row["verdict"] == "not compared"
    assert row["note"].startswith("k: expected 1 to ")
    with refused(InputError, "k", "1 to 71 (half-samples have 72 rows)", "5000"):
        compare(k=5000, metrics=["recall"])


def test_rows_are_bounded_in_each_class() -> None:
    found = compare(max_rows=130)
    quadratic = found.frame.filter(pl.col("metric") == "tail_mass")
    assert set(quadratic["n_reference"]) == {65}
    assert quadratic.select("n_reference_all", "n_candidate_all").unique().rows() == [(130, 130)]
    assert found.of("kept").run["rows_used"]["quadratic_half"] == 65


def test_without_tails_nothing_is_judged() -> None:
    found = compare(metrics=["total_variance"])
    assert set(found.classes["verdict"]) == {"undetermined", "absent", "new", "not compared"}
    assert found.classes["p_value"].null_count() == len(SIZES)
    assert "No tail metric was asked for" in found.sentence


def test_the_fast_panel_judges_by_directional_tails() -> None:
    x, y = samples.gaussian(5, 3000, 6), samples.gaussian(6, 2000, 6)
    of_x, of_y = (np.repeat(["kept", "shrunk"], len(rows) // 2) for rows in (x, y))
    y[1000:] *= 0.7
    found = tw.compare(x, y, per=(of_x, of_y), metrics="fast")
    first, second = found.classes.to_dicts()
    assert (first["class"], first["verdict"], second["verdict"]) == (
        "shrunk",
        "lost",
        "no change found",
    )
    assert (first["metric"], first["level"]) == ("directional_tails", 0.01)
    alone = found.of("shrunk").frame.row(0, named=True)
    assert [first[name] for name in ("value", "low", "high")] == [
        alone[name] for name in ("retention", "retention_low", "retention_high")
    ]


def test_progress_tells_of_each_class_and_of_what_takes_long() -> None:
    seen: list[tuple[str, int, int]] = []
    threads = set()

    def report(stage: str, done: int, total: int) -> None:
        seen.append((stage, done, total))
        threads.add(threading.get_ident())

    x, y = samples.gaussian(3, 8000, 64), samples.gaussian(4, 8000, 64)
    halves = np.repeat(["a", "b"], 4000)
    tw.compare(x, y, per=(halves, halves), metrics=["recall"], threads=1, progress=report)
    assert [row for row in seen if row[0] == "classes"] == [("classes", 1, 2), ("classes", 2, 2)]
    assert {stage for stage, _, _ in seen} == {
        "class 1 of 2, neighbours",
        "class 2 of 2, neighbours",
        "classes",
    }
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("stage", ["classes", "class 1 of 2, neighbours"])
def test_an_interruption_ends_it_at_once(stage: str, tmp_path: Path) -> None:
    calls: list[str] = []

    def report(now: str, done: int, total: int) -> None:
        calls.append(now)
        if now == stage:
            raise KeyboardInterrupt

    x, y = samples.gaussian(3, 8000, 64), samples.gaussian(4, 8000, 64)
    halves = np.repeat(["a", "b"], 4000)
    with pytest.raises(KeyboardInterrupt):
        tw.compare(x, y, per=(halves, halves), metrics=["recall"], threads=1, progress=report).save(
            tmp_path / "a.json"
        )
    assert calls[-1] == stage
    assert calls.count(stage) == 1
    assert list(tmp_path.iterdir()) == []


def test_files_hold_all(found: tw.ClassComparison, tmp_path: Path) -> None:
    assert pl.read_parquet(found.save(tmp_path / "a.parquet")).equals(found.frame)
    read = pl.read_csv(found.save(tmp_path / "a.csv"), schema=FRAME_SCHEMA)
    assert read.equals(found.frame)
    document = json.loads(found.save(tmp_path / "a.json").read_text("utf-8"))
    assert list(document) == [
        "format",
        "version",
        "sentence",
        "findings",
        "run",
        "classes",
        "frame",
    ]
    assert document["sentence"] == found.sentence
    assert document["run"] == found.run
    assert [row["class"] for row in document["classes"]] == found.classes["class"].to_list()
    assert len(document["frame"]) == found.frame.height
    page = found.save(tmp_path / "a.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    with refused(InputError, "path", got="'a.txt'"):
        found.save(tmp_path / "a.txt")


def test_a_comparison_of_classes_is_read_again(found: tw.ClassComparison, tmp_path: Path) -> None:
    again = tw.ClassComparison.load(found.save(tmp_path / "a.tailwatch"))
    assert again == found
    assert again.classes.equals(found.classes)
    assert (again.run, again.sentence) == (found.run, found.sentence)
    compared = found.classes.filter(pl.col("note").is_null())["class"][0]
    assert again.of(compared) == found.of(compared)
    with refused(
        SourceError, "path", got="a result of the kind comparison of classes", where="…/a.tailwatch"
    ):
        tw.Comparison.load(tmp_path / "a.tailwatch")


@pytest.mark.parametrize(
    ("name", "why"),
    [("gone", "no candidate rows, where …"), ("x", "there is none")],
)
def test_a_class_without_a_comparison(name: str, why: str, found: tw.ClassComparison) -> None:
    with refused(InputError, "name", "a class that was compared", repr(name), why):
        found.of(name)


def test_repr_says_the_finding_and_shows_the_classes(found: tw.ClassComparison) -> None:
    assert repr(found) == f"{found.sentence}\n{found.classes!r}"
    assert "tw-fragment" in found._repr_html_()

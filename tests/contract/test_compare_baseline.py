"""A comparison against a baseline: numbers, findings about the change, files, the gate, errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import tailwatch as tw
from tailwatch.cli.app import app
from tailwatch.comparison.questions import NAMES
from tailwatch.exceptions import DimensionError, InputError, NonFiniteError
from tests.support import samples
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from pathlib import Path

HUMAN, OLD = samples.gaussian(1, 600, 6), samples.gaussian(2, 300, 6)
EDITED = np.concatenate([OLD[:200], 0.4 * samples.gaussian(3, 100, 6)])
"""The baseline with a third of its rows replaced, in place, by such of less spread."""


def paired(new: object, old: object, metrics: object = None) -> tw.PairedComparison:
    found = tw.compare(HUMAN, new, baseline=old, metrics=metrics)  # type: ignore[call-overload]
    assert isinstance(found, tw.PairedComparison)
    return found


@pytest.fixture(scope="module")
def worse() -> tw.PairedComparison:
    return paired(EDITED, OLD)


@pytest.fixture(scope="module")
def better() -> tw.PairedComparison:
    return paired(OLD, EDITED, metrics=["energy_distance", "energy_coefficient", "total_variance"])


def test_a_change_is_the_difference_of_two_comparisons(worse: tw.PairedComparison) -> None:
    new, old = (tw.compare(HUMAN, rows).frame for rows in (EDITED, OLD))
    assert worse.frame.equals(new)
    assert worse.changes["value"].equals(new["value"])
    assert worse.changes["baseline"].equals(old["value"].rename("baseline"))
    assert worse.changes["change"].equals((new["value"] - old["value"]).rename("change"))
    assert (worse.changes["n_common"] == 200).all()


def test_rows_of_another_order_and_number_are_common_all_the_same() -> None:
    rng = np.random.default_rng(4)
    new = rng.permutation(np.concatenate([OLD, samples.gaussian(5, 120, 6)]))
    found = paired(new, OLD, metrics=["precision", "total_variance"])
    # All of the baseline is in: its numbers are those of a comparison of its own.
    alone = tw.compare(HUMAN, OLD, metrics=["precision", "total_variance"]).frame
    assert found.changes["baseline"].to_list() == pytest.approx(alone["value"].to_list(), rel=1e-12)
    # C is 300 of 420 rows, of which 300 are common: 214 of them on average.
    assert 180 < found.changes["n_common"][0] < 250


def test_of_a_candidate_that_is_its_baseline_nothing_changed() -> None:
    found = paired(OLD[::-1], OLD)
    known = found.changes.filter(pl.col("low").is_not_null())
    assert known.height > 25
    assert known["low"].to_list() == pytest.approx([0.0] * known.height, abs=1e-12)
    assert known["high"].to_list() == pytest.approx([0.0] * known.height, abs=1e-12)
    assert found.sentence.startswith("No change from the baseline can be told. ")


def test_what_became_worse_and_what_became_better(
    worse: tw.PairedComparison, better: tw.PairedComparison
) -> None:
    assert [one.name for one in worse.change] == list(NAMES)
    states = {one.name: one.state for one in worse.change}
    assert (states["moved"], states["spread_lost"]) == ("worse", "worse")
    assert "better" not in states.values()
    assert worse.sentence.startswith("Worse than the baseline: ")
    states = {one.name: one.state for one in better.change}
    assert (states["moved"], states["spread_lost"]) == ("better", "better")
    assert states["copies"] == "cannot tell"
    assert better.sentence.startswith("Better than the baseline: it has moved towards")
    spread = next(one for one in better.change if one.name == "spread_lost")
    row = better.changes.filter(pl.col("metric") == "total_variance").row(0, named=True)
    assert (spread.change, spread.low, spread.high) == (row["change"], row["low"], row["high"])


def test_every_change_has_an_interval_or_a_reason(worse: tw.PairedComparison) -> None:
    for row in worse.changes.to_dicts():
        known = [row[name] is not None for name in ("low", "high", "method")]
        assert known == [row["reason"] is None] * 3
        assert row["low"] is None or row["low"] <= row["change"] <= row["high"]
    without = worse.changes.filter(pl.col("low").is_null())["metric"].to_list()
    assert without == ["mode_coverage", "mode_coverage"]


def test_copies_within_a_candidate_leave_kernels_without_an_interval() -> None:
    twice = np.concatenate([EDITED[:250], EDITED[:50]])
    found = paired(twice, OLD, metrics=["energy_distance"]).changes.row(0, named=True)
    assert found["low"] is None
    assert "repeated" in found["reason"]


def test_more_copies_are_found_of_rows_that_are_not_common() -> None:
    copied = OLD.copy()
    copied[:30] = HUMAN[:30]
    found = paired(copied, OLD, metrics=["copies"])
    row = found.changes.row(0, named=True)
    assert row["n_common"] == 270
    assert 0 < row["low"] < row["change"] < row["high"] <= 0.1
    assert [one.name for one in found.change if one.state == "worse"] == ["copies"]


def test_more_rows_are_repeated_than_before() -> None:
    repeated = OLD.copy()
    repeated[:60:2] = repeated[1:60:2]
    found = paired(repeated, OLD, metrics=["duplicates"])
    row = found.changes.row(0, named=True)
    assert row["change"] == pytest.approx(0.2)
    assert 0.08 < row["low"] < row["change"] < row["high"] < 0.32
    assert [(one.name, one.state) for one in found.change if one.evidence] == [
        ("repeated", "worse")
    ]
    back = paired(OLD, repeated, metrics=["duplicates"])
    assert [one.state for one in back.change if one.evidence] == ["better"]
    same = paired(repeated, repeated[::-1].copy(), metrics=["duplicates"]).changes
    assert same.select("change", "low", "high").row(0) == (0.0, 0.0, 0.0)


def test_the_gate_asks_whether_anything_is_worse(
    worse: tw.PairedComparison, better: tw.PairedComparison
) -> None:
    gate = worse.gate(["copies", "worse"])
    assert gate.state == "failed"
    assert "spread_lost (worse)" in str(gate)
    assert [one.name for one in gate.findings] == ["copies"]
    assert str(better.gate("worse")) == "gate: passed: none of worse"
    blind = paired(EDITED, OLD, metrics=["mode_coverage", "precision"]).gate("worse")
    assert blind.state in {"passed", "failed"}
    silent = paired(EDITED, OLD, metrics=["precision"]).gate("worse")
    assert str(silent) == "gate: inconclusive: worse cannot be told"
    hint = "compare with a baseline"
    with refused(InputError, "fail_on", "worse only against a baseline", "worse", hint=hint):
        tw.compare(HUMAN, OLD, metrics=["copies"]).gate("worse")


def test_documents_tell_of_the_change(worse: tw.PairedComparison, tmp_path: Path) -> None:
    told = json.loads(worse.to_json())
    assert told["format"] == "tailwatch-comparison"
    assert told["run"]["baseline"]["rows"] == 300
    assert [one["name"] for one in told["change"]] == list(NAMES)
    assert len(told["changes"]) == worse.changes.height
    assert "| moved | ✗ worse |" in worse.to_markdown()
    assert 'classname="tailwatch.compare, change" name="moved"' in worse.to_junit(
        worse.gate("worse")
    )
    page = worse.to_html()
    assert "Change against the baseline" in page
    assert "Change against the baseline" in worse._repr_html_()
    alone = tw.compare(HUMAN, OLD, metrics=["copies"])
    assert "Change against" not in alone.to_html() + alone._repr_html_()
    path = worse.save(tmp_path / "paired.tailwatch")
    assert tw.PairedComparison.load(path) == worse


def test_a_reference_without_rows_takes_a_baseline(tmp_path: Path) -> None:
    reference = tw.Reference(HUMAN, metrics=["total_variance"])
    path = reference.save(tmp_path / "human.tailwatch", rows=False)
    kept = tw.compare(path, EDITED, baseline=OLD)
    assert kept.changes.equals(tw.compare(reference, EDITED, baseline=OLD).changes)
    with pytest.raises(InputError) as raised:
        tw.compare(path, EDITED, baseline=OLD[:299])
    assert raised.value.argument == "baseline"


def test_the_command(tmp_path: Path) -> None:
    for name, rows in (("human", HUMAN), ("new", EDITED), ("old", OLD)):
        np.save(tmp_path / f"{name}.npy", rows)
    human, new, old = (str(tmp_path / f"{name}.npy") for name in ("human", "new", "old"))
    options = ["--metrics", "total_variance,copies", "--json", "--fail-on", "worse"]
    ran = CliRunner().invoke(app, ["compare", human, new, "--baseline", old, *options])
    assert ran.exit_code == 1, ran.output
    assert json.loads(ran.stdout)["sentence"].startswith("Worse than the baseline: spread was lost")
    assert "against the baseline" in ran.stderr


def spoilt() -> np.ndarray:
    rows = OLD.copy()
    rows[7, 1] = np.nan
    return rows


ERRORS: dict[str, tuple[object, type[InputError], dict[str, str]]] = {
    "few rows": (OLD[:63], InputError, fields("baseline", "at least 64 rows to compare", "63")),
    "other columns": (
        OLD[:, :5],
        DimensionError,
        fields("baseline", "6 columns as in reference", "5"),
    ),
    "NaN": (
        spoilt(),
        NonFiniteError,
        fields("baseline", "finite numbers", "NaN", "row 7, column 1"),
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_a_baseline_that_is_none(case: str) -> None:
    baseline, kind, named = ERRORS[case]
    with refused(kind, **named):
        tw.compare(HUMAN, OLD, baseline=baseline, metrics=["copies"])  # type: ignore[call-overload]


def test_a_baseline_has_no_classes() -> None:
    labels = ["a"] * 600, ["a"] * 300
    with pytest.raises(InputError) as raised:
        tw.compare(HUMAN, OLD, baseline=EDITED, per=labels)  # type: ignore[call-overload]
    assert (raised.value.argument, raised.value.expected) == ("baseline", "none with per")

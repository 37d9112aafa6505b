"""What people see of a comparison: a table that fits their terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from tailwatch import recursion
from tailwatch.cli.table import comparison_table, findings_table, generations_table, verdicts_table
from tailwatch.recursion.verdicts import alarms
from tests.support import report_sample

if TYPE_CHECKING:
    from rich.table import Table


def drawn(table: Table, width: int = 120) -> list[list[str]]:
    """The table as a terminal without colours shows it: lines of cells."""
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False).print(table)
    return [
        [cell for cell in line.strip().split("  ") if cell]
        for line in stream.getvalue().splitlines()
        if line.strip()
    ]


def line_of(name: str, lines: list[list[str]]) -> list[str]:
    return [cell.strip() for line in lines if line[0] == name for cell in line[1:]]


def test_tails_come_first() -> None:
    names = [line[0] for line in drawn(comparison_table(report_sample.frame(), 120))]
    tails = [position for position, name in enumerate(names) if "ail" in name]
    assert names[2] == "Tail coverage, 10 %".replace(" %", "\N{NARROW NO-BREAK SPACE}%")
    assert max(tails) < names.index("Precision")
    assert names.index("Precision") < names.index("Fréchet distance")


def test_a_line_holds_value_null_retention_and_a_word() -> None:
    lines = drawn(comparison_table(report_sample.frame(), 120))
    assert line_of("Recall", lines) == [
        "0.522 [0.487, 0.557]",
        "0.801",
        "0.65 [0.61, 0.70]",
        "worse",
    ]
    assert line_of("Coverage", lines) == ["0.978 [0.967, 0.985]", "0.968", "1.01 [1.00, 1.02]"]
    assert line_of("Density", lines)[-1] == "beyond"


def test_a_divergence_is_counted_in_standard_errors() -> None:
    lines = drawn(comparison_table(report_sample.frame(), 120))
    retention, word = line_of("Fréchet distance", lines)[2:]
    assert (retention, word) == ("+174 SE [166, 182]", "worse")


def test_values_on_all_rows_are_left_to_files() -> None:
    (record,) = report_sample.records(["recall"])
    both, measured = (
        drawn(comparison_table(report_sample.frame([each]), 120))
        for each in (record, record | {"value_all": None})
    )
    assert both == measured
    assert len(measured) == 3


def test_a_metric_without_interval_shows_none() -> None:
    record = report_sample.records(["recall"])[0]
    record |= dict.fromkeys(("low", "high", "null", "retention", "retention_low"), None)
    lines = drawn(comparison_table(report_sample.frame([record]), 120))
    assert line_of("Recall", lines) == ["0.522", "–", "–"]


@pytest.mark.parametrize("width", [80, 100, 107, 200])
def test_no_number_is_cut(width: int) -> None:
    lines = drawn(comparison_table(report_sample.frame(), width), width)
    assert not any("…" in cell for line in lines for cell in line)
    one_line_each = len(lines) == 2 + len(report_sample.records())
    assert one_line_each == (width >= 107)


def test_generations_are_lines_and_metrics_columns() -> None:
    rows = pl.concat(
        report_sample.frame(report_sample.records([metric])[:1]).insert_column(
            0, pl.Series("generation", [generation])
        )
        for generation in (1, 2)
        for metric in ("recall", "tail_mass")
    )
    head, _, first, second = drawn(generations_table(rows))
    assert [cell.strip() for cell in head] == [
        "generation",
        "Recall",
        "Tail mass, 10\N{NARROW NO-BREAK SPACE}%",
    ]
    assert [cell.strip() for cell in first] == [
        "1",
        "0.65 [0.61, 0.70]",
        "0.13 [0.08, 0.21]",
    ]
    assert second[0] == "2"


@pytest.mark.parametrize("width", [80, 120])
def test_no_interval_is_torn_and_no_line_is_longer_than_the_terminal(width: int) -> None:
    wide = {"value": 1356.0, "low": 1142.0, "high": 1609.0, "retention": 31_460.0}
    wide |= {"retention_low": 18_744.0, "retention_high": 44_171.0}
    frame = report_sample.frame([row | wide for row in report_sample.records()])
    sizes = {"size": 0.891, "low": -0.0123, "high": 0.9789, "state": "found"}
    findings = [{"name": name, **sizes} for name in ("repeated", "tails_lost", "moved")]

    for table in (comparison_table(frame, width), findings_table(findings)):
        stream = io.StringIO()
        Console(file=stream, width=width, highlight=False).print(table)
        for line in stream.getvalue().splitlines():
            assert line.count("[") == line.count("]")
            assert len(line) <= width
            assert "…" not in line
            assert not line.strip().startswith("%")


def test_evidence_of_one_generation_names_metrics_as_tables_do() -> None:
    human = np.random.default_rng(3).normal(size=(300, 3))
    run = recursion.run(
        recursion.Gaussian(),
        human,
        policy=recursion.Replace(),
        generations=1,
        metrics=("tail_coverage", "total_variance"),
    )
    named = pl.lit("replace").alias("run")

    judged = (each.select(named, pl.all()) for each in (run.verdicts, alarms(run.alarm)))
    table = verdicts_table(*judged)
    text = " ".join(" ".join(line) for line in drawn(table, 400))
    assert "total variance, generation 1: " in text
    assert "1 generation, and 4 are the fewest" in text
    assert "_" not in text

"""Labels and paths of any characters, in every output: nothing raw, nothing lost, no crash."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.cli import run
from tailwatch.comparison.registry import LABELS as METRIC_LABELS
from tailwatch.report.comparison.charts import retention_chart
from tailwatch.report.comparison.readings import read
from tailwatch.report.loop import run_page
from tailwatch.text_form import original, path_of, visible
from tests.support.recursion_sample import diagnosis, frame, verdicts
from tests.support.report_sample import frame as comparison_frame
from tests.support.report_sample import records

if TYPE_CHECKING:
    from pathlib import Path


LABELS = [
    "plain",
    "nul\0",
    "\x1b[31mred\x1b[0m",
    "\ufffe",
    "\u202eevil",
    "\u2028\u2029\x85",
    "two\nlines\r\t",
    "[red]markup[/red] :smile:",
    "<script>alert(1)</script>&amp;",
    r"an escape \x1b that is none",
    "\U0010ffff\U000e0041\ufeff",
]
ROWS = 130


@pytest.fixture(scope="module")
def comparison() -> tw.ClassComparison:
    random = np.random.default_rng(0)
    labels = [label for label in LABELS for _ in range(ROWS)]
    x, y = random.standard_normal((2, len(labels), 2))
    found = tw.compare(x, 0.5 * y, per=(labels, labels), metrics=["directional_tails"])
    assert isinstance(found, tw.ClassComparison)
    return found


def is_clean(text: str) -> bool:
    """Tell whether a text holds no hidden character but the ends of its lines."""
    return not [line for line in text.split("\n") if visible(line) != line]


def test_a_page_is_drawn_and_holds_nothing_raw(comparison: tw.ClassComparison) -> None:
    for page in (comparison.to_html(), comparison._repr_html_()):
        assert is_clean(page)
        assert "<script" not in page
        assert "nul\\x00" in page
        assert "[red]markup[/red] :smile:" in page


def test_csv_has_a_line_for_each_row_and_its_labels_come_back(
    comparison: tw.ClassComparison, tmp_path: Path
) -> None:
    text = comparison.save(tmp_path / "a.csv").read_bytes().decode()
    assert is_clean(text)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(text.splitlines()) - 1 == comparison.frame.height
    assert [original(row["class"]) for row in rows] == comparison.frame["class"].to_list()


def test_parquet_and_json_hold_the_labels_themselves(
    comparison: tw.ClassComparison, tmp_path: Path
) -> None:
    table = pl.read_parquet(comparison.save(tmp_path / "a.parquet"))
    assert set(table["class"]) == set(LABELS)
    text = comparison.save(tmp_path / "a.json").read_text("ascii")
    assert is_clean(text)
    assert {row["class"] for row in json.loads(text)["classes"]} == set(LABELS)


def test_the_terminal_gets_no_control_character_and_no_markup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    labels = [label for label in LABELS for _ in range(ROWS)]
    for name in ("human", "other"):
        rows = pl.Series(random.standard_normal((len(labels), 2)), dtype=pl.Array(pl.Float64, 2))
        pl.DataFrame({"embedding": rows, "label": labels}).write_parquet(tmp_path / name)
        (tmp_path / name).rename(tmp_path / f"{name}.parquet")
    sides = [str(tmp_path / "human.parquet"), str(tmp_path / "other.parquet")]
    assert run(["compare", *sides, "--per", "label", "--metrics", "total_variance"]) == 0
    shown = capsys.readouterr().err
    assert is_clean(shown)
    assert "[red]markup[/red] :smile:" in shown
    assert r"\x1b[31mred\x1b[0m" in shown
    assert r"\ufffe" in shown


NAMES = [b"caf\xe9", b"\x1b[2J", b"\xe2\x80\xae.npy", b"a\nb", b"\xff" * 200, b"\\x1b"]


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_of_any_bytes(
    name: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = tmp_path / "plain.npy"
    np.save(plain, np.random.default_rng(0).standard_normal((200, 2)))
    folder = tmp_path / os.fsdecode(name[:100])
    folder.mkdir()
    odd, page, numbers = (
        folder / f"{os.fsdecode(name)}{suffix}" for suffix in (".npy", ".html", ".parquet")
    )
    shutil.copy(plain, odd)
    asked = ["compare", str(odd), str(plain), "--metrics", "total_variance", "--json"]
    assert run([*asked, "--html", str(page), "--parquet", str(numbers)]) == 0
    shown = capsys.readouterr()
    assert is_clean(shown.out + shown.err)
    shown.out.encode("ascii")
    document = json.loads(shown.out)
    assert path_of(document["run"]["reference"]["name"]) == odd
    assert is_clean(page.read_text("utf-8"))
    assert pl.read_parquet(io.BytesIO(numbers.read_bytes())).height


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
def test_a_file_that_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\x1b.npy")
    assert run(["compare", odd, odd]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert shown.count("\n") == 1
    assert r"caf\xe9\x1b.npy" in shown


@pytest.mark.parametrize("label", LABELS)
def test_a_chart_of_any_name_is_drawn(label: str) -> None:
    rows = [{**row, "metric": label} for row in records(["coverage"])]
    svg = retention_chart(
        read(comparison_frame(rows), METRIC_LABELS),
        name="c",
        title=label,
        confidence=f"95 % {label}",
    )
    assert is_clean(svg)


def test_a_loop_of_any_name_has_a_page() -> None:
    name = "".join(LABELS)
    page = run_page(
        frame().with_columns(run=pl.lit(name)),
        verdicts=verdicts().with_columns(run=pl.lit(name)),
        diagnosis=diagnosis().with_columns(run=pl.lit(name)),
        arguments={"label": name, "policy": name, "confidence": 0.95, "seed": 0},
        labels=METRIC_LABELS,
    )
    assert is_clean(page)
    assert not re.search("<script", page)

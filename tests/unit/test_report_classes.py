"""The page of a comparison by class: small, in order, and safe from names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tailwatch.comparison.by_class.judgement import CLASSES_SCHEMA, FRAME_SCHEMA
from tailwatch.comparison.registry import LABELS
from tailwatch.report.comparison import classes_fragment, classes_page
from tests.support.page import Page
from tests.support.report_sample import records, run

if TYPE_CHECKING:
    from collections.abc import Sequence


SENTENCE = "Tails were lost in some classes: 5 % at most by chance."
MARKS = {"lost": 0.07, "no change found": 0.95, "widened": 2.5}


def summary(name: str, verdict: str, **given: object) -> dict[str, Any]:
    """Return a row of the summary."""
    row = dict.fromkeys(CLASSES_SCHEMA) | {"class": name, "verdict": verdict}
    row |= {"reference_rows": 12_345, "candidate_rows": 6789, "seed": 1}
    if verdict in MARKS:
        value = MARKS[verdict]
        decided = {"metric": "tail_odds_ratio", "level": 0.05, "value": value}
        row |= decided | {"low": value / 2, "high": 2 * value, "p_value": 1e-9, "q_value": 3.3e-8}
    else:
        row |= {"note": "12 reference rows, of 128 at least"}
    return row | given


def frames(rows: Sequence[dict[str, Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    classes = pl.DataFrame(rows, schema=CLASSES_SCHEMA)
    leading = list(FRAME_SCHEMA)[:6]
    standard = records()
    long = [
        {name: row[name] for name in leading} | one
        for row in rows
        for one in (standard if row["note"] is None else [])
    ]
    return pl.DataFrame(long, schema=FRAME_SCHEMA), classes


def page(rows: Sequence[dict[str, Any]], sentence: str = SENTENCE) -> str:
    frame, classes = frames(rows)
    about = run() | {"classes": {"all": len(rows), "compared": len(rows) - 1}}
    return classes_page(frame, classes, about, sentence=sentence, findings=[], labels=LABELS)


FEW = [
    summary("dog", "lost"),
    summary("cat", "no change found"),
    summary("fox", "widened"),
    summary("owl", "not compared"),
    summary("elk", "absent"),
]


@pytest.fixture(scope="module")
def parsed() -> Page:
    return Page(page(FEW))


def test_the_sentence_comes_first_then_the_surest_losses_and_all_classes(parsed: Page) -> None:
    shown = [text for tag, text in parsed.texts if tag in {"p", "h1", "h2"}]
    assert shown[:3] == [
        "tailwatch comparison by class",
        "human vs generation 5",
        SENTENCE.replace("5 %", "5\u202f%"),
    ]
    assert parsed.text("h2") == [
        "The surest losses",
        "What was found",
        "All classes",
        "What each number means",
        "What was run",
    ]


def test_one_chart_shows_what_was_judged(parsed: Page) -> None:
    wide, narrow = parsed.text("desc")
    assert wide == narrow
    assert wide.endswith("dog: 0.07 [0.04, 0.14]; cat: 0.95 [0.47, 1.90]; fox: 2.50 [1.25, 5.00].")
    assert "owl" not in wide


def test_a_line_per_class_in_the_order_of_the_summary(parsed: Page) -> None:
    heads = parsed.text("th")
    assert heads == [
        "Class",
        "Rows",
        "Tails",
        "q",
        "Tail odds ratio 5\u202f%",
        "Tail mass 5\u202f%",
        "Tail recall 5\u202f%",
        "Directional tails 1\u202f%",
        "Total variance",
        *(row["class"] for row in FEW),
    ]
    cells = parsed.text("td")
    assert cells[:3] == ["12\u202f345 + 6\u202f789", "lost", "< 0.0001"]
    assert cells.count("12 reference rows, of 128 at least") == 2
    assert "↓ " in cells
    assert "[0.04, 0.14]" in parsed.text("i")


def test_a_thousand_classes_with_long_names_fit_into_a_megabyte() -> None:
    rows = [summary(f"{i:04} {'<&>' * 30}", "lost") for i in range(1000)]
    markup = page(rows)
    assert len(markup.encode()) < 1_000_000
    assert markup.count("<th scope=row>") == 1000
    assert "more classes are in the frame" not in markup


def test_more_classes_are_counted() -> None:
    markup = page([summary(str(i), "lost") for i in range(1203)])
    assert len(markup.encode()) < 1_000_000
    assert markup.count("<th scope=row>") == 1000
    assert " 203 more classes are in the frame." in markup


def test_it_loads_nothing_and_names_cannot_break_out() -> None:
    hostile = "</td><script>alert(1)</script>&'\""
    rows = [summary(hostile, "lost"), summary(hostile + "2", "not compared", note=hostile)]
    markup = page(rows, hostile)
    parsed = Page(markup)
    assert not parsed.all("script")
    assert "http" not in markup.replace("http-equiv", "")
    assert "&lt;script&gt;" in markup
    frame, classes = frames(rows)
    about = run(hostile) | {"classes": {"all": 2, "compared": 1}}
    assert not Page(classes_fragment(frame, classes, about, sentence=hostile, labels=LABELS)).all(
        "script"
    )


def test_nothing_that_was_judged_is_a_page_too() -> None:
    parsed = Page(page([summary("owl", "not compared"), summary("a", "undetermined", note=None)]))
    assert not parsed.all("svg")
    assert parsed.text("th")[:4] == ["Class", "Rows", "Tails", "q"]


def test_fragments_stand_beside_each_other() -> None:
    about = run() | {"classes": {"all": 5, "compared": 3}}
    first = classes_fragment(*frames(FEW), about, sentence="A.", labels=LABELS)
    second = classes_fragment(*frames(FEW[1:]), about, sentence="B.", labels=LABELS)
    both = Page(first + second)
    ids = [attributes["id"] for _, attributes in both.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert len(both.all("details")) == 2


def test_the_same_input_gives_the_same_bytes() -> None:
    assert page(FEW) == page(FEW)

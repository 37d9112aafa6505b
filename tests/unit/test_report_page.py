"""The page: one file that loads nothing, in the right order, for whatever the frame holds."""

from __future__ import annotations

import math
from typing import Any

import pytest

import tailwatch as tw
from tailwatch.comparison.findings import findings_of
from tailwatch.comparison.questions import NAMES
from tailwatch.comparison.registry import LABELS
from tailwatch.comparison.sentence import told
from tailwatch.report.comparison import comparison_fragment, comparison_page
from tailwatch.report.findings import SIZES
from tests.support import samples
from tests.support.page import Page
from tests.support.report_sample import FAST, SENTENCE, frame, records, run


def words(sentence: str) -> dict[str, Any]:
    """What a page is told besides frame and run."""
    return {"sentence": sentence, "findings": told(findings_of(frame())), "labels": LABELS}


@pytest.fixture(scope="module")
def markup() -> str:
    return comparison_page(frame(), run(), **words(SENTENCE))


@pytest.fixture(scope="module")
def parsed(markup: str) -> Page:
    return Page(markup)


def test_it_is_one_small_file(markup: str) -> None:
    assert markup.startswith("<!doctype html>")
    assert len(markup.encode()) < 300_000


def test_it_loads_and_runs_nothing(markup: str, parsed: Page) -> None:
    assert "http://" not in markup
    assert "https://" not in markup
    assert "@import" not in markup
    for tag, attributes in parsed.elements:
        assert tag not in {"script", "img", "iframe", "object", "embed", "image", "use"}
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        assert attributes.get("href", "data:,") == "data:,"
    (policy,) = [m["content"] for m in parsed.all("meta") if m.get("http-equiv")]
    assert policy.startswith("default-src 'none'")


def test_the_sentence_comes_first_then_tails_panel_words_and_run(parsed: Page) -> None:
    shown = [text for tag, text in parsed.texts if tag in {"p", "h1", "h2"}]

    assert shown[:3] == [
        "tailwatch comparison",
        "human vs generation 5",
        SENTENCE.replace("5 %", "5\u202f%"),
    ]
    assert parsed.text("h2") == [
        "What was found",
        "Tails against their null",
        "The whole panel",
        "What each number means",
        "What was run",
    ]
    assert parsed.text("title")[0] == "tailwatch comparison: human vs generation 5"


def test_each_question_is_there_with_its_answer() -> None:
    assert set(SIZES) == set(NAMES)
    human = samples.gaussian(1, 400, 4)
    found = tw.compare(human, 0.5 * human[:200])
    texts = Page(found.to_html()).texts
    start = texts.index(("th", "Read from")) + 1
    titles = [name.replace("_", " ").capitalize() for name in NAMES]
    assert [text for tag, text in texts[start:] if tag == "th"][: len(titles)] == titles
    answers = [text for tag, text in texts[start:] if tag == "td" and text.endswith("found")]
    assert answers == [one.state for one in found.findings]
    assert "found" in answers


def test_every_chart_has_a_title_and_a_description(parsed: Page) -> None:
    charts = parsed.all("svg")
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]

    assert len(charts) == 2 * 3
    assert len(set(ids)) == len(ids)
    for chart in charts:
        assert chart["role"] == "img"
        assert {chart["aria-labelledby"], chart["aria-describedby"]} <= set(ids)
    assert len(parsed.text("desc")) == len(charts)


def test_it_has_a_light_and_a_dark_theme_and_prints(markup: str, parsed: Page) -> None:
    assert {"name": "color-scheme", "content": "light dark"} in parsed.all("meta")
    assert "@media screen and (prefers-color-scheme: dark)" in markup
    assert "@media print" in markup
    assert "@container (max-width:" in markup


def test_every_number_of_the_table_has_an_interval(parsed: Page) -> None:
    values = parsed.text("b")
    under = [text for text in parsed.text("span") if text.startswith("[") or text == "no interval"]

    # Of copies nothing is retained where human rows hold none.
    retained = sum(row["retention"] is not None for row in records())
    assert len(values) == 2 * len(records()) + retained
    assert len(under) == len(values)
    assert "0.07" in values
    assert "[0.04, 0.12]" in under


def test_what_was_run_is_told(parsed: Page) -> None:
    settings = dict(zip(parsed.text("dt"), parsed.text("dd"), strict=True))

    assert settings["tail levels"] == "0.1, 0.05, 0.01"
    assert settings["max rows"] == "not set"
    assert settings["polars"] == "2.1.0"
    assert settings["seconds"] == "12.4"
    assert settings["Compared on"] == "2\u202f500 + 2\u202f500 rows"


def test_names_cannot_break_out() -> None:
    hostile = "</title><script>alert(1)</script>&'\""
    rows = [{**row, "method": hostile, "metric": hostile} for row in records(["recall"])]

    markup = comparison_page(frame(rows), run(hostile, hostile), **words(hostile))

    assert not Page(markup).all("script")
    assert "&lt;script&gt;" in markup
    fragment = comparison_fragment(frame(rows), run(hostile), **words(hostile))
    assert not Page(fragment).all("script")


def test_the_same_input_gives_the_same_bytes(markup: str) -> None:
    assert comparison_page(frame(), run(), **words(SENTENCE)) == markup
    first, second = (comparison_fragment(frame(), run(), **words("A")) for _ in range(2))
    assert first == second


_NUMBERS = [
    "value",
    "low",
    "high",
    "null",
    "null_low",
    "null_high",
    "retention",
    "retention_low",
    "retention_high",
]


_FILLERS = [math.nan, math.inf, -math.inf, 0.0, 1e300, 5e-324, None]


@pytest.mark.parametrize("filler", [None, math.inf, 0.0, "mixed"])
def test_any_number_can_stand_anywhere(filler: float | str | None) -> None:
    # All alike, which leaves an axis nothing to span, or each of them in each column.
    rows = [
        row
        | {
            name: _FILLERS[(at + column) % len(_FILLERS)] if filler == "mixed" else filler
            for column, name in enumerate(_NUMBERS)
        }
        for at, row in enumerate(records())
    ]

    parsed = Page(comparison_page(frame(rows), run(), **words(SENTENCE)))

    assert len(parsed.all("svg")) == 6
    assert not any(text in {"nan", "inf", "None"} for _, text in parsed.texts)


def test_what_a_fresh_sample_has_none_of_is_in_the_table_and_in_no_chart() -> None:
    copies = next(row for row in records() if row["metric"] == "copies")
    assert copies["retention"] is None
    drawn = comparison_page(frame(), run(), **words(SENTENCE))
    kept = {"retention": 1.0, "retention_low": 0.9, "retention_high": 1.1}
    changed = [row | kept if row["metric"] == "copies" else row for row in records()]
    with_null = comparison_page(frame(changed), run(), **words(SENTENCE))
    # Two drawings and their two descriptions.
    assert with_null.count(">Copies") - drawn.count(">Copies") >= 2
    assert ">Copies" in drawn


def cut(**changes: object) -> list[dict[str, Any]]:
    return [{**row, **changes} for row in records()]


@pytest.mark.parametrize(
    ("rows", "charts"),
    [
        (records(FAST), 3),
        (records(["precision", "recall"]), 1),
        (records(["frechet_distance"]), 1),
        ([row for row in records() if row["level"] != 0.05], 3),
        (cut(level=None), 3),
        (cut(value_all=None), 3),
        (cut(n_reference=None, n_candidate=None, method=None), 3),
        ([], 0),
    ],
    ids=["fast", "no tails", "one", "level missing", "no levels", "no whole", "bare", "empty"],
)
def test_any_panel_can_be_shown(rows: list[dict[str, Any]], charts: int) -> None:
    parsed = Page(comparison_page(frame(rows), run(), **words(SENTENCE)))

    assert len(parsed.all("svg")) == 2 * charts
    assert len(parsed.text("h2")) == 5
    if not any(row["metric"] in {"tail_mass", "directional_tails"} for row in rows):
        assert any("no tail metrics" in text for text in parsed.text("p"))


def test_a_missing_interval_is_named_and_its_reason_shown() -> None:
    measured = records(["recall"])[0]
    bare = dict.fromkeys(["low", "high", "retention_low", "retention_high"])
    row = {**measured, **bare, "method": "half-sampling; too few rows"}

    parsed = Page(comparison_page(frame([row]), run(), **words(SENTENCE)))

    assert parsed.text("span").count("no interval") == 2
    assert "half-sampling; too few rows" in parsed.text("td")


def test_a_fragment_carries_its_own_paper_and_ids() -> None:
    first = comparison_fragment(frame(), run(), **words("A sentence."))
    second = comparison_fragment(frame(), run(), **words("Another sentence."))

    both = Page(first + second)

    ids = [attributes["id"] for _, attributes in both.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert "A sentence." in both.text("p")
    assert len(both.all("details")) == 4
    assert "--tw-paper" in first

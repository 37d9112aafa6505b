"""The page of a contamination run: small, self-contained, and complete without seeing the chart."""

from __future__ import annotations

import copy
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from tailwatch.report.contamination import contamination_page
from tailwatch.report.contamination.charts import shares_by_bin, written_edges
from tailwatch.report.html import LIGHT
from tests.support.datasets import model, write_shards
from tests.support.drawings import linear, marks, number_of, svgs

if TYPE_CHECKING:
    from pathlib import Path


VOID = {"meta", "link", "wbr", "br", "path", "line", "rect", "circle"}


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("page")
    return model().score_dataset(write_shards(folder / "in"), folder / "out").summary


@pytest.fixture(scope="module")
def page(summary: dict[str, Any]) -> str:
    return contamination_page(summary)


def text_of(page: str) -> str:
    """What a reader gets, without tags and drawings."""
    body = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", page, flags=re.DOTALL)
    words = re.sub(r"<[^>]+>", " ", body).replace("\N{NARROW NO-BREAK SPACE}", " ")
    return " ".join(words.split())


class Balance(HTMLParser):
    """Notes tags that are closed in another order than they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def test_every_tag_is_closed(page: str) -> None:
    parser = Balance()
    parser.feed(page)
    assert parser.open == []


def test_the_sentence_stands_first(page: str, summary: dict[str, Any]) -> None:
    body = page[page.index("<body>") :]
    sentence = re.search(r'class="tw-sentence">(.*?)</p>', body)
    assert sentence is not None
    # Thousands are apart as in the rest of the page.
    assert "2,042 rows" in summary["sentence"]
    expected = summary["sentence"].replace("2,042", "2 042")
    assert sentence[1].replace("\N{NARROW NO-BREAK SPACE}", " ") == expected
    assert body.index("tw-sentence") < body.index("<section>")


def test_nothing_is_run_or_fetched(page: str) -> None:
    assert "<script" not in page
    assert not re.search(r"https?://", page)
    assert "default-src 'none'" in page


def test_all_estimates_are_there(page: str, summary: dict[str, Any]) -> None:
    text = text_of(page)
    found = summary["prevalence"]
    for value in (found["value"], found["null_floor"]["value"], found["checks"]["dys"]):
        assert f"{100 * value:.{1 if value >= 0.1 else 2}f} %" in text
    for name in ("Null floor", "Adjusted count", "DyS", "Median sweep", "part-003.parquet"):
        assert name in text


def test_the_chart_is_told_in_words_and_follows_the_theme(
    page: str, summary: dict[str, Any]
) -> None:
    descriptions = re.findall(r"<desc [^>]*>(.*?)</desc>", page)
    assert len(descriptions) == 2
    counts = summary["histogram"]
    assert min(counts["human"][0] / 2000, counts["synthetic"][-1] / 2000) > 1 / 60
    share = counts["target"][0] / sum(counts["target"])
    assert descriptions[0].count(";") == len(counts["target"]) - 1
    assert f"target {100 * share:.3g} %" in descriptions[0]
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    assert not any(f'"{colour}"' in drawings for colour in LIGHT.values())
    assert "prefers-color-scheme: dark" in page


def test_ten_thousand_shards_and_failures_stay_below_a_megabyte(summary: dict[str, Any]) -> None:
    large = copy.deepcopy(summary)
    name = "month=2024-01/domain=example.org/part-{:05}-" + "0123456789abcdef" * 2 + ".parquet"
    large["shards"] = [
        {"shard": name.format(number), "rows": 1_000_000 + number, "share": number / 10_000}
        for number in range(10_000)
    ]
    large["failures"] = [
        {"shard": name.format(number), "reason": "cannot read it: " + "x" * 3000}
        for number in range(10_000)
    ]
    large["model"]["strata"] = [f"stratum {number}" for number in range(10_000)]
    page = contamination_page(large)
    assert len(page.encode()) < 1_000_000
    text = text_of(page)
    assert name.format(9999) in text
    assert "The 100 of 10 000 shards with the largest shares" in text
    assert "9 800 more failures are in summary.json" in text


def test_what_a_shard_is_called_is_only_text(summary: dict[str, Any]) -> None:
    hostile = copy.deepcopy(summary)
    attack = "<script>alert(1)</script>"
    hostile["shards"][0]["shard"] = attack
    hostile["failures"] = [{"shard": attack, "reason": attack}]
    hostile["warnings"] = [attack]
    hostile["source"]["name"] = attack
    hostile["model"]["encoder"] = attack
    assert "<script" not in contamination_page(hostile)


def test_warnings_and_failures_are_shown(summary: dict[str, Any]) -> None:
    changed = copy.deepcopy(summary)
    changed["warnings"] = ["the references do not explain the target"]
    changed["failures"] = [{"shard": "x.parquet", "reason": "row 41 holds NaN"}]
    text = text_of(contamination_page(changed))
    assert "Warning. the references do not explain the target" in text
    assert "Shards that could not be scored" in text
    assert "x.parquet row 41 holds NaN" in text


def test_a_human_reference_alone(summary: dict[str, Any]) -> None:
    alone = copy.deepcopy(summary)
    alone["prevalence"] |= {
        "method": "lower bound",
        "checks": None,
        "agreement": None,
        "profile": None,
        "n_synthetic": 0,
        "high": 1.0,
    }
    alone["histogram"]["synthetic"] = None
    alone["selected"]["rows"] = 0
    page = contamination_page(alone)
    assert "synthetic reference" not in page
    text = text_of(page)
    assert "Synthetic reference none" in text
    assert "No row has a q-value of at most 0.05." in text
    assert "DyS" not in text


def test_bins_of_few_reference_rows_are_drawn_with_the_next() -> None:
    edges = [-2.0, -1.9, 0.0, 1.0, 1.05]
    human, target = [400, 2, 300, 290, 5, 3], [100, 50, 400, 500, 10, 40]
    histogram = {"edges": edges, "human": human, "synthetic": None, "target": target}
    merged, series = shares_by_bin(histogram)
    assert merged == [-2.0, 0.0, 1.0]
    assert series["human"] == pytest.approx([0.4, 0.302, 0.29, 0.008])
    assert series["target"] == pytest.approx([100 / 1100, 450 / 1100, 500 / 1100, 50 / 1100])


def test_edges_are_written_to_two_digits_of_the_largest() -> None:
    assert written_edges([-3.04, -0.0011, 0.62, 3.1]) == ["\N{MINUS SIGN}3.0", "0", "0.6", "3.1"]
    assert written_edges([-0.097, 0.038, 0.12]) == ["\N{MINUS SIGN}0.10", "0.04", "0.12"]
    assert written_edges([120.0, 7.0]) == ["120", "7"]


def test_copies_are_told_with_what_was_looked_for(summary: dict[str, Any]) -> None:
    changed = copy.deepcopy(summary)
    changed["copies"] |= {"repeated": 51, "different": 2000, "most": 17}
    text = text_of(contamination_page(changed))
    assert "Copies of a reference were not looked for" in text
    assert "rows of which there is another copy in the target 51 2.50 %" in text
    assert "rows that go if each is kept once 42 2.06 %" in text
    changed["copies"]["of"] = {"rows": 6000, "distance": 0.25, "exact": 300, "near": 250}
    text = text_of(contamination_page(changed))
    assert "Copies of 6 000 given rows were looked for" in text
    assert "at distance 0 from one of them 300 14.7 %" in text
    assert "at a distance of up to 0.25, but not 0 250 12.2 %" in text


def test_the_shares_that_are_drawn_are_those_of_the_histogram(
    page: str, summary: dict[str, Any]
) -> None:
    edges, series = shares_by_bin(summary["histogram"])
    wide, narrow = svgs(page)
    for drawing in (wide, narrow):
        lines = marks(drawing, tag="line", stroke="line")
        beside = marks(drawing, tag="text", text_anchor="end")
        share = linear(
            [(i.middle[1], number_of(m.text)) for i, m in zip(lines, beside, strict=True)]
        )
        bars = marks(drawing, tag="rect", fill="band")
        tops, bottoms = zip(*([y for _, y in bar.places] for bar in bars), strict=True)
        assert [share(y) for y in tops] == pytest.approx(series["target"], abs=1e-3)
        assert [share(y) for y in bottoms] == pytest.approx([0] * len(bars), abs=1e-3)
        for name, colour in (("human", "beyond"), ("synthetic", "worse")):
            (steps,) = marks(drawing, tag="path", stroke=colour)
            pairs = [share(y) for _, y in steps.places]
            assert pairs[::2] == pairs[1::2] == pytest.approx(series[name], abs=1e-3)
        # The number of an edge stands between its bins.
        ends = [bar.places[1][0] for bar in bars]
        places = [m for m in marks(drawing, text_anchor="middle") if "Score" not in m.text]
        assert len(places) >= 3
        for mark in places:
            at = min(range(len(ends)), key=lambda i: abs(ends[i] - mark.middle[0]))
            assert mark.text == written_edges(edges)[at]

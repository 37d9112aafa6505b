"""A comparison kept, shown and compared."""

from __future__ import annotations

import json
import math
import re
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import polars as pl
import pytest

import tailwatch as tw
from tailwatch.comparison.frame import SCHEMA
from tailwatch.exceptions import InputError
from tests.support import samples
from tests.support.errors import refused

if TYPE_CHECKING:
    from pathlib import Path


SUFFIXES = [".html", ".parquet", ".csv", ".json", ".tailwatch"]


@pytest.fixture(scope="module")
def found() -> tw.Comparison:
    return tw.compare(samples.gaussian(1, 256, 3), samples.gaussian(2, 128, 3), threads=2)


def infinite(found: tw.Comparison) -> tw.Comparison:
    """The same with an infinite value, as odds may be, and one that is not a number."""
    value = pl.Series("value", [math.inf, -math.inf, math.nan, *found.frame["value"][3:]])
    return tw.Comparison(found.frame.with_columns(value), found.run)


def test_parquet_and_csv_hold_the_frame(found: tw.Comparison, tmp_path: Path) -> None:
    assert pl.read_parquet(found.save(tmp_path / "a.parquet")).equals(found.frame)
    read = pl.read_csv(found.save(tmp_path / "a.csv"), schema=SCHEMA)
    assert read.equals(found.frame)


def test_json_holds_all(found: tw.Comparison, tmp_path: Path) -> None:
    text = found.save(tmp_path / "a.json").read_text(encoding="utf-8")
    document = json.loads(text)
    assert list(document) == ["format", "version", "sentence", "findings", "run", "frame"]
    assert (document["format"], document["version"]) == ("tailwatch-comparison", 1)
    assert document["sentence"] == found.sentence
    told = [(one["name"], one["state"], one["size"]) for one in document["findings"]]
    assert told == [(one.name, one.state, one.size) for one in found.findings]
    assert document["run"] == found.run
    assert pl.DataFrame(document["frame"], schema=SCHEMA).equals(found.frame)
    assert text.endswith("}\n")


def test_a_comparison_is_read_again(found: tw.Comparison, tmp_path: Path) -> None:
    for each in (found, infinite(found)):
        again = tw.Comparison.load(each.save(tmp_path / "a.tailwatch"))
        assert again == each
        assert again.frame.equals(each.frame)
        assert (again.run, again.sentence) == (each.run, each.sentence)
        assert again.to_html() == each.to_html()
    assert infinite(found) != found


def refuse(name: str) -> None:
    raise AssertionError(name)


def test_json_is_strict(found: tw.Comparison, tmp_path: Path) -> None:
    text = infinite(found).save(tmp_path / "a.json").read_text(encoding="utf-8")
    document = json.loads(text, parse_constant=refuse)
    assert [row["value"] for row in document["frame"][:3]] == [None] * 3
    assert document["frame"][3]["value"] == found.frame["value"][3]


def plain(page: str) -> str:
    """Spaces that do not break are spaces."""
    return re.sub("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]", " ", unescape(page))


class Tags(HTMLParser):
    """Which tags a page opens, and what it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [
            value or ""
            for name, value in attrs
            if name in {"src", "href", "xlink:href"}
            and not (value or "").startswith(("#", "data:"))
        ]


def test_the_page_is_one_document_that_loads_nothing(found: tw.Comparison, tmp_path: Path) -> None:
    page = found.save(tmp_path / "a.html").read_text(encoding="utf-8")
    tags = Tags(page)
    assert page.lower().startswith("<!doctype html>")
    assert tags.tags.count("html") == tags.tags.count("body") == 1
    assert "svg" in tags.tags
    assert "script" not in tags.tags
    assert tags.loads == []
    assert len(page.encode()) < 1_000_000
    assert found.sentence in plain(page)


def test_a_notebook_shows_a_part_of_a_page(found: tw.Comparison) -> None:
    shown = found._repr_html_()
    tags = Tags(shown)
    assert "body" not in tags.tags
    assert "table" in tags.tags
    assert found.sentence in plain(shown)


def test_an_infinite_number_can_be_shown(found: tw.Comparison) -> None:
    shown = infinite(found)._repr_html_()
    assert "<svg" in shown
    assert not re.search(r"\bnan\b", shown.lower())


def test_repr_says_the_finding_and_shows_the_frame(found: tw.Comparison) -> None:
    first, rest = repr(found).split("\n", 1)
    assert first == found.sentence
    assert rest == repr(found.frame)


@pytest.mark.parametrize("name", ["a", "a.txt", "a.html.gz", ".html"])
def test_another_suffix(name: str, found: tw.Comparison, tmp_path: Path) -> None:
    expected = "a name ending in .html, .parquet, .csv, .json, .tailwatch"
    with refused(InputError, "path", expected, repr(name)):
        found.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_saving_returns_the_path_and_replaces_the_file(
    suffix: str, found: tw.Comparison, tmp_path: Path
) -> None:
    path = tmp_path / f"A{suffix.upper()}"
    path.write_bytes(b"old")
    assert found.save(str(path)) == path
    assert path.read_bytes() != b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failure_leaves_the_old_file(
    suffix: str, found: tw.Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **how: object) -> None:
        raise KeyboardInterrupt

    for owner, name in (
        (tw.Comparison, "to_html"),
        (tw.Comparison, "to_json"),
        (tw.Comparison, "_parts"),
        (pl.DataFrame, "write_parquet"),
        (pl.DataFrame, "write_csv"),
    ):
        monkeypatch.setattr(owner, name, fail)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        found.save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(found: tw.Comparison, tmp_path: Path) -> None:
    path = tmp_path / "missing" / "a.csv"
    with pytest.raises(FileNotFoundError) as caught:
        found.save(path)
    # The file that was asked for, or its folder; not the name of a temporary one.
    assert caught.value.filename in {str(path), str(path.parent)}


def test_comparisons_can_be_compared_and_kept_in_sets(found: tw.Comparison) -> None:
    same = tw.Comparison(found.frame.clone(), dict(found.run))
    assert found == found  # noqa: PLR0124
    assert isinstance(found == same, bool)
    assert found != "a comparison"
    assert len({found, found}) == 1

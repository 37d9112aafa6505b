"""The base of results: forms of files, equality, and files that are refused."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
import pytest

from tailwatch.exceptions import InputError, SourceError
from tailwatch.results import Result, plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COLUMNS = {
    "name": pl.String,
    "value": pl.Float64,
    "rows": pl.Int64,
    "many": pl.UInt64,
    "some": pl.UInt32,
    "good": pl.Boolean,
}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Finding(Result):
    """A result of every kind of part."""

    KIND = "finding"
    TABLES: ClassVar = {"frame": COLUMNS}

    frame: pl.DataFrame
    run: dict[str, Any]
    counts: bytes = b"\x00\xff"

    @property
    def sentence(self) -> str:
        return "Something was found."

    def to_html(self) -> str:
        return f"<!doctype html>{self.sentence}"

    def plot(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return self.sentence

    def _document(self) -> dict[str, Any]:
        return {"sentence": self.sentence, "run": self.run, "frame": self.frame}


class Another(Finding):
    """A result of another kind."""

    KIND = "another"


def finding() -> Finding:
    values = [0.1, -0.0, math.nan, math.inf, -math.inf, None, 5e-324, 1 / 3]
    rows = len(values)
    names = ["é", "\x00", "nan", "", None, '"', "\u202e", "\\"]
    frame = pl.DataFrame(
        {
            "name": names,
            "value": values,
            "rows": [-(2**63), 2**63 - 1, 0, None, 1, 2, 3, 4],
            "many": [2**64 - 1] * rows,
            "some": [None] * rows,
            "good": [True, False, None, *[True] * 5],
        },
        COLUMNS,
    )
    run = {"seed": 2**60, "path": "\udcff", "confidence": 0.1 + 0.2, "nothing": None, "of": [1, []]}
    return Finding(frame, run)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return finding().save(tmp_path / "a.tailwatch")


def test_what_was_saved_is_read_again_in_every_bit(kept: Path) -> None:
    found = Finding.load(str(kept))
    assert found == finding()
    assert math.copysign(1, found.frame["value"][1]) == -1
    assert found.frame.schema == finding().frame.schema
    assert found.save(kept.with_name("b.tailwatch")).read_bytes() == kept.read_bytes()


def test_a_frame_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    empty = Finding(finding().frame.clear(), {})
    assert Finding.load(empty.save(tmp_path / "a.TAILWATCH")) == empty


@pytest.mark.parametrize(
    "other",
    [
        lambda one: Finding(one.frame.reverse(), one.run),
        lambda one: Finding(one.frame.with_columns(pl.col("some").cast(pl.Int32)), one.run),
        lambda one: Finding(one.frame, one.run | {"seed": 1}),
        lambda one: Finding(one.frame, one.run, b""),
        lambda one: one.sentence,
    ],
    ids=["frame", "type of a column", "value", "bytes", "no result"],
)
def test_results_that_differ_are_not_equal(other: Callable[[Finding], object]) -> None:
    assert finding() == finding()
    assert finding() != other(finding())


def test_equal_results_are_one_in_a_set() -> None:
    assert len({finding(), finding(), Finding(finding().frame.clear(), {})}) == 2


def test_the_file_is_one_line_of_json_with_its_digest(kept: Path) -> None:
    text = kept.read_text("ascii")
    assert text.count("\n") == 1
    document = json.loads(text, parse_constant=pytest.fail)
    content = text[text.index('"content":') + len('"content":') : -2]
    assert document["sha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert (document["format"], document["version"]) == ("tailwatch-result", 1)


def refusal(path: Path, kind: type[Finding] = Finding) -> SourceError:
    with pytest.raises(SourceError) as caught:
        kind.load(path)
    assert caught.value.argument is not None
    return caught.value


def test_a_changed_byte_is_noticed(kept: Path) -> None:
    data = kept.read_bytes()
    for place in range(data.index(b'"sha256":'), len(data), 7):
        kept.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert refusal(kept).expected == "what Finding.save wrote to a file named *.tailwatch"


@pytest.mark.parametrize("length", [0, 1, 30, 200, -1])
def test_a_file_that_was_cut_is_refused(length: int, kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:length])
    assert refusal(kept).got in {"another file", "a file that is damaged"}


def test_more_behind_it_is_refused(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes() + b" ")
    assert refusal(kept).got == "a file that is damaged"


def test_other_kinds_and_forms_are_refused(kept: Path) -> None:
    assert refusal(kept, Another).got == "a result of the kind finding"
    for suffix in ("json", "html", "csv", "parquet"):
        assert refusal(finding().save(kept.with_suffix(f".{suffix}"))).got == "another file"


def forged(kept: Path, change: Callable[[dict[str, Any]], object]) -> SourceError:
    """Refusal of a file in the right form whose content no result has."""
    document = json.loads(kept.read_text())
    change(document)
    content = json.dumps(document["content"], separators=(",", ":"))
    document["sha256"] = hashlib.sha256(content.encode()).hexdigest()
    kept.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    return refusal(kept)


def column(document: dict[str, Any], number: int) -> list[Any]:
    found: list[Any] = document["content"]["tables"]["frame"][number]
    return found


FORGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "field missing": lambda kept: kept.pop("tailwatch"),
    "section missing": lambda kept: kept["content"].pop("bytes"),
    "value too many": lambda kept: kept["content"]["values"].update(more=1),
    "value missing": lambda kept: kept["content"]["values"].pop("run"),
    "no base 64": lambda kept: kept["content"]["bytes"].update(counts="*"),
    "no table": lambda kept: kept["content"]["tables"].update(frame=3),
    "no values": lambda kept: kept["content"].update(values=3),
    "no type": lambda kept: column(kept, 0).pop(),
    "short column": lambda kept: column(kept, 1)[2].pop(),
    "no number": lambda kept: column(kept, 1)[2].__setitem__(0, "about one"),
    "too large": lambda kept: column(kept, 2)[2].__setitem__(0, 2**63),
    "text for a number": lambda kept: column(kept, 2)[2].__setitem__(0, "1"),
    "type of objects": lambda kept: column(kept, 2).__setitem__(1, "Object"),
    "name twice": lambda kept: column(kept, 2).__setitem__(0, "value"),
    "another order": lambda kept: kept["content"]["tables"]["frame"].reverse(),
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_a_content_that_no_result_has_is_refused(
    change: Callable[[dict[str, Any]], object], kept: Path
) -> None:
    assert forged(kept, change).where == str(kept)


def test_a_later_version_is_named(kept: Path) -> None:
    got = forged(kept, lambda document: document.update(version=2)).got
    assert got == "version 2 of the form, of which 1 is known"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing").got == "No such file or directory"
    assert refusal(tmp_path).got == "a directory"
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").got == "a pipe"


def test_a_column_that_cannot_be_kept_is_named(tmp_path: Path) -> None:
    frame = finding().frame.with_columns(pl.col("name").cast(pl.Categorical))
    with pytest.raises(InputError) as caught:
        Finding(frame, {}).save(tmp_path / "a.tailwatch")
    assert (caught.value.argument, caught.value.got) == ("frame", "Categorical")
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        finding().save(tmp_path / "a.txt")
    expected = "a name ending in .html, .parquet, .csv, .json, .tailwatch"
    assert (caught.value.expected, caught.value.got) == (expected, "'a.txt'")


def test_an_interruption_leaves_the_old_file(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = kept.read_bytes()
    monkeypatch.setattr("tailwatch.results.hashlib.sha256", interrupt)
    with pytest.raises(KeyboardInterrupt):
        finding().save(kept)
    assert kept.read_bytes() == before
    assert list(kept.parent.iterdir()) == [kept]


def test_json_is_strict(tmp_path: Path) -> None:
    text = finding().save(tmp_path / "a.json").read_text()
    document = json.loads(text, parse_constant=pytest.fail)
    assert [row["value"] for row in document["frame"]][2:5] == [None] * 3
    assert list(document) == ["sentence", "run", "frame"]


def test_plain_values_are_those_of_json() -> None:
    assert plain({"a": (math.nan, 1.5, "x"), "b": finding().frame["rows"].to_numpy()[1:2]}) == {
        "a": [None, 1.5, "x"],
        "b": [float(2**63)],
    }

"""Text that may hold anything: shown without hidden characters, and read back where it must be."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.text_form import (
    one_line,
    original,
    path_of,
    path_text,
    reversible,
    shortened,
    shown,
    storable,
    visible,
)

ANY = st.text(st.characters(exclude_categories=()), max_size=12)
ESCAPES = st.text("\\xuU0189afe\x1b\udcff\u202e\n", max_size=12)
# Planes 4 to 13 have no characters.
EVERY_CHARACTER = [chr(code) for code in (*range(0x40000), *range(0xE0000, sys.maxunicode + 1))]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\0b", r"a\x00b"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("line\nline\r\tend", r"line\x0aline\x0d\x09end"),
        ("\x85\x9b", r"\u0085\u009b"),
        ("\u202eevil\u2066", r"\u202eevil\u2066"),
        ("\ufffe\uffff\ufeff", r"\ufffe\uffff\ufeff"),
        ("\ud800", r"\ud800"),
        (os.fsdecode(b"caf\xe9"), r"caf\xe9"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\U000e0041\U0010ffff", r"\U000e0041\U0010ffff"),
        ("naïve 漢字 👨\u200d👩 می\u200cروم C:\\x1b", "naïve 漢字 👨\u200d👩 می\u200cروم C:\\x1b"),
    ],
)
def test_hidden_characters_are_shown_and_others_left(text: str, seen: str) -> None:
    assert visible(text) == seen
    assert visible(seen) == seen


def test_nothing_is_left_that_a_terminal_or_xml_takes_amiss() -> None:
    kept = set(visible("".join(EVERY_CHARACTER)))
    categories = {unicodedata.category(character) for character in kept}
    assert not categories & {"Cc", "Cs", "Zl", "Zp"}
    # The characters of XML 1.0 (fifth edition, production 2), but for line breaks and tabs.
    assert not [c for c in kept if not re.match("[ -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", c)]
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not {unicodedata.bidirectional(character) for character in kept} & turning
    assert not set("\u200e\u200f\u061c") & kept
    hidden = [character for character in EVERY_CHARACTER if character not in kept]
    assert not [character for character in hidden if unicodedata.category(character)[0] in "LMNPS"]
    escapes = visible("".join(hidden))
    assert escapes.isascii()
    assert escapes.isprintable()


@given(st.one_of(ANY, ESCAPES))
def test_the_reversible_form_is_reversed_and_shows_nothing_hidden(text: str) -> None:
    form = reversible(text)
    assert original(form) == text
    assert visible(form) == form
    form.encode()


@given(st.sets(ESCAPES, max_size=20))
def test_different_texts_stay_different(texts: set[str]) -> None:
    assert len({reversible(text) for text in texts}) == len(texts)


@pytest.mark.parametrize("text", ["plain", "a b", "C:\\new\\table", "90 % {x} [red]", "\\"])
def test_usual_text_is_as_it_was(text: str) -> None:
    assert reversible(text) == text


@pytest.mark.parametrize("text", [r"\x", r"\x1", r"\u12", r"\q", r"\UFFFFFFFF", r"\Uffffffff"])
def test_what_is_no_escape_is_read_as_it_stands(text: str) -> None:
    assert original(text) == text


@pytest.mark.skipif(os.name == "nt", reason="file names of bytes")
@given(st.binary(min_size=1, max_size=20))
def test_a_path_of_any_bytes_comes_back(name: bytes) -> None:
    text = path_text(name)
    assert visible(text) == text
    assert path_of(text) == Path(os.fsdecode(name))


def test_paths_are_taken_in_every_form() -> None:
    assert path_text(Path("a/b.npy")) == path_text("a/b.npy") == path_text(b"a/b.npy") == "a/b.npy"


def test_what_utf_8_holds_is_stored_as_it_is() -> None:
    assert storable("a\0\x1b\u202e\uffff") == "a\0\x1b\u202e\uffff"
    assert storable("\udcff\x1b") == r"\xff\x1b"
    assert storable("\ud800") == r"\ud800"


def test_one_line_keeps_what_is_within_lines() -> None:
    assert one_line("two  spaces \t a tab\n  next\r\nlast\n") == r"two  spaces \x09 a tab next last"
    assert one_line(" /data/my  file ") == " /data/my  file "


def test_the_middle_is_cut() -> None:
    assert shortened("abcdefghij", 10) == "abcdefghij"
    assert shortened("abcdefghijk", 10) == "abcdef…ijk"
    assert all(len(shortened("x" * 500, most)) == most for most in range(1, 20))


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError


class Loud:
    def __repr__(self) -> str:
        return "\x1b[31m" + "loud\n" * 10_000


VALUES: list[tuple[object, str]] = [
    (3, "3"),
    ("a\x1b", r"'a\x1b'"),
    (0.1, "0.1"),
    ([1, 2], "[1, 2]"),
    (None, "None"),
    (-(10**40), "a number of about 40 digits"),
    (10**5000, "a number of about 5,000 digits"),
]


@pytest.mark.parametrize("place", range(len(VALUES)))
def test_a_value_in_an_error(place: int) -> None:
    value, form = VALUES[place]
    assert shown(value) == form


def test_a_value_that_cannot_be_shown() -> None:
    assert shown(Broken()).startswith("<Broken instance at")


@pytest.mark.parametrize(
    "value",
    ["x" * 10**6, list(range(10**6)), {"a" * 999: ["b" * 999] * 99}, np.zeros((99, 99)), Loud()],
)
def test_a_large_value_is_one_short_line(value: object) -> None:
    text = shown(value)
    assert len(text) <= 200
    assert text.isprintable()

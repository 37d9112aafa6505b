"""Settings in YAML and TOML: what is read, and what asks for more than a file may."""

from __future__ import annotations

import os
import sys
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tailwatch.exceptions import MissingDependencyError, SourceError
from tailwatch.io.settings_text import MOST_BYTES, parse_toml, parse_yaml, read_text
from tests.support.errors import refused

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = "abcdefghij"
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{letter}'] * 9)}]\n" for letter, after in pairwise(LETTERS)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{after}: &{after} {{<<: [{', '.join([f'*{letter}'] * 9)}], {after}: 1}}\n"
    for letter, after in pairwise(LETTERS)
)
READABLE = "a file that can be read"
VALUES = "at most 50,000 values, aliases counted as what they name"
LEVELS = "at most 32 levels"
PLAIN = "at most 4,096 characters of a plain value"
LENGTH = "at most 524,288 characters"
# The text of a file, what was expected of it, and what came.
YAML = {
    "aliases that multiply": (LAUGHS, VALUES, "more by line 5"),
    "merges that multiply": (MERGES, VALUES, "more by line 6"),
    "an alias within itself": ("a: &a [*a]\n", "no alias within what it names", "*a in line 1"),
    "brackets": ("[" * 40, LEVELS, "more in line 1"),
    "dashes": ("- " * 100_000, LEVELS, "more in line 1"),
    "questions": ("? " * 1_000, LEVELS, "more in line 1"),
    "many values": ("- 1\n" * 50_001, VALUES, "more by line 50000"),
    "many digits": (f"a: {'9' * 5_000}\n", PLAIN, "5,000 in line 1"),
    "sexagesimal": (f"a: {':'.join(['1'] * 100_000)}\n", PLAIN, "199,999 in line 1"),
    "quoted sexagesimal": (f'a: !!int "{":".join(["1"] * 9_000)}"\n', PLAIN, "17,999 in line 1"),
    "too long": ("#" * (MOST_BYTES + 1), LENGTH, "524,289"),
    "a type of Python": (
        "a: !!python/object/apply:os.system ['true']\n",
        READABLE,
        "could not determine a constructor for the tag …",
    ),
    "no integer": ("a: !!int ''\n", READABLE, "…"),
    "no time": ("a: !!timestamp x\n", READABLE, "…"),
    "no month": ("a: 2024-13-01\n", READABLE, "month must be in 1..12…"),
    "a key that is a list": ("? [a]\n: b\n", READABLE, "… unhashable key …"),
    "two documents": ("a: 1\n---\nb: 1\n", READABLE, "expected a single document …"),
    "NUL": ("a: \0\n", READABLE, "…"),
    "no YAML": ("a: [\n", READABLE, "while parsing …"),
}
TOML = {
    "brackets": ("a = " + "[" * 100_000, READABLE, "maximum recursion depth exceeded"),
    "keys of keys": ("a." * 2_000 + "a = 1\n", LEVELS, "more"),
    "many keys of keys": (
        ("a." * 2_000 + "a = 1\n") * 100,
        LEVELS,
        "keys of more parts than that",
    ),
    "many digits": ("a = " + "9" * 5_000, READABLE, "Exceeds the limit (4300 digits) …"),
    "too long": ("#" * (MOST_BYTES + 1), LENGTH, "524,289"),
    "a key twice": ("a = 1\na = 2\n", READABLE, "Cannot overwrite a value (at line 2, column 6)"),
    "no TOML": ("a = \n", READABLE, "Invalid value (at line 1, column 5)"),
}


def test_what_is_read() -> None:
    text = "base: &base {imgsz: 640, names: [a, b]}\nmore:\n  <<: *base\n  nc: 2\nagain: *base\n"
    base = {"imgsz": 640, "names": ["a", "b"]}
    expected = {"base": base, "more": {**base, "nc": 2}, "again": base}
    assert parse_yaml(text, "CONFIG", "x.yaml") == expected
    script = "download: |\n" + "  print(1)\n" * 1_000
    assert len(parse_yaml(script, "CONFIG", "x.yaml")["download"]) == 9_000
    names = "names:\n" + "".join(f"  {number}: class {number}\n" for number in range(20_000))
    assert len(parse_yaml(names, "CONFIG", "x.yaml")["names"]) == 20_000
    assert parse_yaml("", "CONFIG", "x.yaml") is None
    assert parse_toml("a.b = [1, 2.5]\n", "CONFIG", "x.toml") == {"a": {"b": [1, 2.5]}}


@pytest.mark.parametrize("built", ["in C", "in Python"])
@pytest.mark.parametrize("name", YAML)
def test_yaml_out_of_bounds(name: str, built: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, expected, got = YAML[name]
    if built == "in Python":
        if len(text) > 50_000 and expected != PLAIN:
            pytest.skip("the same check, seconds later")
        monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    started = time.perf_counter()
    with refused(SourceError, "CONFIG", expected, got, "x.yaml") as caught:
        parse_yaml(text, "CONFIG", "x.yaml")
    assert len(str(caught.value)) < 500
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("name", TOML)
def test_toml_out_of_bounds(name: str) -> None:
    text, expected, got = TOML[name]
    started = time.perf_counter()
    with refused(SourceError, "CONFIG", expected, got, "x.toml"):
        parse_toml(text, "CONFIG", "x.toml")
    assert time.perf_counter() - started < 5


def test_a_key_twice_is_an_error_where_that_is_asked() -> None:
    text = "a: 1\nb: {a: 2}\nc: [a, a, {a: a}]\na: 3\n"
    assert parse_yaml(text, "CONFIG", "x.yaml")["a"] == 3
    with refused(
        SourceError, "CONFIG", "each key once in a mapping", "'a' again in line 4", "x.yaml"
    ):
        parse_yaml(text, "CONFIG", "x.yaml", unique=True)
    fine = "a: &a {x: 1}\nb: {<<: *a, c: 1, d: a}\nd: b\n"
    assert parse_yaml(fine, "CONFIG", "x.yaml", unique=True)["b"] == {"x": 1, "c": 1, "d": "a"}


def test_files_that_are_no_text(tmp_path: Path) -> None:
    good = tmp_path / "good.toml"
    good.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read_text(good, "CONFIG") == "a = 1\n"
    link = tmp_path / "link.toml"
    link.symlink_to(good)
    assert read_text(link, "CONFIG") == "a = 1\n"
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe9'\n")
    (tmp_path / "large.toml").write_bytes(b"#" * (MOST_BYTES + 1))
    cases = {
        "none.toml": (READABLE, "No such file or directory"),
        ".": (READABLE, "Is a directory"),
        "latin.toml": (READABLE, "… can't decode byte …"),
        "large.toml": ("at most 524,288 bytes of text", "524,289"),
    }
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.toml")
        (tmp_path / "zero.toml").symlink_to("/dev/zero")
        cases |= dict.fromkeys(("pipe.toml", "zero.toml"), ("a regular file", "…"))
    for name, (expected, got) in cases.items():
        path = tmp_path / name
        with refused(SourceError, "CONFIG", expected, got, str(path)):
            read_text(path, "CONFIG")


def test_yaml_without_pyyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: Any = sys.modules
    monkeypatch.setitem(modules, "yaml", None)
    with refused(
        MissingDependencyError,
        "CONFIG",
        "PyYAML, which reads YAML",
        "none that can be imported",
        "x.yaml",
        "pip install 'tailwatch[yaml]'",
    ):
        parse_yaml("a: 1", "CONFIG", "x.yaml")

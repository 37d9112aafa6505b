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
YAML = {
    "aliases that multiply": (LAUGHS, "at most 50,000 values"),
    "merges that multiply": (MERGES, "at most 50,000 values"),
    "an alias within itself": ("a: &a [*a]\n", r"no alias within what it names"),
    "brackets": ("[" * 40, "at most 32 levels"),
    "dashes": ("- " * 100_000, "at most 32 levels"),
    "questions": ("? " * 1_000, "at most 32 levels"),
    "many values": ("- 1\n" * 50_001, "at most 50,000 values"),
    "many digits": (f"a: {'9' * 5_000}\n", "4,096 characters of a plain value"),
    "sexagesimal": (f"a: {':'.join(['1'] * 100_000)}\n", "4,096 characters of a plain value"),
    "quoted sexagesimal": (f'a: !!int "{":".join(["1"] * 9_000)}"\n', "4,096 characters"),
    "too long": ("#" * (MOST_BYTES + 1), "at most 524,288 characters"),
    "a type of Python": ("a: !!python/object/apply:os.system ['true']\n", "cannot read x.yaml"),
    "no integer": ("a: !!int ''\n", "cannot read x.yaml"),
    "no time": ("a: !!timestamp x\n", "cannot read x.yaml"),
    "no month": ("a: 2024-13-01\n", "cannot read x.yaml"),
    "a key that is a list": ("? [a]\n: b\n", "cannot read x.yaml"),
    "two documents": ("a: 1\n---\nb: 1\n", "cannot read x.yaml"),
    "NUL": ("a: \0\n", "cannot read x.yaml"),
    "no YAML": ("a: [\n", "cannot read x.yaml"),
}
TOML = {
    "brackets": ("a = " + "[" * 100_000, "cannot read x.toml"),
    "keys of keys": ("a." * 2_000 + "a = 1\n", "at most 32 levels"),
    "many keys of keys": (("a." * 2_000 + "a = 1\n") * 100, "at most 32 levels"),
    "many digits": ("a = " + "9" * 5_000, "cannot read x.toml"),
    "too long": ("#" * (MOST_BYTES + 1), "at most 524,288 characters"),
    "a key twice": ("a = 1\na = 2\n", "cannot read x.toml"),
    "no TOML": ("a = \n", "cannot read x.toml"),
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
    text, said = YAML[name]
    if built == "in Python":
        if len(text) > 50_000 and "plain" not in said:
            pytest.skip("the same check, seconds later")
        monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    started = time.perf_counter()
    with pytest.raises(SourceError, match=f"^CONFIG: .*{said}") as caught:
        parse_yaml(text, "CONFIG", "x.yaml")
    assert caught.value.fields["argument"] == "CONFIG"
    assert caught.value.fields["where"] == "x.yaml"
    assert len(str(caught.value)) < 500
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("name", TOML)
def test_toml_out_of_bounds(name: str) -> None:
    text, said = TOML[name]
    started = time.perf_counter()
    with pytest.raises(SourceError, match=f"^CONFIG: .*{said}"):
        parse_toml(text, "CONFIG", "x.toml")
    assert time.perf_counter() - started < 5


def test_a_key_twice_is_an_error_where_that_is_asked() -> None:
    text = "a: 1\nb: {a: 2}\nc: [a, a, {a: a}]\na: 3\n"
    assert parse_yaml(text, "CONFIG", "x.yaml")["a"] == 3
    with pytest.raises(SourceError, match=r"each key once in a mapping, got 'a' again in line 4"):
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
    cases: dict[Path, str] = {tmp_path / "none.toml": "No such file", tmp_path: "directory"}
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe9'\n")
    cases[tmp_path / "latin.toml"] = "can't decode byte"
    (tmp_path / "large.toml").write_bytes(b"#" * (MOST_BYTES + 1))
    cases[tmp_path / "large.toml"] = "at most 524,288 bytes of text, got 524,289"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.toml")
        cases[tmp_path / "pipe.toml"] = "expected a regular file"
        (tmp_path / "zero.toml").symlink_to("/dev/zero")
        cases[tmp_path / "zero.toml"] = "expected a regular file"
    for path, said in cases.items():
        with pytest.raises(SourceError, match=f"^CONFIG: .*{said}"):
            read_text(path, "CONFIG")


def test_yaml_without_pyyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: Any = sys.modules
    monkeypatch.setitem(modules, "yaml", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'tailwatch\[yaml\]'"):
        parse_yaml("a: 1", "CONFIG", "x.yaml")

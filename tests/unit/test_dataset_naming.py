"""Tables of shards: one for each, on any file system, whatever the names."""

from __future__ import annotations

import os
import unicodedata
from itertools import pairwise
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailwatch.contamination.dataset.manifest import table_names
from tailwatch.text_form import path_text

# Names that come close to each other: by suffix, case, normalisation, depth, bytes and length.
NAMES = st.one_of(
    st.sampled_from(
        [
            b"a",
            b"A",
            b"a.npy",
            b"A.NPY",
            b"a.npy.parquet",
            b"a.npy.PARQUET",
            b"a.parquet",
            b"a.parquet.parquet",
            b"a.npz",
            b"a.arrow",
            b"\xff",
            b"\\xff",
            b"\xff.npy",
            b"\\xff.npy",
            b"\x1b.npy",
            "ß.npy".encode(),
            b"ss.npy",
            "\u00e9.npy".encode(),
            "e\u0301.npy".encode(),
            b"x" * 255,
            b"x" * 251 + b".npy",
            b"x" * 250 + b"y.npy",
            b"X" * 251 + b".npy",
            b"a~" + b"0" * 32 + b".parquet",
        ]
    ),
    st.binary(min_size=1, max_size=6).filter(
        lambda name: b"/" not in name and b"\0" not in name and name not in {b".", b".."}
    ),
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(b"/".join)


def shard(path: bytes) -> str:
    return path_text(os.fsdecode(path))


def possible(paths: list[bytes]) -> list[bytes]:
    """Leave out what no file system can have: a file that is a folder too."""
    found: list[bytes] = []
    for path in sorted(set(paths)):
        if not any(path.startswith(other + b"/") for other in found):
            found.append(path)
    return found


def as_everywhere(name: str) -> str:
    """What file systems that ignore case and normalisation make of a name."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def check(names: list[str]) -> None:
    tables = table_names(names)
    assert list(tables) == names
    folded = sorted(map(as_everywhere, tables.values()))
    assert all(first != second for first, second in pairwise(folded))
    folders = {str(parent) for name in folded for parent in PurePosixPath(name).parents}
    assert not folders & set(folded)
    for table in tables.values():
        path = PurePosixPath(table)
        assert table.lower().endswith(".parquet")
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert len(table.encode()) <= 1000
        assert max(len(part.encode()) for part in path.parts) <= 255


@settings(max_examples=300, deadline=None)
@given(st.lists(PATHS, min_size=1, max_size=12))
def test_every_shard_has_a_table_of_its_own(paths: list[bytes]) -> None:
    check([shard(path) for path in possible(paths)])


@pytest.mark.parametrize(
    "paths",
    [
        [b"a.npy", b"a.npy.parquet"],
        [b"a.arrow", b"a.arrow.parquet", b"a.arrow.parquet.npy"],
        [b"a.npy", b"a.npy.parquet/b.npy"],
        [b"A.npy", b"a.npy", b"a.NPY"],
        [b"b/A.npy", b"B/a.npy"],
        ["\u00e9.npy".encode(), "e\u0301.npy".encode()],
        [b"x" * 251 + b".npy", b"x" * 250 + b"y.npy"],
        [b"\xff.npy", b"\xfe.npy", b"\\xff.npy"],
        [b"/".join([b"d" * 200] * 6) + b"/a.npy", b"/".join([b"d" * 200] * 6) + b"/b.npy"],
    ],
)
def test_what_comes_close(paths: list[bytes]) -> None:
    check([shard(path) for path in possible(paths)])


def test_a_name_that_looks_like_the_short_one_of_another() -> None:
    first = table_names(["a.npy", "a.npy.parquet"])["a.npy"]
    check(["a.npy", "a.npy.parquet", first])


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("part-000.parquet", "part-000.parquet"),
        ("a/b/c.npy", "a/b/c.npy.parquet"),
        ("X.PARQUET", "X.PARQUET"),
        ("lang=en/Straße 1.arrow", "lang=en/Straße 1.arrow.parquet"),
        ("x.parquet/part-0.parquet", "x.parquet/part-0.parquet"),
    ],
)
def test_what_is_plain_stays_as_it_is(name: str, table: str) -> None:
    assert table_names([name, "other.npy"])[name] == table


def test_new_shards_do_not_move_the_tables_of_old_ones_unless_they_come_close() -> None:
    before = table_names(["a.npy", "b.npy"])
    after = table_names(["a.npy", "a.npz", "b.npy", "B.npy"])
    assert after["a.npy"] == before["a.npy"]
    assert after["b.npy"] != before["b.npy"]

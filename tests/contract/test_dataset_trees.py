"""Drawn trees of shards: every row of the source is in one table, whatever its shard is called."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tailwatch.contamination.dataset.copies import row_hashes
from tests.support.datasets import COLUMNS, contents, model, table

if TYPE_CHECKING:
    from types import FrameType

# 1,000 in a long run: TAILWATCH_DRAWN=1000 pytest tests/contract/test_dataset_trees.py
DRAWN = int(os.environ.get("TAILWATCH_DRAWN", "4"))

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="names that are bytes, and links"),
    # A dozen rows say little, and the summary says so.
    pytest.mark.filterwarnings("ignore::tailwatch.exceptions.TailwatchWarning"),
]

SUFFIXES = (
    b".npy",
    b".parquet",
    b".arrow",
    b".NPY",
    b".npy.parquet",
    b".Parquet",
    b".ipc",
    b".npz",
)


STEMS = st.sampled_from(
    [b"a", b"A", b"b", b"\xff", b"\\xff", "é".encode(), "e\u0301".encode(), b"x" * 240, b"x" * 239]
)
FOLDERS = st.sampled_from([b"d", b"D", b"a.npy.parquet", b"k=1", b"_k=1", b"\xfe", b"y" * 255])
FILES = st.tuples(st.lists(FOLDERS, max_size=3), STEMS, st.sampled_from(SUFFIXES)).map(
    lambda drawn: b"/".join([*drawn[0], drawn[1] + drawn[2]])
)
TREES = st.fixed_dictionaries(
    {
        "files": st.lists(FILES, min_size=1, max_size=8, unique=True),
        "others": st.lists(st.sampled_from([b"_x/a.npy", b".a.npy", b"a.csv", b"d/a"]), max_size=2),
        "links": st.lists(st.tuples(st.integers(0, 7), st.booleans()), max_size=2),
        "kill": st.integers(0, 99).map(lambda hundredths: hundredths / 100),
    }
)


def write(path: bytes, embeddings: np.ndarray, number: int) -> None:
    """Write a shard in the format of its suffix; no library takes all of these names."""
    suffix = path.rpartition(b".")[2].lower()
    with tempfile.TemporaryDirectory() as place:
        plain = Path(place, "shard")
        if suffix == b"npy":
            with plain.open("wb") as file:
                np.save(file, embeddings)
        elif suffix == b"npz":
            with plain.open("wb") as file:
                np.savez(file, embedding=embeddings)
        elif suffix == b"parquet":
            table(embeddings, first=1000 * number).write_parquet(plain)
        else:
            table(embeddings, first=1000 * number).write_ipc(plain)
        shutil.move(plain, path)


def grown(root: Path, tree: dict[str, list[object]]) -> list[int]:
    """Write a tree, and give the hashes of the rows that it holds."""
    rng = np.random.default_rng(len(tree["files"]))
    base, hashes, written = os.fsencode(root), [], []
    for number, name in enumerate([*tree["files"], *tree["others"]]):
        path = base + b"/" + name  # type: ignore[operator]
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
            if os.path.lexists(path) or not is_readable(path):
                continue
            rows = rng.normal(size=(3 + number, COLUMNS)).astype(np.float32)
            write(path, rows, number)
        except OSError:
            # A file where a folder is wanted, or the other way round.
            continue
        if number < len(tree["files"]):
            written.append(path)
            hashes += row_hashes(rows, 1).tolist()
    for number, (chosen, is_folder) in enumerate(tree["links"]):  # type: ignore[misc]
        # Links to what is read anyway: its rows count once.
        if not written:
            break
        target = written[chosen % len(written)]
        folder = os.path.dirname(target)  # noqa: PTH120
        os.symlink(folder if is_folder else target, base + b"/link%d.npy" % number)  # noqa: PTH211
    return hashes


def is_readable(path: bytes) -> bool:
    """Tell whether a library takes a name: tables are decoded by one that wants UTF-8."""
    try:
        path.decode()
    except UnicodeDecodeError:
        return path.lower().endswith((b".npy", b".npz"))
    return True


def tables_of(out: Path) -> list[pl.DataFrame]:
    return [pl.read_parquet(file) for file in sorted((out / "shards").rglob("*")) if file.is_file()]


@settings(
    max_examples=DRAWN,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(tree=TREES)
def test_the_union_of_all_tables_is_the_source(tree: dict[str, list[object]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        source = Path(place, "source")
        source.mkdir()
        hashes = grown(source, tree)
        assume(hashes)
        out, killed = Path(place, "out"), Path(place, "killed")
        calls = 0
        files = sum(path.is_file() for path in source.rglob("*"))
        fatal = 1 + int(float(tree["kill"]) * (16_000 + 3_000 * files))  # type: ignore[arg-type]

        def count(frame: FrameType, event: str, argument: object) -> None:
            nonlocal calls
            calls += bool(calls) or out.exists()
            if calls == fatal:
                # What a process leaves that is killed at this moment.
                sys.setprofile(None)
                # Another thread may take a file away meanwhile.
                with suppress(shutil.Error):
                    shutil.copytree(out, killed)

        model()
        sys.setprofile(count)
        report = model().score_dataset(source, out, threads=1)
        sys.setprofile(None)
        found = tables_of(out)
        assert sorted(pl.concat([each["content_hash"] for each in found])) == sorted(hashes)
        names = [each["table"] for each in report.summary["shards"]]
        assert len(set(names)) == len(names) == len(found)
        for each in report.summary["shards"]:
            assert pl.read_parquet(out / "shards" / each["table"]).height == each["rows"]
        if files == len(found):
            assert killed.exists()
        if killed.exists():
            model().score_dataset(source, killed, threads=1)
            assert contents(killed) == contents(out)
        assert not list(Path(place).rglob("*.part"))

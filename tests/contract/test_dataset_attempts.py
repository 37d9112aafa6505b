"""Attempts at one shard, files that change while they are read, and what is no file at all."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from tailwatch.contamination.dataset import shard_scores
from tailwatch.contamination.dataset.folder import Folder, open_folder
from tailwatch.contamination.dataset.shard_scores import Recorder
from tailwatch.contamination.dataset.tables import Beside, digest_of
from tailwatch.exceptions import InputError, ShardError, TailwatchWarning
from tailwatch.io.layouts import shards_of
from tests.support.datasets import COLUMNS, contents, model, rows, table, write_shards
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable

posix = pytest.mark.skipif(os.name == "nt", reason="special files of POSIX")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("offset", [1, 4, 9, 19])
def test_a_shard_that_is_scored_twice_at_once(
    offset: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_shards(tmp_path / "source", 1, 2000)
    monkeypatch.setattr(shard_scores, "BATCH_BYTES", 100 * 4 * COLUMNS)
    (shard,) = shards_of(source, "source", "embedding").shards
    recorder, beside = Recorder(model().state.probe, None, 1), Beside(("url",))
    receipts: list[shard_scores.Receipt] = []
    failed: list[BaseException] = []

    def attempt(folder: Folder, report: Callable[[int], object]) -> None:
        try:
            part = shard_scores.open_checked(shard, "embedding", beside, COLUMNS, None)
            with folder.attempt() as file:
                receipt = shard_scores.score_shard(
                    shard,
                    part,
                    model().empty_histogram(),
                    recorder,
                    folder=folder,
                    attempt=file,
                    beside=beside,
                    report=report,
                )
                folder.publish(file, folder.scores("part-000.parquet"))
            receipts.append(receipt)
        except BaseException as error:
            failed.append(error)
            raise

    with open_folder(tmp_path / "out") as folder:
        second = threading.Thread(target=attempt, args=(folder, lambda done: None))
        seen = iter(range(1, 100))

        def report(done: int) -> None:
            if next(seen) == offset:
                second.start()

        attempt(folder, report)
        second.join()
    assert not failed
    first, other = receipts
    assert first.sha256 == other.sha256
    assert first.counted.rows == other.counted.rows == 2000
    left = [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert left == ["part-000.parquet"]
    assert digest_of(tmp_path / "out" / "work" / "part-000.parquet") == first.sha256


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        # The name of a socket is short.
        here = Path.cwd()
        os.chdir(path.parent)
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


@posix
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet", ".arrow"])
@pytest.mark.parametrize("make", [a_fifo, a_device, a_socket])
def test_what_is_no_file_is_refused_at_once(
    make: Callable[[Path], None], suffix: str, tmp_path: Path
) -> None:
    source = write_shards(tmp_path / "source", 2, 100)
    make(source / f"x{suffix}")
    with pytest.raises(ShardError) as caught:
        model().score_dataset(source, tmp_path / "out")
    (failure,) = caught.value.report.failures
    assert failure.shard == f"x{suffix}"
    assert "expected a regular file, got a " in failure.reason


def test_a_stamp_sees_what_was_rewritten_with_the_old_size_and_time(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    np.save(source / "x.npy", rows(100, 5))
    model().score_dataset(source, tmp_path / "out")
    before = (source / "x.npy").stat()
    np.save(source / "x.npy", rows(100, 6))
    os.utime(source / "x.npy", ns=(before.st_atime_ns, before.st_mtime_ns))
    with refused(
        InputError,
        "source",
        "the files that were scored, as they were",
        "one that has changed",
        "x.npy",
    ):
        model().score_dataset(source, tmp_path / "out")


def empty_of_the_type(path: Path) -> None:
    table(rows(3, 1)).clear().write_parquet(path)


def empty_of_nulls(path: Path) -> None:
    pl.DataFrame(schema={"url": pl.Null, "embedding": pl.Null}).write_parquet(path)


def empty_without_columns(path: Path) -> None:
    pl.DataFrame(schema={"other": pl.Int64}).write_parquet(path)


@pytest.mark.parametrize("make", [empty_of_the_type, empty_of_nulls, empty_without_columns])
def test_a_shard_without_rows_is_fine(make: Callable[[Path], None], tmp_path: Path) -> None:
    source = write_shards(tmp_path / "source", 2, 300)
    make(source / "part-0005.parquet")
    report = model().score_dataset(source, tmp_path / "out", id_column="url")
    assert report.frame["rows"].to_list() == [300, 0, 307]
    assert report.frame["share"].to_list()[1] is None
    assert pl.read_parquet(tmp_path / "out/shards/part-0005.parquet").height == 0
    assert report.prevalence.n == 607


def test_shards_without_any_row_are_refused(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    empty_of_the_type(tmp_path / "source" / "a.parquet")
    with refused(InputError, "source", "at least one row", "none in 1 shards", "…/source"):
        model().score_dataset(tmp_path / "source", tmp_path / "out")


@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8"])
def test_the_type_of_binary_values_is_asked_for(kind: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    values = rows(200, 3).astype(kind)
    binary = pl.Series("embedding", [row.tobytes() for row in values])
    pl.DataFrame([binary]).write_parquet(source / "a.parquet")
    with refused(
        ShardError,
        "source",
        "shards that can be scored",
        "1 of 1 that cannot",
        "a.parquet: …is Binary, which …",
    ):
        model().score_dataset(source, tmp_path / "out")
    name = np.dtype(kind).name
    model().score_dataset(source, tmp_path / "said", binary=name)
    found = pl.read_parquet(tmp_path / "said/shards/a.parquet")["score"].to_numpy()
    assert np.array_equal(found, model().score(values))


def test_a_page_that_cannot_be_drawn_holds_no_number_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tailwatch.report.contamination as page

    source = write_shards(tmp_path / "source", 2, 300)
    model().score_dataset(source, tmp_path / "expected")

    def fail(summary: dict[str, Any]) -> str:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(page, "contamination_page", fail)
        with pytest.warns(TailwatchWarning, match="the page could not be written"):
            report = model().score_dataset(source, tmp_path / "out")
    assert report.page_problem is not None
    expected = contents(tmp_path / "expected")
    del expected["report.html"]
    assert contents(tmp_path / "out") == expected
    model().score_dataset(source, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


FORKED = """
import os, signal, sys
from tests.support.datasets import model
from tailwatch.exceptions import TailwatchError
model().score_dataset(sys.argv[1], sys.argv[2])
child = os.fork()
if child == 0:
    signal.alarm(30)
    try:
        model().score_dataset(sys.argv[1], sys.argv[3])
    except TailwatchError as error:
        print(error, flush=True)
        os._exit(3)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@posix
def test_a_forked_child_of_a_process_that_scored_is_sent_to_spawn(tmp_path: Path) -> None:
    source = write_shards(tmp_path / "source", 2, 100)
    child = subprocess.run(
        [sys.executable, "-c", FORKED, str(source), str(tmp_path / "a"), str(tmp_path / "b")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    said, code = child.stdout.splitlines()
    assert code in {"0", "3"}
    assert code == "0" or "spawn" in said


def test_identifiers_that_are_not_utf8_fail_their_shard_alone(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    source = write_shards(tmp_path / "source", 2, 100)
    url = arrow.Array.from_buffers(
        arrow.utf8(),
        2,
        [None, arrow.py_buffer(np.int32([0, 2, 4]).tobytes()), arrow.py_buffer(b"a\xff\xfeb")],
    )
    vectors = arrow.array(rows(2, 1).tolist(), arrow.list_(arrow.float32()))
    parquet.write_table(
        arrow.table({"url": url, "embedding": vectors}), source / "part-0005.parquet"
    )
    score = partial(model().score_dataset, source, tmp_path / "out", id_column="url")
    for _ in range(2):
        with pytest.raises(ShardError) as caught:
            score()
        assert [each.shard for each in caught.value.report.failures] == ["part-0005.parquet"]
    (source / "part-0005.parquet").unlink()
    score()

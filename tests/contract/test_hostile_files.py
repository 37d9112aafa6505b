"""Files that are damaged, cut, special, or not what their name says: one error each, no death."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tailwatch as tw
from tailwatch._core import Unfit
from tailwatch.exceptions import SourceError
from tests.support.errors import refused
from tests.support.written_files import table, values, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def special(folder: Path, kind: str) -> Path:
    path = folder / "x.npy"
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    else:
        path.symlink_to("/dev/zero")
    return path


@pytest.mark.skipif(os.name != "posix", reason="special files of POSIX")
@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a device"])
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet", ".arrow"])
def test_special_files_are_refused_and_not_opened(kind: str, suffix: str, tmp_path: Path) -> None:
    path = special(tmp_path, kind).rename(tmp_path / f"x{suffix}")
    for source in (path, [path], str(tmp_path / "*")):
        with refused(SourceError, f"source: {path}", "a regular file", kind):
            tw.open(source)


@pytest.mark.skipif(os.name != "posix", reason="special files of POSIX")
def test_a_table_beside_an_array_is_a_regular_file_too(tmp_path: Path) -> None:
    (tmp_path / "img_emb").mkdir()
    (tmp_path / "metadata").mkdir()
    np.save(tmp_path / "img_emb" / "img_emb_0.npy", values(3, 2))
    os.mkfifo(tmp_path / "metadata" / "metadata_0.parquet")
    with refused(SourceError, "source: …/metadata/metadata_0.parquet", "a regular file", "a pipe"):
        tw.open(tmp_path)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet", ".arrow"])
def test_a_git_lfs_pointer_is_told_from_the_data(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 1234\n"
    )
    got, hint = "a Git LFS pointer to it", "`git lfs pull`…"
    with refused(SourceError, f"source: {path}", "the data", got, hint=hint):
        tw.open(path)


def test_no_rows_are_lost_where_a_stream_of_batches_ends_early(tmp_path: Path) -> None:
    keys = pl.Series("key", [None, *map(str, range(39))])
    frame = table(values(40, 2)).with_columns(keys)
    frame.write_ipc(path := tmp_path / "x.arrow", compression="zstd")
    whole = path.read_bytes()
    # A message: -1, its length, and a head, which says how long each buffer of the body is.
    start, length = max(
        (at.end() + 4, length)
        for at in re.finditer(rb"\xff{4}", whole)
        if 8 < (length := int.from_bytes(whole[at.end() : at.end() + 4], "little")) < 1000
    )
    reasons = []
    for at in range(start + length // 3, start + 2 * length // 3):
        if whole[at] == 0:
            continue
        path.write_bytes(whole[:at] + b"\0" + whole[at + 1 :])
        try:
            opened = tw.open(path, id_column="key")
            others = opened._parts[0].others()
            assert others is not None
            assert opened.ids is not None
            assert len(opened.ids) == len(others.collect()) == len(opened)
        except SourceError as error:
            reasons.append(error.got or "")
    assert any(got.startswith("0 of its 40 rows came of it: it changed") for got in reasons)


CLAIMS = """
import sys
from pathlib import Path
import tailwatch as tw
from tailwatch.io.pack import pack

claims = 0
for path in Path(sys.argv[1]).glob("*.arrow"):
    for use in (lambda rows: pack(rows, path.with_suffix(""), rows_per_shard=16), tw.open):
        try:
            opened = tw.open(path)
            claims += len(opened) > 1 << 30
            use(path)
            opened.to_numpy()
        except tw.exceptions.SourceError as error:
            assert str(path) in str(error)
# The most that this program held; `ru_maxrss` has what its parent held too.
held = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(claims, int(held.split()[1]) // 1024)
"""


@linux
def test_a_number_of_rows_that_a_file_claims_takes_no_memory(tmp_path: Path) -> None:
    batch = table(values(40, 2)).to_arrow()
    with (
        pa.OSFile(str(tmp_path / "x"), "wb") as file,
        pa.ipc.new_file(file, batch.schema) as writer,
    ):
        for half in (batch[:20], batch[20:]):
            writer.write_table(half)
    whole = (tmp_path / "x").read_bytes()
    for at in re.finditer(re.escape((20).to_bytes(8, "little")), whole):
        changed = whole[: at.start()] + (1 << 31).to_bytes(8, "little") + whole[at.end() :]
        (tmp_path / f"{at.start()}.arrow").write_bytes(changed)
    done = subprocess.run(
        [sys.executable, "-c", CLAIMS, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    claims, megabytes = map(int, done.stdout.split())
    assert claims
    assert megabytes < 400


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 3)


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"\x93NUMPY" + bytes(1000))
    other.replace(path)


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"abcd")


@pytest.mark.parametrize("moment", range(10))
@pytest.mark.parametrize("change", [truncated, replaced, overwritten, Path.unlink])
def test_an_array_that_changes_while_it_is_read(
    change: Callable[[Path], object], moment: int, tmp_path: Path
) -> None:
    x = values(3_000)
    path = written(tmp_path, ".npy", x)
    batches = tw.open(path).batches(300)
    taken = [next(batches) for _ in range(moment)]
    change(path)
    # What is open stays readable under another name, or none.
    if moment and change in (replaced, Path.unlink):
        assert np.array_equal(np.concatenate([*taken, *batches]), x)
        return
    with refused(SourceError, "source", where=f"{path}"):
        list(batches)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_mapped_array_that_is_cut_ends_the_call(order: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, values() if order == "C" else np.asfortranarray(values()))
    whole = tw.open(values())
    embeddings = tw.open(path)
    rows = embeddings.handle()
    truncated(path)
    with refused(
        SourceError,
        expected="a file that nobody writes to meanwhile",
        got="a file that was cut",
        where=f"source: {path}",
    ):
        rows.check_finite("source")
    with refused(
        SourceError,
        "source",
        "a file that nobody writes to meanwhile",
        "another size or time of change",
        "…/x.npy",
    ):
        embeddings.handle()
    # Other sets, and the process, go on.
    whole.handle()


def test_a_mapped_array_that_is_cut_within_a_page_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path, ".npy", values(10, 3))
    embeddings = tw.open(path)
    embeddings.handle()
    os.truncate(path, path.stat().st_size - 4)
    with refused(
        SourceError,
        "source",
        "a file that nobody writes to meanwhile",
        "another size or time of change",
        "…/x.npy",
    ):
        embeddings.handle()


def left_to_a_library(path: str, *column: object) -> Iterator[NDArray[np.floating]]:
    raise Unfit(path)


@pytest.mark.parametrize(
    ("version", "is_straight"),
    [
        ("1.0", True),
        ("2.0", False),
        pytest.param("1.0", False, marks=pytest.mark.slow),
        pytest.param("2.0", True, marks=pytest.mark.slow),
    ],
)
def test_page_checksums(
    version: str, is_straight: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, path = table(values(2000, 8)), tmp_path / "x.parquet"
    options = {"compression": "none", "use_dictionary": False, "data_page_version": version}
    rows = frame.to_arrow()
    if not is_straight:
        monkeypatch.setattr("tailwatch.io.tables.vectors", left_to_a_library)
    for has_checksums in (True, False):
        pq.write_table(rows, path, write_page_checksum=has_checksums, **options)
        content = bytearray(path.read_bytes())
        value = frame["embedding"][1000].to_numpy().tobytes()
        content[content.index(value)] ^= 1
        content[content.index(b"k1500")] ^= 1
        path.write_bytes(content)
        opened = tw.open(path, id_column="key")
        if has_checksums:
            with refused(SourceError, "source", "readable data", where=str(path)) as caught:
                opened.to_numpy()
            assert re.search(r"(?i)checksum|crc|is not what", caught.value.got or "")
            with refused(
                SourceError,
                "source",
                "readable data",
                "page 0 of column 'key' in row group 0 is not wha…",
                "…/x.parquet",
            ):
                _ = opened.ids
        else:
            assert (opened.to_numpy() != values(2000, 8)).sum() == 1
            assert opened.ids is not None


def test_an_identifier_that_is_not_utf8(tmp_path: Path) -> None:
    x, path = values(4, 2), tmp_path / "x.parquet"
    offsets, data = np.arange(0, 10, 2, np.int32), np.frombuffer(b"aabb\xff\xfecc", np.uint8)
    keys = pa.Array.from_buffers(pa.string(), 4, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    rows = pa.array(list(x), pa.list_(pa.float32()))
    pq.write_table(pa.table({"key": keys, "embedding": rows}), path)
    opened = tw.open(path, id_column="key")
    with refused(
        SourceError,
        "source",
        "readable data",
        "parquet: File out of specification: String data contained invalid UTF-8",
        "…/x.parquet",
    ):
        _ = opened.ids
    assert np.array_equal(opened.to_numpy(), x)


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".npy", ".npz"])
def test_names_that_are_not_utf8(suffix: str, tmp_path: Path) -> None:
    x = values(50, 4)
    path = written(tmp_path, suffix, x).rename(
        tmp_path / os.fsdecode(b"\xff\xfe" + suffix.encode())
    )
    assert np.array_equal(tw.open(path).to_numpy(), x)
    path.write_bytes(b"nothing of the kind")
    where = f"…\\xff\\xfe{suffix}"
    with refused(SourceError, "source", "readable data", where=where) as caught:
        tw.open(path)
    str(caught.value).encode()

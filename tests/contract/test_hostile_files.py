"""Files that are damaged, cut, special, or not what their name says: one error each, no death."""

from __future__ import annotations

import contextlib
import io
import multiprocessing.spawn
import os
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError
from tailwatch.io import decoding
from tailwatch.io.layouts import Shard
from tailwatch.io.readers import open_shard

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROWS, COLUMNS = 9_000, 300
"""More than a piece of a file has."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def values(rows: int = ROWS, columns: int = COLUMNS) -> NDArray[np.float32]:
    return np.random.default_rng(3).standard_normal((rows, columns), np.float32)


def table(x: NDArray[Any]) -> pl.DataFrame:
    vectors = pl.Series("embedding", x, dtype=pl.Array(pl.Float32, x.shape[1]))
    keys = [f"k{row}" for row in range(len(x))]
    return pl.DataFrame({"key": keys, "embedding": vectors.cast(pl.List(pl.Float32))})


def written(folder: Path, suffix: str, x: NDArray[Any] | None = None) -> Path:
    x, path = values() if x is None else x, folder / f"x{suffix}"
    if suffix == ".npy":
        np.save(path, x)
    elif suffix == ".npz":
        np.savez(path, embedding=x)
    elif suffix == ".parquet":
        table(x).write_parquet(path, row_group_size=1000, compression="uncompressed")
    else:
        table(x).write_ipc(path, compression="uncompressed", record_batch_size=1000)
    return path


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
        with pytest.raises(SourceError, match=f"expected a regular file, got {kind}") as caught:
            tw.open(source)
        assert caught.value.argument == f"source: {path}"


@pytest.mark.skipif(os.name != "posix", reason="special files of POSIX")
def test_a_table_beside_an_array_is_a_regular_file_too(tmp_path: Path) -> None:
    (tmp_path / "img_emb").mkdir()
    (tmp_path / "metadata").mkdir()
    np.save(tmp_path / "img_emb" / "img_emb_0.npy", values(3, 2))
    os.mkfifo(tmp_path / "metadata" / "metadata_0.parquet")
    with pytest.raises(SourceError, match="got a pipe"):
        tw.open(tmp_path)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet", ".arrow"])
def test_a_git_lfs_pointer_is_told_from_the_data(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 1234\n"
    )
    with pytest.raises(SourceError, match=r"got a Git LFS pointer to it; `git lfs pull`"):
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
            reasons.append(str(error))
    assert any("0 of its 40 rows came of it: it changed" in reason for reason in reasons)


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
    with pytest.raises(SourceError) as caught:
        list(batches)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_mapped_array_that_is_cut_ends_the_call(order: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, values() if order == "C" else np.asfortranarray(values()))
    whole = tw.open(values())
    embeddings = tw.open(path)
    rows = embeddings.handle()
    truncated(path)
    with pytest.raises(SourceError, match=f"{path} was cut while it was read") as caught:
        rows.check_finite("source")
    assert caught.value.where == f"source: {path}"
    with pytest.raises(SourceError, match=f"{path} changed while it was read"):
        embeddings.handle()
    # Other sets, and the process, go on.
    whole.handle()


def test_a_mapped_array_that_is_cut_within_a_page_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path, ".npy", values(10, 3))
    embeddings = tw.open(path)
    embeddings.handle()
    os.truncate(path, path.stat().st_size - 4)
    with pytest.raises(SourceError, match="changed while it was read"):
        embeddings.handle()


@pytest.mark.parametrize("with_pyarrow", [True, False])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_page_checksums(
    version: str, with_pyarrow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, path = table(values(2000, 8)), tmp_path / "x.parquet"
    options = {"compression": "none", "use_dictionary": False, "data_page_version": version}
    rows = frame.to_arrow()
    if not with_pyarrow:
        monkeypatch.setattr("tailwatch.io.tables._has_pyarrow", lambda: False)
    for has_checksums in (True, False):
        pq.write_table(rows, path, write_page_checksum=has_checksums, **options)
        content = bytearray(path.read_bytes())
        value = frame["embedding"][1000].to_numpy().tobytes()
        content[content.index(value)] ^= 1
        content[content.index(b"k1500")] ^= 1
        path.write_bytes(content)
        opened = tw.open(path, id_column="key")
        if has_checksums:
            with pytest.raises(SourceError, match=r"(?i)checksum|crc"):
                opened.to_numpy()
            with pytest.raises(SourceError, match="checksum"):
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
    with pytest.raises(SourceError, match=r"(?i)utf-?8"):
        _ = opened.ids
    assert np.array_equal(opened.to_numpy(), x)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_the_death_of_a_reader_is_survived(suffix: str, tmp_path: Path) -> None:
    # More than a pipe holds and the process reads ahead.
    rows = values(50_000, 64)
    path = written(tmp_path, suffix, rows)
    opened = tw.open(path)
    batches = opened.batches(100)
    next(batches)
    busy = {process.number for process in decoding._ALL} - set(decoding.processes())
    for number in busy:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGABRT)
    with pytest.raises(SourceError, match=f"cannot read {path}: .*SIGABRT"):
        list(batches)
    assert np.array_equal(opened.to_numpy(), rows)
    # One that died between two files is nobody's fault.
    for number in decoding.processes():
        os.kill(number, signal.SIGKILL)
    time.sleep(0.1)
    assert np.array_equal(opened.to_numpy(), rows)


@pytest.mark.skipif(os.name != "posix", reason="waits on pipes of POSIX")
def test_a_reader_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, ".parquet", values(3, 2))
    code = decoding._CODE.partition("from tailwatch")[0] + (
        "from tailwatch.io.decoder import packed; import os, time; "
        "os.write(1, packed({'ready': True})); time.sleep(100)"
    )
    monkeypatch.setattr(decoding, "_CODE", code)
    monkeypatch.setattr(decoding, "PATIENCE_SECONDS", 0.3)
    decoding._end_all()
    with pytest.raises(SourceError, match=f"cannot read {path}: nothing came of it in 0 s"):
        tw.open(path)
    assert not decoding.processes()


def test_a_python_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, ".parquet", values(3, 2))
    decoding._end_all()
    for executable in ("/nowhere/python", ""):
        monkeypatch.setattr(multiprocessing.spawn, "get_executable", lambda at=executable: at)
        with pytest.raises(SourceError, match=r"multiprocessing.set_executable\(...\) names"):
            tw.open(path)


BOUNDED = """
import numpy as np
from tailwatch.io.decoder import _bound_memory
_bound_memory(1 << 20)
np.ones(100 << 20, np.uint8)
try:
    np.ones(3 << 30, np.uint8)
except MemoryError:
    print("refused")
"""


@linux
def test_memory_of_a_reader_is_bounded_by_the_size_of_the_file() -> None:
    command = [sys.executable, "-c", BOUNDED]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"refused\n"


READING = """
import sys, time
import tailwatch as tw
from tailwatch.io.decoding import processes
tw.open(sys.argv[1])
print(*processes(), flush=True)
while True:
    for batch in tw.open(sys.argv[1]).batches(50):
        pass
"""


@linux
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_readers_end_with_whoever_asks(how: signal.Signals, tmp_path: Path) -> None:
    path = written(tmp_path, ".parquet", values(20_000, 50))
    command = [sys.executable, "-c", READING, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        numbers = [int(number) for number in process.stdout.readline().split()]
        assert numbers
        time.sleep(0.3)
        process.send_signal(how)
        process.communicate(timeout=20)
    assert process.returncode != 0
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{number}").exists() for number in numbers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".npy", ".npz"])
def test_files_are_read_in_a_forked_child(suffix: str, tmp_path: Path) -> None:
    x = values(500, 4)
    path = written(tmp_path, suffix, x)
    has_keys = suffix in (".parquet", ".arrow")
    opened = tw.open(path, id_column="key" if has_keys else None)
    assert np.array_equal(opened.to_numpy(), x)
    if has_keys:
        assert opened.labels("key")[1] == "k1"
    child = os.fork()
    if not child:
        signal.alarm(60)
        again = tw.open(path, id_column="key" if has_keys else None)
        fine = np.array_equal(again.to_numpy(), x)
        if has_keys:
            fine &= again.labels("key")[1] == "k1" and again.ids is not None
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
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
    with pytest.raises(SourceError) as caught:
        tw.open(path)
    assert f"\\xff\\xfe{suffix}" in str(caught.value)
    str(caught.value).encode()


def archive(path: Path, member: bytes, **info: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("embedding.npy", member)
    content = path.read_bytes()
    at = content.index(b"PK\x01\x02")
    for name, value in info.items():
        offset = at + {"packed": 20, "size": 24, "method": 10}[name]
        width = 2 if name == "method" else 4
        content = content[:offset] + value.to_bytes(width, "little") + content[offset + width :]
    path.write_bytes(content)
    return path


def saved(x: NDArray[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, x)
    return out.getvalue()


def header(shape: str, descr: str = "'<f4'", fortran: str = "False") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"
    text += " " * (117 - len(text)) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


MEMBERS = {
    "an empty member": b"",
    "a header alone": header("(3, 2)"),
    "more rows than there are": header("(3000000000, 2)") + bytes(24),
    "fewer rows than there are": header("(2, 2)") + bytes(24),
    "negative rows": header("(-3, 2)") + bytes(24),
    "huge numbers": header("(9223372036854775807, 9223372036854775807)") + bytes(24),
    "rows that are bool": header("(True, 6)") + bytes(24),
    "rows that are no number": header("('3', 2)") + bytes(24),
    "a shape that is no tuple": header("3") + bytes(24),
    "a type that is none": header("(3, 2)", "'spam'") + bytes(24),
    "a type that is a number": header("(3, 2)", "7") + bytes(24),
    "a header that is no dictionary": b"\x93NUMPY\x01\x00\x02\x00[]" + bytes(24),
    "brackets without an end": b"\x93NUMPY\x01\x00\xff\x01" + b"(" * 511 + bytes(24),
    "a header longer than the file": b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + bytes(24),
    "another version": b"\x93NUMPY\x09\x00" + bytes(30),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_headers_that_lie(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(MEMBERS[name])
    packed = archive(tmp_path / "x.npz", MEMBERS[name])
    for each in (path, packed):
        with pytest.raises(InputError) as caught:
            tw.open(each)
        assert str(each) in str(caught.value)


def test_archives_that_lie(tmp_path: Path) -> None:
    x = values(100, 4)
    good = saved(x)
    assert np.array_equal(tw.open(archive(tmp_path / "a.npz", good)).to_numpy(), x)
    turned = archive(tmp_path / "f.npz", saved(np.asfortranarray(x)))
    assert np.array_equal(tw.open(turned).to_numpy(), x)
    for lie in ({"size": 1 << 31}, {"packed": 1 << 30}, {"size": 3}, {"method": 99}):
        with pytest.raises(SourceError):
            tw.open(archive(tmp_path / "b.npz", good, **lie)).to_numpy()
    content = bytearray(archive(tmp_path / "c.npz", good).read_bytes())
    content[content.index(b"PK\x01\x02") - 100] ^= 1
    (tmp_path / "c.npz").write_bytes(content)
    with pytest.raises(SourceError, match=r"Bad CRC-32|decompressing"):
        tw.open(tmp_path / "c.npz").to_numpy()


HELD = """
import resource, sys
import tailwatch as tw
opened = tw.open(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for batch in opened.batches(1000):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@linux
def test_archives_are_not_held(tmp_path: Path) -> None:
    for number in range(8):
        np.savez(tmp_path / f"{number}.npz", values(10_000, 500))
    command = [sys.executable, "-c", HELD, str(tmp_path / "*.npz")]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert int(found) < 50_000


def npy_of(at: Path, descr: str) -> Path:
    (at / "x.npy").write_bytes(header("(3, 4)", descr) + bytes(24))
    return at / "x.npy"


HINTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "bfloat16 as NumPy writes it": (lambda at: npy_of(at, "'|V2'"), "ml_dtypes.bfloat16"),
    "List(Int8)": (
        lambda _: pl.Series([[1, 2]], dtype=pl.List(pl.Int8)),
        "cast(polars.List(polars.Float32))",
    ),
    "List(Decimal)": (
        lambda _: pl.Series([[1, 2]], dtype=pl.List(pl.Decimal(10, 2))),
        "cast(polars.List(polars.Float32))",
    ),
    "array of vectors": (
        lambda _: np.array([np.ones(3), np.ones(3), None], object)[:2],
        "numpy.stack(list(array))",
    ),
    "column of objects": (
        lambda _: pl.DataFrame({"embedding": pl.Series([np.ones(2)], dtype=pl.Object)}),
        "numpy.stack(series.to_list())",
    ),
    "list_view": (
        lambda _: pa.array([[1.0]], pa.list_view(pa.float32())),
        "cast(pyarrow.list_(pyarrow.float32()))",
    ),
    "decimal256": (
        lambda _: pa.array([[1]], pa.list_(pa.decimal256(40, 2))),
        "cast(pyarrow.list_(pyarrow.float32()))",
    ),
    "a column for each dimension": (
        lambda _: pl.DataFrame({"a": [1.0], "b": [2.0]}),
        "pass frame.to_numpy()",
    ),
    "and one of names": (
        lambda _: pl.DataFrame({"id": ["x"], "a": [1.0], "b": [2.0]}),
        "pass frame.select(polars.selectors.float()).to_numpy()",
    ),
    "long double": (lambda _: np.ones((2, 2), np.longdouble), "array.astype('float32')"),
}


@pytest.mark.parametrize("name", HINTS)
def test_a_hint_leads_somewhere(name: str, tmp_path: Path) -> None:
    make, hint = HINTS[name]
    with pytest.raises(InputError) as caught:
        tw.open(make(tmp_path))
    assert caught.value.hint is not None
    assert hint in caught.value.hint
    assert str(caught.value).endswith(caught.value.hint)


def test_the_type_of_bytes_is_not_guessed(tmp_path: Path) -> None:
    # Four bytes a row: two numbers of bfloat16, of float16, or one of float32.
    path = tmp_path / "x.parquet"
    pl.DataFrame({"embedding": [b"abcd", b"efgh"]}).write_parquet(path)
    for source in (path, pl.read_parquet(path)):
        with pytest.raises(InputError, match="is Binary, which does not tell the type") as caught:
            tw.open(source)
        assert caught.value.got == "none"
        assert tw.open(source, binary="float16").shape == (2, 2)
        assert tw.open(source, binary="float32").shape == (2, 1)
    with pytest.raises(InputError, match="is Binary, which does not tell the type"):
        open_shard(Shard("x", path), "source", "embedding")

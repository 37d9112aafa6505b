"""Headers, archives and types that lie: one error each, which leads somewhere."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.layouts import Shard
from tailwatch.io.readers import open_shard
from tests.support.errors import refused
from tests.support.written_files import values

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


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
        assert str(each) in f"{caught.value.argument} {caught.value.where}"


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
    with refused(
        SourceError, "source", "readable data", "Bad CRC-32 for file 'embedding.npy'", "…/c.npz"
    ):
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
    with refused(InputError, hint=f"…{hint}…"):
        tw.open(make(tmp_path))


def test_the_type_of_bytes_is_not_guessed(tmp_path: Path) -> None:
    # Four bytes a row: two numbers of bfloat16, of float16, or one of float32.
    path = tmp_path / "x.parquet"
    pl.DataFrame({"embedding": [b"abcd", b"efgh"]}).write_parquet(path)
    for source in (path, pl.read_parquet(path)):
        with refused(InputError, "source…", "the type of the numbers in a Binary column", "none"):
            tw.open(source)
        assert tw.open(source, binary="float16").shape == (2, 2)
        assert tw.open(source, binary="float32").shape == (2, 1)
    with refused(
        InputError, "source: …/x.parquet", "the type of the numbers in a Binary column", "none"
    ):
        open_shard(Shard("x", path), "source", "embedding")

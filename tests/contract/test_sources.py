"""Sources that cannot be found or read, each with one error that says which, and why."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import tailwatch as tw
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError, SourceError
from tests.support.bad_inputs import Case, arrow, lists, npy, ones, parquet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def npz(path: Path, **arrays: NDArray[Any]) -> Path:
    np.savez(path, **arrays)
    return path


def content(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


FILES = {
    "missing file": Case(lambda at: at / "a.npy", SourceError, "reference: no such file: @/a.npy"),
    "missing file among others": Case(
        lambda at: [npy(at / "a.npy", ones()), at / "b.npy"],
        SourceError,
        "reference: no such file: @/b.npy",
    ),
    "glob without a match": Case(
        lambda at: f"{at}/*.parquet", SourceError, "reference: no file matches '@/*.parquet'"
    ),
    "directory": Case(
        lambda at: at,
        SourceError,
        "reference: @ is a directory; expected files, such as '@/*.parquet'",
    ),
    "glob that matches a directory": Case(
        lambda at: [(at / "sub").mkdir(), at / "*"][1],
        SourceError,
        "reference: @/sub is a directory; expected files, such as '@/sub/*.parquet'",
    ),
    "no paths": Case(
        lambda _: [], SourceError, "reference: expected at least one path, got an empty list"
    ),
    "unknown suffix": Case(
        lambda at: content(at / "a.csv", b"1,2"),
        SourceError,
        "reference: @/a.csv: expected one of .npy, .npz, .parquet, .arrow, .feather, .ipc, "
        "got suffix '.csv'",
    ),
    "no suffix": Case(
        lambda at: content(at / "a", b"1,2"),
        SourceError,
        "reference: @/a: expected one of .npy, .npz, .parquet, .arrow, .feather, .ipc, "
        "got suffix ''",
    ),
    "missing column": Case(
        lambda at: parquet(at / "a.parquet", key=[1], vector=lists([[1, 2]])),
        SourceError,
        "reference: @/a.parquet: no column 'embedding'; it has key (Int64), "
        "vector (List(Float32)); column takes the name of another",
    ),
    "missing column of a table": Case(
        lambda _: pa.table({"key": [1]}),
        SourceError,
        "reference: no column 'embedding'; it has key (Int64); column takes the name of another",
    ),
    "two stand-ins for the column": Case(
        lambda _: pl.DataFrame({"emb": lists([[1]]), "embeddings": lists([[1]])}),
        SourceError,
        "reference: no column 'embedding'; it has emb (List(Float32)), embeddings (List(Float32))"
        "; column takes the name of another",
    ),
    "many columns": Case(
        lambda _: pl.DataFrame({f"c{i}": [i] for i in range(35)}),
        SourceError,
        "reference: no column 'embedding'; it has "
        + ", ".join(f"c{i} (Int64)" for i in range(30))
        + ", and 5 more; column takes the name of another",
    ),
    "pickled objects": Case(
        lambda at: npy(at / "a.npy", np.array([[{}]]), pickle=True),
        InputError,
        "reference: @/a.npy: expected float16, float32 or float64, got object; "
        "convert it, as in array.astype('float32')",
    ),
    "pickled objects in an archive": Case(
        lambda at: npz(at / "a.npz", x=np.array([[{}]])),
        InputError,
        "reference: @/a.npz: expected float16, float32 or float64, got object; "
        "convert it, as in array.astype('float32')",
    ),
    "several arrays": Case(
        lambda at: npz(at / "a.npz", x=ones(), y=ones()),
        SourceError,
        "reference: @/a.npz: no array 'embedding'; it holds x, y; column takes the name of another",
    ),
    "empty archive": Case(
        lambda at: npz(at / "a.npz"),
        SourceError,
        "reference: @/a.npz: no array 'embedding'; it holds none; column takes the name of another",
    ),
}

DAMAGED = {
    "text as .npy": (lambda at: content(at / "a.npy", b"hello, world"), "the magic string"),
    "empty .npy": (lambda at: content(at / "a.npy", b""), "EOF: reading magic string"),
    "cut .npy": (
        lambda at: content(at / "a.npy", npy(at / "b.npy", ones(1000)).read_bytes()[:4096]),
        "its header says 1000 × 2 values of float32, which are 8000 bytes; the file has 3968",
    ),
    "text as .npz": (lambda at: content(at / "a.npz", b"hello"), "File is not a zip file"),
    "text as .parquet": (lambda at: content(at / "a.parquet", b"hello, world"), "parquet: "),
    "empty .parquet": (lambda at: content(at / "a.parquet", b""), "parquet: "),
    "text as .arrow": (lambda at: content(at / "a.arrow", b"hello, world"), ""),
    "empty .arrow": (lambda at: content(at / "a.arrow", b""), ""),
    "text behind the magic of .arrow": (
        lambda at: content(at / "a.arrow", b"ARROW1\0\0hello, world"),
        "",
    ),
    "cut .arrow": (
        lambda at: content(
            at / "a.arrow", arrow(at / "b.arrow", embedding=ones(1000)).read_bytes()[:4096]
        ),
        "",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_source(name: str, tmp_path: Path) -> None:
    case = FILES[name]
    assert case.outcome(tmp_path) == (case.error, case.text)


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_file(name: str, tmp_path: Path) -> None:
    make, reason = DAMAGED[name]
    path = make(tmp_path)
    with pytest.raises(SourceError) as caught:
        as_embeddings(path, "candidate").handle()
    assert str(caught.value).startswith(f"candidate: cannot read {path}: {reason}")
    assert "\n" not in str(caught.value)
    # What the reader itself said stays with the error; of a header that lies we say it ourselves.
    assert (caught.value.__cause__ is not None) == (name != "cut .npy")


@pytest.mark.parametrize("name", [name for name in DAMAGED if ".arrow" in name])
def test_damaged_arrow_file_without_pyarrow(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = DAMAGED[name][0](tmp_path)
    with pytest.raises(SourceError) as caught:
        as_embeddings(path, "candidate").handle()
    assert str(caught.value).startswith(f"candidate: cannot read {path}: ")


def test_unreadable_file(tmp_path: Path) -> None:
    for path in (
        npy(tmp_path / "a.npy", ones()),
        npz(tmp_path / "a.npz", x=ones()),
        parquet(tmp_path / "a.parquet", embedding=ones()),
        arrow(tmp_path / "a.arrow", embedding=ones()),
    ):
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("this user may read any file")
        with pytest.raises(SourceError) as caught:
            tw.open(path)
        assert str(caught.value).startswith(f"source: cannot read {path}: Permission denied")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            pl.DataFrame({"embedding": lists([[1, 2]])}),
            (
                "source: no column 'key'; it has embedding (List(Float32))"
                "; id_column takes the name of another"
            ),
        ),
        (ones(), "source: id_column='key' needs a table, got numpy.ndarray"),
        ("@/a.npy", "source: @/a.npy: id_column='key' needs a table, got .npy"),
    ],
    ids=["no such column", "array", "file"],
)
def test_identifiers_that_are_not_there(
    source: NDArray[Any] | pl.DataFrame | str, text: str, tmp_path: Path
) -> None:
    npy(tmp_path / "a.npy", ones())
    if isinstance(source, str):
        source = source.replace("@", str(tmp_path))
    with pytest.raises(InputError) as caught:
        tw.open(source, id_column="key")
    assert str(caught.value).replace(str(tmp_path), "@") == text


def test_identifiers_of_different_types(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", key=[1, 2], embedding=ones(2))
    parquet(tmp_path / "b.parquet", key=["3"], embedding=ones(1))
    embeddings = tw.open(tmp_path / "*.parquet", id_column="key")
    with pytest.raises(SourceError, match=r"^source: cannot read the data: "):
        _ = embeddings.ids

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
from tests.support.errors import fields, refused

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
    "missing file": Case(
        lambda at: at / "a.npy", SourceError, fields("reference", "a file", "nothing", "…/a.npy")
    ),
    "missing file among others": Case(
        lambda at: [npy(at / "a.npy", ones()), at / "b.npy"],
        SourceError,
        fields("reference", "a file", "nothing", "…/b.npy"),
    ),
    "glob without a match": Case(
        lambda at: f"{at}/*.parquet", SourceError, fields("reference", "a match", "none")
    ),
    "directory": Case(
        lambda at: at,
        SourceError,
        fields("reference", "files, such as '…/*.parquet'", "a directory", "…"),
    ),
    "glob that matches a directory": Case(
        lambda at: [(at / "sub").mkdir(), at / "*"][1],
        SourceError,
        fields("reference", "files, such as '…/sub/*.parquet'", "a directory", "…/sub"),
    ),
    "no paths": Case(
        lambda _: [], SourceError, fields("reference", "at least one path", "an empty list")
    ),
    "unknown suffix": Case(
        lambda at: content(at / "a.csv", b"1,2"),
        SourceError,
        fields(
            "reference: …/a.csv",
            "one of .npy, .npz, .parquet, .arrow, .feather, .ipc",
            "suffix '.csv'",
        ),
    ),
    "no suffix": Case(
        lambda at: content(at / "a", b"1,2"),
        SourceError,
        fields(
            "reference: …/a", "one of .npy, .npz, .parquet, .arrow, .feather, .ipc", "suffix ''"
        ),
    ),
    "missing column": Case(
        lambda at: parquet(at / "a.parquet", key=[1], vector=lists([[1, 2]])),
        SourceError,
        fields(
            "reference: …/a.parquet", "a column 'embedding'", "key (Int64), vector (List(Float32))"
        ),
    ),
    "missing column of a table": Case(
        lambda _: pa.table({"key": [1]}),
        SourceError,
        fields(
            "reference",
            "a column 'embedding'",
            "key (Int64)",
            hint="column takes the name of another",
        ),
    ),
    "two stand-ins for the column": Case(
        lambda _: pl.DataFrame({"emb": lists([[1]]), "embeddings": lists([[1]])}),
        SourceError,
        fields(
            "reference",
            "a column 'embedding'",
            "emb (List(Float32)), embeddings (List(Float32))",
            hint="column takes the name of another",
        ),
    ),
    "many columns": Case(
        lambda _: pl.DataFrame({f"c{i}": [i] for i in range(35)}),
        SourceError,
        fields(
            "reference",
            "a column 'embedding'",
            "c0 (Int64), c1 (Int64), c2 (Int64), c3 (Int64),…",
            hint="column takes the name of another",
        ),
    ),
    "pickled objects": Case(
        lambda at: npy(at / "a.npy", np.array([[{}]]), pickle=True),
        InputError,
        fields("reference: …/a.npy", "float16, float32 or float64", "object"),
    ),
    "pickled objects in an archive": Case(
        lambda at: npz(at / "a.npz", x=np.array([[{}]])),
        InputError,
        fields("reference: …/a.npz", "float16, float32 or float64", "object"),
    ),
    "several arrays": Case(
        lambda at: npz(at / "a.npz", x=ones(), y=ones()),
        SourceError,
        fields("reference: …/a.npz", "an array 'embedding'", "x, y"),
    ),
    "empty archive": Case(
        lambda at: npz(at / "a.npz"),
        SourceError,
        fields("reference: …/a.npz", "an array 'embedding'", "none"),
    ),
}

# A file, and what its reader said of it.
DAMAGED = {
    "text as .npy": (lambda at: content(at / "a.npy", b"hello, world"), "the magic string …"),
    "empty .npy": (lambda at: content(at / "a.npy", b""), "EOF: reading magic string, …"),
    "cut .npy": (
        lambda at: content(at / "a.npy", npy(at / "b.npy", ones(1000)).read_bytes()[:4096]),
        "its header says 1000 × 2 values of float32, which are 8000 bytes; the file has 3968",
    ),
    "text as .npz": (lambda at: content(at / "a.npz", b"hello"), "File is not a zip file"),
    "text as .parquet": (
        lambda at: content(at / "a.parquet", b"hello, world"),
        "parquet: File out of specification: The file must end with PAR1 or PARE",
    ),
    "empty .parquet": (
        lambda at: content(at / "a.parquet", b""),
        "parquet: File out of specification: …",
    ),
    "text as .arrow": (lambda at: content(at / "a.arrow", b"hello, world"), "…"),
    "empty .arrow": (lambda at: content(at / "a.arrow", b""), "…"),
    "text behind the magic of .arrow": (
        lambda at: content(at / "a.arrow", b"ARROW1\0\0hello, world"),
        "…",
    ),
    "cut .arrow": (
        lambda at: content(
            at / "a.arrow", arrow(at / "b.arrow", embedding=ones(1000)).read_bytes()[:4096]
        ),
        "…",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_source(name: str, tmp_path: Path) -> None:
    case = FILES[name]
    case.check(tmp_path)


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_file(name: str, tmp_path: Path) -> None:
    make, got = DAMAGED[name]
    path = make(tmp_path)
    with refused(SourceError, "candidate", "readable data", got, str(path)) as caught:
        as_embeddings(path, "candidate").handle()
    assert "\n" not in str(caught.value)
    # What the reader itself said stays with the error; of a header that lies we say it ourselves.
    assert (caught.value.__cause__ is not None) == (name != "cut .npy")


@pytest.mark.parametrize("name", [name for name in DAMAGED if ".arrow" in name])
def test_damaged_arrow_file_without_pyarrow(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = DAMAGED[name][0](tmp_path)
    with refused(SourceError, "candidate", "readable data", where=str(path)):
        as_embeddings(path, "candidate").handle()


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
        with refused(SourceError, "source", "readable data", "Permission denied…", str(path)):
            tw.open(path)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            pl.DataFrame({"embedding": lists([[1, 2]])}),
            fields(
                "source",
                "a column 'key'",
                "embedding (List(Float32))",
                hint="id_column takes the name of another",
            ),
        ),
        (ones(), fields("source", "a table with a column 'key'", "numpy.ndarray")),
        ("@/a.npy", fields("source: …/a.npy", "a table with a column 'key'", ".npy")),
    ],
    ids=["no such column", "array", "file"],
)
def test_identifiers_that_are_not_there(
    source: NDArray[Any] | pl.DataFrame | str, said: dict[str, str], tmp_path: Path
) -> None:
    npy(tmp_path / "a.npy", ones())
    if isinstance(source, str):
        source = source.replace("@", str(tmp_path))
    with refused(InputError, **said):
        tw.open(source, id_column="key")


def test_identifiers_of_different_types(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", key=[1, 2], embedding=ones(2))
    parquet(tmp_path / "b.parquet", key=["3"], embedding=ones(1))
    embeddings = tw.open(tmp_path / "*.parquet", id_column="key")
    with refused(
        SourceError,
        "source",
        "readable data",
        "type String is incompatible with expected type Int64",
    ):
        _ = embeddings.ids

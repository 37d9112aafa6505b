"""Columns that stand beside the embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.pack import pack
from tests.support.errors import refused
from tests.support.forms import array_series, frame, sample, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

X = sample()
NAMES = [f"row {i}" for i in range(len(X))]


def labelled() -> pl.DataFrame:
    return pl.DataFrame({"label": NAMES, "embedding": array_series(X)})


def test_a_frame_has_columns_beside_the_embeddings() -> None:
    assert tw.open(labelled()).labels("label").to_list() == NAMES
    assert tw.open(labelled().to_arrow()).labels("label").to_list() == NAMES


def test_files_give_them_in_the_order_of_the_rows(tmp_path: Path) -> None:
    table = labelled()
    table[:5].write_parquet(tmp_path / "1.parquet", row_group_size=2)
    table[:0].write_parquet(tmp_path / "2.parquet")
    table[5:9].write_ipc(tmp_path / "3.arrow", compression="uncompressed")
    table[9:].write_ipc(tmp_path / "4.arrow", compression="zstd")
    embeddings = tw.open(sorted(tmp_path.iterdir()))
    labels = embeddings.labels("label")
    assert (labels.name, labels.to_list()) == ("label", NAMES)
    np.testing.assert_array_equal(embeddings.to_numpy(), X)


def test_a_packed_folder_gives_them_too(tmp_path: Path) -> None:
    packed = tw.open(pack(labelled(), tmp_path / "packed", rows_per_shard=4))
    assert packed.labels("label").to_list() == NAMES
    with refused(
        SourceError, "source: …/packed/metadata/00000.parquet", "a column 'n'", "label (String)"
    ):
        packed.labels("n")
    bare = tw.open(pack(X, tmp_path / "bare"))
    with refused(
        InputError,
        "source: …/bare/embeddings/00000.npy",
        "a table with a column 'label'",
        "an array",
    ):
        bare.labels("label")


def test_types_that_go_together_are_joined(tmp_path: Path) -> None:
    numbers = pl.Series("label", range(len(X)))
    for name, dtype, part in (("1", pl.Int8, slice(0, 5)), ("2", pl.UInt32, slice(5, None))):
        labelled().with_columns(numbers.cast(dtype))[part].write_parquet(
            tmp_path / f"{name}.parquet"
        )
    assert tw.open(f"{tmp_path}/*.parquet").labels("label").to_list() == list(range(len(X)))


def test_types_that_do_not_go_together_are_told(tmp_path: Path) -> None:
    labelled()[:5].write_parquet(tmp_path / "1.parquet")
    lists = pl.concat_list("label").alias("label")
    labelled()[5:].with_columns(lists).write_parquet(tmp_path / "2.parquet")
    with refused(
        SourceError,
        "source",
        "readable data",
        "cannot cast List type (inner: 'String', to: 'String')",
    ):
        tw.open(f"{tmp_path}/*.parquet").labels("label")


@pytest.mark.parametrize(
    ("source", "expected", "got"),
    [
        (X, "a table with a column 'label'", "an array"),
        (array_series(X), "a column 'label'", "embedding (…)"),
        (frame(X), "a column 'label'", "key (String), embedding (…)"),
    ],
    ids=["array", "series", "frame"],
)
def test_a_column_that_is_not_there(source: object, expected: str, got: str) -> None:
    with refused(InputError, "source", expected, got):
        tw.open(source).labels("label")  # type: ignore[arg-type]


def test_a_file_without_the_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    write_parquet(X, path)
    with refused(SourceError, f"source: {path}", "a column 'label'", "key (…") as caught:
        tw.open(path).labels("label")
    assert "tailwatch.open" not in str(caught.value)


def test_a_file_that_has_changed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    labelled().write_parquet(path)
    embeddings = tw.open(path)
    labelled()[1:].write_parquet(path)
    with refused(
        SourceError,
        "source",
        "readable data",
        "22 of its 23 rows came of it: it changed after i…",
        "…/x.parquet",
    ):
        embeddings.labels("label")


def test_rows_that_were_taken_have_nothing_beside_them() -> None:
    with refused(InputError, "source", "a table with a column 'label'", "an array"):
        tw.open(labelled()).take([1, 2]).labels("label")

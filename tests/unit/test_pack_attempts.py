"""Packs: keys of Hive are columns, and what a killed attempt left is swept, and nothing else."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError
from tailwatch.io import pack_folder
from tailwatch.io.pack import pack
from tests.support.datasets import rows, table
from tests.support.errors import refused
from tests.support.surroundings import snapshot

if TYPE_CHECKING:
    from pathlib import Path


def hive(folder: Path) -> Path:
    for number, key in enumerate(("lang=en/day=01", "lang=de/day=02%3A3", "_lang=x/day=1")):
        (folder / key).mkdir(parents=True)
        frame = table(rows(5, number), first=100 * number)
        frame.write_parquet(folder / key / "0.parquet")
    (folder / "lang=fr" / "day=__HIVE_DEFAULT_PARTITION__").mkdir(parents=True)
    table(rows(2, 9)).write_parquet(
        folder / "lang=fr" / "day=__HIVE_DEFAULT_PARTITION__" / "0.parquet"
    )
    return folder


def test_keys_of_hive_are_columns_of_text(tmp_path: Path) -> None:
    source = hive(tmp_path / "a=b")
    out = pack(f"{source}/lang=*/*/*.parquet", tmp_path / "out")
    found = pl.read_parquet(out / "metadata" / "00000.parquet")
    assert found.columns == ["url", "length", "lang", "day"]
    assert found["lang"].to_list() == ["de"] * 5 + ["en"] * 5 + ["fr"] * 2
    assert found["day"].to_list() == ["02:3"] * 5 + ["01"] * 5 + [None] * 2
    assert tw.open(out, id_column="lang").ids is not None


def test_keys_of_arrays(tmp_path: Path) -> None:
    for key in ("a", "b"):
        (tmp_path / f"k={key}").mkdir()
        np.save(tmp_path / f"k={key}" / "0.npy", rows(3, 1))
    out = pack(f"{tmp_path}/*/*.npy", tmp_path / "out")
    found = pl.read_parquet(out / "metadata" / "00000.parquet")
    assert found.to_dict(as_series=False) == {"k": ["a"] * 3 + ["b"] * 3}


def test_a_key_that_the_table_has_too(tmp_path: Path) -> None:
    for name, inside in (("en", "en"), ("de", "de")):
        (tmp_path / f"lang={name}").mkdir()
        table(rows(3, 1)).with_columns(lang=pl.lit(inside)).write_parquet(
            tmp_path / f"lang={name}" / "0.parquet"
        )
    out = pack(f"{tmp_path}/lang=*/*.parquet", tmp_path / "out")
    assert pl.read_parquet(out / "metadata" / "00000.parquet")["lang"].n_unique() == 2
    table(rows(3, 1)).with_columns(lang=pl.lit("fr")).write_parquet(
        tmp_path / "lang=en" / "0.parquet"
    )
    with refused(
        InputError,
        "source: …/lang=en/0.parquet",
        "'lang' as in its folder, 'en'",
        "other values in 3 rows",
    ):
        pack(f"{tmp_path}/lang=*/*.parquet", tmp_path / "other")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_what_a_killed_attempt_left_is_swept(tmp_path: Path) -> None:
    with pack_folder.attempt_at(tmp_path / "out") as folder:
        pack(rows(9, 1), folder / "inside")
        name = folder.name
        shutil.move(folder / "inside", tmp_path / "kept")
        # Another process works at it.
        pack(rows(9, 1), tmp_path / "other")
        assert folder.is_dir()
    assert not folder.exists()
    # A killed one holds no lock any more.
    shutil.move(tmp_path / "kept", tmp_path / name)
    other = tmp_path / name.replace(".pack.part", ".part")
    other.mkdir()
    mine = tmp_path / (name[:20] + "0" * 30 + ".pack.part")
    mine.mkdir()
    (mine / "mine").write_text("mine")
    (tmp_path / ".0123456789abcdef.part").mkdir()
    before = snapshot(tmp_path)
    pack(rows(9, 1), tmp_path / "out")
    found = snapshot(tmp_path)
    swept = {each for each in before if each.partition("/")[0] == name}
    assert swept
    assert not swept & set(found)
    assert {each: found[each] for each in before if each not in swept} == {
        each: content for each, content in before.items() if each not in swept
    }

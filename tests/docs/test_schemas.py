"""The document of the files that a run writes has every field of them, and no other."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.contamination.model_file import MAGIC
from tailwatch.exceptions import TailwatchWarning
from tailwatch.io.pack import pack
from tests.support.datasets import COLUMNS, SHIFT, rows, table, write_shards

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "schemas.md"
NAME = re.compile(r"`([^`]+)`")


def section(head: str) -> str:
    """Give the text below a head, up to the next one."""
    text = DOCUMENT.read_text("utf-8")
    found = re.search(rf"^#+ {re.escape(head)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, head
    return found[1]


def fields(head: str) -> dict[str, str]:
    """Give the fields of a section's table, each with the rest of its line."""
    found = {}
    for line in section(head).splitlines():
        cells = re.split(r"(?<!\\)\|", line)
        if len(cells) > 2 and "`" in cells[1]:
            found |= {name: "|".join(cells[2:]) for name in NAME.findall(cells[1])}
    return found


def check(documented: dict[str, str], written: dict[str, Any]) -> None:
    """The fields are the same, and so are those of an object within a field."""
    assert list(documented) == list(written)
    for name, value in written.items():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict) and "see below" not in documented[name]:
            missing = set(first) - set(NAME.findall(documented[name]))
            assert not missing, (name, missing)


def mentioned(head: str, names: Iterable[str]) -> None:
    missing = set(names) - set(NAME.findall(section(head)))
    assert not missing, (head, missing)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with everything that a run can have: strata, labels, copies, and a failure."""
    at = tmp_path_factory.mktemp("run")
    human, synthetic = rows(2000, 1, share=0), rows(2000, 2, share=0) + np.float32(SHIFT)
    strata = [f"month {number % 5}" for number in range(len(human))]
    model = tw.contamination.fit(human, synthetic, strata=strata, encoder="minilm")
    model.save(at / "model.tailwatch")
    source = write_shards(at / "in", 3)
    (source / "part-001.parquet").write_text("no Parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TailwatchWarning)
        with pytest.raises(tw.exceptions.ShardError):
            model.score_dataset(
                source,
                at / "out",
                id_column="url",
                audit=(synthetic[:30], [1] * 30),
                copies_of=synthetic,
            )
    return at


def summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / "summary.json").read_text())
    return found


def test_the_folder_holds_the_files_of_the_table(folder: Path) -> None:
    files = {name.partition("/")[0] for name in fields("What a contamination run writes")}
    assert files == {path.name for path in (folder / "out").iterdir()} | {"work"}


def test_tables_of_rows(folder: Path) -> None:
    found = pl.read_parquet(folder / "out" / "shards" / "part-000.parquet")
    documented = fields("`shards/*.parquet`")
    columns = [name for name in documented if name not in {"id_column", "row"}]
    assert ["url", *columns] == found.columns
    for name in columns:
        assert documented[name].split("|")[0].strip() == str(found.schema[name])


@pytest.mark.parametrize("inside", [None, "prevalence", "copies"])
def test_the_summary(inside: str | None, folder: Path) -> None:
    found = summary(folder)
    if inside is None:
        check(fields("`summary.json`"), found)
    else:
        check(fields(f"`{inside}`"), found[inside])


def test_the_groups_of_the_summary(tmp_path: Path) -> None:
    shard = table(rows(400, 1)).with_columns(month=pl.int_range(400) // 100)
    shard.write_parquet(tmp_path / "a.parquet")
    human, synthetic = rows(600, 3, share=0), rows(600, 4, share=1)
    model = tw.contamination.fit(human, synthetic)
    found = model.score_dataset(tmp_path / "a.parquet", tmp_path / "out", by="month")
    written = found.summary["groups"]
    assert list(fields("`groups`")) == [*written, *written["table"][0]]
    assert found.groups is not None
    for name, dtype in found.groups.schema.items():
        assert fields("`groups`")[name].split("|")[0].strip() == str(dtype)
    mentioned("`manifest.jsonl`", {"by"})


def test_the_drift_has_the_documented_shape(folder: Path) -> None:
    # The only object whose length depends on the model.
    drift = summary(folder)["prevalence"]["drift"]
    assert len(drift["shares"]) == drift["strata"] == 5


def test_the_manifest(folder: Path) -> None:
    first, *others = map(json.loads, (folder / "out" / "manifest.jsonl").read_text().splitlines())
    assert len(others) == 2
    mentioned("`manifest.jsonl`", {*first, *first["copies_of"], *others[0]})
    assert f'`"{first["format"]}"`' in section("`manifest.jsonl`")


def test_the_times(folder: Path) -> None:
    mentioned("`times.json`", json.loads((folder / "out" / "times.json").read_text()))


def test_a_packed_folder(tmp_path: Path) -> None:
    out = pack(table(rows(10, 1)), tmp_path / "packed")
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    head = "What `tailwatch pack` writes"
    assert list(fields(head))[:3] == sorted(found, key=lambda name: (name == "pack.json", name))
    mentioned(head, json.loads((out / "pack.json").read_text()))


def test_a_model(folder: Path) -> None:
    head = "What `ContaminationModel.save` and `tailwatch fit` write"
    data = (folder / "model.tailwatch").read_bytes()
    assert f"`{MAGIC.decode()}`" in section(head)
    length = int.from_bytes(data[48:52], "little")
    header = json.loads(data[52 : 52 + length])
    assert set(fields(head)) == {*header, *header["shapes"]}
    sizes = {"Float64": 8, "UInt64": 8, "Int64": 8, "Float32": 4}
    types = {name: fields(head)[name].split("|")[0].strip() for name in header["shapes"]}
    assert len(data) - 52 - length == sum(
        sizes[types[name]] * int(np.prod(shape)) for name, shape in header["shapes"].items()
    )
    assert header["shapes"]["weights"][1] == COLUMNS

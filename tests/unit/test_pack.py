"""Packing: nothing is lost that was not given away, and the folder is whole or not there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, OutputError, SourceError, TailwatchWarning
from tailwatch.io import pack as pack_module
from tailwatch.io.pack import pack
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from pathlib import Path

ROWS, COLUMNS = 103, 5


def values(dtype: type[np.floating]) -> np.ndarray:
    rng = np.random.default_rng(0)
    found = rng.normal(size=(ROWS, COLUMNS)) * 10.0 ** rng.integers(-4, 4, (ROWS, COLUMNS))
    found[3] = [
        0.0,
        -0.0,
        np.finfo(dtype).max,
        np.finfo(dtype).tiny,
        np.finfo(dtype).smallest_subnormal,
    ]
    return found.astype(dtype)


def frame(kind: str, dtype: type[np.floating]) -> pl.DataFrame:
    inner = {np.float16: pl.Float16, np.float32: pl.Float32, np.float64: pl.Float64}[dtype]
    array = pl.Series(values(dtype), dtype=pl.Array(inner, COLUMNS))
    column = array if kind == "Array" else array.cast(pl.List(inner))
    if kind == "Binary":
        column = pl.Series([row.tobytes() for row in values(dtype)])
    keys = pl.Series([f"k{row}" for row in range(ROWS)])
    return pl.DataFrame({"key": keys, "embedding": column, "n": np.arange(ROWS)})


FORMS = [
    (kind, dtype, 10)
    for kind in ("Array", "List", "Binary")
    for dtype in (np.float16, np.float32, np.float64)
]
# Rows are cut into shards when they are numbers already.
SIZES = [("Array", np.float32, rows) for rows in (1, 103, 1000)]


@pytest.mark.parametrize(("kind", "dtype", "rows_per_shard"), FORMS + SIZES)
def test_every_bit_comes_back(
    kind: str, dtype: type[np.floating], rows_per_shard: int, tmp_path: Path
) -> None:
    source = tmp_path / "a.parquet"
    frame(kind, dtype).write_parquet(source)
    binary = np.dtype(dtype).name if kind == "Binary" else None
    out = pack(source, tmp_path / "out", rows_per_shard=rows_per_shard, binary=binary)
    packed = tw.open(out, id_column="key")
    assert packed.dtype == dtype
    assert packed.to_numpy().tobytes() == values(dtype).tobytes()
    assert packed.ids is not None
    assert packed.ids.to_list() == frame(kind, dtype)["key"].to_list()
    tables = [pl.read_parquet(file) for file in sorted((out / "metadata").iterdir())]
    assert pl.concat(tables).equals(frame(kind, dtype).drop("embedding"))
    shards = json.loads((out / "pack.json").read_text())["shards"]
    assert shards == [min(rows_per_shard, ROWS - start) for start in range(0, ROWS, rows_per_shard)]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.parquet", "out"]


def test_batches_need_not_be_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_module, "BATCH_BYTES", 7 * COLUMNS * 4)
    files = []
    for number, part in enumerate(np.array_split(values(np.float32), 4)):
        files.append(tmp_path / f"{number}.npy")
        np.save(files[-1], part)
    packed = tw.open(pack(files, tmp_path / "out", rows_per_shard=10))
    assert packed.to_numpy().tobytes() == values(np.float32).tobytes()
    assert not (tmp_path / "out" / "metadata").exists()


def test_packing_a_packed_folder_anew(tmp_path: Path) -> None:
    first = pack(frame("List", np.float32), tmp_path / "first", rows_per_shard=40)
    second = pack(first, tmp_path / "second", rows_per_shard=70)
    assert tw.open(second).to_numpy().tobytes() == values(np.float32).tobytes()
    ids = tw.open(second, id_column="n").ids
    assert ids is not None
    assert ids.to_list() == list(range(ROWS))


def test_a_narrower_type_rounds_to_the_nearest(tmp_path: Path) -> None:
    given = np.random.default_rng(1).normal(size=(50, 3))
    packed = tw.open(pack(given, tmp_path / "out", dtype="f16")).to_numpy()
    assert packed.dtype == np.float16
    assert np.array_equal(packed, given.astype(np.float16))


def test_what_float16_cannot_hold_is_refused(tmp_path: Path) -> None:
    given = np.zeros((300, 3), np.float32)
    given[271, 2] = 65_520
    with refused(
        InputError, "source", "values that float16 can hold", "65520", "row 271, column 2"
    ):
        pack(given, tmp_path / "out", dtype="f16")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_number_stays_what_it_is(tmp_path: Path) -> None:
    given = np.array([[np.nan, np.inf, -np.inf]], np.float32)
    packed = tw.open(pack(given, tmp_path / "out", dtype="f16")).to_numpy()
    assert np.array_equal(packed, given.astype(np.float16), equal_nan=True)


def test_tables_of_other_columns_are_refused(tmp_path: Path) -> None:
    frame("List", np.float32).write_parquet(tmp_path / "a.parquet")
    frame("List", np.float32).drop("n").write_parquet(tmp_path / "b.parquet")
    with refused(
        InputError,
        "source: …/b.parquet",
        "key (String), n (Int64)",
        "key (String)",
        "beside …/a.parquet",
    ):
        pack(f"{tmp_path}/*.parquet", tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"dtype": "f8"}, fields("dtype", "'f16' or 'f32'", "'f8'")),
        ({"rows_per_shard": 0}, fields("rows_per_shard", "an integer of at least 1", "0")),
        ({"binary": "f16"}, fields("binary", "'float16', 'float32' or 'float64'", "'f16'")),
    ],
)
def test_bad_arguments(arguments: dict[str, object], said: dict[str, str], tmp_path: Path) -> None:
    with refused(InputError, **said):
        pack(np.zeros((2, 2)), tmp_path / "out", **arguments)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with refused(OutputError, "out", "a new or empty folder", "one that holds something", "…"):
        pack(np.zeros((2, 2)), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def test_a_binary_column_asks_for_its_type(tmp_path: Path) -> None:
    frame("Binary", np.float32).write_parquet(tmp_path / "a.parquet")
    with refused(
        InputError, "source: …/a.parquet", "the type of the numbers in a Binary column", "none"
    ):
        tw.open(tmp_path / "a.parquet")
    # 20 bytes are 10 numbers of two bytes: it is taken at its word.
    assert tw.open(tmp_path / "a.parquet", binary="float16").columns == 2 * COLUMNS


def test_a_packed_shard_that_was_exchanged_is_noticed(tmp_path: Path) -> None:
    out = pack(values(np.float32), tmp_path / "out", rows_per_shard=60)
    np.save(out / "embeddings/00001.npy", values(np.float32)[:10])
    with refused(SourceError, "source: …/out/embeddings/00001.npy", "43 rows as was written", "10"):
        tw.open(out)


def test_what_else_lies_in_a_folder_is_named(tmp_path: Path) -> None:
    rows = np.eye(4, dtype=np.float32)
    packed, clip = pack(rows, tmp_path / "packed"), tmp_path / "clip"
    for name in ("img_emb", "text_emb"):
        (clip / name).mkdir(parents=True)
        np.save(clip / name / f"{name}_0.npy", rows)
    (packed / "notes.txt").write_text("")
    np.save(packed / "more.npy", rows)
    (clip / "img_emb" / "index.faiss").write_text("")
    expected = {
        packed: ["left out: 2 × not named by pack.json: more.npy, notes.txt"],
        clip: [
            "left out: 1 × no file of clip-retrieval beside it: img_emb/index.faiss",
            "left out: 1 × not the arrays of the column that is read: text_emb",
        ],
    }
    for folder, said in expected.items():
        with pytest.warns(TailwatchWarning) as caught:
            found = tw.open(folder)
        assert [str(each.message) for each in caught] == [f"source: {'; '.join(said)}"]
        assert [str(each) for each in found.left_out] == said
        assert repr(found).endswith(f"4 rows × 4 columns, float32; {'; '.join(said)})")
        with pytest.warns(TailwatchWarning, match=said[0]):
            pack(folder, tmp_path / f"{folder.name} anew")
        with pytest.warns(TailwatchWarning, match=f"candidate: {said[0]}"):
            tw.metrics.tail_test(rows, folder)
    assert tw.open(tmp_path / "packed anew").left_out == ()


@pytest.mark.parametrize(
    ("content", "expected", "got"),
    [
        ("", "JSON", "Expecting value: …"),
        ("[]", "the format tailwatch-pack", "another one, or none"),
        ("{}", "the format tailwatch-pack", "another one, or none"),
        ('{"format":"tailwatch-pack","version":2}', "version …", "2"),
        ('{"format":"tailwatch-pack"}', "version …", "None"),
    ],
)
def test_a_folder_that_is_described_wrongly_is_refused(
    content: str, expected: str, got: str, tmp_path: Path
) -> None:
    (tmp_path / "pack.json").write_text(content)
    with refused(SourceError, "source", expected, got, str(tmp_path / "pack.json")):
        tw.open(tmp_path)


@pytest.mark.parametrize(
    ("field", "lie", "said"),
    [
        (
            "columns",
            3,
            fields("source: …/packed/embeddings/00000.npy", "3 columns as was written", "2"),
        ),
        (
            "dtype",
            "float16",
            fields(
                "source: …/packed/embeddings/00000.npy", "float16 values as was written", "float32"
            ),
        ),
        (
            "dtype",
            "float64",
            fields(
                "source: …/packed/embeddings/00000.npy", "float64 values as was written", "float32"
            ),
        ),
    ],
)
def test_a_manifest_that_does_not_describe_its_arrays_is_refused(
    field: str, lie: object, said: dict[str, str], tmp_path: Path
) -> None:
    folder = pack(np.ones((4, 2), np.float32), tmp_path / "packed", rows_per_shard=2)
    content = json.loads((folder / "pack.json").read_text())
    (folder / "pack.json").write_text(json.dumps(content | {field: lie}))
    with refused(SourceError, **said):
        tw.open(folder)

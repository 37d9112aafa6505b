"""What a job writes: the same numbers as in memory, in any layout, order and on any threads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tailwatch.contamination.dataset import tables
from tailwatch.contamination.dataset.copies import row_hashes
from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.pack import pack
from tests.support.datasets import COLUMNS, SHIFT, contents, model, rows, table, write_shards
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.recursion_learners import Opaque

SIZES = (700, 300, 1100)


def blocks() -> list[np.ndarray]:
    return [rows(size, number) for number, size in enumerate(SIZES)]


def frames() -> list[pl.DataFrame]:
    return [table(block, first=1000 * number) for number, block in enumerate(blocks())]


def parquet(folder: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Path:
    folder.mkdir()
    for number, frame in enumerate(frames()):
        change(frame).write_parquet(folder / f"{number}.parquet")
    return folder


def cast(dtype: pl.DataType) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda frame: frame.with_columns(pl.col("embedding").cast(dtype))


def binary(kind: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def change(frame: pl.DataFrame) -> pl.DataFrame:
        values = frame["embedding"].to_numpy().astype(kind)
        return frame.with_columns(embedding=pl.Series([row.tobytes() for row in values]))

    return change


def clip(folder: Path) -> Path:
    (folder / "img_emb").mkdir(parents=True)
    (folder / "metadata").mkdir()
    # 10 comes after 2, as numbers do.
    for number, block, frame in zip((1, 2, 10), blocks(), frames(), strict=True):
        np.save(folder / "img_emb" / f"img_emb_{number}.npy", block)
        frame.drop("embedding").write_parquet(folder / "metadata" / f"metadata_{number}.parquet")
    return folder


def arrow(folder: Path) -> Path:
    folder.mkdir()
    for number, frame in enumerate(frames()):
        frame.write_ipc(folder / f"{number}.arrow")
    return folder


def pack_of_clip(folder: Path) -> Path:
    return pack(clip(folder.with_name("clip")), folder, rows_per_shard=800)


def pack_of(folder: Path, dtype: str | None = None) -> Path:
    return pack(
        f"{parquet(folder.with_name('unpacked'), lambda frame: frame)}/*.parquet",
        folder,
        dtype=dtype,
        rows_per_shard=900,
    )


LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "Array": lambda at: parquet(at, lambda frame: frame),
    "List": lambda at: parquet(at, cast(pl.List(pl.Float32))),
    "Array of float64": lambda at: parquet(at, cast(pl.Array(pl.Float64, COLUMNS))),
    "Binary float32": lambda at: parquet(at, binary("<f4")),
    "emb": lambda at: parquet(at, lambda frame: frame.rename({"embedding": "emb"})),
    "embeddings": lambda at: parquet(at, lambda frame: frame.rename({"embedding": "embeddings"})),
    "Arrow": arrow,
    "clip-retrieval": clip,
    "packed": pack_of,
    "packed from clip-retrieval": pack_of_clip,
}
HALVES: dict[str, Callable[[Path], Path]] = {
    "Array of float16": lambda at: parquet(at, cast(pl.Array(pl.Float16, COLUMNS))),
    "List of float16": lambda at: parquet(at, cast(pl.List(pl.Float16))),
    "Binary float16": lambda at: parquet(at, binary("<f2")),
    "packed float16": lambda at: pack_of(at, dtype="f16"),
}


def said(layout: str) -> str | None:
    """What the bytes of a Binary column are has to be said."""
    kind, _, dtype = layout.partition(" ")
    return dtype if kind == "Binary" else None


def together(out: Path) -> pl.DataFrame:
    return pl.concat(
        [pl.read_parquet(file) for file in sorted(out.glob("shards/*"), key=by_number)]
    )


def by_number(file: Path) -> int:
    return int("".join(sign for sign in file.name.partition(".")[0] if sign.isdigit()))


@pytest.fixture(scope="module")
def expected() -> pl.DataFrame:
    """The rows by the calls in memory."""
    whole = np.concatenate(blocks())
    scores = pl.Series("score", model().score(whole))
    urls = pl.concat(frames())["url"]
    return model().rows(whole).insert_column(0, scores).insert_column(0, urls)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_numbers_of_memory(
    layout: str, expected: pl.DataFrame, tmp_path: Path
) -> None:
    report = model().score_dataset(
        LAYOUTS[layout](tmp_path / "in"), tmp_path / "out", id_column="url", binary=said(layout)
    )
    found = together(tmp_path / "out")
    assert found.columns == ["url", "score", "probability", "p_value", "q_value", "content_hash"]
    assert found.drop("content_hash").equals(expected)
    dtype = np.float64 if layout == "Array of float64" else np.float32
    hashes = row_hashes(np.concatenate(blocks()).astype(dtype), 1)
    assert np.array_equal(found["content_hash"].to_numpy(), hashes)
    assert found["probability"].mean() == pytest.approx(report.prevalence.value, abs=1e-6)
    assert report.frame["rows"].sum() == sum(SIZES)


@pytest.mark.parametrize("layout", HALVES)
def test_float16_is_scored_as_it_is(layout: str, tmp_path: Path) -> None:
    half = np.concatenate(blocks()).astype(np.float16)
    source = HALVES[layout](tmp_path / "in")
    model().score_dataset(source, tmp_path / "out", binary=said(layout))
    assert np.array_equal(together(tmp_path / "out")["score"].to_numpy(), model().score(half))


def test_arrays_alone_have_row_numbers(tmp_path: Path) -> None:
    for number, block in enumerate(blocks()):
        np.save(tmp_path / f"{number}.npy", block)
    model().score_dataset(f"{tmp_path}/*.npy", tmp_path / "out")
    found = together(tmp_path / "out")
    assert found.columns == ["row", "score", "probability", "p_value", "q_value", "content_hash"]
    assert found["row"].to_list() == [row for size in SIZES for row in range(size)]
    assert np.array_equal(found["score"].to_numpy(), model().score(np.concatenate(blocks())))


def test_folders_at_any_depth_but_no_hidden_ones(tmp_path: Path) -> None:
    root = tmp_path / "in"
    names = ("month=1/a.parquet", "month=2/a.parquet", "_temporary/a.parquet", ".b.parquet")
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        table(rows(400, number)).write_parquet(root / name)
    (root / "README.md").write_text("no data")
    report = model().score_dataset(root, tmp_path / "out")
    assert report.frame["shard"].to_list() == ["month=1/a.parquet", "month=2/a.parquet"]
    assert (tmp_path / "out/shards/month=1/a.parquet").is_file()


def test_identifiers_of_any_type_are_kept(tmp_path: Path) -> None:
    extra = {"none": None, "nested": [[1, 2]], "when": "2024-05-06"}
    frame = table(rows(400, 3)).with_columns(
        pl.lit(None).alias("none"),
        pl.concat_list("length", "length").alias("nested"),
        pl.lit("2024-05-06").str.to_date().alias("when"),
    )
    frame.write_parquet(tmp_path / "a.parquet")
    model().score_dataset(tmp_path / "a.parquet", tmp_path / "out", id_column=["url", *extra])
    found = pl.read_parquet(tmp_path / "out/shards/a.parquet")
    assert found.select("url", *extra).equals(frame.select("url", *extra))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_show(threads: int, tmp_path: Path) -> None:
    source = write_shards(tmp_path / "in", 3, 5000)
    model().score_dataset(source, tmp_path / "out", threads=threads)
    model().score_dataset(source, tmp_path / "expected")
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


def test_the_order_of_shards_does_not_show_in_their_tables(tmp_path: Path) -> None:
    source = write_shards(tmp_path / "in", 4)
    files = sorted(source.iterdir())
    forth = model().score_dataset(files, tmp_path / "forth")
    back = model().score_dataset(files[::-1], tmp_path / "back")
    assert forth.prevalence == back.prevalence
    one, other = contents(tmp_path / "forth"), contents(tmp_path / "back")
    assert one.keys() == other.keys()
    assert all(one[name] == other[name] for name in one if name.startswith("shards/"))


def test_a_large_shard_takes_several_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_shards(tmp_path / "in", 2, 3000)
    model().score_dataset(source, tmp_path / "expected", id_column="url")
    monkeypatch.setattr("tailwatch.contamination.dataset.shard_scores.BATCH_BYTES", 20_000)
    model().score_dataset(source, tmp_path / "out", id_column="url")
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


@pytest.mark.parametrize("ids", [None, "url", ["url", "length"]])
@pytest.mark.parametrize("at_once", [262_144, 100])
def test_the_surest_rows_are_those_of_all_tables(
    ids: Opaque, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", at_once)
    source = tmp_path / "in"
    source.mkdir()
    for number, share in enumerate((0.5, 0.0, 0.5)):
        whole = rows(600, number, share)
        # Copies share the largest score, so that it does not tell which comes first.
        whole[-5:] = 2 * np.float32(SHIFT)
        table(whole, first=1000 * number).write_parquet(source / f"{number}.parquet")
    report = model().score_dataset(source, tmp_path / "out", id_column=ids)
    found = pl.concat(
        pl.read_parquet(tmp_path / "out" / "shards" / f"{number}.parquet")
        .with_row_index("at")
        .with_columns(shard=pl.lit(f"{number}.parquet"))
        for number in range(3)
    )
    order = found.sort("q_value", -pl.col("score"), "shard", "at").head(20)
    assert order["q_value"].max() <= 0.05
    assert order["score"].n_unique() < 20
    names = [ids] if isinstance(ids, str) else ids or []
    expected = [
        {
            "shard": row["shard"],
            "row": row["at"],
            "ids": {name: row[name] for name in names},
            "q_value": row["q_value"],
        }
        for row in order.iter_rows(named=True)
    ]
    assert report.summary["surest"] == expected
    page = report.to_html()
    assert "The surest rows" in page
    # What a page says of itself is to be so.
    assert "aggregated numbers, the identifiers of the surest rows, and loads nothing" in page


def test_no_row_is_named_where_none_is_sure(tmp_path: Path) -> None:
    np.save(tmp_path / "human.npy", rows(500, 3, 0.0))
    report = model().score_dataset(tmp_path / "human.npy", tmp_path / "out")
    assert report.summary["selected"]["rows"] == 0
    assert report.summary["surest"] == []
    assert "The surest rows" not in report.to_html()
    assert "aggregated numbers only and loads nothing" in report.to_html()


def test_the_summary_says_what_the_report_says(tmp_path: Path) -> None:
    report = model().score_dataset(write_shards(tmp_path / "in"), tmp_path / "out")
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary == report.summary
    found = report.prevalence
    assert summary["prevalence"]["value"] == found.value
    assert summary["histogram"]["target"] == found.histogram.bins.tolist()
    tables = pl.concat([pl.read_parquet(at) for at in (tmp_path / "out/shards").iterdir()])
    assert summary["selected"]["rows"] == (tables["q_value"] <= 0.05).sum()
    means = [
        pl.read_parquet(tmp_path / "out/shards" / shard["shard"])["probability"].mean()
        for shard in summary["shards"]
    ]
    assert means == pytest.approx([shard["share"] for shard in summary["shards"]], abs=1e-12)


@pytest.mark.parametrize(
    ("source", "arguments", "said"),
    [
        (np.zeros((3, COLUMNS)), {}, fields("source", "a folder, paths or a glob", "ndarray")),
        ("{}/none", {}, fields("source", "a file", "nothing", "{}/none")),
        ("{}", {}, fields("source", "files that end in .npy, .npz, .parquet, …", "none", "{}")),
        (
            ["{}/a.npy", "{}/a.npy"],
            {},
            fields("source", "each file once", "one twice", "{}/a.npy"),
        ),
        ("{}/a.npy", {"id_column": "score"}, fields("id_column", got="'score'")),
        (
            "{}/a.npy",
            {"id_column": ["a", "a"]},
            fields("id_column", "names of different columns", "['a', 'a']"),
        ),
        ("{}/a.npy", {"threads": 0}, fields("threads", "an integer of at least 1", "0")),
        ("{}/a.npy", {"confidence": 1}, fields("confidence", "a number between 0 and 1", "1")),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_made(
    source: object, arguments: dict[str, object], said: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    if not isinstance(source, str) or source != "{}":
        np.save(folder / "a.npy", rows(10, 1))
    if isinstance(source, str):
        source = source.format(folder)
    elif isinstance(source, list):
        source = [name.format(folder) for name in source]
    expected = {name: text.replace("{}", str(folder)) for name, text in said.items()}
    with refused(InputError, **expected):
        model().score_dataset(source, tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_metadata_of_other_rows_is_refused(tmp_path: Path) -> None:
    folder = clip(tmp_path / "in")
    table(rows(5, 1)).write_parquet(folder / "metadata/metadata_2.parquet")
    with refused(
        SourceError,
        "source",
        "shards that can be scored",
        "1 of 3 that cannot",
        "img_emb_2.npy: …expected 300 rows as in img_emb_2.npy, got 5…",
    ):
        model().score_dataset(folder, tmp_path / "out", id_column="url")

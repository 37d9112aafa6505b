"""Folders of shards: what is data, and that all else is left out by name or refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tailwatch.exceptions import SourceError
from tailwatch.io.layouts import Listing, shards_of
from tailwatch.io.pack import pack
from tests.support.errors import refused

posix = pytest.mark.skipif(os.name == "nt", reason="names, links and special files of POSIX")


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def listed(source: object) -> tuple[list[str], dict[str, list[str]]]:
    found: Listing = shards_of(source, "source", "embedding")  # type: ignore[arg-type]
    left_out = {each.reason: list(each.names) for each in found.left_out}
    assert all(each.files >= len(each.names) for each in found.left_out)
    return [shard.name for shard in found.shards], left_out


def test_every_file_is_a_shard_or_left_out_with_a_reason(tmp_path: Path) -> None:
    make(
        tmp_path,
        "a.npy",
        "b/c.PARQUET",
        "b/d.pq",
        "e.csv",
        "f.jsonl",
        "g.safetensors",
        "h.pkl",
        "i",
        ".j.npy",
        "_SUCCESS",
        "_temporary/0/k.parquet",
        "_lang=en/l.parquet",
        "_lang=en/_x/m.parquet",
    )
    shards, left_out = listed(tmp_path)
    assert shards == ["_lang=en/l.parquet", "a.npy", "b/c.PARQUET"]
    assert left_out == {
        "files that end in .pq are not read": ["b/d.pq"],
        "files that end in .csv are not read": ["e.csv"],
        "files that end in .jsonl are not read": ["f.jsonl"],
        "files that end in .safetensors are not read": ["g.safetensors"],
        "files that end in .pkl are not read": ["h.pkl"],
        "files without a suffix are not read": ["i"],
        "names that begin with '.' or '_' are not data": [
            ".j.npy",
            "_SUCCESS",
            "_lang=en/_x",
            "_temporary",
        ],
    }


def test_the_first_names_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    make(tmp_path, "a.npy", *(f"{number:03}.csv" for number in range(50)))
    found = shards_of(tmp_path, "source", "embedding")
    assert [(each.files, each.names) for each in found.left_out] == [
        (50, tuple(f"{number:03}.csv" for number in range(10)))
    ]


@posix
def test_links_are_read_once(tmp_path: Path) -> None:
    source = make(tmp_path / "source", "a.npy", "b/c.npy")
    outside = make(tmp_path / "outside", "d.npy", "e/f.npy")
    make(tmp_path, "alone.npy")
    for name, target in {
        "to-outside": outside,
        "to-b": source / "b",
        "to-itself": source,
        "to-above": tmp_path,
        "b/circle": source / "b",
        "g.npy": tmp_path / "alone.npy",
        "h.npy": source / "a.npy",
        "broken.npy": tmp_path / "nowhere",
        "loop.npy": source / "loop.npy",
    }.items():
        (source / name).symlink_to(target)
    shards, left_out = listed(source)
    assert shards == [
        "a.npy",
        "b/c.npy",
        "broken.npy",
        "g.npy",
        "loop.npy",
        "to-outside/d.npy",
        "to-outside/e/f.npy",
    ]
    assert left_out == {
        "a link to what is read anyway": ["b/circle", "h.npy", "to-b", "to-itself"],
        "a link to a folder that holds the source": ["to-above"],
    }


def test_what_tailwatch_wrote_is_no_source(tmp_path: Path) -> None:
    make(tmp_path, "a.npy", "scores/shards/a.npy.parquet", "scores/mine.npy", "other/shards/b.npy")
    first = json.dumps({"format": "tailwatch-contamination-run"}) + "\n"
    (tmp_path / "scores/manifest.jsonl").write_text(first)
    (tmp_path / "other/manifest.jsonl").write_text("{}\n")
    pack(np.zeros((3, 2), np.float32), tmp_path / "packed")
    shards, left_out = listed(tmp_path)
    assert shards == ["a.npy", "other/shards/b.npy", "scores/mine.npy"]
    assert left_out["results of score_dataset"] == ["scores/manifest.jsonl", "scores/shards"]
    assert left_out["a folder that pack wrote; it is a source of its own"] == ["packed"]
    assert left_out["files that end in .jsonl are not read"] == ["other/manifest.jsonl"]
    # A glob reaches as far, and knows as much; what it names itself is read.
    shards, left_out = listed(f"{tmp_path}/**/*.npy")
    assert shards == ["a.npy", "other/shards/b.npy", "scores/mine.npy"]
    assert list(left_out) == ["a folder that pack wrote; it is a source of its own"]
    assert listed(f"{tmp_path}/scores/shards/*.parquet")[0] == ["a.npy.parquet"]


def test_what_is_hidden_under_a_glob(tmp_path: Path) -> None:
    make(tmp_path, "a.parquet", "b/_temporary/0/c.parquet", "b/_x=1/d.parquet", "_e.parquet")
    shards, left_out = listed(f"{tmp_path}/**/*.parquet")
    assert shards == ["_e.parquet", "a.parquet", "b/_x=1/d.parquet"]
    (names,) = left_out.values()
    assert [Path(name).name for name in names] == ["c.parquet"]
    # The user names it.
    assert listed(f"{tmp_path}/b/_temporary/*/*.parquet")[0] == ["c.parquet"]


def test_caches_of_hugging_face(tmp_path: Path) -> None:
    make(tmp_path, "x/data-00000.arrow", "x/cache-0f3a.arrow", "x/old.arrow", "y/z.arrow")
    make(tmp_path, "y/cache-12ab_00001_of_00004.arrow", "y/cache.arrow")
    state = {"_data_files": [{"filename": "data-00000.arrow"}]}
    (tmp_path / "x/state.json").write_text(json.dumps(state))
    shards, left_out = listed(tmp_path)
    assert shards == ["x/data-00000.arrow", "y/cache.arrow", "y/z.arrow"]
    assert left_out["a cache of Hugging Face Datasets"] == [
        "x/cache-0f3a.arrow",
        "x/old.arrow",
        "y/cache-12ab_00001_of_00004.arrow",
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("_delta_log/0.json", "Delta Lake"),
        ("metadata/v1.metadata.json", "Iceberg"),
        (".hoodie/hoodie.properties", "Hudi"),
    ],
)
def test_tables_whose_log_says_what_is_valid_are_refused(
    name: str, kind: str, tmp_path: Path
) -> None:
    make(tmp_path / "in", "a.parquet", f"table/{name}", "table/b.parquet")
    argument, expected = f"source: {tmp_path / 'in' / 'table'}", "a folder whose files are all data"
    with refused(SourceError, argument, expected, f"a table of {kind}, whose log tells …"):
        shards_of(tmp_path / "in", "source", "embedding")


def test_a_folder_of_clip_retrieval_hides_nothing(tmp_path: Path) -> None:
    make(
        tmp_path,
        "img_emb/img_emb_0.npy",
        "img_emb/readme.txt",
        "text_emb/text_emb_0.npy",
        "metadata/metadata_0.parquet",
        "metadata/metadata_1.parquet",
        "more.parquet",
    )
    shards, left_out = listed(tmp_path)
    assert shards == ["img_emb_0.npy"]
    assert left_out == {
        "no file of clip-retrieval beside it": [
            "img_emb/readme.txt",
            "metadata/metadata_1.parquet",
        ],
        "not the arrays of the column that is read": ["more.parquet", "text_emb"],
    }


def test_a_packed_folder_hides_nothing(tmp_path: Path) -> None:
    out = pack(np.zeros((3, 2), np.float32), tmp_path / "packed")
    make(out, "embeddings/notes.txt", "more.parquet")
    shards, left_out = listed(out)
    assert shards == ["00000.npy"]
    assert left_out == {
        "files that end in .txt are not read": ["embeddings/notes.txt"],
        "not named by pack.json": ["more.parquet"],
    }
    make(out, "embeddings/00001.npy")
    with refused(
        SourceError,
        "source: …/packed/embeddings/00001.npy",
        "the files that pack.json names",
        "one more",
    ):
        shards_of(out, "source", "embedding")


@posix
@pytest.mark.parametrize("part", ["embeddings", "embeddings/00000.npy", "pack.json"])
def test_a_link_in_a_packed_folder_is_refused(part: str, tmp_path: Path) -> None:
    out = pack(np.zeros((3, 2), np.float32), tmp_path / "packed")
    (out / part).rename(tmp_path / "elsewhere")
    (out / part).symlink_to(tmp_path / "elsewhere")
    expected = "a directory of its own" if part == "embeddings" else "a regular file"
    with refused(SourceError, str(out / part), expected, f"a link to {tmp_path / 'elsewhere'}"):
        shards_of(out, "source", "embedding")


@posix
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    for name in (b"\xff.npy", b"\\xff.npy", b"\xfe.csv"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"")
    shards, left_out = listed(tmp_path)
    assert sorted(shards) == ["\\\\xff.npy", "\\xff.npy"]
    assert left_out == {"files that end in .csv are not read": ["\\xfe.csv"]}


def test_nothing_to_read_says_what_there_is(tmp_path: Path) -> None:
    make(tmp_path, "a.csv", "b.csv")
    with refused(
        SourceError,
        "source",
        got="none; left out: 2 × files that end in .csv are not read (a.csv)",
        where="…",
    ):
        shards_of(tmp_path, "source", "embedding")

"""Embeddings of the benchmarks: encoded once, kept, and dealt out so that no text is in both."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benches import embeddings as module
from benches import ladder
from benches import paragraphs as texts
from benches.recording import read, write
from benches.samples import Size, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

COLUMNS = 256


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of texts of our own, and an encoder that counts what it encodes."""
    source = tmp_path / "source"
    source.mkdir()
    words = "\n\n".join(f"{'paragraph of some length ' * 2} number {i}" for i in range(40))
    (source / "a.py").write_text(f'"""{words}\n\n{words}\n\nshort"""\n')
    monkeypatch.setenv("TAILWATCH_BENCHES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(texts, "installed_sources", lambda: [source])
    monkeypatch.setattr(module, "PIECE", 15)
    encoded: list[str] = []

    def load(_: Path) -> Callable[[Sequence[str]], NDArray[np.float32]]:
        def encode(part: Sequence[str]) -> NDArray[np.float32]:
            encoded.extend(part)
            rows = [
                np.random.default_rng(list(text.encode())).standard_normal(COLUMNS) for text in part
            ]
            return np.array([row / np.linalg.norm(row) for row in rows], np.float32)

        return encode

    stand_in = replace(module.ENCODERS[COLUMNS], package="numpy", version=np.__version__, load=load)
    monkeypatch.setitem(module.ENCODERS, COLUMNS, stand_in)
    texts.paragraphs.cache_clear()
    draw.cache_clear()
    yield tmp_path / "cache"
    assert len(encoded) == len(set(encoded))
    texts.paragraphs.cache_clear()
    draw.cache_clear()


def pieces(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.npy"))


def test_texts_are_distinct_and_no_one_is_in_both_samples(cache: Path) -> None:
    found = texts.paragraphs().texts
    assert len(found) == len(set(found)) == 40
    pair = draw(Size(20, COLUMNS), "embeddings")
    rows = {row.tobytes() for sample in pair for row in sample}
    assert len(rows) == 40
    assert len(pieces(cache)) == 3


def test_what_is_kept_is_the_beginning_of_more_and_is_not_encoded_again(cache: Path) -> None:
    few = module.embeddings(COLUMNS, 15)
    more = module.embeddings(COLUMNS, 40)
    assert np.array_equal(few, more[:15])
    before = [path.stat().st_mtime_ns for path in pieces(cache)]
    assert np.array_equal(module.embeddings(COLUMNS, 40), more)
    assert [path.stat().st_mtime_ns for path in pieces(cache)] == before


def test_a_ladder_leaves_the_results_of_other_data_alone(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("ladder", [{"rows": 1}], tmp_path)
    before = (tmp_path / "ladder.parquet").read_bytes()
    words = ["--data", "embeddings", "--columns", str(COLUMNS), "--rows", "10", "--rounds", "1"]
    monkeypatch.setattr(sys, "argv", ["ladder", *words, "--threads", "1", "--out", str(tmp_path)])
    monkeypatch.setattr(ladder, "SECONDS", 0.0)
    ladder.main()
    assert (tmp_path / "ladder.parquet").read_bytes() == before
    found = read("ladder-embeddings", tmp_path)
    assert found is not None
    assert found["data"].unique().to_list() == ["embeddings"]
    assert len(pieces(cache)) == 2


@pytest.mark.parametrize("damage", ["cut", "changed", "short"])
def test_a_damaged_piece_is_named(cache: Path, damage: str) -> None:
    vectors = module.embeddings(COLUMNS, 40)[:15]
    path = pieces(cache)[0]
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif damage == "changed":
        vectors[3, 4] += 1.0
        np.save(path, vectors)
    else:
        np.save(path, vectors[:9])
    with pytest.raises(module.EmbeddingsError, match=path.name):
        module.embeddings(COLUMNS, 40)


def test_more_than_there_are_and_other_columns_are_refused(cache: Path) -> None:
    with pytest.raises(module.EmbeddingsError, match="41"):
        module.embeddings(COLUMNS, 41)
    with pytest.raises(module.EmbeddingsError, match="255"):
        module.embeddings(255, 10)
    assert pieces(cache) == []

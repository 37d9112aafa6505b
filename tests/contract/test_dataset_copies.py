"""Copies in a data set: of each other, and of given rows, against brute force."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tailwatch.contamination.dataset import copies as counting
from tailwatch.exceptions import InputError, TailwatchWarning
from tailwatch.metrics import nearest_neighbors
from tests.support.datasets import COLUMNS, contents, model, rows, table
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATES = rows(60, 99, share=1.0)
NEAR = 0.05
# How often row i of a shard of its own is in the data set, for the first few of them.
OFTEN = {0: 40, 1: 3, 2: 2}


def shards() -> list[np.ndarray]:
    """Three shards: copies across and within them, and of the templates, exact and near."""
    first, second, third = rows(300, 1), rows(200, 2), rows(260, 3)
    again = np.repeat(first[list(OFTEN)], [times - 1 for times in OFTEN.values()], axis=0)
    shift = np.random.default_rng(5).normal(size=(7, COLUMNS))
    shift *= 0.9 * NEAR / np.linalg.norm(shift, axis=1, keepdims=True)
    near = (TEMPLATES[10:17] + shift).astype(np.float32)
    far = (TEMPLATES[20:24] + 1.5 * shift[:4]).astype(np.float32)
    parts = [first, np.concatenate([second, again[:20], TEMPLATES[:5]])]
    return [*parts, np.concatenate([third, again[20:], near, far, TEMPLATES[4:6]])]


def write(folder: Path) -> Path:
    folder.mkdir()
    for number, block in enumerate(shards()):
        table(block, first=1000 * number).write_parquet(folder / f"{number}.parquet")
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("copies") / "in")


def counted() -> dict[str, float]:
    """The counts by brute force."""
    whole = np.concatenate(shards())
    _, sizes = np.unique(whole, axis=0, return_counts=True)
    return {
        "rows": len(whole),
        "different": len(sizes),
        "repeated": sizes[sizes > 1].sum(),
        "most": sizes.max(),
        "effective": len(whole) ** 2 / (sizes**2).sum(),
    }


def score(source: Path, out: Path, **arguments: object) -> dict[str, object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TailwatchWarning)
        return model().score_dataset(source, out, **arguments).summary["copies"]  # type: ignore[arg-type]


def test_copies_of_each_other_are_those_of_brute_force(source: Path, tmp_path: Path) -> None:
    found = score(source, tmp_path / "out")
    expected = counted()
    assert expected["most"] == OFTEN[0]
    assert expected["repeated"] == sum(OFTEN.values()) + 2
    assert found == {**expected, "of": None}
    hashes = pl.concat(
        [pl.read_parquet(file) for file in sorted((tmp_path / "out/shards").iterdir())]
    )["content_hash"]
    _, groups = np.unique(np.concatenate(shards()), axis=0, return_inverse=True)
    assert hashes.dtype == pl.UInt64
    pairs = {(int(group), int(each)) for group, each in zip(groups, hashes, strict=True)}
    assert len(pairs) == expected["different"] == hashes.n_unique()


@pytest.mark.parametrize("rows_in_memory", [1, 50, 400])
def test_counting_in_parts_gives_the_same(
    rows_in_memory: int, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(source, tmp_path / "expected", copies_of=TEMPLATES)
    monkeypatch.setattr(counting, "ROWS_IN_MEMORY", rows_in_memory)
    score(source, tmp_path / "out", copies_of=TEMPLATES)
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


def test_copies_of_given_rows_are_told_one_by_one(source: Path, tmp_path: Path) -> None:
    found = score(
        source, tmp_path / "out", copies_of=TEMPLATES, copy_distance=NEAR, id_column="url"
    )
    assert found["of"] == {"rows": len(TEMPLATES), "distance": NEAR, "exact": 7, "near": 7}
    tables = pl.concat(
        [pl.read_parquet(file) for file in sorted((tmp_path / "out/shards").iterdir())]
    )
    assert tables.columns[-3:] == ["content_hash", "copy_of", "copy_distance"]
    distances, numbers = nearest_neighbors(np.concatenate(shards()), TEMPLATES, k=1)
    near = distances[:, 0] <= NEAR
    assert tables["copy_of"].is_not_null().to_numpy().tolist() == near.tolist()
    copies = tables.drop_nulls("copy_of")
    assert copies["copy_of"].to_list() == numbers[near, 0].tolist()
    assert copies["copy_distance"].to_list() == distances[near, 0].tolist()


def test_the_default_distance_is_a_tenth_of_the_spread(source: Path, tmp_path: Path) -> None:
    found = score(source, tmp_path / "out", copies_of=TEMPLATES)
    differences = TEMPLATES[:, None].astype(float) - TEMPLATES[None]
    pairs = len(TEMPLATES) * (len(TEMPLATES) - 1)
    spread = np.sqrt((differences**2).sum() / pairs)
    assert isinstance(found["of"], dict)
    assert found["of"]["distance"] == pytest.approx(0.1 * spread, rel=1e-12)


def test_a_copy_of_another_type_is_near(tmp_path: Path) -> None:
    half = TEMPLATES[:9].astype(np.float16)
    np.save(tmp_path / "a.npy", np.concatenate([rows(200, 7).astype(np.float16), half]))
    found = score(tmp_path / "a.npy", tmp_path / "out", copies_of=TEMPLATES)["of"]
    assert isinstance(found, dict)
    assert found["exact"] + found["near"] == 9
    assert found["near"] > 0


def test_many_copies_are_warned_of_and_few_are_not(source: Path, tmp_path: Path) -> None:
    with pytest.warns(TailwatchWarning, match=r"^copies: .* no more than [0-9]+ independent"):
        report = model().score_dataset(source, tmp_path / "out")
    note = next(text for text in report.summary["warnings"] if text.startswith("copies: "))
    assert f"{counted()['effective']:,.0f} independent" in note
    np.save(tmp_path / "b.npy", np.concatenate([rows(900, 8), rows(9, 8)]))
    summary = model().score_dataset(tmp_path / "b.npy", tmp_path / "few").summary
    assert not any(text.startswith("copies: ") for text in summary["warnings"])


def test_a_run_of_other_given_rows_is_not_mixed_in(source: Path, tmp_path: Path) -> None:
    score(source, tmp_path / "out", copies_of=TEMPLATES)
    before = contents(tmp_path / "out")
    for other in (
        {},
        {"copies_of": TEMPLATES[1:]},
        {"copies_of": TEMPLATES, "copy_distance": 0.0},
    ):
        with refused(InputError, "out_dir", "copies_of …", "{'rows': …", "…/out/manifest.jsonl"):
            model().score_dataset(source, tmp_path / "out", **other)  # type: ignore[arg-type]
    assert contents(tmp_path / "out") == before
    # In another form the rows are the same.
    np.save(tmp_path / "templates.npy", TEMPLATES)
    score(source, tmp_path / "out", copies_of=tmp_path / "templates.npy")
    assert contents(tmp_path / "out") == before


def test_new_shards_are_compared_with_those_that_are_done(source: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "in")
    (folder / "2.parquet").rename(tmp_path / "later.parquet")
    score(folder, tmp_path / "out", copies_of=TEMPLATES)
    (tmp_path / "later.parquet").rename(folder / "2.parquet")
    score(folder, tmp_path / "out", copies_of=TEMPLATES)
    score(source, tmp_path / "expected", copies_of=TEMPLATES)
    found, expected = contents(tmp_path / "out"), contents(tmp_path / "expected")
    assert (
        json.loads(found["summary.json"])["copies"]
        == json.loads(expected["summary.json"])["copies"]
    )
    assert all(found[name] == expected[name] for name in expected if name.startswith("shards/"))


def with_nan() -> np.ndarray:
    bad = TEMPLATES.copy()
    bad[7, 2] = np.nan
    return bad


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"copy_distance": 0.1}, fields("copy_distance", "copies_of beside it", "none")),
        (
            {"copies_of": TEMPLATES, "copy_distance": -1.0},
            fields("copy_distance", "a finite number of at least 0", "-1.0"),
        ),
        (
            {"copies_of": TEMPLATES, "copy_distance": np.inf},
            fields("copy_distance", "a finite number of at least 0", "inf"),
        ),
        (
            {"copies_of": TEMPLATES, "copy_distance": "x"},
            fields("copy_distance", "a number", "'x'"),
        ),
        (
            {"copies_of": TEMPLATES[:, :3]},
            fields("copies_of", "16 columns as the references have", "3"),
        ),
        (
            {"copies_of": with_nan()},
            fields(
                "copies_of", "finite values of magnitudes up to 1e+150", "nan", "row 7, column 2"
            ),
        ),
        ({"copies_of": TEMPLATES[:1]}, fields("copies_of", "at least two rows", "1")),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_made(
    arguments: dict[str, object], said: dict[str, str], source: Path, tmp_path: Path
) -> None:
    with refused(InputError, **said):
        model().score_dataset(source, tmp_path / "out", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()

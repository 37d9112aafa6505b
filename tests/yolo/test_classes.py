"""The number of a class is its identity, whatever its name; and what its statistics cost."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError
from tailwatch.yolo import DetectionDataset
from tailwatch.yolo.dataset import IMAGES
from tailwatch.yolo.detections import SCHEMA, class_labels
from tailwatch.yolo.pictures import draw, side_by_side
from tailwatch.yolo.statistics import statistics
from tests.support.errors import fields, refused
from tests.yolo.scenes import NumpyDetector, scenes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TROUBLE = ("\x00", "\x1b[31mred", "\ufffe", "a\nb", "<b>&\"'", "日本", "😀", "\u202eevil", "a;b: c")


def renamed(data: DetectionDataset, names: Sequence[str]) -> DetectionDataset:
    return DetectionDataset(tuple(names), data.images, data.boxes)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        ("abc", ("a", "b", "c")),
        ("aba", ("a #0", "b", "a #2")),
        (("a", "a", "a #0"), ("a #0 #0", "a #1", "a #0 #2")),
        (("", " ", "x"), (" #0", "  #1", "x")),
        (("tail classes", "all classes", "x"), ("tail classes #0", "all classes #1", "x")),
        (("A", "a", "á"), ("A", "a", "á")),
    ],
)
def test_a_name_that_says_too_little_is_numbered(
    names: Sequence[str], labels: tuple[str, ...]
) -> None:
    assert class_labels(names) == labels


def test_what_has_no_value_says_why(tmp_path: Path) -> None:
    data = scenes(tmp_path / "drawn", 30, seed=3)
    rows = statistics(data, DetectionDataset(data.names, data.images, data.boxes.clear()))
    missing = [each["metric"] for each in rows if each["value"] is None]
    assert "tail_class_mass" in missing
    assert not [each for each in rows if not (each.get("method") or each.get("reason"))]


@given(st.lists(st.sampled_from(["a", "a #0", "a #1", "", "b", "tail classes", "a #0 #0"])))
def test_labels_are_one_to_one(names: list[str]) -> None:
    labels = class_labels(names)
    assert len(set(labels)) == len(labels) == len(names)
    assert not {"tail classes", "all classes", ""} & set(labels)


@pytest.mark.parametrize(
    "names", [("a", "b", "a"), ("a", "a", "a"), ("tail classes", "b", "b"), TROUBLE[:3]]
)
def test_each_class_has_rows_of_its_own(tmp_path: Path, names: tuple[str, ...]) -> None:
    data = scenes(tmp_path / "drawn", 30, seed=3)
    plain = statistics(data, data)
    named = statistics(renamed(data, names), renamed(data, names))
    labels = class_labels(names)
    swap = dict(zip(("red", "green", "blue"), labels, strict=True))
    expected = [
        each | {"metric": f"class_share:{swap[each['metric'].partition(':')[2]]}"}
        if each["metric"].startswith("class_share:")
        else each
        for each in plain
    ]
    assert named == expected


def test_two_classes_of_one_name_go_through_a_whole_run(tmp_path: Path) -> None:
    data = renamed(scenes(tmp_path / "data", 12, seed=3), ("a", "b", "a"))
    test = renamed(scenes(tmp_path / "test", 6, seed=2), ("a", "b", "a"))
    learner = tw.yolo.YoloLearner(pool=data, detector=NumpyDetector(), confidence=0.3)
    frames = {}
    for seed in range(2):
        run = tw.recursion.run(
            learner, data, holdout=test, policy=tw.recursion.Replace(), generations=1, seed=seed
        )
        frames[seed] = run.frame
        keys = run.frame.select("generation", "group", "metric", "level")
        assert keys.is_unique().all()
    joined = tw.yolo.over_seeds(frames).filter(pl.col("metric").str.starts_with("ap50:"))
    plain = tw.yolo.YoloLearner(pool=renamed(data, "xyz"), detector=NumpyDetector(), confidence=0.3)
    other = tw.recursion.run(
        plain,
        renamed(data, "xyz"),
        holdout=renamed(test, "xyz"),
        policy=tw.recursion.Replace(),
        generations=1,
    )
    expected = other.frame.filter(pl.col("metric").str.starts_with("ap50:"))
    assert joined["metric"].to_list() == ["ap50:a #0", "ap50:b", "ap50:a #2"]
    assert joined["value"].to_list() == expected["value"].to_list()


def test_thresholds_are_of_a_class_and_not_of_a_name(tmp_path: Path) -> None:
    data = renamed(scenes(tmp_path, 4), ("a", "b", "a"))

    def learner(**thresholds: float) -> tw.yolo.YoloLearner:
        return tw.yolo.YoloLearner(pool=data, detector=NumpyDetector(), class_confidence=thresholds)

    chosen = learner(**{"a #2": 0.9})._labelling.thresholds(data.names)
    assert chosen.tolist() == [0.25, 0.25, 0.9]
    hint = "several classes have this name…"
    with refused(InputError, "class_confidence", got="'a'", hint=hint):
        learner(a=0.9)


@pytest.mark.parametrize("name", TROUBLE)
def test_a_name_of_any_character_goes_everywhere(tmp_path: Path, name: str) -> None:
    data = renamed(scenes(tmp_path / "drawn", 4, seed=3), (name, "b", name))
    kept = DetectionDataset.load(data.save(tmp_path / "set"))
    assert kept.names == data.names
    assert DetectionDataset.from_yaml(tmp_path / "set" / "data.yaml").names == data.names
    assert (tmp_path / "set" / "data.yaml").read_bytes().isascii()
    assert draw(data, 0)[:2] == b"\xff\xd8"
    frame = pl.DataFrame(statistics(data, data), infer_schema_length=None)
    frame.write_parquet(tmp_path / "frame.parquet")
    assert pl.read_parquet(tmp_path / "frame.parquet").equals(frame)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("{0: a, x: b}", fields("…/data.yaml", "names with the numbers 0 to 1")),
        ("{a: b}", fields("…/data.yaml", "names with the numbers 0 to 0")),
        ("{0: a, 0.5: b}", fields("…/data.yaml", "names with the numbers 0 to 1")),
        ("[a, [b]]", fields("…/data.yaml", "text as the name of class 1", "['b']")),
        ("[a, {b: c}]", fields("…/data.yaml", "text as the name of class 1", "{'b': 'c'}")),
        ('["\\ud800"]', fields("…/data.yaml", "…")),
        ("abc", fields("…/data.yaml", "a list or a mapping as names", "abc")),
        ("{true: a, 0: b}", fields("…/data.yaml", "names with the numbers 0 to 1")),
    ],
)
def test_names_that_are_none_are_one_error(
    tmp_path: Path, names: str, said: dict[str, str]
) -> None:
    (tmp_path / "data.yaml").write_text(f"train: .\nnames: {names}\n")
    with refused(SourceError, **said):
        DetectionDataset.from_yaml(tmp_path / "data.yaml")


def test_numbers_may_be_text(tmp_path: Path) -> None:
    data = scenes(tmp_path / "drawn", 2)
    data.save(tmp_path / "set")
    (tmp_path / "set" / "data.yaml").write_text("train: images\nnames: {'1': b, '0': a, '2': c}\n")
    assert DetectionDataset.from_yaml(tmp_path / "set" / "data.yaml").names == ("a", "b", "c")


def many(images: int, classes: int, boxes: int, seed: int) -> DetectionDataset:
    rng = np.random.default_rng(seed)
    rows = pl.DataFrame(
        {
            "path": [f"{n}.png" for n in range(images)],
            "sha256": [f"{n:064d}" for n in range(images)],
            "width": 64,
            "height": 64,
            "origin": "human",
            "teacher": None,
        },
        schema=IMAGES,
    )
    table = {name: rng.random(boxes) * 0.2 for name in ("x", "y", "w", "h")}
    table |= {
        "image": np.sort(rng.integers(images, size=boxes)),
        "class": rng.integers(classes, size=boxes),
        "confidence": None,
    }
    names = tuple(f"class {number}" for number in range(classes))
    found = pl.DataFrame(table).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    return DetectionDataset(names, rows, found)


def test_memory_grows_with_images_and_classes_and_not_with_both() -> None:
    # A table for each cut would take 200 × 1,000 × 300 × 8 bytes, 480 MB, for either half.
    tracemalloc.start()
    try:
        statistics(many(2000, 300, 3000, 0), many(2000, 300, 3000, 1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100e6


def test_counts_by_cut_are_those_of_the_whole_table() -> None:
    data, sample = many(40, 7, 150, 0), many(30, 7, 90, 1)
    x, y = data.class_counts(), sample.class_counts()
    from tailwatch.yolo.statistics import Cuts

    shares = []
    for _, _, c in Cuts(40, 30):
        counts = y[c].sum(axis=0)
        shares.append(counts / counts.sum())
    rows = {row["metric"]: row for row in statistics(data, sample)}
    for number in range(7):
        found = rows[f"class_share:class {number}"]["value"]
        assert found == pytest.approx(np.mean(shares, axis=0)[number])
    assert data.class_totals().tolist() == x.sum(axis=0).tolist()


def test_pictures_are_chosen_by_the_boxes_that_were_lost(tmp_path: Path) -> None:
    data = scenes(tmp_path, 12, seed=3)
    last = DetectionDataset(data.names, data.images, data.boxes.filter(pl.col("class") != 2))
    pictures = side_by_side(data, {"replace": (data, last)})
    blue = data.class_counts()[:, 2]
    lost = [data.images["sha256"][int(n)][:12] for n in np.argsort(-blue, kind="stable")]
    chosen = list(dict.fromkeys(picture.image for picture in pictures))
    assert set(chosen[: int((blue > 0).sum())]) <= set(lost[: max(int((blue > 0).sum()), 4)])

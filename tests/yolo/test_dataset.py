"""Sets of detections: exact labels, immutable folders, and a user's data.yaml."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tailwatch.exceptions import InputError, SourceError
from tailwatch.yolo import DetectionDataset
from tailwatch.yolo.data_yaml import label_path
from tailwatch.yolo.detections import label_text, read_labels
from tests.support.errors import fields, refused
from tests.yolo.scenes import NAMES, scenes

# Positions that have no short decimal form, at the edges, and of the last bit.
BOXES = [
    (2, 1 / 3, 2 / 7, np.nextafter(0.25, 1), 1e-7),
    (0, 0.0, 1.0, 1.0, 1.0),
    (1, 0.1 + 0.2, 0.5, 5e-324, 0.999999999999),
]


@pytest.fixture
def human(tmp_path: Path) -> DetectionDataset:
    return scenes(tmp_path / "drawn", 12)


def pseudo(human: DetectionDataset) -> DetectionDataset:
    found = human.boxes.with_columns(
        confidence=pl.Series(np.linspace(0.3, 0.9, human.boxes.height))
    )
    return human.relabelled(found, teacher="ab" * 32)


def test_labels_come_back_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(label_text(BOXES))
    assert read_labels(path, 3) == BOXES
    assert all(len(line.split()) == 5 for line in path.read_text().splitlines())


def test_an_image_without_a_box_has_an_empty_label_file(
    human: DetectionDataset, tmp_path: Path
) -> None:
    folder = human.save(tmp_path / "set")
    empty = [number for number, boxes in enumerate(human.boxes_of()) if not boxes]
    assert empty
    for number in range(len(human)):
        file = folder / "labels" / f"{number:06d}.txt"
        assert file.is_file()
        assert (file.read_text() == "") == (number in empty)


def test_a_saved_set_comes_back(human: DetectionDataset, tmp_path: Path) -> None:
    for name, data in (("human", human), ("pseudo", pseudo(human))):
        found = DetectionDataset.load(data.save(tmp_path / name))
        assert found.names == data.names
        assert found.boxes.equals(data.boxes)
        assert found.images.drop("path").equals(data.images.drop("path"))
        assert found.fingerprint() == data.fingerprint()


def test_images_are_linked_and_not_copied(human: DetectionDataset, tmp_path: Path) -> None:
    folder = human.save(tmp_path / "set")
    assert (folder / "images" / "000003.png").samefile(human.images["path"][3])


def test_images_are_copied_where_links_cannot_be(
    human: DetectionDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    folder = human.save(tmp_path / "set")
    copied = folder / "images" / "000003.png"
    assert copied.read_bytes() == Path(human.images["path"][3]).read_bytes()
    assert not copied.samefile(human.images["path"][3])


def test_the_manifest_says_where_labels_come_from(human: DetectionDataset, tmp_path: Path) -> None:
    data = human.concat([pseudo(human)])
    manifest = pl.read_parquet(data.save(tmp_path / "set") / "manifest.parquet")
    assert manifest["origin"].to_list() == ["human"] * 12 + ["pseudo"] * 12
    assert manifest["teacher"].to_list() == [None] * 12 + ["ab" * 32] * 12
    assert manifest["sha256"].to_list() == 2 * human.images["sha256"].to_list()
    given = [value for each in manifest["confidences"][12:] for value in each if value is not None]
    assert given == pseudo(human).boxes["confidence"].to_list()


def test_a_folder_is_written_once(human: DetectionDataset, tmp_path: Path) -> None:
    folder = human.save(tmp_path / "set")
    with refused(
        InputError,
        "directory",
        "an empty folder, as sets are never changed",
        "one that holds something",
        "…/set",
    ):
        human.save(folder)


def test_an_edit_of_the_same_size_is_found_out(human: DetectionDataset, tmp_path: Path) -> None:
    # Ultralytics' cache would go on with the old labels: sizes are all it looks at.
    folder = human.save(tmp_path / "set")
    number = next(n for n, boxes in enumerate(human.boxes_of()) if boxes and boxes[0][0] == 0)
    file = folder / "labels" / f"{number:06d}.txt"
    text = file.read_text()
    file.write_text("1" + text[1:])
    assert file.stat().st_size == len(text)
    with refused(
        SourceError, "…/set", "the labels that were written, as sets are never changed", "others"
    ):
        DetectionDataset.load(folder)


def test_rows_are_taken_in_order_and_twice_if_asked(human: DetectionDataset) -> None:
    chosen = [7, 2, 7]
    taken = human.take(np.array(chosen))
    assert taken.boxes_of() == [human.boxes_of()[number] for number in chosen]
    assert taken.images["sha256"].to_list() == [human.images["sha256"][n] for n in chosen]
    assert len(human.take(np.array([], np.int64))) == 0
    with refused(InputError, "indices", "numbers from 0 to 11", "12"):
        human.take(np.array([12]))


def test_sets_are_joined_in_order(human: DetectionDataset) -> None:
    first, second = human.take(np.arange(5)), human.take(np.arange(5, 12))
    joined = first.concat([second])
    assert joined.fingerprint() == human.fingerprint()
    assert second.concat([first]).fingerprint() != human.fingerprint()
    other = DetectionDataset(("a", "b", "c"), human.images, human.boxes)
    with refused(InputError, "others", "the classes ('red', 'green', 'blue')", "('a', 'b', 'c')"):
        human.concat([other])


@pytest.mark.parametrize("column", ["x", "confidence", "class"])
def test_fingerprints_see_every_bit_of_the_labels(human: DetectionDataset, column: str) -> None:
    data = pseudo(human)
    values = data.boxes[column].to_numpy().copy()
    values[0] = np.nextafter(values[0], 2) if column != "class" else (values[0] + 1) % 3
    changed = data.boxes.with_columns(pl.Series(column, values, dtype=data.boxes[column].dtype))
    assert data.relabelled(changed, teacher="ab" * 32).fingerprint() != data.fingerprint()


def test_counts_by_image_and_class(human: DetectionDataset) -> None:
    counts = human.class_counts()
    assert counts.shape == (12, 3)
    assert counts.sum() == human.boxes.height
    for number, boxes in enumerate(human.boxes_of()):
        assert counts[number].tolist() == [sum(box[0] == c for box in boxes) for c in range(3)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "0 0.5 0.5 0.1 0.1 0.9",
            fields("…/bad.txt: line 3", "five columns, …", "6", hint="a column of confidences …"),
        ),
        ("0 0.5 0.5 0.1", fields("…/bad.txt: line 3", "five columns, class x y w h", "4")),
        ("x 0.5 0.5 0.1 0.1", fields("…/bad.txt: line 3", "five numbers", "'x 0.5 0.5 0.1 0.1'")),
        ("3 0.5 0.5 0.1 0.1", fields("…/bad.txt: line 3", "a class from 0 to 2", "3")),
        ("0.5 0.5 0.5 0.1 0.1", fields("…/bad.txt: line 3", "a class from 0 to 2", "0.5")),
        ("-1 0.5 0.5 0.1 0.1", fields("…/bad.txt: line 3", "a class from 0 to 2", "-1")),
        (
            "0 50 0.5 0.1 0.1",
            fields("…/bad.txt: line 3", "x, y, w, h as shares of the image", "50 0.5 0.1 0.1"),
        ),
        (
            "0 nan 0.5 0.1 0.1",
            fields("…/bad.txt: line 3", "x, y, w, h as shares of the image", "nan 0.5 0.1 0.1"),
        ),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, said: dict[str, str]) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(f"0 0.5 0.5 0.1 0.1\n\n{line}\n")
    with refused(SourceError, **said):
        read_labels(path, 3)


def write_yaml(folder: Path, human: DetectionDataset, text: str) -> Path:
    for name, first in (("train", 0), ("val", 8)):
        part = human.take(np.arange(first, first + 4)).save(folder / "made" / name)
        for kind in ("images", "labels"):
            (folder / kind).mkdir(exist_ok=True)
            (part / kind).rename(folder / kind / name)
    path = folder / "data.yaml"
    path.write_text(text)
    return path


NAMES_LIST = "names: [red, green, blue]\n"


@pytest.mark.parametrize(
    "text",
    [
        "train: images/train\nval: images/val\n" + NAMES_LIST,
        "path: .\ntrain: images/train\nval: [images/val]\nnames: {0: red, 1: green, 2: blue}\n",
        "train: list.txt\nval: images/val\nnc: 3\n" + NAMES_LIST,
        "train: ../images/train\nval: ../images/val\ndownload: 1/0\n" + NAMES_LIST,
    ],
)
def test_a_data_yaml_is_read_as_ultralytics_reads_it(
    human: DetectionDataset, tmp_path: Path, text: str
) -> None:
    path = write_yaml(tmp_path, human, text)
    listed = (f"./images/train/{number:06d}.png\n" for number in range(4))
    (tmp_path / "list.txt").write_text("".join(listed))
    for split, first in (("train", 0), ("val", 8)):
        found = DetectionDataset.from_yaml(path, split=split, origin="human")
        assert found.names == NAMES
        assert found.fingerprint() == human.take(np.arange(first, first + 4)).fingerprint()


def test_a_missing_label_file_is_an_image_without_a_box(
    human: DetectionDataset, tmp_path: Path
) -> None:
    path = write_yaml(tmp_path, human, "train: images/train\nval: images/val\n" + NAMES_LIST)
    number = next(n for n, boxes in enumerate(human.boxes_of()[:4]) if boxes)
    (tmp_path / "labels" / "train" / f"{number:06d}.txt").unlink()
    assert DetectionDataset.from_yaml(path).boxes_of()[number] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "train: nowhere\n" + NAMES_LIST,
            fields(
                "…/data.yaml",
                "folders and files that exist",
                "no …/nowhere",
                hint="nothing is downloaded",
            ),
        ),
        ("val: images\n" + NAMES_LIST, fields("…/data.yaml", "the set 'train'", "val, names")),
        ("train: images\n", fields("…/data.yaml", "names, …", "None")),
        (
            "train: images\nnames: {1: a, 2: b}\n",
            fields("…/data.yaml", "names with the numbers 0 to 1"),
        ),
        (
            "train: empty\n" + NAMES_LIST,
            fields("…/data.yaml", "images in the set 'train'", "none in empty"),
        ),
        ("- a list\n", fields("…/data.yaml", "a mapping with train, val and names", "list")),
        (
            "train: [\n",
            fields("…/data.yaml", "a file that can be read", "while parsing …"),
        ),
    ],
)
def test_a_bad_data_yaml_is_named(tmp_path: Path, text: str, said: dict[str, str]) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "empty").mkdir()
    path = tmp_path / "data.yaml"
    path.write_text(text)
    with refused(SourceError, **said):
        DetectionDataset.from_yaml(path)


def test_a_missing_data_yaml_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    with refused(
        SourceError, "…/coco8.yaml", "a data.yaml", "no file", hint="nothing is downloaded…"
    ):
        DetectionDataset.from_yaml(tmp_path / "coco8.yaml")


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "a.png"
    bad.write_text("no pixels")
    with refused(SourceError, "…/a.png", "an image file", "one that Pillow cannot read (…)"):
        DetectionDataset.from_images([bad], [[]], names=["thing"])


@pytest.mark.parametrize(
    ("image", "labels"),
    [
        ("a/images/b.jpg", "a/labels/b.txt"),
        ("images/images/b.v2.jpg", "images/labels/b.v2.txt"),
        ("a/pictures/b.jpg", "a/pictures/b.txt"),
    ],
)
def test_labels_are_beside_images(image: str, labels: str) -> None:
    assert label_path(Path(image)) == Path(labels)

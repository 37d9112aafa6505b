"""The texts of errors of ``tailwatch.yolo``, as ``tests/unit/test_error_texts.py`` has the others.

``@`` stands for the folder of the test, ``…`` for what another library says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import TailwatchError
from tailwatch.yolo import DetectionDataset
from tailwatch.yolo.checkpoints import check_model
from tailwatch.yolo.detections import read_labels
from tailwatch.yolo.instances import read_rows
from tailwatch.yolo.tasks import Task
from tests.support.errors import is_like
from tests.yolo.scenes import NumpyDetector, scenes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = "names: [red, green, blue]\n"


def holding(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def learner(at: Path, **changes: object) -> tw.yolo.YoloLearner:
    return tw.yolo.YoloLearner(pool=scenes(at, 4), detector=NumpyDetector(), **changes)  # type: ignore[arg-type]


def described(at: Path, text: str) -> object:
    return DetectionDataset.from_yaml(holding(at / "data.yaml", text))


def labelled(at: Path, line: str) -> object:
    return read_labels(holding(at / "a.txt", f"{line}\n"), 3)


def outlined(at: Path, line: str) -> object:
    return read_rows(Task.SEGMENT, holding(at / "a.txt", f"{line}\n"), 3)


def saved_twice(at: Path) -> object:
    data = scenes(at / "drawn", 4)
    data.save(at / "set")
    return data.save(at / "set")


def exchanged(at: Path) -> object:
    folder = scenes(at / "drawn", 4).save(at / "set")
    holding(folder / "images" / "000002.png", "others")
    return DetectionDataset.load(folder)


# What causes an error, and the text of it.
TEXTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no data.yaml": (
        lambda at: DetectionDataset.from_yaml(at / "coco8.yaml"),
        ("@/coco8.yaml: no such data.yaml; nothing is downloaded, so it must be on disk"),
    ),
    "a data.yaml that is none": (
        lambda at: described(at, "- a list\n"),
        "@/data.yaml: expected a mapping with train, val and names, got list",
    ),
    "a set that is not there": (
        lambda at: described(at, "val: images\n" + NAMES),
        "@/data.yaml: expected the set 'train', got val, names",
    ),
    "a folder that is not there": (
        lambda at: described(at, "train: none\n" + NAMES),
        (
            "@/data.yaml: expected folders and files that exist, got no @/none; nothing is "
            "downloaded"
        ),
    ),
    "a folder without images": (
        lambda at: described(at, "train: .\n" + NAMES),
        (
            "@/data.yaml: expected images in the set 'train', got none in .; image files "
            "end in .avif, .bmp, .dng, .heic, .heif, .jp2, .jpeg, .jpg, .mpo, .png, .tif, .tiff, "
            ".webp"
        ),
    ),
    "numbers of classes": (
        lambda at: described(at, "train: .\nnames: {1: a, 2: b}\n"),
        "@/data.yaml: expected names with the numbers 0 to 1, got [1, 2]",
    ),
    "no names": (
        lambda at: described(at, "train: .\n"),
        ("@/data.yaml: expected names, a list or mapping of the classes, at most 65,535, got None"),
    ),
    "four columns of labels": (
        lambda at: labelled(at, "0 0.5 0.5 0.1"),
        "@/a.txt: line 1: expected five columns, class x y w h, got 4",
    ),
    "confidences among labels": (
        lambda at: labelled(at, "0 0.5 0.5 0.1 0.1 0.9"),
        (
            "@/a.txt: line 1: expected five columns, class x y w h, got 6; a column of "
            "confidences makes Ultralytics drop the image"
        ),
    ),
    "another class": (
        lambda at: labelled(at, "3 0.5 0.5 0.1 0.1"),
        "@/a.txt: line 1: expected a class from 0 to 2, got 3",
    ),
    "pixels for shares": (
        lambda at: labelled(at, "0 50 0.5 0.1 0.1"),
        "@/a.txt: line 1: expected x, y, w, h as shares of the image, got 50 0.5 0.1 0.1",
    ),
    "boxes among polygons": (
        lambda at: outlined(at, "0 0.5 0.5 0.1 0.1"),
        (
            "@/a.txt: line 1: expected a class and at least three points, x1 y1 x2 y2 x3 y3, got 5 "
            "columns; a box, of which no mask can be learnt; task='detect' reads boxes"
        ),
    ),
    "half a point": (
        lambda at: outlined(at, "0 0 0 1 0 1 1 0"),
        (
            "@/a.txt: line 1: expected a class and at least three points, x1 y1 x2 y2 x3 y3, got 8 "
            "columns"
        ),
    ),
    "a point outside": (
        lambda at: outlined(at, "0 0 0 1 0 1 7"),
        "@/a.txt: line 1: expected points as shares of the image, got 7",
    ),
    "a task that is not built": (
        lambda at: learner(at, task="pose"),
        "task: expected detect or segment, got 'pose', which is not built",
    ),
    "a model of another task": (
        lambda _: check_model("yolo26n-pose.yaml"),
        (
            "yolo26n-pose.yaml: expected a model that detects boxes or segments instances, got one "
            "for the task pose"
        ),
    ),
    "boxes for a model that segments": (
        lambda at: learner(at, task="segment").fit(scenes(at, 4), rng=np.random.default_rng(0)),
        (
            "data: expected instances with polygons, as the model segments instances, got boxes; "
            "read the data with task='segment'"
        ),
    ),
    "no image": (
        lambda at: DetectionDataset.from_images(
            [holding(at / "a.png", "no pixels")], [[]], names=["thing"]
        ),
        (
            "@/a.png: expected an image file, got one that Pillow cannot read (cannot "
            "identify image file '@/a.png')"
        ),
    ),
    "a set that is there": (
        saved_twice,
        (
            "directory: expected an empty folder, as sets are never changed, got one that "
            "holds something (@/set)"
        ),
    ),
    "an image that was exchanged": (
        exchanged,
        (
            "@/set: expected the images that were written, as sets are never changed, got "
            "another (000002.png)"
        ),
    ),
    "no set": (
        DetectionDataset.load,
        "@: expected a folder with manifest.parquet, got none",
    ),
    "a place to start from": (
        lambda at: learner(at, start="sideways"),
        "start: expected one of scratch, base, previous, got 'sideways'",
    ),
    "a confidence": (
        lambda at: learner(at, confidence=0),
        "confidence: expected above 0 and at most 1, got 0",
    ),
    "a confidence of no class": (
        lambda at: learner(at, class_confidence={"purple": 0.5}),
        "class_confidence: expected classes among ('red', 'green', 'blue'), got 'purple'",
    ),
    "uncertain images": (
        lambda at: learner(at, uncertain="keep"),
        "uncertain: expected 'background' or 'drop', got 'keep'",
    ),
    "weights that are not there": (
        lambda at: check_model(at / "yolo26n.pt"),
        (
            "@/yolo26n.pt: no such file of weights; nothing is downloaded: "
            "put it there, or begin from an architecture, such as yolo26n.yaml"
        ),
    ),
    "an unknown architecture": (
        lambda _: check_model("yolo99z.yaml"),
        "yolo99z.yaml: no such file, and no architecture of Ultralytics",
    ),
    "weights that are none": (
        lambda at: check_model(holding(at / "a.pt", "no weights")),
        "@/a.pt: expected weights as Ultralytics saves them, got TypeError: …",
    ),
    "settings that tailwatch sets": (
        lambda _: tw.yolo.UltralyticsDetector(model="yolo26n.yaml", settings={"amp": True}),
        (
            "settings: expected training arguments that a run leaves open, got amp; "
            "amp: tailwatch has an argument of this name"
        ),
    ),
    "a size of images": (
        lambda _: tw.yolo.UltralyticsDetector(model="yolo26n.yaml", imgsz=100),
        "imgsz: expected a multiple of 32, got 100",
    ),
    "no images to embed": (
        lambda at: tw.yolo.embed(at / "none", weights=at / "a.pt"),
        ("source: expected images and folders that exist, got no @/none; nothing is downloaded"),
    ),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_the_text_of_an_error(kind: str, tmp_path: Path) -> None:
    cause, text_of = TEXTS[kind]
    with pytest.raises(TailwatchError) as caught:
        cause(tmp_path)
    said = str(caught.value).replace(str(tmp_path), "@")
    assert is_like(said, text_of), said

"""Sets are read as Ultralytics reads them: images, sizes, boxes and refusals, by its own loader.

What differs is in the table "Read otherwise" of docs/guide/yolo.md, by the names of the sets.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pytest

from tailwatch.exceptions import TailwatchError
from tailwatch.io.settings_text import parse_yaml
from tailwatch.yolo import DetectionDataset
from tailwatch.yolo.environment import packaged_file, ultralytics
from tailwatch.yolo.extra import extra
from tests.yolo.drawn_sets import BOX, DRAWN, Drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "yolo.md"


@dataclass
class Read:
    """Path, width, height and boxes of each image, in order; and whether any was passed over."""

    images: list[tuple[str, int, int, list[tuple[float, ...]]]]
    complete: bool
    names: tuple[str, ...] = ()
    why: str = ""


REFUSED = Read([], complete=False)


def listed() -> set[str]:
    """What the guide says is read otherwise."""
    text = GUIDE.read_text(encoding="utf-8").partition("### Read otherwise")[2]
    return set(re.findall(r"^\| ([^|]+?) \|", text.partition("\n#")[0], re.MULTILINE)[1:]) - {"---"}


@pytest.fixture(scope="module")
def loader() -> Iterator[type]:
    """Ultralytics' own data set, which counts the images that it was to read."""
    ultralytics()
    of_sets: Any = extra("ultralytics.data.dataset")

    class Counting(of_sets.YOLODataset):
        def get_label_files(self) -> list[str]:
            self.listed = len(self.im_files)
            return super().get_label_files()

    return Counting


def by_ultralytics(loader: type, path: Path, *, single_cls: bool = False) -> Read:
    utils: Any = extra("ultralytics.data.utils")
    try:
        if path.suffix == ".ndjson":
            path = converted(path)
        data = utils.check_det_dataset(str(path), autodownload=False)
        if single_cls:
            data["names"] = {0: "item"}
        found = loader(
            img_path=data["train"], data=data, augment=False, imgsz=32, single_cls=single_cls
        )
    except Exception as error:  # noqa: BLE001  (a refusal, of whatever class)
        return Read([], complete=False, why=repr(error))
    images = []
    for label in found.labels:
        rows = np.hstack([label["cls"], label["bboxes"]]).astype(float).reshape(-1, 5)
        height, width = label["shape"]
        boxes = sorted(tuple(row) for row in rows.tolist())
        images.append((label["im_file"], width, height, boxes))
    names = tuple(name for _, name in sorted(data["names"].items()))
    return Read(images, complete=len(images) == found.listed, names=names)


def by_us(path: Path, **given: bool) -> Read:
    try:
        found = DetectionDataset.from_yaml(path, bad_files="leave-out", **given)
    except TailwatchError as error:
        return Read([], complete=False, why=str(error))
    try:
        strict = DetectionDataset.from_yaml(path, **given)
        complete = strict.fingerprint() == found.fingerprint()
    except TailwatchError:
        complete = False
    sizes = found.images.select("width", "height").rows()
    images = [
        (str(file), *size, sorted(tuple(map(float, box)) for box in boxes))
        for file, size, boxes in zip(found.paths(), sizes, found.boxes_of(), strict=True)
    ]
    return Read(images, complete=complete, names=found.names)


def same(ours: Read, theirs: Read, *, by_content: bool = False) -> bool:
    """Whether the images are the same, in order, and what was passed over is."""
    if ours.complete != theirs.complete or len(ours.images) != len(theirs.images):
        return False
    pairs = [ours.images, theirs.images]
    if by_content:
        # A converted set has other names: the pictures are told apart by their sizes.
        pairs = [sorted(each[1:] for each in images) for images in pairs]
        pairs = [[("", *each) for each in images] for images in pairs]
    if ours.images and ours.names != theirs.names:
        return False
    for (path, *size, boxes), (other, *other_size, others) in zip(*pairs, strict=True):
        if (path, size, len(boxes)) != (other, other_size, len(others)):
            return False
        if boxes and not np.allclose(boxes, others, rtol=0, atol=1e-6):
            return False
    return True


def converted(path: Path) -> Path:
    """An NDJSON set as Ultralytics writes it out; nothing is fetched, so no client is needed."""
    converter: Any = extra("ultralytics.data.converter")

    class Session:
        def __init__(self, **_: object) -> None: ...
        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None: ...

    stand_in = types.ModuleType("aiohttp")
    stand_in.ClientSession = Session  # type: ignore[attr-defined]
    before = sys.modules.get("aiohttp")
    sys.modules["aiohttp"] = stand_in
    try:
        out = path.parent / "converted"
        return Path(asyncio.run(converter.convert_ndjson_to_yolo(path, out)))
    finally:
        del sys.modules["aiohttp"]
        if before is not None:
            sys.modules["aiohttp"] = before


def settings(folder: Path, datasets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both read the same folder of data sets from a user's settings."""
    file = folder / "Ultralytics" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"datasets_dir": str(datasets)}))
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(folder))
    monkeypatch.setattr(extra("ultralytics.data.utils"), "DATASETS_DIR", datasets)


# Ultralytics leaves files open that Pillow could not make out.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", DRAWN)
def test_a_set_is_read_as_ultralytics_reads_it_or_the_difference_is_listed(
    name: str, loader: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = Drawn(tmp_path / "set")
    DRAWN[name](at)
    settings(tmp_path / "settings", at.given.pop("datasets", tmp_path / "none"), monkeypatch)
    if "here" in at.given:
        monkeypatch.chdir(at.given.pop("here"))
    ours, theirs = by_us(at.file, **at.given), by_ultralytics(loader, at.file, **at.given)
    alike = same(ours, theirs, by_content=at.file.suffix == ".ndjson")
    assert alike == (name not in listed()), f"{ours}\n{theirs}"


def test_the_guide_lists_no_difference_that_is_not_drawn() -> None:
    assert listed() <= set(DRAWN)
    assert len(DRAWN) - len(listed()) > 40


SHIPPED = sorted(packaged_file("__init__.py").parent.glob("cfg/datasets/*.yaml"))


def test_every_data_yaml_that_comes_with_ultralytics(
    loader: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(SHIPPED) > 40
    datasets = tmp_path / "datasets"
    settings(tmp_path / "settings", datasets, monkeypatch)
    monkeypatch.chdir(tmp_path)
    read = 0
    for file in SHIPPED:
        content = parse_yaml(file.read_text(encoding="utf-8"), "data.yaml", str(file))
        # Before anything is there both refuse, and nothing is fetched.
        assert not by_us(Path(file.name)).images
        assert not by_ultralytics(loader, file).images
        assert not datasets.joinpath(content["path"]).exists()
        for split in ("train", "val"):
            places = content[split]
            for place in places if isinstance(places, list) else [places]:
                lay_out(datasets / content["path"] / place, split)
        ours, theirs = by_us(Path(file.name)), by_ultralytics(loader, Path(file.name))
        if content.get("channels", 3) != 3:
            assert "images of 3 channels" in ours.why, file.name
            continue
        assert ours.images, (file.name, ours.why)
        assert same(ours, theirs), f"{file.name}\n{ours}\n{theirs}"
        read += 1
    assert read > 40


def lay_out(place: Path, split: str) -> None:
    """Put an image with a label where a set has its images."""
    at = Drawn.__new__(Drawn)
    at.folder = place.parent if place.suffix == ".txt" else place
    name = f"images/{split}.png" if place.suffix == ".txt" else f"{split}.png"
    image = at.image(name)
    if place.suffix == ".txt":
        at.text(f"./{name}\n", place.name)
    sides = str(image).rpartition("/images/")
    labels = Path(f"{sides[0]}/labels/{sides[2]}" if sides[1] else str(image)).with_suffix(".txt")
    labels.parent.mkdir(parents=True, exist_ok=True)
    labels.write_text(BOX)

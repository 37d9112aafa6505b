"""What a run keeps of the sets that it trains on, and what that takes on disk."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Self

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.yolo import DetectionDataset
from tailwatch.yolo.environment import ultralytics
from tailwatch.yolo.extra import extra
from tailwatch.yolo.image_copies import COPYING
from tailwatch.yolo.reader import read_set
from tests.yolo.scenes import NumpyDetector, learner, scenes

if TYPE_CHECKING:
    from collections.abc import Iterator


def noisy(folder: Path, count: int, *, seed: int) -> DetectionDataset:
    """Draw scenes of the size of photographs: files of 163 KB, the mean of COCO's."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    data = scenes(folder, count, seed=seed)
    rng = np.random.default_rng(seed)
    for path in data.paths():
        with Image.open(path) as opened:
            pixels = np.asarray(opened).copy()
        # A comment that no picture shows: the detector sees the same colours.
        noise = rng.integers(0, 256, 163_000, dtype=np.uint8).tobytes()
        text = PngInfo()
        text.add(b"noIs", noise)
        Image.fromarray(pixels).save(path, pnginfo=text)
    return DetectionDataset.from_images(data.paths(), data.boxes_of(), names=data.names)


def on_disk(folder: Path) -> int:
    """Return the bytes of all blocks below a folder, a file of several links once, as du does."""
    seen = {}
    for path in folder.rglob("*"):
        found = path.lstat()
        seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(seen.values())


def studied(
    data: DetectionDataset,
    test: DetectionDataset,
    folder: Path,
    said: list[tuple[str, int, int]],
    **given: object,
) -> None:
    sets = {"pool": data}
    tw.yolo.study(
        tw.yolo.Experiment(data, test, learner(sets, detector=NumpyDetector(), confidence=0.3)),
        **given,
        directory=folder,
        progress=lambda *each: said.append(each),
    )


@pytest.fixture(scope="module")
def far() -> Iterator[Path]:
    """A folder on another device than the temporary folder of the tests."""
    shared = Path("/dev/shm")
    if (
        not os.access(shared, os.W_OK)
        or shared.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev
    ):
        pytest.skip("there is no other device")
    folder = Path(tempfile.mkdtemp(dir=shared))
    yield folder
    shutil.rmtree(folder)


def test_a_study_takes_the_pictures_once(
    tmp_path: Path, far: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, test = noisy(tmp_path / "data", 24, seed=1), noisy(tmp_path / "test", 8, seed=2)
    pictures = sum(path.stat().st_blocks * 512 for path in (*data.paths(), *test.paths()))
    assert pictures > 32 * 163_000
    said: list[tuple[str, int, int]] = []
    arms = {"replace": tw.recursion.Replace(), "mix": tw.recursion.Mix(0.25)}
    studied(data, test, tmp_path / "near", said, policies=arms, generations=3, seeds=1)
    everything = on_disk(tmp_path)
    # Images, and all that three arms of three generations keep beside them: mostly label files, of
    # which each takes a block of 4 KB.
    assert everything < 1.3 * pictures
    assert not [stage for stage, _, _ in said if COPYING in stage]

    one = {"replace": tw.recursion.Replace()}
    given = {"policies": one, "generations": 1, "seeds": 2, "control": False}
    studied(data, test, far / "study", said, **given)
    # Both seeds, and all of their folders, have one copy of each.
    images = {path.stat().st_ino for path in (far / "study").rglob("*.png")}
    assert len(images) == 32
    assert on_disk(far / "study") < 1.3 * pictures
    copying = [each for each in said if COPYING in each[0]]
    # How much it will be is said before the first one is copied.
    first = copying[0]
    assert first == (f"{24 * data.paths()[0].stat().st_size / 1e6:.1f} MB: {COPYING}", 0, 24)
    assert [each[1:] for each in copying if each[0] == COPYING][:2] == [(1, 24), (2, 24)]
    check_kept_sets(tmp_path / "near" / "seed-0" / "fits", data)


def check_kept_sets(fits: Path, data: DetectionDataset) -> None:
    """Check that each fit has the set that it was fitted on, and that it can be trained on."""
    records = [json.loads(record.read_text()) for record in (fits / "fits").glob("*.json")]
    assert len(records) == 7
    kept = {record["set"] for record in records}
    assert "human" in kept
    assert len(kept) == 5
    for record in records:
        found = DetectionDataset.load(fits / record["set"])
        assert found.fingerprint() == record["data"]
        split = read_set(fits / record["set"] / "data.yaml", "train")
        assert len(split.images) == len(found)
        again = DetectionDataset.from_yaml(fits / record["set"] / "data.yaml")
        assert again.origins() == found.origins()
        assert again.images["teacher"].equals(found.images["teacher"])
    # What a detector labelled is in its sample, and here as a link.
    of_detector = [path for path in (fits / "sets").rglob("labels/*.txt") if path.stat().st_size]
    assert any(path.stat().st_nlink > 1 for path in of_detector)
    inodes = {path.stat().st_ino for path in data.paths()}
    assert {path.stat().st_ino for path in (fits / "sets").rglob("*.png")} <= inodes


def test_ndjson_is_read_by_ultralytics_and_says_whose_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = scenes(tmp_path / "data", 12, seed=1)
    used = learner({"pool": data}, directory=tmp_path / "fits", confidence=0.3, ndjson=True)
    model = used.fit(data, rng=np.random.default_rng(0))
    pseudo = model.sample(12, rng=np.random.default_rng(0))
    used.fit(pseudo, rng=np.random.default_rng(1))
    folder = tmp_path / "fits" / "ndjson" / pseudo.fingerprint()[:32]
    lines = [json.loads(line) for line in (folder / "dataset.ndjson").read_text().splitlines()]
    assert lines[0]["class_names"] == {"0": "red", "1": "green", "2": "blue"}
    for line, row in zip(lines[1:], pseudo.images.iter_rows(named=True), strict=True):
        metadata = line["metadata"]
        assert metadata["origin"] == "pseudo"
        assert metadata["teacher"] == row["teacher"] == model.fit.fingerprint
        assert metadata["sha256"] == row["sha256"]
        assert len(metadata["confidences"]) == len(line["annotations"]["boxes"])
    # Ultralytics asks for a client of the network, which it needs for no file that is here.
    client = ModuleType("aiohttp")
    client.ClientSession = NoSession
    monkeypatch.setitem(sys.modules, "aiohttp", client)
    ultralytics()
    converter = extra("ultralytics.data.converter")
    monkeypatch.setattr(converter, "check_requirements", lambda *_: True)
    yaml = asyncio.run(
        converter.convert_ndjson_to_yolo(folder / "dataset.ndjson", tmp_path / "converted")
    )
    boxes = {}
    for split in ("train", "val"):
        found = DetectionDataset.from_yaml(yaml, split=split)
        assert found.names == data.names
        boxes |= dict(zip(found.images["sha256"], found.boxes_of(), strict=True))
    assert boxes == dict(zip(pseudo.images["sha256"], pseudo.boxes_of(), strict=True))


class NoSession:
    """Opens, and has nothing to ask."""

    def __init__(self, **_: object) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

"""Damaged and hostile folders: one error each; nothing outside is touched, nothing hangs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError, TailwatchError
from tailwatch.yolo import DetectionDataset
from tailwatch.yolo.detections import read_labels
from tailwatch.yolo.fits import Fits
from tests.support.errors import fields, refused
from tests.yolo.mutations import tried
from tests.yolo.scenes import NAMES, NumpyDetector, scenes

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def human(tmp_path_factory: pytest.TempPathFactory) -> DetectionDataset:
    return scenes(tmp_path_factory.mktemp("scenes"), 4, seed=3)


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """All that is below a folder: kind and permissions, time, content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(state.st_mode) else b""
        if stat.S_ISLNK(state.st_mode):
            content = str(path.readlink()).encode()
        found[str(path.relative_to(folder))] = (state.st_mode, state.st_mtime_ns, content)
    return found


def as_link(path: Path, outside: Path) -> None:
    path.symlink_to(outside / ("file" if path.suffix else "folder"))


def as_dangling_link(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "new")


def as_fifo(path: Path, _: Path) -> None:
    os.mkfifo(path)


def as_folder(path: Path, _: Path) -> None:
    path.mkdir()
    (path / "something").write_text("else")


def as_noise(path: Path, _: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(300))


def as_nothing(path: Path, _: Path) -> None: ...


WAYS: dict[str, Callable[[Path, Path], None]] = {
    function.__name__: function
    for function in (as_link, as_dangling_link, as_fifo, as_folder, as_noise, as_nothing)
}


def replaced(path: Path, way: str, outside: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    WAYS[way](path, outside)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    (folder / "folder").mkdir(parents=True)
    (folder / "file").write_text("{}")
    (folder / "folder" / "kept").write_text("kept")
    return folder


@pytest.mark.parametrize("way", WAYS)
def test_a_set_with_any_part_replaced_is_refused(
    human: DetectionDataset, tmp_path: Path, outside: Path, way: str
) -> None:
    whole = human.save(tmp_path / "whole")
    before = snapshot(outside)
    number = next(n for n, boxes in enumerate(human.boxes_of()) if boxes)
    parts = ("manifest.parquet", "images", "labels", f"labels/{number:06d}.txt")
    for part in (*parts, f"images/{number:06d}.png"):
        copy = tmp_path / "copy"
        shutil.copytree(whole, copy)
        replaced(copy / part, way, outside)
        with pytest.raises(SourceError):
            DetectionDataset.load(copy)
        # And it is never taken for human without a word.
        try:
            found = DetectionDataset.from_yaml(copy / "data.yaml").origins()
        except TailwatchError:
            found = {}
        assert "human" not in found
        shutil.rmtree(copy)
    assert snapshot(outside) == before


def manifest(folder: Path, **changes: object) -> None:
    """Write the manifest again, with columns or metadata of another content."""
    file = folder / "manifest.parquet"
    metadata = {
        name: value
        for name, value in pl.read_parquet_metadata(file).items()
        if name in {"names", "fingerprint"}
    }
    frame = pl.read_parquet(file)
    for name, value in changes.items():
        if name in metadata:
            metadata[name] = str(value)
        elif value is None:
            frame = frame.drop(name)
        else:
            frame = frame.with_columns(pl.Series(name, value))
    frame.write_parquet(file, metadata=metadata)


@pytest.mark.parametrize(
    "changes",
    [
        {"file": ["../../etc/passwd", "000001.png", "000002.png", "000003.png"]},
        {"file": ["/etc/passwd", "000001.png", "000002.png", "000003.png"]},
        {"file": ["..", "000001.png", "000002.png", "000003.png"]},
        {"file": ["a\x00b", "000001.png", "000002.png", "000003.png"]},
        {"file": [1, 2, 3, 4]},
        {"sha256": None},
        {"confidences": None},
        {"origin": ["human", "human", "human", "robot"]},
        {"origin": ["human", "human", "human", None]},
        {"names": "["},
        {"names": "{}"},
        {"names": "[1, 2, 3]"},
        {"names": "[" * 100_000},
        {"names": "[]"},
        {"fingerprint": "0" * 64},
        {"teacher": ["a", "b", "c", "d"]},
    ],
)
def test_a_manifest_is_not_believed(
    human: DetectionDataset, tmp_path: Path, changes: dict[str, object]
) -> None:
    folder = human.save(tmp_path / "set")
    manifest(folder, **changes)
    with pytest.raises(TailwatchError):
        DetectionDataset.load(folder)


def learner(
    data: DetectionDataset, folder: Path, detector: NumpyDetector | None = None
) -> tw.yolo.YoloLearner:
    detector = detector or NumpyDetector()
    return tw.yolo.YoloLearner(
        pool=data, detector=detector, directory=folder, start="previous", confidence=0.3
    )


def two_fits(data: DetectionDataset, folder: Path, detector: NumpyDetector | None = None) -> None:
    used = learner(data, folder, detector)
    for seed in range(2):
        model = used.fit(data, rng=np.random.default_rng(seed))
        model.sample(4, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("way", WAYS)
def test_a_folder_of_fits_with_any_part_replaced_changes_nothing_outside(
    human: DetectionDataset, tmp_path: Path, outside: Path, way: str
) -> None:
    whole = tmp_path / "whole"
    two_fits(human, whole)
    before = snapshot(outside)
    parts = [str(path.relative_to(whole)) for path in sorted(whole.rglob("*"))]
    assert {"fits", "arms", "human", "encoder.pt", "arms/run.json"} <= set(parts)
    for part in parts:
        copy = tmp_path / "copy"
        shutil.copytree(whole, copy)
        replaced(copy / part, way, outside)
        with contextlib.suppress(TailwatchError):
            two_fits(human, copy)
            Fits(copy).human()
        assert snapshot(outside) == before, part
        shutil.rmtree(copy)


def test_unfinished_work_is_removed_and_what_it_links_to_is_not(
    human: DetectionDataset, tmp_path: Path, outside: Path
) -> None:
    folder = tmp_path / "fits"
    (folder / "fits" / "work-1").mkdir(parents=True)
    (folder / "fits" / "work-1" / "inner").symlink_to(outside / "folder")
    (folder / "fits" / "work-2").symlink_to(outside / "folder")
    (folder / "fits" / "work-3").write_text("file")
    before = snapshot(outside)
    two_fits(human, folder)
    assert not list((folder / "fits").glob("work-*"))
    assert snapshot(outside) == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        b"[1]",
        b'[{"data": 1, "seed": 2, "budget": 3, "key": "../../etc/passwd"}]',
        b'[{"data": 1, "seed": 2, "budget": 3}]',
    ],
)
def test_an_arms_file_is_not_believed(
    human: DetectionDataset, tmp_path: Path, content: bytes
) -> None:
    folder = tmp_path / "fits"
    two_fits(human, folder)
    (folder / "arms" / "run.json").write_bytes(content)
    with refused(TailwatchError, "…/run.json", "…"):
        two_fits(human, folder)


def test_weights_are_those_of_their_record(human: DetectionDataset, tmp_path: Path) -> None:
    folder = tmp_path / "fits"
    two_fits(human, folder)
    key = json.loads((folder / "arms" / "run.json").read_text())[0]["key"]
    weights = folder / "fits" / f"{key}.pt"
    weights.write_text(weights.read_text().replace("0.", "0.1", 1))
    expected, hint = "the weights that were written", f"remove {key}.json …"
    with refused(SourceError, str(weights), expected, "others", hint=hint):
        two_fits(human, folder)


@pytest.mark.parametrize("arm", ["../out", "/tmp/out", "a/../../b", "", "a\x00"])
def test_an_arm_is_a_name(human: DetectionDataset, tmp_path: Path, arm: str) -> None:
    given = {"pool": human, "detector": NumpyDetector(), "directory": tmp_path / "fits"}
    with refused(InputError, "arm", "a name of letters, digits, dots, dashes"):
        tw.yolo.YoloLearner(**given, arm=arm)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["seed-0", "seed-0/fits", "seed-0/replace"])
def test_a_study_follows_no_link_in_its_folder(
    human: DetectionDataset, tmp_path: Path, outside: Path, name: str
) -> None:
    test = scenes(tmp_path / "test", 4, seed=9)
    place = tmp_path / "study" / name
    place.parent.mkdir(parents=True)
    place.symlink_to(outside / "folder")
    before = snapshot(outside)
    with refused(TailwatchError, got="… link…"):
        tw.yolo.study(
            tw.yolo.Experiment(
                human, test, tw.yolo.YoloLearner(pool=human, detector=NumpyDetector())
            ),
            policies={"replace": tw.recursion.Replace()},
            generations=1,
            seeds=1,
            control=False,
            directory=tmp_path / "study",
        )
    assert snapshot(outside) == before


def test_mutations_of_a_data_yaml_are_read_or_refused(tmp_path: Path) -> None:
    # 2,000 of them, with memory and time: python -m tests.yolo.mutations.
    came, longest = tried(60, 1, tmp_path)
    assert set(came) <= {"read", "refused"}
    assert min(came["read"], came["refused"]) > 3
    assert longest < 10


@pytest.mark.parametrize("kind", ["folder", "pipe", "large", "bytes"])
def test_labels_that_are_no_text_file_are_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.txt"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "large":
        with path.open("wb") as file:
            file.truncate(2**40)
    else:
        path.write_bytes(b"\xff\xfe0\x00")
    with refused(SourceError, str(path), "a label file…"):
        read_labels(path, 3)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "nan", "1e30", "1" * 400])
def test_a_class_that_is_no_number_of_one_is_named(tmp_path: Path, number: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"{number} 0.5 0.5 0.1 0.1\n")
    with refused(SourceError, f"{path}: line 1", "a class from 0 to 2"):
        read_labels(path, 3)


def test_links_to_images_are_images(human: DetectionDataset, tmp_path: Path) -> None:
    # As a cache of downloads has them: names are links to files without a suffix.
    folder = tmp_path / "snapshot"
    for name in ("blobs", "images", "labels"):
        (folder / name).mkdir(parents=True)
    for number, path in enumerate(human.paths()):
        shutil.copy(path, folder / "blobs" / f"blob{number}")
        (folder / "images" / f"{number}.png").symlink_to(f"../blobs/blob{number}")
    (folder / "blobs" / "yaml").write_text("train: images\nnames: [red, green, blue]\n")
    (folder / "data.yaml").symlink_to("blobs/yaml")
    data = DetectionDataset.from_yaml(folder / "data.yaml")
    assert len(data) == 4
    kept = data.save(tmp_path / "set")
    for file in (kept / "images").iterdir():
        assert file.suffix == ".png"
        assert not file.is_symlink()
    assert DetectionDataset.load(kept).images["sha256"].equals(human.images["sha256"])


def test_an_image_without_a_suffix_is_refused_by_name(
    human: DetectionDataset, tmp_path: Path
) -> None:
    shutil.copy(human.paths()[0], tmp_path / "blob")
    with refused(
        SourceError,
        "…/blob",
        "an image file whose name ends in .avif, .bmp, .dng, .h…",
        "a name without a suffix",
    ):
        DetectionDataset.from_images([tmp_path / "blob"], [[]], names=NAMES)


def test_names_of_files_may_have_any_byte(human: DetectionDataset, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b set"))
    (folder / "images").mkdir(parents=True)
    for number, path in enumerate(human.paths()):
        shutil.copy(path, folder / "images" / os.fsdecode(b"%d\xfe.png" % number))
    (folder / "data.yaml").write_text("train: images\nnames: [red, green, blue]\n")
    data = DetectionDataset.from_yaml(folder / "data.yaml")
    assert all(text.isascii() for text in data.images["path"])
    assert all(path.is_file() for path in data.paths())
    assert len(DetectionDataset.load(data.save(tmp_path / "set"))) == 4
    listed = b"".join(os.fsencode(path) + b"\n" for path in data.paths())
    (tmp_path / "list.txt").write_bytes(listed)
    (tmp_path / "data.yaml").write_text("train: list.txt\nnames: [red, green, blue]\n")
    again = DetectionDataset.from_yaml(tmp_path / "data.yaml")
    assert again.images["sha256"].equals(data.images["sha256"])
    (folder / "labels").mkdir()
    (folder / "labels" / os.fsdecode(b"0\xfe.txt")).write_text("no box\n")
    with refused(
        SourceError,
        "…/\\xff\\x1b set/labels/0\\xfe.txt: line 1",
        "five columns, class x y w h",
        "2",
    ):
        DetectionDataset.from_yaml(folder / "data.yaml")


def test_images_from_another_device_are_copied_once_for_a_run(
    human: DetectionDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = str(human.paths()[0].parent)
    link = os.link

    def across(source: str | Path, target: str | Path, **given: bool) -> None:
        if str(source).startswith(far):
            raise OSError(18, "Invalid cross-device link")
        link(source, target, **given)

    monkeypatch.setattr(os, "link", across)
    said: list[tuple[str, int, int]] = []
    used = tw.yolo.YoloLearner(
        pool=human,
        detector=NumpyDetector(),
        directory=tmp_path / "fits",
        confidence=0.3,
        report=lambda *each: said.append(each),
    )
    for seed in range(3):
        model = used.fit(human, rng=np.random.default_rng(seed))
        model.sample(4, rng=np.random.default_rng(seed)).save(tmp_path / f"samples{seed}")
    images = list(tmp_path.rglob("*.png"))
    assert len({path.stat().st_ino for path in images}) == 4
    assert len(images) == 4 * 5
    assert ("copying images from another device, once", 4, 4) in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"budget": 10**13},
            fields("budget", "an integer of at most 1,000,000,000,000", "10000000000000"),
        ),
        (
            {"class_confidence": {"red": float("nan")}},
            fields("class_confidence", "a number", "nan"),
        ),
        (
            {"class_confidence": ["red"]},
            fields("class_confidence", "a mapping of names to thresholds", "list"),
        ),
    ],
)
def test_numbers_of_a_learner_are_bounded(
    human: DetectionDataset, given: dict[str, object], said: dict[str, str]
) -> None:
    with refused(InputError, **said):
        tw.yolo.YoloLearner(pool=human, detector=NumpyDetector(), **given)


@pytest.mark.parametrize("name", ["seeds", "generations", "size"])
def test_numbers_of_a_study_are_bounded(human: DetectionDataset, tmp_path: Path, name: str) -> None:
    made = tw.yolo.Experiment(
        human, human, tw.yolo.YoloLearner(pool=human, detector=NumpyDetector())
    )
    given = {"policies": {}, "generations": 1, "directory": tmp_path / "study", name: 10**10}
    with refused(InputError, name, "an integer of at most …", "10000000000"):
        tw.yolo.study(made, **given)
    assert not (tmp_path / "study").exists()


def test_the_commands_bounds_are_those_of_the_library() -> None:
    from tailwatch.cli.yolo_loop import MOST
    from tailwatch.yolo import detector

    assert {name: detector.MOST[name] for name in MOST} == MOST

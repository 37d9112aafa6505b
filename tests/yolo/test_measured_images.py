"""Which images measure a detector: held out or not, left out or not, with boxes or without."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError, TailwatchWarning
from tailwatch.yolo import DetectionDataset, Evaluation
from tailwatch.yolo.checks import Checks, overlap
from tailwatch.yolo.image_files import unusable
from tests.support.errors import refused
from tests.yolo.scenes import NAMES, NumpyDetector, scenes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DetectionDataset]:
    folder = tmp_path_factory.mktemp("scenes")
    return {
        name: scenes(folder / name, 6, seed=seed)
        for seed, name in ((3, "data"), (4, "pool"), (6, "test"))
    }


def looked(
    data: DetectionDataset, test: DetectionDataset, pool: DetectionDataset
) -> tuple[Checks, list[str]]:
    checks = Checks()
    with pytest.warns(TailwatchWarning) as caught:
        checks.look(data, test, pool)
    return checks, [str(each.message) for each in caught]


def test_nothing_is_said_of_sets_that_are_apart(sets: dict[str, DetectionDataset]) -> None:
    checks = Checks()
    checks.look(sets["data"], sets["test"], sets["pool"])
    assert checks.remarks == ()
    assert checks.held_out


@pytest.mark.parametrize(
    ("shared", "count"),
    [
        ([("data", range(6))], 6),
        ([("data", [2])], 1),
        ([("pool", [0, 1])], 2),
        ([("data", [0]), ("pool", [3, 4])], 3),
    ],
)
def test_a_picture_in_both_is_counted_by_its_content(
    sets: dict[str, DetectionDataset],
    tmp_path: Path,
    shared: list[tuple[str, list[int]]],
    count: int,
) -> None:
    others = []
    for name, numbers in shared:
        # Other names, other folders, other labels: the same pictures.
        copy = sets[name].take(list(numbers)).save(tmp_path / name)
        files = sorted((copy / "images").iterdir())
        others.append(DetectionDataset.from_images(files, [[]] * len(files), names=NAMES))
    test = sets["test"].concat(others)
    checks, said = looked(sets["data"], test, sets["pool"])
    assert not checks.held_out
    assert said == [each for each in checks.remarks if each.startswith("not held out")]
    verb = "is" if count == 1 else "are"
    assert said[0].startswith(f"not held out: {count} of {6 + count} test images {verb} among")
    assert overlap(test, sets["data"], sets["pool"]).describe() == {
        "held_out": False,
        "test_images": 6 + count,
        "test_images_learned_from": count,
    }


def test_a_run_says_in_its_frame_what_is_not_held_out(sets: dict[str, DetectionDataset]) -> None:
    learner = tw.yolo.YoloLearner(pool=sets["pool"], detector=NumpyDetector())
    model = learner.fit(sets["data"], rng=np.random.default_rng(0))
    sample = model.sample(6, rng=np.random.default_rng(0))

    def reason(reference: DetectionDataset) -> str:
        return model.measure(reference, sample).filter(metric="map50")["reason"][0]

    assert "not held out" not in reason(sets["test"])
    assert "not held out: 6 of 6 test images" in reason(sets["data"])
    assert "not held out: 6 of 6 test images" in reason(sets["pool"])


def test_a_page_of_images_learned_from_does_not_say_that_they_are_not(tmp_path: Path) -> None:
    from tailwatch.recursion.frame import frame_of
    from tailwatch.report.detection import detection_page, sentence_of_study

    rows = [
        {"run": "replace", "generation": 1, "group": "model", "metric": metric, "value": 0.5}
        for metric in ("map50", "classes_gone")
    ]
    frame = tw.yolo.over_seeds({0: frame_of(rows)})
    arguments = {"classes": {"red": 3}, "arguments": {}}
    good = detection_page(frame, **arguments)
    bad = detection_page(frame, **arguments, remarks=["not held out: <3> of 4"], held_out=False)
    assert "on images that no generation learned from" in good
    assert "that no generation learned from" not in bad
    assert "not held out: &lt;3&gt; of 4" in bad
    assert sentence_of_study(frame, held_out=False).startswith("Not held out: ")
    # One seed has no interval over seeds, and the page prints none.
    assert re.search(r"<dt>Intervals</dt><dd>none: one seed</dd>", good)
    assert "[" not in sentence_of_study(frame)


def test_where_nothing_was_learnt_nothing_is_said_to_be_lost() -> None:
    from tailwatch.recursion.frame import frame_of
    from tailwatch.report.detection import sentence_of_study

    def of_precision(value: float, gone: float = 8.0) -> str:
        rows = [
            {"run": run, "generation": generation, "metric": metric, "value": number}
            for run in ("replace", "human only")
            for generation in (1, 2)
            for metric, number in (("classes_gone", gone), ("map50", value))
        ]
        frames = (frame_of([row | {"group": "model"} for row in rows]) for _ in range(3))
        return sentence_of_study(tw.yolo.over_seeds(dict(enumerate(frames))), held_out=False)

    said = of_precision(0.004)
    assert said.startswith("Nothing was learnt, so nothing can be lost: ")
    assert "0.00400" in said
    assert "gone" not in said
    assert "8 classes are gone" in of_precision(0.3)
    assert "1 class is gone" in of_precision(0.3, 1.0)


def test_over_seeds_keeps_what_was_said_of_each() -> None:
    from tailwatch.recursion.frame import frame_of

    row = {"run": "replace", "generation": 1, "group": "model", "metric": "map", "value": 0.2}
    said = "not held out: 3 of 4 test images"
    frames = {seed: frame_of([row | {"reason": said}]) for seed in range(3)}
    found = tw.yolo.over_seeds(frames)
    assert found["method"].to_list() == ["mean of 3 seeds, t interval"]
    assert found["reason"].to_list() == [f"of each seed: {said}"]
    nothing = {seed: frame_of([row | {"value": float("nan")}]) for seed in range(2)}
    assert tw.yolo.over_seeds(nothing)["value"].to_list() == [None]


def spoiled(folder: Path, kind: str) -> Path:
    """An image of which the header is right, and which no trainer takes."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{kind}.png"
    pixels = np.random.default_rng(1).integers(0, 255, (40, 40, 3), np.uint8)
    if kind in {"thin", "low"}:
        pixels = pixels[:, :9] if kind == "thin" else pixels[:1]
    Image.fromarray(pixels).save(path, "GIF" if kind == "gif" else "PNG")
    content = path.read_bytes()
    if kind == "cut":
        path.write_bytes(content[:200])
    if kind == "bit":
        path.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    return path


KINDS = ("thin", "low", "cut", "bit", "gif")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_trainer_leaves_out_is_known_beforehand(
    sets: dict[str, DetectionDataset], tmp_path: Path, kind: str
) -> None:
    path = spoiled(tmp_path / "bad", kind)
    assert unusable(path)
    bad = DetectionDataset.from_images([path], [[]], names=NAMES)
    test = sets["test"].concat([bad])
    checks, said = looked(sets["data"], test, sets["pool"])
    assert said == list(checks.remarks)
    assert said[0].startswith(f"left out: 1 of 7 test images cannot be measured on: {path} (")
    for argument, given in (
        ("data", (sets["data"].concat([bad]), sets["test"], sets["pool"])),
        ("pool", (sets["data"], sets["test"], sets["pool"].concat([bad]))),
    ):
        expected = "images that can be learned from"
        with refused(InputError, argument, expected, f"1 of 7 that cannot: {path} …"):
            Checks().look(*given)


def test_ten_pixels_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    Image.fromarray(np.zeros((10, 10, 3), np.uint8)).save(path)
    assert unusable(path) is None


def test_left_out_images_are_named_and_counted_in_the_frame(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    bad = [spoiled(tmp_path / "bad", kind) for kind in KINDS]
    detector = NumpyDetector()
    learner = tw.yolo.YoloLearner(pool=sets["pool"], detector=detector)
    model = learner.fit(sets["data"], rng=np.random.default_rng(0))
    reference = sets["test"].concat(
        [DetectionDataset.from_images(bad, [[]] * len(bad), names=NAMES)]
    )
    found = model.evaluate(reference)
    assert found.images == 6
    assert len(found.left_out) == len(bad)
    alone = model.evaluate(sets["test"])
    assert (found.map, found.ap) == (alone.map, alone.ap)
    rows = model.measure(reference, model.sample(6, rng=np.random.default_rng(0)))
    row = rows.filter(metric="map50").row(0, named=True)
    assert row["n_reference"] == 6
    assert f"left out {len(bad)} of {6 + len(bad)} images" in row["reason"]
    assert all(str(path) in row["reason"] for path in bad)


def test_a_fit_refuses_images_before_it_learns(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    bad = DetectionDataset.from_images([spoiled(tmp_path / "bad", "cut")], [[]], names=NAMES)
    detector = NumpyDetector()
    for pool, data in ((sets["pool"].concat([bad]), sets["data"]), (sets["pool"], bad)):
        learner = tw.yolo.YoloLearner(pool=pool, detector=detector)
        with refused(InputError, got="…that cannot: …cut.png (unreadable…"):
            learner.fit(data, rng=np.random.default_rng(0))
    assert detector.fits == []


def test_without_boxes_there_is_no_precision(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    empty = DetectionDataset.from_images(sets["test"].paths(), [[]] * 6, names=NAMES)
    learner = tw.yolo.YoloLearner(pool=sets["pool"], detector=NumpyDetector())
    model = learner.fit(sets["data"], rng=np.random.default_rng(0))
    assert model.evaluate(empty).map is None
    assert np.isnan(model.risk(empty))
    row = model.measure(empty, model.sample(6, rng=np.random.default_rng(0)))
    assert row.filter(metric="map50")["value"].to_list() == [None]
    assert row.filter(metric="map50")["reason"][0].startswith("the test set has no")
    for argument, given in (("data", (empty, sets["test"])), ("test", (sets["data"], empty))):
        got = "no labels were found: 6 images, 0 boxes"
        with refused(InputError, argument, "images with boxes", got):
            Checks().look(*given, sets["pool"])


def test_where_labels_were_looked_for_is_said(tmp_path: Path) -> None:
    drawn = scenes(tmp_path / "drawn", 3)
    drawn.save(tmp_path / "made")
    (tmp_path / "made" / "labels").rename(tmp_path / "made" / "Labels")
    (tmp_path / "made" / "manifest.parquet").unlink()
    data = DetectionDataset.from_yaml(tmp_path / "made" / "data.yaml")
    with refused(
        InputError,
        "data",
        "images with boxes",
        "no labels were found: 3 images, 0 boxes",
        "labels of …/000000.png were looked for in …/made/labels/000000.txt",
    ):
        Checks().look(data, drawn, data)


def test_an_image_that_was_changed_is_found_out(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    folder = sets["data"].save(tmp_path / "set")
    image = folder / "images" / "000002.png"
    content = bytearray(image.read_bytes())
    image.unlink()
    content[-1] ^= 1
    image.write_bytes(content)
    with refused(
        SourceError,
        "…/set",
        "the images that were written, as sets are never changed",
        "another",
        "000002.png",
    ):
        DetectionDataset.load(folder)


def test_an_evaluation_counts_all_images_by_default() -> None:
    found = Evaluation(0.5, 0.5, (0.5,), (0.5,))
    assert (found.images, found.left_out) == (None, ())

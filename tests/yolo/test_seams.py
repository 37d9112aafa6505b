"""Where parts meet: remarks and tasks on their way, what pages say of them, and in which words."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tailwatch as tw
from tailwatch.cli import run
from tailwatch.exceptions import InputError, TailwatchWarning
from tailwatch.recursion.frame import frame_of
from tailwatch.report.detection import detection_page, sentence_of_study
from tailwatch.report.observation import sentence_of_observation
from tailwatch.yolo import DetectionDataset, check_data
from tailwatch.yolo.checkpoints import write_model
from tailwatch.yolo.checks import Checks, overlap_with_files
from tailwatch.yolo.environment import ultralytics
from tailwatch.yolo.fusion import fusion
from tailwatch.yolo.image_copies import ImageCopies
from tailwatch.yolo.observation import Observation, Sides
from tailwatch.yolo.statistics import statistics
from tests.support.errors import refused
from tests.yolo.drawn_sets import BOX, OTHER, Drawn
from tests.yolo.scenes import NAMES, instance_scenes, scenes

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
TRIANGLE = "0 0.2 0.2 0.4 0.2 0.4 0.6\n"


def silent(*_: object) -> None: ...


@pytest.fixture
def at(tmp_path: Path) -> Drawn:
    """A set of two images, each in a set of its own."""
    at = Drawn(tmp_path / "set")
    at.text("train: images/train\nval: images/val\nnames: [red, green, blue]\n")
    for split in ("train", "val"):
        at.pair("a", BOX, split)
        at.pair("b", OTHER, split)
    return at


def test_remarks_go_where_their_images_go(at: Drawn, tmp_path: Path) -> None:
    at.pair("2", "0 0.5 0.5 0.1\n", "val")
    data = DetectionDataset.from_yaml(at.file, split="val", bad_files="leave-out")
    (remark,) = data.remarks
    assert data.take([0]).remarks == data.remarks
    assert data.concat([data, data.take([1])]).remarks == data.remarks
    copies = ImageCopies(tmp_path / "run")
    copies._linkable.update({path.parent: False for path in data.paths()})
    brought = copies.bring(data, report=silent)
    assert brought.paths() != data.paths()
    assert brought.remarks == data.remarks
    # It is said wherever these images measure.
    assert remark in Sides.of(data, None, images=9).remarks
    # Of other labels what was said of these is not true.
    assert data.relabelled(data.boxes, teacher="x").remarks == ()


def test_a_study_says_what_the_check_of_a_set_warns_of(at: Drawn) -> None:
    at.text("train: images/train\nval: images/val\nnames: [red, green, red]\n")
    at.text(BOX, "labels/val/b.txt")
    said = {problem.message for problem in check_data(at.file).problems}
    checks = Checks()
    train, test = (DetectionDataset.from_yaml(at.file, split=each) for each in ("train", "val"))
    with pytest.warns(TailwatchWarning) as caught:
        checks.look(train, test, train)
    assert {str(each.message) for each in caught} == set(checks.remarks)
    twice = "classes 0 and 2 are both called 'red'; they are told apart by number"
    unmeasured = "is learned and has no box in {}, so no precision: red #2"
    assert twice in said & set(checks.remarks)
    assert f"1 of 3 classes {unmeasured.format('val')}" in said
    assert f"1 of 3 classes {unmeasured.format('the test images')}" in checks.remarks


def test_what_is_one_is_said_of_one(at: Drawn) -> None:
    for name in ("images/val/b.png", "labels/val/b.txt"):
        (at.folder / name).unlink()
    shutil.copy(at.folder / "images/train/a.png", at.folder / "images/val/a.png")
    at.text("names: [a, a, a, b]\ntrain: list.txt\nval: images/val\n")
    at.text("./images/train/a.png\n./images/train/b.png\nnothing\n", "list.txt")
    said = repr(check_data(at.file, directory=at.folder / "run"))
    assert "val: the one image of val is in train too (" in said
    assert "list.txt: line 3: the line names no image and is passed over" in said
    assert "classes 0, 1 and 2 are all called 'a'; they are told apart by number" in said
    assert "a run of 1 training needs less than 1 MB in " in said
    at.text("", "labels/val/a.txt")
    assert "val: no labels were found: 1 image, 0 boxes; " in repr(check_data(at.file))


def test_a_file_without_a_set_is_not_fine(at: Drawn, capsys: pytest.CaptureFixture[str]) -> None:
    at.text("names: [a, b]\n")
    found = check_data(at.file)
    assert [each.text for each in found.problems] == [
        f"{at.file}: expected a set, one of train, val, test, got none"
    ]
    assert run(["yolo-check", str(at.file)]) == 2
    assert "1 error, no warnings" in capsys.readouterr().err


def test_of_a_set_of_bad_files_it_is_not_said_that_it_has_no_labels(at: Drawn) -> None:
    for name in ("a", "b"):
        at.text("0 0.5\n", f"labels/val/{name}.txt")
    found = check_data(at.file)
    kinds = [each.kind for each in found.problems if each.severity == "error"]
    assert kinds == ["row", "row", "no images"]
    assert "val: none of 2 images can be used" in repr(found)
    with refused(InputError, "…/data.yaml"):
        found.require("leave-out")


def test_a_box_among_the_polygons_of_ndjson_is_named_by_its_line(at: Drawn) -> None:
    header = {"task": "segment", "path": ".", "class_names": {"0": "a"}}
    polygon = {"segments": [[0, 0.2, 0.2, 0.4, 0.2, 0.4, 0.6]]}
    box = {"boxes": [[0, 0.5, 0.5, 0.1, 0.1]]}
    lines = [header] + [
        {"file": f"{name}.png", "split": split, "annotations": kind}
        for name, split, kind in (
            ("a", "train", polygon),
            ("b", "train", box),
            ("a", "val", polygon),
        )
    ]
    file = at.text("".join(json.dumps(line) + "\n" for line in lines), "set.ndjson")
    found = check_data(file, splits=["train"], task="segment")
    (problem,) = [each for each in found.problems if each.severity == "error"]
    assert (problem.file, problem.line) == (file, 3)
    assert problem.text.startswith(f"{file}: line 3: expected polygons, class x1 y1 x2 y2")
    # As a set of detection it is one, and of another task whole.
    assert len(DetectionDataset.from_yaml(file)) == 2


@pytest.mark.parametrize(
    ("task", "row", "expected", "got"),
    [
        ("detect", (3, 0.5, 0.5, 0.1, 0.1), "a class from 0 to 2", "3.0"),
        ("detect", (-1, 0.5, 0.5, 0.1, 0.1), "a class from 0 to 2", "-1.0"),
        ("detect", (0, float("nan"), 0.5, 0.1, 0.1), "x, y, w, h as shares of the image", "nan …"),
        ("detect", (0, 0.5, 0.5, 0.1, 0.1, 0.9), "five columns, class x y w h", "6"),
        ("detect", "a", "numbers", "'a'"),
        ("segment", (9, 0.1, 0.1, 0.5, 0.1, 0.5, 0.5), "a class from 0 to 2", "9.0"),
        ("segment", (0, 0.1, 0.1, 5, 0.1, 0.5, 0.5), "points as shares of the image", "5.0"),
        ("segment", (0, 0.5, 0.5, 0.1, 0.1), "a class and at least three points…", "5 columns"),
    ],
)
def test_rows_that_a_caller_gives_are_held_to_what_those_of_files_are(
    tmp_path: Path, task: str, row: tuple[float, ...], expected: str, got: str
) -> None:
    (image,) = scenes(tmp_path, 1).paths()
    with refused(InputError, "boxes: image 1, row 0", expected, got):
        DetectionDataset.from_images([image] * 2, [[], [row]], names=NAMES, task=task)


def test_names_of_classes_are_a_list_of_text(tmp_path: Path) -> None:
    (image,) = scenes(tmp_path, 1).paths()
    for names in ("abc", [1, 2]):
        with refused(InputError, "names", "a list of the names of the classes", "…"):
            DetectionDataset.from_images([image], [[]], names=names)


def test_of_a_polygon_beyond_the_image_the_part_within_is_measured(at: Drawn) -> None:
    half = "0 0.6 0.6 1.4 0.6 1.4 0.9 0.6 0.9\n"
    for name in ("a", "b"):
        at.text(half, f"labels/val/{name}.txt")
    data = DetectionDataset.from_yaml(at.file, split="val", task="segment")
    assert data.boxes["points"][0].to_list()[2] == 1.4
    (area,) = [row["value"] for row in statistics(data, data) if row["metric"] == "mask_area"]
    assert area == pytest.approx(0.4 * 0.3)


def test_boxes_are_not_held_against_masks(tmp_path: Path) -> None:
    masks = instance_scenes(tmp_path, 4, seed=1)
    boxes = masks.relabelled(masks.boxes.drop("points"), teacher="x")
    with refused(InputError, "predicted", "instances with polygons, …", "boxes"):
        fusion(masks, boxes)


@pytest.mark.filterwarnings("ignore:the model begins at random weights")
def test_the_labels_of_a_pool_are_not_looked_at(at: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    at.text(f"{at.file.read_text()}test: images/test\n")
    for file in [*at.folder.glob("labels/*/*.txt")]:
        file.write_text(TRIANGLE)
    at.pair("a", BOX, "test")
    seen: list[tw.yolo.Experiment] = []

    def stop(experiment: tw.yolo.Experiment, **_: object) -> None:
        seen.append(experiment)
        raise InputError(argument="seen")

    monkeypatch.setattr(tw.yolo, "study", stop)
    monkeypatch.setattr(tw.yolo, "YoloLearner", lambda **given: given["pool"])
    arguments = ["yolo-loop", str(at.file), "--pool", "test", "--task", "segment", "--model"]
    out = ["--out", str(at.folder / "run")]
    assert run([*arguments, str(HERE / "yolo26_tiny_seg.yaml"), *out]) == 2
    assert [(len(each.data), len(each.learner)) for each in seen] == [(4, 1)]


def rows(step: int, values: dict[str, float | None], name: str = "a") -> list[dict[str, Any]]:
    return [
        {"run": name, "generation": step, "group": "model", "metric": metric, "value": value}
        for metric, value in values.items()
    ]


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (0.0, "a: every class is found"),
        (1.0, "a: 1 class is not found"),
        (2.0, "a: 2 classes are not found"),
        (120.0, "a: 120 classes are not found"),
    ],
)
def test_the_sentence_of_an_observation_counts(gone: float, words: str) -> None:
    frame = frame_of(rows(1, {"classes_gone": gone}))
    assert sentence_of_observation(frame, "model") == f"{words}."
    remarks = ["not held out: 1 of 2 test images are among the images that are learned from (a)"]
    found = Observation(frame, {}, {}, remarks)
    said = f"Not held out: images that are predicted were learned from; {words}."
    assert found.sentence == said
    assert not found.held_out
    assert said.split(";", maxsplit=1)[0] in found.to_html()
    assert said.split(";", maxsplit=1)[0] in found._repr_html_()


def test_the_sentence_of_an_observation_says_nothing_where_nothing_is() -> None:
    values = {"classes_gone": 3.0, "empty_images": 1.0, "fusion": None, "confusion": None}
    assert sentence_of_observation(frame_of(rows(4, values)), "epoch") == (
        "a: nothing is found after epoch 4."
    )
    values |= {"classes_gone": 0.0, "empty_images": 0.5, "fusion": 0.0, "confusion": 0.25}
    assert sentence_of_observation(frame_of(rows(4, values)), "epoch") == (
        "a: every class is found after epoch 4, none fused, 25.0\u202f% labelled as another class."
    )


def of_study(*steps: dict[str, float | None]) -> str:
    frame = frame_of([row for step, of in enumerate(steps, 1) for row in rows(step, of)])
    return sentence_of_study(tw.yolo.over_seeds({0: frame}))


def test_the_sentence_of_a_study_says_what_was_lost_and_what_never_was() -> None:
    first = {"classes_gone": 1.0, "map50": 0.5, "empty_images": 0.5}
    later = first | {"classes_gone": 130.0}
    assert of_study(first, later).startswith("a: 130 classes are gone and mAP50 goes from")
    assert of_study(first, first).startswith(
        "a: 1 class is gone, as in the first generation, and mAP50 goes from"
    )
    # A detector whose precision is fair and that is sure of nothing.
    nothing = {"classes_gone": 3.0, "map50": 0.5, "empty_images": 1.0}
    assert of_study(nothing, nothing).startswith("Nothing is labelled, so nothing can be lost: ")


def page_of(values: dict[str, float | None]) -> str:
    frame = frame_of([row | {"null": 0.25} for row in rows(1, values)])
    return detection_page(tw.yolo.over_seeds({0: frame}), classes={"red": 3}, arguments={})


def test_pages_of_masks_have_words_of_masks_and_name_their_nulls() -> None:
    of_boxes = {"map50": 0.5, "ap50:red": 0.5, "fusion": 0.1, "matched": 0.5, "classes_gone": 0.0}
    boxes = page_of(of_boxes)
    masks = page_of(of_boxes | {"mask_map50": 0.4, "mask_ap50:red": 0.4})
    assert "<dt>Human boxes</dt><dd>3</dd>" in boxes
    assert "On human boxes, " in boxes
    assert "<dt>Human instances</dt><dd>3</dd>" in masks
    assert "On human instances, " in masks
    assert "On human boxes" not in masks
    for page in (boxes, masks):
        # Precision has no fresh human sample to be compared with.
        section = page.partition("<h2>Average precision")[2].partition("<h2>")[0]
        assert "the arm that learns from human data alone" in section
        assert "fresh human sample" not in section
        assert "human labels against themselves" in page


def test_a_seed_that_did_not_measure_is_counted() -> None:
    there = frame_of(rows(1, {"confusion:a→b": 0.5, "map": 0.5}))
    other = frame_of(rows(1, {"map": 0.5}))
    found = tw.yolo.over_seeds({0: there, 1: other, 2: other})
    assert found.filter(metric="confusion:a→b")["reason"].item() == "1 of 3 seeds measured it"
    found = tw.yolo.over_seeds({0: there, 1: there, 2: other})
    method = {row["metric"]: row["method"] for row in found.iter_rows(named=True)}
    assert method["confusion:a→b"] == "mean of 2 of 3 seeds, t interval"
    assert method["map"] == "mean of 3 seeds, t interval"


def test_images_that_are_learned_from_are_known_by_content(tmp_path: Path) -> None:
    test = scenes(tmp_path / "test", 4, seed=1)
    copied = shutil.copy(test.paths()[2], tmp_path / "another name.png")
    other = scenes(tmp_path / "other", 3, seed=2).paths()
    found = overlap_with_files(test, [copied, *other, tmp_path / "gone.png", tmp_path])
    assert found.describe()["test_images_learned_from"] == 1
    assert not overlap_with_files(test, other).sentence()


def trained(folder: Path, name: str, task: str, data: Path | None, **arguments: object) -> None:
    """Lay out what a training of Ultralytics leaves; its weights are random ones."""
    architecture = HERE / f"yolo26_tiny{'_seg' if task == 'segment' else ''}.yaml"
    model = ultralytics().YOLO(str(architecture), task=task, verbose=False).model
    model.names = dict(enumerate(NAMES))
    (folder / name / "weights").mkdir(parents=True)
    write_model(
        model, {"imgsz": 64, "task": task}, folder / name / "weights" / "best.pt", "8.4.190"
    )
    given = {"imgsz": 64, "task": task} | ({} if data is None else {"data": str(data)}) | arguments
    (folder / name / "args.yaml").write_text(json.dumps(given))


def sets_of(folder: Path, draw: Any, splits: Sequence[str]) -> Path:  # noqa: ANN401
    for number, split in enumerate(splits):
        made = draw(folder / "drawn" / split, 8, seed=number + 2).save(folder / "made" / split)
        for kind in ("images", "labels"):
            (folder / kind).mkdir(exist_ok=True)
            (made / kind).rename(folder / kind / split)
    path = folder / "data.yaml"
    text = "".join(f"{split}: images/{split}\n" for split in splits)
    path.write_text(f"{text}names: {json.dumps(NAMES)}\n")
    return path


@pytest.mark.slow
def test_models_of_masks_that_exist_are_compared(tmp_path: Path) -> None:
    data = sets_of(tmp_path / "set", instance_scenes, ("train", "val"))
    runs = tmp_path / "runs"
    trained(runs, "train", "segment", data)
    before = {path: path.stat().st_mtime_ns for path in [*runs.rglob("*")]}
    given: dict[str, Any] = {"confidence": 0.0001, "crop_imgsz": 32, "images": 2}
    found = tw.yolo.read_runs(runs, **given)
    metrics = set(found.frame["metric"])
    assert {"mask_map50", "map50", "mask_area", "fusion", "classes_gone"} <= metrics
    assert found.remarks[-1].startswith("best.pt is the epoch that did best on the set")
    assert found.held_out
    assert "<dt>Human instances</dt>" in found.to_html()
    assert before == {path: path.stat().st_mtime_ns for path in [*runs.rglob("*")]}
    # By its own name, where it is given from within.
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(runs / "train")
        alone = tw.yolo.read_runs(".", DetectionDataset.from_yaml(data, task="segment"), **given)
    assert alone.frame["run"].unique().to_list() == ["train"]
    assert alone.sentence.startswith("Not held out: ")
    with refused(InputError, "holdout", "instances with polygons, …", "boxes", hint="…"):
        tw.yolo.read_runs(runs, DetectionDataset.from_yaml(data, split="val"))
    trained(runs, "other", "detect", data)
    tasks = "{'other': 'detect', 'train': 'segment'}"
    with refused(InputError, "directory", "models of one task", tasks):
        tw.yolo.read_runs(runs)


def test_it_is_said_where_nobody_knows_what_a_model_learned_from(tmp_path: Path) -> None:
    holdout = scenes(tmp_path / "holdout", 8, seed=2)
    trained(tmp_path / "runs", "a", "detect", tmp_path / "gone.yaml")
    trained(tmp_path / "runs", "b", "detect", None)
    found = tw.yolo.read_runs(tmp_path / "runs", holdout, crop_imgsz=32)
    (remark,) = found.remarks
    assert remark.startswith("whether images that are predicted were learned from is not known: ")
    assert remark.endswith("the training data of a, b cannot be read")


MEMORY = """
import sys
import numpy as np
import polars as pl
from tailwatch.yolo import DetectionDataset, Task
from tailwatch.yolo.dataset import IMAGES
from tailwatch.yolo.fusion import fusion
from tailwatch.yolo.instances import frame_of_rows
from tailwatch.yolo.statistics import statistics

task, (images, classes, each, corners) = Task(sys.argv[1]), map(int, sys.argv[2:])
rng = np.random.default_rng(0)
turns = np.linspace(0, 2 * np.pi, corners, endpoint=False)
circle = np.stack([np.cos(turns), np.sin(turns)], 1)

def drawn():
    rows = []
    for _ in range(images):
        labels = rng.zipf(1.3, each) % classes
        places = rng.uniform(0.2, 0.8, (each, 2))
        extents = rng.uniform(0.02, 0.1, each)
        if task is Task.DETECT:
            rows.append([(int(c), *p, s, s) for c, p, s in zip(labels, places.tolist(), extents)])
        else:
            rows.append([
                (int(c), *(p + s * circle).ravel().tolist())
                for c, p, s in zip(labels, places, extents)
            ])
    table = [(f"{n}.jpg", f"{n:064d}", 640, 480, "human", None) for n in range(images)]
    frame = frame_of_rows(task, rows)
    confidences = pl.Series(np.full(frame.height, 0.5))
    return DetectionDataset(
        tuple(f"c{n}" for n in range(classes)),
        pl.DataFrame(table, schema=IMAGES, orient="row"),
        frame.with_columns(confidence=confidences),
    )

human, sampled = drawn(), drawn()
found = statistics(human, sampled)
found += fusion(human, sampled)
assert {row["metric"] for row in found} >= {"class_kl", "fusion"}
# The peak of this program: what getrusage says counts the process that started it.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("task", ["detect", "segment"])
def test_statistics_of_many_classes_stay_in_300_mb(task: str) -> None:
    arguments = [task, "2000", "1203", "10", "30"]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 300

"""What Ultralytics does with instances: masks of real YOLO26 as labels, and a loop of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.cli import run
from tailwatch.exceptions import InputError, SourceError
from tailwatch.yolo import DetectionDataset, Task
from tailwatch.yolo.environment import ultralytics
from tailwatch.yolo.image_files import read_pixels
from tailwatch.yolo.instances import INSTANCES, box_around
from tailwatch.yolo.session import session
from tests.support.errors import refused
from tests.yolo.masks import iou
from tests.yolo.scenes import NAMES, instance_scenes, scenes

if TYPE_CHECKING:
    from tailwatch.yolo import UltralyticsDetector

HERE = Path(__file__).parent
TINY = HERE / "yolo26_tiny_seg.yaml"
# Of a detector that has seen little.
LEAST = 0.001


def silent(*_: object) -> None: ...


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DetectionDataset]:
    folder = tmp_path_factory.mktemp("scenes")
    return {
        "human": instance_scenes(folder / "human", 24, seed=3),
        "test": instance_scenes(folder / "test", 8, seed=2),
    }


def tiny(**given: object) -> UltralyticsDetector:
    settings = {"mosaic": 0.0, "optimizer": "AdamW", "lr0": 0.02}
    chosen = {"model": str(TINY), "epochs": 16, "imgsz": 64, "batch": 8, "crop_imgsz": 32}
    return tw.yolo.UltralyticsDetector(**(chosen | given), settings=settings)


@pytest.fixture(scope="module")
def trained(
    sets: dict[str, DetectionDataset], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Any]]:
    """Weights that find something, and the labels that the trainer has read."""
    weights = tmp_path_factory.mktemp("trained") / "weights.pt"
    model, read = ultralytics().YOLO, []
    original = model.train

    def train(self: object, **arguments: object) -> object:
        result = original(self, **arguments)
        read.extend(self.trainer.train_loader.dataset.labels)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "train", train)
        tiny().fit(sets["human"], weights, seed=1, start=None, budget=None, report=silent)
    return weights, read


def test_the_trainer_reads_exactly_our_polygons(
    sets: dict[str, DetectionDataset], trained: tuple[Path, list[Any]]
) -> None:
    rows = sets["human"].label_rows()
    assert len(trained[1]) == len(rows)
    for label, of_image in zip(trained[1], rows, strict=True):
        read = sorted(
            (int(number), *segment.ravel().tolist())
            for number, segment in zip(label["cls"].ravel(), label["segments"], strict=True)
        )
        np.testing.assert_allclose(
            np.array(read).reshape(-1, 9), np.array(sorted(of_image)).reshape(-1, 9), atol=1e-6
        )


def test_predictions_are_instances_of_the_image(
    sets: dict[str, DetectionDataset], trained: tuple[Path, list[Any]]
) -> None:
    found = tiny().predict(trained[0], sets["test"].paths(), least=LEAST, report=silent)
    assert found.height
    assert found.schema == INSTANCES
    assert found["image"].is_sorted()
    assert found["confidence"].min() >= LEAST
    for points, *box in found.select("points", "x", "y", "w", "h").iter_rows():
        assert len(points) >= 6
        assert all(0 <= value <= 1 for value in points)
        assert box_around(points) == tuple(box)
    again = tiny().predict(trained[0], sets["test"].paths(), least=LEAST, report=silent)
    assert again.equals(found)
    labelled = sets["test"].relabelled(found, teacher="somebody")
    assert labelled.task is Task.SEGMENT
    other = tiny(nms_free=True).predict(
        trained[0], sets["test"].paths(), least=LEAST, report=silent
    )
    assert other.schema == INSTANCES
    assert not other.equals(found)


def test_a_polygon_is_where_ultralytics_has_its_mask(
    trained: tuple[Path, list[Any]], tmp_path: Path
) -> None:
    from PIL import Image

    # Wider than high: the network sees it 64 × 43 pixels large, below 10 rows of border.
    (path,) = scenes(tmp_path, 1, seed=8).paths()
    with Image.open(path) as opened:
        opened.convert("RGB").resize((150, 100)).save(path)
    found = tiny().predict(trained[0], [path], least=LEAST, report=silent)
    with session(1):
        model = ultralytics().YOLO(str(trained[0]), task="segment", verbose=False)
        (result,) = model.predict(
            [read_pixels(path)], conf=LEAST, imgsz=64, iou=0.7, rect=False, verbose=False
        )
    masks = result.masks.data.numpy() != 0
    expected = [mask[10:53] for mask in masks if tw.yolo.polygon_from_mask(mask[10:53])]
    assert 0 < len(expected) == found.height
    ious = [
        iou(tw.yolo.mask_from_polygon(points.to_list(), 43, 64), mask)
        for points, mask in zip(found["points"], expected, strict=True)
    ]
    # Small masks in several parts have bridges that are large beside them.
    assert np.median(ious) >= 0.99
    assert min(ious) > 0.5


def test_masks_and_boxes_are_evaluated(
    sets: dict[str, DetectionDataset], trained: tuple[Path, list[Any]]
) -> None:
    found = tiny().evaluate(trained[0], sets["test"])
    assert found.images == 8
    assert found.mask is not None
    assert found.of_task is found.mask
    for precision in (found, found.mask):
        assert 0 < precision.map <= precision.map50 <= 1
        there = [value for value in precision.ap50 if value is not None]
        assert np.mean(there) == pytest.approx(precision.map50)
    assert (found.map, found.ap) != (found.mask.map, found.mask.ap)
    empty = sets["test"].relabelled(sets["test"].boxes.clear(), teacher="somebody")
    nothing = tiny().evaluate(trained[0], empty)
    assert (nothing.map, nothing.mask.map, nothing.mask.map50) == (None, None, None)


def test_crops_of_instances_are_embedded(
    sets: dict[str, DetectionDataset], trained: tuple[Path, list[Any]]
) -> None:
    data = sets["test"]
    found = tw.yolo.embed(data, weights=trained[0], crops=True, imgsz=64, crop_imgsz=32)
    assert found.height == data.boxes.height
    assert found["embedding"].dtype == pl.Array(pl.Float32, 32)


def test_data_of_another_task_are_refused(
    sets: dict[str, DetectionDataset], trained: tuple[Path, list[Any]], tmp_path: Path
) -> None:
    boxes = scenes(tmp_path / "boxes", 4)
    said = ("instances with polygons, as the model segments instances", "boxes")
    hint = "read the data with task='segment'"
    with refused(InputError, "data", *said, hint=hint):
        tiny().evaluate(trained[0], boxes)
    learner = tw.yolo.YoloLearner(str(TINY), pool=sets["human"])
    with refused(InputError, "data", *said, hint=hint):
        learner.fit(boxes, rng=np.random.default_rng(0))
    experiment = tw.yolo.Experiment(sets["human"], boxes, learner)
    with refused(InputError, "test", *said, hint=hint):
        tw.yolo.study(experiment, policies={}, generations=1, directory=tmp_path / "study")
    with refused(
        InputError,
        "data",
        "boxes, as the model detects boxes",
        "instances with polygons",
        hint="read the data with task='detect'",
    ):
        tw.yolo.YoloLearner(str(HERE / "yolo26_tiny.yaml"), pool=boxes).fit(
            sets["human"], rng=np.random.default_rng(0)
        )
    for task, does, other in (("detect", "detects boxes", TINY), ("segment", "segments …", None)):
        model = str(other or HERE / "yolo26_tiny.yaml")
        kind = "segment" if other else "detect"
        with refused(SourceError, "…", f"a model that {does}", f"one for the task {kind}"):
            tw.yolo.YoloLearner(model, pool=boxes, task=task)


def data_yaml(sets: dict[str, DetectionDataset], folder: Path) -> Path:
    for name, data in (("train", sets["human"]), ("val", sets["test"])):
        made = data.save(folder / "made" / name)
        for kind in ("images", "labels"):
            (folder / kind).mkdir(exist_ok=True)
            (made / kind).rename(folder / kind / name)
    path = folder / "data.yaml"
    path.write_text(f"train: images/train\nval: images/val\nnames: {json.dumps(NAMES)}\n")
    return path


def test_a_loop_of_masks_trains_labels_evaluates_and_reports(
    sets: dict[str, DetectionDataset],
    trained: tuple[Path, list[Any]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "study"
    arguments = [
        "yolo-loop", str(data_yaml(sets, tmp_path)), "--task", "segment", "--model",
        str(trained[0]), "--origin", "human", "--generations", "2", "--epochs", "1", "--imgsz",
        "64", "--batch", "8", "--seeds", "1", "--start", "previous", "--confidence", str(LEAST),
        "--no-control", "--out", str(out),
    ]  # fmt: skip
    assert run(arguments) == 0
    assert "mask mAP50" in capsys.readouterr().err
    frame = pl.read_parquet(out / "frame.parquet")
    assert frame["generation"].unique().sort().to_list() == [1, 2]
    metrics = set(frame["metric"])
    of_masks = {"mask_map", "mask_map50", "mask_ap:red", "mask_ap50:red"}
    shapes = {"mask_area", "mask_compactness:red", "mask_parts:red", "mask_vertices"}
    of_boxes = {"map50", "ap:red", "class_share:red", "classes_gone", "box_size", "type_coverage"}
    assert of_masks | shapes | of_boxes | {"crop_coverage:red"} <= metrics
    of_run = frame.filter(run="replace", generation=2)
    values = dict(of_run.filter(pl.col("level").is_null()).select("metric", "value").iter_rows())
    assert values["risk"] == pytest.approx(1 - values["mask_map"])
    labels = DetectionDataset.load(out / "seed-0/replace/generations/0001/samples")
    assert labels.task is Task.SEGMENT
    assert labels.boxes.height
    assert labels.images["origin"].unique().to_list() == ["pseudo"]
    assert of_run.filter(metric="mask_area")["null_low"].item() is not None
    page = (out / "report.html").read_text(encoding="utf-8")
    for words in ("Shapes of the masks", "Mask mAP50", "Mask AP50, red", "Area of masks, red"):
        assert words in page
    assert "data:image/jpeg;base64," in page
    assert len(page) < 1_000_000


@pytest.mark.parametrize("task", ["classify", "pose", "obb"])
def test_a_task_that_is_not_built_is_refused_before_anything_is_read(
    task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["yolo-loop", str(tmp_path / "gone.yaml"), "--model", str(tmp_path / "gone.pt")]
    assert run([*arguments, "--task", task, "--out", str(tmp_path / "out")]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"--task: expected detect or segment, got '{task}', which is not built" in said
    assert not (tmp_path / "out").exists()
    model = f"yolo26n-{'cls' if task == 'classify' else task}.yaml"
    assert run([*arguments[:2], "--model", model, "--out", str(tmp_path / "out")]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"{model}: expected a model that detects boxes or segments instances" in said


@pytest.mark.slow
def test_yolo26n_seg_itself_trains_predicts_and_evaluates(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    data = sets["human"].take(np.arange(8))
    detector = tiny(model="yolo26n-seg.yaml", epochs=1)
    weights = tmp_path / "weights.pt"
    detector.fit(data, weights, seed=1, start=None, budget=None, report=silent)
    assert detector.predict(weights, data.paths(), least=0.9, report=silent).schema == INSTANCES
    assert 0 <= detector.evaluate(weights, data).mask.map50 <= 1
    assert detector.embed(weights, data.paths(), report=silent).shape[0] == 8

"""Sets of instances: label files, folders, statistics of shapes; no training here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError
from tailwatch.recursion.frame import frame_of
from tailwatch.yolo import DetectionDataset, Task
from tailwatch.yolo.detections import label_text
from tailwatch.yolo.environment import ultralytics
from tailwatch.yolo.extra import extra
from tailwatch.yolo.instances import INSTANCES, read_rows
from tailwatch.yolo.pictures import draw
from tailwatch.yolo.problems import DataError
from tailwatch.yolo.statistics import Cuts, statistics
from tests.support.errors import fields, refused
from tests.yolo.scenes import NAMES, instance_scenes, scenes

if TYPE_CHECKING:
    from pathlib import Path

SHARE = st.floats(0, 1)
ROW = st.integers(0, 2).flatmap(
    lambda number: st.lists(st.tuples(SHARE, SHARE), min_size=3, max_size=12).map(
        lambda points: (number, *(value for point in points for value in point))
    )
)


@pytest.fixture(scope="module")
def human(tmp_path_factory: pytest.TempPathFactory) -> DetectionDataset:
    return instance_scenes(tmp_path_factory.mktemp("scenes"), 40, seed=3)


@given(rows=st.lists(ROW, max_size=5))
@settings(max_examples=100)
def test_a_label_file_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, ...]]
) -> None:
    path = tmp_path_factory.mktemp("labels") / "a.txt"
    path.write_text(label_text(rows))
    assert read_rows(Task.SEGMENT, path, 3) == rows
    assert path.read_text() == label_text(read_rows(Task.SEGMENT, path, 3))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "0 0.5 0.5 0.1 0.1",
            fields("…line 1", "a class and at least …", "5 columns", hint="a box…"),
        ),
        ("0 0.1 0.1 0.2 0.2", fields("…line 1", "a class and at least …", "5 columns", hint="…")),
        ("0 0.1 0.1 0.2 0.2 0.3", fields("…line 1", "a class and at least …", "6 columns")),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4", fields("…line 1", "a class and …", "8 columns")),
        ("3 0 0 1 0 1 1", fields("…line 1", "a class from 0 to 2", "3")),
        ("0 0 0 1 0 1 1.02", fields("…line 1", "points as shares of the image", "1.02")),
        ("0 0 0 1 0 1 nan", fields("…line 1", "points as shares of the image", "nan")),
        ("0 0 0 1 0 1 x", fields("…line 1", "numbers", "'0 0 0 1 0 1 x'")),
    ],
)
def test_lines_that_are_no_polygon_are_named(
    tmp_path: Path, line: str, said: dict[str, str]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text(line + "\n")
    with refused(SourceError, **said):
        read_rows(Task.SEGMENT, path, 3)


def test_a_polygon_needs_three_points(human: DetectionDataset) -> None:
    with refused(
        InputError, "polygons", "class and at least three points, …", "4 coordinates", "image 1"
    ):
        tw.yolo.instances([[], [(0, 0.1, 0.1, 0.2, 0.2)]])
    with refused(InputError, "images, boxes"):
        DetectionDataset(human.names, human.images, human.boxes.drop("x"))


def test_ultralytics_reads_the_same_instances(human: DetectionDataset, tmp_path: Path) -> None:
    ultralytics()
    folder = human.save(tmp_path / "set")
    verify = extra("ultralytics.data.utils").verify_image_label
    for number, rows in enumerate(human.label_rows()):
        image = folder / f"images/{number:06d}.png"
        label = folder / f"labels/{number:06d}.txt"
        found = verify((str(image), str(label), "", False, 3, 0, 0, False))
        assert found[0] == str(image)
        boxes = human.boxes.filter(image=number).select("class", "x", "y", "w", "h").to_numpy()
        np.testing.assert_allclose(found[1].reshape(-1, 5), boxes.reshape(-1, 5), atol=1e-6)
        for segment, (_, *points) in zip(found[3], rows, strict=True):
            np.testing.assert_allclose(segment.ravel(), points, atol=1e-7)


def test_a_folder_of_instances_is_read_as_it_was_written(
    human: DetectionDataset, tmp_path: Path
) -> None:
    labelled = human.relabelled(
        human.boxes.with_columns(confidence=pl.lit(0.75)), teacher="somebody"
    )
    for number, data in enumerate((human, labelled)):
        folder = data.save(tmp_path / str(number))
        found = DetectionDataset.load(folder)
        assert found.task is Task.SEGMENT
        assert found.boxes.equals(data.boxes)
        assert found.boxes.schema == INSTANCES
        assert found.fingerprint() == data.fingerprint()
    assert repr(human).startswith("DetectionDataset(40 images, ")
    assert "instances" in repr(human)
    assert human.fingerprint() != labelled.fingerprint()
    # A point that moved within its box is another set.
    moved = human.boxes.with_columns(points=pl.col("points").list.reverse())
    assert DetectionDataset(human.names, human.images, moved).fingerprint() != human.fingerprint()


def test_a_data_yaml_is_read_by_the_task(human: DetectionDataset, tmp_path: Path) -> None:
    folder = human.save(tmp_path / "set")
    found = DetectionDataset.from_yaml(folder / "data.yaml", task="segment")
    assert found.boxes.equals(human.boxes)
    assert found.images["origin"].unique().to_list() == ["human"]
    boxes = scenes(tmp_path / "boxes", 12, seed=3)
    yaml = boxes.save(tmp_path / "b") / "data.yaml"
    # A set of boxes alone is one problem, and nothing of it could be left.
    expected = "polygons, class x1 y1 x2 y2 x3 y3 …, in the set 'train'"
    for bad_files in ("refuse", "leave-out"):
        with refused(SourceError, "…/data.yaml", expected, "boxes alone, on 11 images"):
            DetectionDataset.from_yaml(yaml, task="segment", bad_files=bad_files)
    found = tw.yolo.check_data(yaml, splits=["train"], task="segment")
    assert [each.kind for each in found.problems] == ["labels of another task"]
    assert found.counts["images"].to_list() == [0]
    with refused(SourceError, "…/data.yaml", expected, "…"):
        found.require("leave-out")
    # Boxes among images with polygons are bad files; an image on which there is nothing is none.
    (labels,) = yaml.parent.glob("labels/000000.txt")
    labels.write_text("0 0.2 0.2 0.4 0.2 0.4 0.6\n")
    with refused(DataError, "…/data.yaml", "a data set without problems", "… problems") as found:
        DetectionDataset.from_yaml(yaml, task="segment")
    causes = [problem.cause for problem in found.value.problems]
    assert {cause.got for cause in causes if cause is not None} == {"boxes"}
    left = DetectionDataset.from_yaml(yaml, task="segment", bad_files="leave-out")
    assert (len(left), left.boxes.height) == (12 - len(causes), 1)
    assert left.remarks[0].startswith(f"left out: {len(causes)} of 12 train images cannot be used")


def test_taking_and_joining_keep_the_polygons(human: DetectionDataset, tmp_path: Path) -> None:
    chosen = [5, 0, 5, 3]
    taken = human.take(chosen)
    assert taken.label_rows() == [human.label_rows()[number] for number in chosen]
    assert taken.boxes_of() == [human.boxes_of()[number] for number in chosen]
    both = human.concat([taken])
    assert both.label_rows() == human.label_rows() + taken.label_rows()
    assert human.take([]).task is Task.SEGMENT
    boxes = scenes(tmp_path, 3, seed=3)
    with refused(InputError, "others", "instances with polygons", "boxes"):
        human.concat([boxes])


def values_of(rows: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    return {str(each["metric"]): each for each in rows if str(each["metric"]).startswith("mask_")}


def test_shapes_are_compared_with_halves(human: DetectionDataset) -> None:
    found = values_of(statistics(human, human))
    of = ["", *(f":{name}" for name in NAMES)]
    metrics = ("mask_area", "mask_compactness", "mask_parts", "mask_vertices")
    assert set(found) == {f"{metric}{each}" for metric in metrics for each in of}
    # Squares of 12 pixels on 64: their outline is that of plane geometry.
    assert found["mask_area"]["value"] == pytest.approx((12 / 64) ** 2)
    assert found["mask_compactness:red"]["null"] == pytest.approx(np.pi / 4)
    assert found["mask_parts"]["value"] == 1
    assert found["mask_vertices:blue"]["value"] == 4
    assert all(each["direction"] == "match" for each in found.values())


def test_shapes_are_the_means_over_the_cuts(human: DetectionDataset) -> None:
    rng = np.random.default_rng(0)
    # Triangles of any size, so that each cut has another mean.
    polygons = [[(row[0], *rng.uniform(0, 1, 6)) for row in rows] for rows in human.label_rows()]
    data = DetectionDataset.from_images(human.paths(), polygons, names=NAMES, task="segment")
    found = values_of(statistics(data, data))
    areas: dict[int, list[tuple[int, float]]] = {0: [], 1: [], 2: []}
    for image, rows in enumerate(polygons):
        for number, *points in rows:
            (a, b), (c, d), (e, f) = np.array(points).reshape(3, 2)
            areas[number].append((image, abs((c - a) * (f - b) - (e - a) * (d - b)) / 2))
    for number, name in enumerate(NAMES):
        by_cut = []
        for _, b, _ in Cuts(len(data), len(data)):
            inside = [area for image, area in areas[number] if b[image]]
            by_cut += [np.mean(inside)] if inside else []
        row = found[f"mask_area:{name}"]
        assert row["null"] == pytest.approx(np.mean(by_cut))
        low, high = np.quantile(by_cut, [0.025, 0.975])
        assert (row["null_low"], row["null_high"]) == pytest.approx((low, high))


def test_a_class_without_an_instance_has_no_shape(human: DetectionDataset) -> None:
    left = human.relabelled(human.boxes.filter(pl.col("class") != 2), teacher="somebody")
    found = values_of(statistics(human, left))["mask_area:blue"]
    assert found["value"] is None
    assert found["null"] is not None
    assert found["reason"] == "no cut has a value"


def test_boxes_have_no_shapes(human: DetectionDataset) -> None:
    boxes = DetectionDataset(human.names, human.images, human.boxes.drop("points"))
    assert boxes.task is Task.DETECT
    assert not values_of(statistics(boxes, boxes))
    plain = {each["metric"]: each["value"] for each in statistics(boxes, boxes)}
    with_masks = {each["metric"]: each["value"] for each in statistics(human, human)}
    assert {name: with_masks[name] for name in plain} == plain


def test_the_null_of_mask_precision_is_the_control() -> None:
    rows = [
        {"run": run, "generation": 1, "group": "model", "metric": metric, "n_sample": 9}
        | {"value": value, "direction": "higher"}
        for run, value in (("replace", 0.2), ("human only", 0.5))
        for metric in ("mask_map", "mask_ap50:red")
    ]
    found = tw.yolo.over_seeds({0: frame_of(rows), 1: frame_of(rows)}).filter(run="replace")
    assert found["null"].to_list() == [0.5, 0.5]
    assert found["retention"].to_list() == pytest.approx([0.4, 0.4])


def test_pictures_have_outlines(human: DetectionDataset) -> None:
    number = int(human.boxes["image"][0])
    boxes = DetectionDataset(human.names, human.images, human.boxes.drop("points"))
    triangle = human.relabelled(
        tw.yolo.instances([[(0, 0.1, 0.1, 0.9, 0.1, 0.5, 0.9)] * (n == number) for n in range(40)]),
        teacher="somebody",
    )
    drawn = [draw(data, number) for data in (human, boxes, triangle)]
    assert len({*drawn}) == 3
    assert all(picture[:2] == b"\xff\xd8" for picture in drawn)


@pytest.mark.parametrize("task", ["classify", "pose", "obb", "semantic", "depth", "boxes", 3])
def test_other_tasks_are_refused_by_name(task: object) -> None:
    built = task in {"boxes", 3}
    said = repr(task) if built else f"{task!r}, which is not built"
    with refused(InputError, "task", "detect or segment", said):
        Task.of(task)
    with refused(InputError, "task", "detect or segment", said):
        tw.yolo.UltralyticsDetector(task=task)

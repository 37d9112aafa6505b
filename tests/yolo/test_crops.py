"""Coverage of crops: its null is what fresh human images give, or there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tailwatch.yolo import DetectionDataset
from tailwatch.yolo.crops import CANDIDATES, CROP_CUTS, CropCoverage, K
from tailwatch.yolo.dataset import IMAGES
from tailwatch.yolo.detections import detections

IMAGES_OF_A_SET = 40


def drawn(per_class: dict[int, int], *, together: bool = False) -> DetectionDataset:
    """So many boxes of each class, each on an image of its own, or all of a class on one."""
    count = IMAGES_OF_A_SET
    boxes: list[list[tuple[int, float, float, float, float]]] = [[] for _ in range(count)]
    place = 0
    for label, number in per_class.items():
        for _ in range(number):
            boxes[place % count].append((label, 0.5, 0.5, 0.1, 0.1))
            place += not together
        place += together
    rows = [(f"{n}.png", f"{n:064d}", 64, 64, "human", None) for n in range(count)]
    images = pl.DataFrame(rows, schema=IMAGES, orient="row")
    names = tuple(f"class {label}" for label in range(max(per_class) + 1))
    return DetectionDataset(names, images, detections(boxes))


class Encoder:
    """Embeds each box as a point that has nothing to do with its pixels."""

    def __init__(self, rng: np.random.Generator, shift: float = 0.0) -> None:
        self.rng, self.shift = rng, shift

    def embed(self, _: Path, __: object, boxes: pl.DataFrame, **___: object) -> np.ndarray:
        return (self.rng.normal(size=(boxes.height, 6)) + self.shift).astype(np.float32)


def coverage(
    human: DetectionDataset, sample: DetectionDataset, seed: int, shift: float = 0.0
) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    reference = CropCoverage.of(Encoder(rng), Path("none"), human, report=print)
    rows = reference.rows(sample, Encoder(rng, shift), report=print)
    return pl.DataFrame(rows, infer_schema_length=None)


@pytest.mark.parametrize(
    "boxes", [12, 13, 40, *(pytest.param(n, marks=pytest.mark.slow) for n in (16, 24))]
)
def test_the_null_is_what_fresh_human_images_give(boxes: int) -> None:
    # 60 pairs, seeds 0 to 59: the mean of value − null is 0 up to 4 of its standard errors.
    data = drawn({0: boxes})
    differences = []
    for seed in range(60):
        found = coverage(data, data, seed).filter(metric="crop_coverage:class 0")
        differences.append(found["value"][0] - found["null"][0])
    error = np.std(differences, ddof=1) / len(differences) ** 0.5
    assert abs(np.mean(differences)) < max(4 * error, 0.01)


@pytest.mark.parametrize("boxes", range(1, 2 * (K + 1)))
def test_a_class_too_rare_for_both_halves_is_not_measured(boxes: int) -> None:
    data = drawn({0: boxes, 1: 30})
    for metric in ("crop_coverage", "crop_tail_coverage"):
        row = coverage(data, data, 0).filter(metric=f"{metric}:class 0").row(0, named=True)
        assert row["value"] is None
        assert row["null"] is None
        assert row["retention"] is None
        assert row["method"] is None
        assert row["reason"].startswith("a cut needs more than 5 crops")
        assert row["reason"].endswith(f"there are {boxes}")


def test_a_class_on_one_image_is_not_measured() -> None:
    data = drawn({0: 30, 1: 30}, together=True)
    row = coverage(data, data, 0).filter(metric="crop_coverage:class 0").row(0, named=True)
    assert row["value"] is None
    assert "on several images" in row["reason"]


def test_a_mean_is_of_the_classes_that_are_measured() -> None:
    data = drawn({0: 8, 1: 40, 2: 20})
    frame = coverage(data, data, 1)
    of = {name: frame.filter(metric=f"crop_coverage:{name}") for name in ("class 1", "class 2")}
    everything = frame.filter(metric="crop_coverage:all classes").row(0, named=True)
    for column in ("value", "null"):
        # Each class has all cuts, so that means over cuts and classes change places.
        assert everything[column] == pytest.approx(
            np.mean([each[column][0] for each in of.values()])
        )
    assert "mean of 2 of 3 classes" in everything["reason"]


def test_a_class_that_is_gone_is_covered_by_nothing() -> None:
    human, sample = drawn({0: 8, 1: 30}), drawn({1: 30})
    sample = DetectionDataset(human.names, sample.images, sample.boxes)
    row = coverage(human, sample, 0).filter(metric="crop_coverage:class 0").row(0, named=True)
    assert (row["value"], row["low"], row["high"], row["null"]) == (0, 0, 0, None)
    assert row["reason"].startswith("no crop is left; a cut needs")
    gone = coverage(drawn({0: 20, 1: 30}), sample, 0)
    row = gone.filter(metric="crop_coverage:class 0").row(0, named=True)
    assert row["value"] == 0
    assert row["null"] > 0.3


def test_a_class_elsewhere_is_not_covered() -> None:
    data = drawn({0: 30})
    row = coverage(data, data, 0, shift=20.0).filter(metric="crop_coverage:class 0")
    assert row["value"][0] == 0
    assert row["null"][0] > 0.5
    assert CROP_CUTS < CANDIDATES

"""Fusion and confusion against loops over painted instances, and their intervals by simulation."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.report.detection import detection_page
from tailwatch.yolo import DetectionDataset, mask_from_polygon, polygon_from_mask
from tailwatch.yolo.dataset import IMAGES
from tailwatch.yolo.detections import SCHEMA
from tailwatch.yolo.fusion import (
    MOST_PAIRS,
    Intersections,
    covers_several,
    found_only_fused,
    fusion,
    instances_of,
    matches,
)
from tailwatch.yolo.study_result import over_seeds
from tests.yolo.masks import drawn_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SIDE = 10

Spot = tuple[int, int, int, int]
"""Left, top, right and bottom of an instance, in cells; one without area where they are equal."""


@st.composite
def spots(draw: st.DrawFn) -> Spot:
    left, right, top, bottom = (draw(st.integers(0, SIDE)) for _ in range(4))
    return min(left, right), min(top, bottom), max(left, right), max(top, bottom)


def painted(spot: Spot) -> set[tuple[int, int]]:
    left, top, right, bottom = spot
    return {(x, y) for x in range(left, right) for y in range(top, bottom)}


def boxes_of(of_image: Sequence[Spot]) -> NDArray[np.float64]:
    rows = [((a + c) / 2, (b + d) / 2, c - a, d - b) for a, b, c, d in of_image]
    return np.array(rows, np.float64).reshape(-1, 4)


def polygon_of(spot: Spot) -> list[float]:
    """Return the polygon through the centres of the outermost cells."""
    left, top, right, bottom = spot
    if left == right or top == bottom:
        return []
    ends = (left + 0.5, top + 0.5), (right - 0.5, bottom - 0.5)
    corners = ((0, 0), (1, 0), (1, 1), (0, 1))
    return [ends[place][axis] / SIDE for corner in corners for axis, place in enumerate(corner)]


def by_loops(
    predicted: Sequence[set[Any]], human: Sequence[set[Any]], confidence: Sequence[float]
) -> tuple[list[bool], list[bool], list[int]]:
    """Say what is fused, found only fused, and matched: from sets of cells, in plain loops."""

    def covers(a: set[Any], b: set[Any]) -> bool:
        return bool(a) and bool(b) and 2 * len(a & b) >= min(len(a), len(b))

    several = [sum(covers(p, h) for h in human) >= 2 for p in predicted]
    only = []
    for h in human:
        over = [place for place, p in enumerate(predicted) if covers(p, h)]
        only.append(bool(over) and all(several[place] for place in over))
    taken = [-1] * len(human)
    for place in sorted(range(len(predicted)), key=lambda place: -confidence[place]):
        best, most = None, 0.0
        for number, h in enumerate(human):
            union = len(predicted[place] | h)
            share = len(predicted[place] & h) / union if union else 0.0
            if taken[number] < 0 and share > most:
                best, most = number, share
        if best is not None and most >= 0.5:
            taken[best] = place
    return several, only, taken


@given(
    st.lists(st.tuples(spots(), st.sampled_from([0.25, 0.5, 1.0])), max_size=7),
    st.lists(spots(), max_size=7),
)
def test_boxes_and_masks_agree_with_loops(
    found: list[tuple[Spot, float]], human: list[Spot]
) -> None:
    predicted = [spot for spot, _ in found]
    confidence = [each for _, each in found]
    cells = [[painted(spot) for spot in side] for side in (predicted, human)]
    of_boxes = Intersections.of_boxes(boxes_of(predicted), boxes_of(human))
    drawn = [[polygon_of(spot) for spot in side] for side in (predicted, human)]
    of_masks = Intersections.of_polygons(*drawn, height=SIDE, width=SIDE)
    several, only, taken = by_loops(*cells, confidence)
    for areas in (of_boxes, of_masks):
        assert covers_several(areas).tolist() == several
        assert found_only_fused(areas).tolist() == only
        assert matches(areas, np.array(confidence)).tolist() == taken


def test_masks_of_polygons_agree_with_loops_over_pixels() -> None:
    rng = np.random.default_rng(7)
    height, width = 90, 120
    drawn = [drawn_mask(rng, 60) for _ in range(10)]
    # Two are found nearly where people drew them.
    drawn += drawn[1:3]
    polygons = []
    for number, mask in enumerate(drawn):
        whole = np.zeros((height, width), bool)
        top, left = (9 * (number % 3), 15 * (number % 4)) if number < 10 else (11, 18)
        left += 15 if number == 11 else 0
        whole[top : top + 60, left : left + 60] = mask
        # Some of it in a corner, and one of nothing.
        polygons.append(polygon_from_mask(whole if number else whole & False))
    predicted, human = polygons[:6], polygons[6:]
    cells = [
        [set(zip(*np.nonzero(mask_from_polygon(each, height, width)), strict=True)) for each in of]
        for of in (predicted, human)
    ]
    confidence = [0.5, 0.9, 0.9, 0.3, 0.6, 0.7]
    areas = Intersections.of_polygons(predicted, human, height=height, width=width)
    shared = [[len(one & other) for other in cells[1]] for one in cells[0]]
    assert areas.shared.tolist() == shared
    assert areas.predicted.tolist() == [len(each) for each in cells[0]]
    several, only, taken = by_loops(*cells, confidence)
    assert covers_several(areas).tolist() == several
    assert found_only_fused(areas).tolist() == only
    assert matches(areas, np.array(confidence)).tolist() == taken
    assert any(several)
    assert max(taken) >= 0


def test_polygons_of_a_large_image_are_filled_on_a_smaller_one() -> None:
    square = [0.25, 0.25, 0.75, 0.25, 0.75, 0.75, 0.25, 0.75]
    large = Intersections.of_polygons([square], [square], height=4096, width=8192)
    small = Intersections.of_polygons([square], [square], height=512, width=1024)
    assert large.shared.tolist() == small.shared.tolist() == [[257 * 513]]


def dataset(
    boxes: Sequence[Sequence[tuple[float, ...]]], classes: int = 3, *, names: str = "abc"
) -> DetectionDataset:
    """Make a set of boxes, each of class, place and a confidence if any, on images of no file."""
    images = pl.DataFrame(
        [(f"{n}.png", f"{n:064d}", 100, 100, "human", None) for n in range(len(boxes))],
        schema=IMAGES,
        orient="row",
    )
    rows = [(n, *box, *[None] * (6 - len(box))) for n, of in enumerate(boxes) for box in of]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return DetectionDataset(tuple(names), images, frame)


LEFT, RIGHT = (0.2, 0.5, 0.2, 0.4), (0.45, 0.5, 0.2, 0.4)
BOTH = (0.325, 0.5, 0.45, 0.4)
FAR = (0.8, 0.5, 0.2, 0.4)


def values(rows: Sequence[dict[str, Any]], column: str = "value") -> dict[str, Any]:
    return {each["metric"]: each[column] for each in rows}


def test_two_found_as_one() -> None:
    human = dataset([[(0, *LEFT), (1, *RIGHT), (2, *FAR)]] * 12)
    predicted = dataset([[(0, *BOTH, 0.9), (0, *FAR, 0.8)]] * 12)
    found = values(fusion(human, predicted))
    assert found == pytest.approx(
        {
            "fusion": 1 / 2,
            "fused_only": 2 / 3,
            "matched": 1 / 3,
            "confusion": 1.0,
            "confusion:c→a": 1.0,
        }
    )
    # Found again by itself, the left one is no longer found only inside another.
    better = dataset([[(0, *BOTH, 0.9), (0, *FAR, 0.8), (0, *LEFT, 0.3)]] * 12)
    found = values(fusion(human, better))
    assert found["fusion"] == pytest.approx(1 / 3)
    assert found["fused_only"] == pytest.approx(1 / 3)
    assert found["confusion"] == pytest.approx(1 / 2)


def test_people_fuse_too_and_that_is_the_null() -> None:
    human = dataset([[(0, *LEFT), (1, *BOTH)]] * 6 + [[(2, *FAR)]] * 6)
    rows = fusion(human, human)
    null = {each["metric"]: each["null"] for each in rows}
    # Either covers itself and the other: all instances of half of the images.
    assert null["fusion"] == pytest.approx(2 / 3, abs=0.05)
    assert null["fusion"] != 0 != null["fused_only"]
    assert values(rows)["confusion"] == 0
    assert null["confusion"] is None


def test_nothing_predicted_and_nothing_drawn() -> None:
    human = dataset([[(0, *LEFT)], [], [(1, *FAR)]])
    empty = dataset([[], [], []])
    found = values(fusion(human, empty))
    assert found == {"fusion": None, "fused_only": 0.0, "matched": 0.0, "confusion": None}
    found = values(fusion(empty, human))
    assert found == {"fusion": 0.0, "fused_only": None, "matched": None, "confusion": None}
    assert fusion(dataset([]), dataset([])) == []
    rows = fusion(empty, human, remark="not held out")
    assert all("not held out" in each["reason"] for each in rows)


def test_the_most_frequent_pairs_have_rows_and_their_number_is_said() -> None:
    names = "abcdefgh"
    pairs = [(a, b) for a in range(8) for b in range(8) if a != b]
    human, predicted = [], []
    for times, (a, b) in enumerate(pairs):
        human += [[(a, *FAR)]] * (1 + times // 8)
        predicted += [[(b, *FAR, 0.5)]] * (1 + times // 8)
    rows = fusion(dataset(human, names=names), dataset(predicted, names=names))
    of_pairs = {each["metric"]: each for each in rows if ":" in each["metric"]}
    assert list(of_pairs) == [
        f"confusion:{names[a]}→{names[b]}" for a, b in pairs[48:] + pairs[40:42]
    ]
    assert len(of_pairs) == MOST_PAIRS
    said = f"one of the {MOST_PAIRS} most frequent of 56 pairs"
    assert {each["reason"] for each in of_pairs.values()} == {said}
    # By class a: how many of its instances are labelled b.
    h = [6 if pair in pairs[40:48] else 7 for pair in pairs if pair[0] == 7 and pair in pairs[40:]]
    assert values(rows)["confusion:h→g"] == pytest.approx(h[-1] / sum(h), abs=0.05)


def test_pairs_of_names_with_arrows_are_told_apart() -> None:
    human = dataset([[(0, *LEFT), (1, *FAR)]] * 4)
    predicted = dataset([[(2, *LEFT, 0.9), (3, *FAR, 0.9)]] * 4)
    names = ("a→b", "a", "c", "b→c")
    rows = fusion(
        *(DetectionDataset(names, each.images, each.boxes) for each in (human, predicted))
    )
    pairs = [each["metric"] for each in rows if each["metric"].startswith("confusion:")]
    assert pairs == ["confusion:a→b→c #0→#2", "confusion:a→b→c #1→#3"]


def drawn(rng: np.random.Generator, images: int) -> tuple[DetectionDataset, DetectionDataset]:
    """Draw images of neighbouring and nested boxes, and what a poor detector makes of them."""
    human, predicted = [], []
    for _ in range(images):
        of_human, found = [], []
        for place in range(rng.integers(1, 5)):
            x = 0.15 + 0.2 * place
            label = int(rng.choice(3, p=(0.5, 0.3, 0.2)))
            of_human.append((label, x, 0.5, 0.18, 0.18))
            if rng.random() < 0.15:
                of_human.append((label, x, 0.5, 0.06, 0.06))
            given = label if rng.random() < 0.8 else (label + 1) % 3
            found.append((given, x, 0.5, 0.18, 0.18, rng.uniform(0.3, 1)))
        # Now and then two neighbours become one.
        merged = [
            (a[0], (a[1] + b[1]) / 2, 0.5, 0.38, 0.18, a[5])
            for a, b in pairwise(found)
            if rng.random() < 0.25
        ]
        human.append(of_human)
        predicted.append(merged or found)
    return dataset(human), dataset(predicted)


@pytest.mark.slow
def test_intervals_and_nulls_hold_what_is_true() -> None:
    metrics = ("fusion", "fused_only", "matched", "confusion")
    rng = np.random.default_rng(1)
    of_law = fusion(*drawn(rng, 2_000))
    truth = {metric: values(of_law)[metric] for metric in metrics}
    of_people = {metric: values(of_law, "null")[metric] for metric in metrics[:2]}
    sets = 50
    holds = dict.fromkeys(metrics, 0)
    null_holds = dict.fromkeys(metrics[:2], 0)
    for _ in range(sets):
        rows = {each["metric"]: each for each in fusion(*drawn(rng, 50))}
        for metric in metrics:
            holds[metric] += rows[metric]["low"] <= truth[metric] <= rows[metric]["high"]
        for metric in null_holds:
            one = rows[metric]
            null_holds[metric] += one["null_low"] <= of_people[metric] <= one["null_high"]
    # 50 sets of 50 images, seed 1: four standard errors below 95 % (z = 4) are 83 %. (450 sets of
    # 60 images: they hold in 92 % to 95 % of them.)
    least = 0.95 - 4 * (0.95 * 0.05 / sets) ** 0.5
    assert {metric for metric, times in holds.items() if times / sets < least} == set()
    assert {metric for metric, times in null_holds.items() if times / sets < least} == set()
    assert all(0 < value < 1 for value in (*truth.values(), *of_people.values()))


def test_a_page_shows_them_beside_the_control() -> None:
    from tailwatch.recursion.frame import frame_of

    rng = np.random.default_rng(1)
    seeds = {}
    for seed in range(2):
        human, predicted = drawn(rng, 40)
        seeds[seed] = frame_of(
            [
                {"run": run, "generation": generation, "group": "model", "n_sample": 40, **row}
                for run, found in (("replace", predicted), ("human only", human))
                for generation in (1, 2)
                for row in fusion(human, found)
            ]
        )
    frame = over_seeds(seeds)
    row = frame.filter(run="replace", generation=2, metric="confusion").row(0, named=True)
    control = frame.filter(run="human only", generation=2, metric="confusion")["value"].item()
    assert row["null"] == control == 0
    assert row["reason"].startswith("the null is the arm 'human only'")
    fused = frame.filter(run="replace", generation=2, metric="fusion").row(0, named=True)
    assert fused["null"] == pytest.approx(
        np.mean([each.filter(metric="fusion")["null"][0] for each in seeds.values()])
    )
    assert 0 <= fused["low"] <= fused["value"] <= fused["high"] <= 1
    page = detection_page(frame, classes={"a": 9, "b": 5, "c": 2}, arguments={})
    for words in ("What runs together", ">Found only fused<", ">Labelled otherwise, a→b<"):
        assert words in page


def test_instances_are_those_of_each_image() -> None:
    human = dataset([[(0, *LEFT)], [], [(1, *FAR), (2, *LEFT)]])
    shapes = [each.areas.shared.shape for each in instances_of(human, human)]
    assert shapes == [(1, 1), (0, 0), (2, 2)]

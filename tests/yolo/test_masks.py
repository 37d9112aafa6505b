"""From masks to polygons and back: by our filling, by scikit-image's and by Ultralytics' own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError
from tailwatch.yolo.detections import label_text
from tailwatch.yolo.environment import ultralytics
from tailwatch.yolo.extra import extra
from tailwatch.yolo.masks import LEAST_IOU
from tailwatch.yolo.outlines import Shape, rings, shape_of
from tests.support.errors import refused
from tests.yolo.masks import SIDE, drawn_mask, filled_by_skimage, iou

if TYPE_CHECKING:
    from collections.abc import Sequence


def drawn(number: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [drawn_mask(rng) for _ in range(number)]


@pytest.fixture(scope="module")
def masks() -> list[np.ndarray]:
    return drawn(200)


def corners_of(points: Sequence[float], side: int = SIDE) -> np.ndarray:
    return np.array(points).reshape(-1, 2) * side


def trainers_mask(points: Sequence[float], height: int, width: int) -> np.ndarray:
    """Fill a polygon as a training of Ultralytics does, from the text of a label file."""
    text = label_text([(0, *points)]).split()
    segment = np.array(text[1:], np.float32).reshape(-1, 2)
    (resampled,) = extra("ultralytics.utils.ops").resample_segments([segment])
    corners = resampled * np.float32((width, height))
    utils = extra("ultralytics.data.utils")
    return utils.polygon2mask((height, width), [corners.reshape(-1)]) != 0


def test_drawn_masks_have_holes_and_parts(masks: list[np.ndarray]) -> None:
    from skimage.measure import euler_number, label

    parts = np.array([label(mask, connectivity=2).max() for mask in masks])
    holes = parts - [euler_number(mask, connectivity=2) for mask in masks]
    assert (parts > 1).mean() > 0.5
    assert (holes > 0).mean() > 0.25
    assert min(mask.sum() for mask in masks) > 500


@pytest.mark.parametrize("count", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_mask_comes_back_from_its_polygon(count: int) -> None:
    ultralytics()
    masks = drawn(count)
    polygons = [tw.yolo.polygon_from_mask(mask) for mask in masks]
    fillings = {
        "trainer": (trainers_mask, count),
        "ours": (tw.yolo.mask_from_polygon, count),
        # Slower than the others.
        "scikit-image": (filled_by_skimage, count // 4),
    }
    for name, (fill, number) in fillings.items():
        found = zip(polygons[:number], masks[:number], strict=True)
        assert min(iou(fill(points, SIDE, SIDE), mask) for points, mask in found) >= 0.99, name


def test_without_a_tolerance_only_bridges_are_added(masks: list[np.ndarray]) -> None:
    from skimage.measure import label

    for mask in masks:
        points = tw.yolo.polygon_from_mask(mask, tolerance=0)
        found = tw.yolo.mask_from_polygon(points, SIDE, SIDE)
        parts = label(mask, connectivity=2).max()
        # Bars are at most 4 pixels wide, and a bridge may go askew by one.
        assert (found & ~mask).sum() <= 6 * (parts - 1)
        # What is left out are specks with fewer pixels than their bridge would have.
        left_out = label(mask & ~found, connectivity=2)
        assert np.bincount(left_out.ravel())[1:].max(initial=0) <= 6


def test_vertices_are_left_out_within_the_tolerance(masks: list[np.ndarray]) -> None:
    exact, plain = (
        np.mean([len(tw.yolo.polygon_from_mask(mask, tolerance=t)) for mask in masks[:50]])
        for t in (0, 1)
    )
    assert plain < 0.9 * exact
    disc = np.hypot(*(np.mgrid[:600, :600] - 300)) < 250
    found = corners_of(tw.yolo.polygon_from_mask(disc), 600)
    assert len(found) < 60
    # In the middle of each edge too the outline is where it was, to a pixel and its diagonal.
    middles = (found + np.roll(found, -1, axis=0)) / 2
    for points in (found, middles):
        assert np.abs(np.linalg.norm(points - 300.5, axis=1) - 249.5).max() < 1 + 2**0.5


@pytest.mark.parametrize("distance", [3, 20, 60])
def test_a_part_is_joined_unless_its_bridge_is_longer_than_it_is_large(distance: int) -> None:
    mask = np.zeros((100, 160), bool)
    mask[10:60, 10:60] = True
    mask[30:35, 60 + distance - 1 : 65 + distance - 1] = True
    points = tw.yolo.polygon_from_mask(mask)
    found = tw.yolo.mask_from_polygon(points, 100, 160)
    joined = distance <= 25
    assert shape_of(points, 100, 160).parts == 1 + joined
    # One pixel wide, and as short as can be.
    assert (found & ~mask).sum() == (distance - 1 if joined else 0)
    assert (mask & ~found).sum() == (0 if joined else 25)


def test_a_hole_with_an_island_in_it_is_kept() -> None:
    y, x = np.mgrid[:120, :120] - 60
    away = np.hypot(x, y)
    mask = (away < 55) & ~((away < 40) & (away > 20))
    points = tw.yolo.polygon_from_mask(mask, tolerance=0)
    outlines = rings(corners_of(points, 120))
    assert len(outlines) == 3
    shape = shape_of(points, 120, 120)
    assert shape.parts == 2
    # The outline runs through the centres of the outermost pixels, so it is half a pixel within.
    expected = np.pi * (54.5**2 - 40.5**2 + 19.5**2)
    assert shape.area == pytest.approx(expected, rel=0.01)
    found = tw.yolo.mask_from_polygon(points, 120, 120)
    assert not (mask & ~found).any()
    # A bridge to the island, over 20 pixels of background.
    assert 15 <= (found & ~mask).sum() <= 21


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        ([(0.1, 0.1), (0.5, 0.1), (0.5, 0.9), (0.1, 0.9)], Shape(40 * 160, 400, 1, 4)),
        # Two squares and the way between them, there and back.
        (
            [(0, 0), (0.1, 0), (0.1, 0.05), (0.5, 0.05), (0.6, 0.05), (0.6, 0), (0.5, 0),
             (0.5, 0.05), (0.1, 0.05), (0, 0.05)],
            Shape(200, 80, 2, 8),
        ),
        # A square with a hole.
        (
            [(0, 0), (0.4, 0), (0.4, 0.2), (0, 0.2), (0, 0), (0.1, 0.05), (0.1, 0.15), (0.3, 0.15),
             (0.3, 0.05), (0.1, 0.05)],
            Shape(1600 - 400, 160 + 80, 1, 8),
        ),
    ],
)  # fmt: skip
def test_shapes_are_those_of_plane_geometry(
    corners: list[tuple[float, float]], expected: Shape
) -> None:
    # 100 pixels wide and 200 high.
    found = shape_of([value for corner in corners for value in corner], 200, 100)
    assert found.area == pytest.approx(expected.area)
    assert found.perimeter == pytest.approx(expected.perimeter)
    assert (found.parts, found.vertices) == (expected.parts, expected.vertices)


def test_bridges_of_ultralytics_own_converter_are_taken_out() -> None:
    ultralytics()
    parts = [
        np.array([(left, 10), (left + 20, 10), (left + 20, 30), (left, 30)]) for left in (0, 50, 80)
    ]
    merge = extra("ultralytics.data.converter").merge_multi_segment
    for number in (2, 3):
        points = np.concatenate(merge([part.ravel() for part in parts[:number]])) / 100
        found = shape_of(points.ravel(), 100, 100)
        assert found.parts == number
        assert found.area == pytest.approx(400 * number)
        assert found.perimeter == pytest.approx(80 * number)


def test_a_disc_is_compact_and_a_bar_is_not() -> None:
    turn = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    disc = np.column_stack([0.5 + 0.3 * np.cos(turn), 0.5 + 0.3 * np.sin(turn)]).ravel()
    assert shape_of(disc, 100, 100).compactness == pytest.approx(1, abs=1e-4)
    # Pixels count, not shares: on a wide image the same points are an ellipse.
    assert shape_of(disc, 100, 400).compactness < 0.6
    bar = [0, 0, 1, 0, 1, 0.1, 0, 0.1]
    assert shape_of(bar, 100, 100).compactness == pytest.approx(4 * np.pi * 0.1 / 2.2**2)


def test_masks_without_an_area_have_no_polygon() -> None:
    mask = np.zeros((20, 20), bool)
    assert tw.yolo.polygon_from_mask(mask) == ()
    mask[3, 4:15] = True
    assert tw.yolo.polygon_from_mask(mask) == ()
    mask[4, 4:15] = True
    assert len(tw.yolo.polygon_from_mask(mask)) == 8
    assert iou(tw.yolo.mask_from_polygon(tw.yolo.polygon_from_mask(mask), 20, 20), mask) == 1


def test_a_mask_that_fills_its_image_comes_back() -> None:
    mask = np.ones((31, 47), bool)
    points = tw.yolo.polygon_from_mask(mask)
    assert all(0 <= value <= 1 for value in points)
    assert tw.yolo.mask_from_polygon(points, 31, 47).all()


def test_bad_arguments_are_named() -> None:
    with refused(InputError, "mask", "rows and columns of pixels", "shape (3,)"):
        tw.yolo.polygon_from_mask([1, 0, 1])
    with refused(InputError, "tolerance", "at least 0", "-1"):
        tw.yolo.polygon_from_mask([[1]], tolerance=-1)
    with refused(InputError, "height, width", "at most 268,435,456 pixels", "…"):
        tw.yolo.mask_from_polygon([0, 0, 1, 0, 1, 1], 10**6, 10**6)
    assert LEAST_IOU > 0.99

"""From a mask to the one polygon of a label file, and back.

A label file has one polygon for an instance, and a mask may have holes and several parts. So all
its outlines are joined into one closed walk: a bridge leads from one outline to the next, and the
same way back.

- Outlines run through the centres of the outermost pixels of the mask, as Ultralytics fills a
  polygon: what lies within, and every pixel that a point of the line is in. So its own filling
  gives the mask back, and a mask that was learnt from a polygon is as large as that polygon.
- Inside and outside are told by the even–odd rule: a hole is an outline within an outline.
- Bridges are the shortest there are, by a minimum spanning tree over the outlines: none crosses
  another outline. To a hole a bridge runs within the mask and changes nothing; to another part it
  runs over background, which the trainer fills a pixel wide. A part that has fewer pixels than its
  bridge is left out, as it would cost more than it is.
- Vertices are left out as long as the outline stays within the tolerance (Ramer–Douglas–Peucker,
  by default 1 pixel) and the trainer's filling keeps an intersection over union of .993; where it
  would not, the tolerance is lowered to ½, ¼ and nothing.
- A mask of which every part is one pixel wide has no area, and no outline.

:func:`tailwatch.yolo.outlines.rings` takes the bridges out again.

Level: above ``outlines``. Cost: O(pixels + vertices²) for a mask.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.arguments import integer, real
from tailwatch.exceptions import InputError
from tailwatch.yolo.extra import extra
from tailwatch.yolo.outlines import area_within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["TOLERANCE", "mask_from_polygon", "polygon_from_mask", "without_border"]

TOLERANCE = 1.0
"""Pixels that an outline may move when vertices are left out."""

STEPS = (1.0, 0.5, 0.25, 0.0)
"""Shares of the tolerance, tried in turn."""

LEAST_IOU = 0.993
"""Intersection over union with the mask that leaving out vertices has to keep."""

MOST_RINGS = 64
"""Outlines of a mask that are joined, those of the largest parts."""

RESAMPLED = 1000
"""Points along an outline, of which a trainer of Ultralytics makes the mask."""

MOST_PIXELS = 2**28


def polygon_from_mask(mask: ArrayLike, *, tolerance: float = TOLERANCE) -> tuple[float, ...]:
    """Return the polygon of a mask as a line of a label file has it.

    Parameters
    ----------
    mask
        Rows and columns of pixels: true, or not 0, inside.
    tolerance
        Pixels that the outline may move when vertices are left out.

    Returns
    -------
    tuple of float
        x1, y1, x2, y2, … as shares of width and height; empty for a mask without an area.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.yolo import polygon_from_mask
    >>> mask = np.zeros((10, 10), bool)
    >>> mask[2:6, 4:9] = True
    >>> polygon_from_mask(mask)
    (0.45, 0.25, 0.45, 0.55, 0.85, 0.55, 0.85, 0.25)
    """
    pixels = np.ascontiguousarray(np.asarray(mask) != 0, np.uint8)
    if pixels.ndim != 2:
        raise InputError(
            argument="mask", expected="rows and columns of pixels", got=f"shape {pixels.shape}"
        )
    if real(tolerance, "tolerance") < 0:
        raise InputError(argument="tolerance", expected="at least 0", got=str(tolerance))
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not rows.size:
        return ()
    top, left = int(rows[0]), int(columns[0])
    cut = np.ascontiguousarray(pixels[top : rows[-1] + 1, left : columns[-1] + 1])
    walk = _outline(cut, float(tolerance))
    height, width = pixels.shape
    return tuple(
        share for x, y in walk for share in ((x + left + 0.5) / width, (y + top + 0.5) / height)
    )


def mask_from_polygon(points: Sequence[float], height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask of a polygon, filled as Ultralytics fills it.

    Parameters
    ----------
    points
        x1, y1, x2, y2, … as shares of width and height.
    height, width
        Pixels of the image.
    """
    cv2: Any = extra("cv2")
    shape = integer(height, "height"), integer(width, "width")
    if shape[0] * shape[1] > MOST_PIXELS:
        raise InputError(
            argument="height, width", expected=f"at most {MOST_PIXELS:,} pixels", got=str(shape)
        )
    mask = np.zeros(shape, np.uint8)
    corners = np.asarray(points, np.float64).reshape(-1, 2) * (width, height)
    if len(corners):
        cv2.fillPoly(mask, [_resampled(corners)], 1)
    found: NDArray[np.bool_] = mask != 0
    return found


def without_border(masks: NDArray[np.uint8], image: tuple[int, int]) -> NDArray[np.uint8]:
    """Return masks as large as the network sees the image, which it has in the middle of a border.

    Parameters
    ----------
    masks
        A mask for each instance, border and all.
    image
        Height and width of the image itself.
    """
    seen = masks.shape[1:]
    scale = min(side / own for side, own in zip(seen, image, strict=True))
    sizes = [max(round(own * scale), 1) for own in image]
    # Of an odd border the greater half is below and on the right.
    top, left = (round((side - own) / 2 - 0.1) for side, own in zip(seen, sizes, strict=True))
    return masks[:, top : top + sizes[0], left : left + sizes[1]]


@dataclass(eq=False, slots=True)
class _Ring:
    """An outline and its place in the tree.

    Attributes
    ----------
    corners
        Its vertices, in pixels.
    part
        Number of the part that it bounds.
    size
        Pixels of the part.
    outer
        Whether it bounds the part from outside, and not a hole in it.
    bridges
        Place on the outline (number of an edge and share of it), point there, the outline that the
        bridge leads to, and the place and the point of arrival.
    """

    corners: NDArray[np.int64]
    part: int
    size: int
    outer: bool
    bridges: list[tuple[float, tuple[int, int], _Ring, float, tuple[int, int]]] = field(
        default_factory=list
    )


def _outline(pixels: NDArray[np.uint8], tolerance: float) -> list[tuple[int, int]]:
    """Return one closed walk around all parts and holes of a mask."""
    walk: list[tuple[int, int]] = []
    for share in STEPS:
        outlines = _rings_of(pixels, tolerance * share)
        if not outlines:
            return []
        _join(outlines)
        walk = list(_walk(outlines[0], None))
        # A closed walk does not say its first point again.
        walk = [point for place, point in enumerate(walk) if point != walk[place - 1]] or walk[:1]
        if not tolerance or _iou(pixels, walk) >= LEAST_IOU:
            break
    return walk


def _rings_of(pixels: NDArray[np.uint8], tolerance: float) -> list[_Ring]:
    """Return the outlines of a mask, that of the largest part first."""
    cv2: Any = extra("cv2")
    found, nested = cv2.findContours(pixels, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    _, labels, numbers, _ = cv2.connectedComponentsWithStats(pixels, connectivity=8)
    outlines = []
    for contour, (*_, parent) in zip(found, nested[0], strict=True):
        kept = cv2.approxPolyDP(contour, tolerance, closed=True) if tolerance else contour
        if len(kept) < 3 or cv2.contourArea(kept) == 0:
            kept = contour
        x, y = contour[0, 0]
        part = int(labels[y, x])
        size = int(numbers[part, cv2.CC_STAT_AREA])
        outlines.append(_Ring(kept[:, 0].astype(np.int64), part, size, parent < 0))
    areas = {id(ring): area_within(ring.corners.astype(np.float64)) for ring in outlines}
    wide = [ring for ring in outlines if ring.outer and areas[id(ring)]]
    if not wide:
        return []
    first = max(wide, key=lambda ring: ring.size)
    outlines.remove(first)
    # A part goes before its holes: without it they would be parts themselves.
    outlines.sort(key=lambda ring: (-ring.size, not ring.outer, -areas[id(ring)]))
    return [first, *outlines[: MOST_RINGS - 1]]


def _join(outlines: list[_Ring]) -> None:
    """Join outlines to the first one by the shortest bridges, as Prim's algorithm finds them."""
    left, joined = outlines[1:], {outlines[0].part}
    nearest = [(_bridge(outlines[0], ring), outlines[0]) for ring in left]
    while left:
        place = min(range(len(left)), key=lambda number: nearest[number][0][0])
        ring, (bridge, source) = left.pop(place), nearest.pop(place)
        length, start, leaving, end, arriving = bridge
        if ring.part not in joined and ring.size < length:
            # All its outlines go with it.
            kept = [number for number, other in enumerate(left) if other.part != ring.part]
            left, nearest = [left[n] for n in kept], [nearest[n] for n in kept]
            continue
        joined.add(ring.part)
        source.bridges.append((start, leaving, ring, end, arriving))
        for number, other in enumerate(left):
            shorter = _bridge(ring, other)
            if shorter[0] < nearest[number][0][0]:
                nearest[number] = (shorter, ring)


def _bridge(
    source: _Ring, target: _Ring
) -> tuple[float, float, tuple[int, int], float, tuple[int, int]]:
    """Return the shortest bridge: length, place and point on the source, and on the target.

    It begins or ends at a vertex, as every shortest line between two outlines does.
    """
    there = _nearest(source.corners, target.corners)
    back = _nearest(target.corners, source.corners)
    if there[0] <= back[0]:
        length, vertex, place, point = there
        return length, vertex, _pair(source.corners[vertex]), place, point
    length, vertex, place, point = back
    return length, place, point, vertex, _pair(target.corners[vertex])


def _nearest(
    corners: NDArray[np.int64], ring: NDArray[np.int64]
) -> tuple[float, int, float, tuple[int, int]]:
    """Return distance, vertex, place on the ring and pixel there, of the vertex nearest to it."""
    starts = ring.T.astype(np.float64)
    step_x, step_y = steps = np.concatenate([starts[:, 1:], starts[:, :1]], axis=1) - starts
    away_x, away_y = (corners[:, axis, None] - starts[axis] for axis in (0, 1))
    # A ring of one pixel has an edge of no length.
    shares = (away_x * step_x + away_y * step_y) / np.maximum(step_x**2 + step_y**2, 1e-12)
    np.clip(shares, 0, 1, out=shares)
    squares = (away_x - shares * step_x) ** 2 + (away_y - shares * step_y) ** 2
    vertex, edge = divmod(int(squares.argmin()), len(ring))
    # A pixel that the edge runs through: half a step along a diagonal is none.
    pixels = max(float(np.abs(steps[:, edge]).max()), 1.0)
    share = round(float(shares[vertex, edge]) * pixels) / pixels
    point = np.rint(starts[:, edge] + share * steps[:, edge]).astype(np.int64)
    return float(np.linalg.norm(corners[vertex] - point)), vertex, edge + share, _pair(point)


def _pair(point: NDArray[np.int64]) -> tuple[int, int]:
    return int(point[0]), int(point[1])


def _walk(ring: _Ring, start: tuple[float, tuple[int, int]] | None) -> Iterator[tuple[int, int]]:
    """Yield the points of an outline and of all that hang on it, back to where it was entered."""
    stops: list[tuple[float, tuple[int, int], Any]] = [
        (float(number), _pair(corner), None) for number, corner in enumerate(ring.corners)
    ]
    stops += [(place, point, bridge) for place, point, *bridge in ring.bridges]
    stops.sort(key=lambda stop: stop[0])
    if start is not None:
        first = sum(place < start[0] for place, *_ in stops)
        stops = [(start[0], start[1], None), *stops[first:], *stops[:first]]
    for _, point, bridge in stops:
        yield point
        if bridge is not None:
            target, *entry = bridge
            yield from _walk(target, (entry[0], entry[1]))
            yield point
    if start is not None:
        yield start[1]


def _resampled(corners: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the pixels of an outline as a trainer has them: of points along it, cut off.

    A line through the pixels of two corners alone would go beside them by up to one.
    """
    count = len(corners)
    places = np.union1d(np.linspace(0, count, RESAMPLED), np.arange(count + 1))
    closed = np.concatenate([corners, corners[:1]])
    points = [np.interp(places, np.arange(count + 1), closed[:, axis]) for axis in (0, 1)]
    return np.column_stack(points).astype(np.int32)


def _iou(pixels: NDArray[np.uint8], walk: list[tuple[int, int]]) -> float:
    """Return the intersection over union of a mask and of its walk, filled."""
    cv2: Any = extra("cv2")
    filled = np.zeros_like(pixels)
    cv2.fillPoly(filled, [_resampled(np.array(walk) + 0.5)], 1)
    return float((filled & pixels).sum() / max((filled | pixels).sum(), 1))

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

:func:`rings` takes the bridges out again; it serves any polygon of this kind, also those that
Ultralytics' converters make of parts.

Level: below ``instances``. Cost: O(pixels + vertices²) for a mask.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.arguments import integer, real
from tailwatch.exceptions import InputError
from tailwatch.yolo.extra import extra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["TOLERANCE", "Shape", "mask_from_polygon", "polygon_from_mask", "rings", "shape_of"]

TOLERANCE = 1.0
"""Pixels that an outline may move when vertices are left out."""

STEPS = (1.0, 0.5, 0.25, 0.0)
"""Shares of the tolerance, tried in turn."""

LEAST_IOU = 0.993
"""Intersection over union with the mask that leaving out vertices has to keep."""

MOST_RINGS = 64
"""Outlines of a mask that are joined, the largest ones."""

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


@dataclass(frozen=True, slots=True)
class Shape:
    """A polygon measured, in pixels.

    Attributes
    ----------
    area
        Area of the parts without their holes.
    perimeter
        Length of all outlines, those of holes among them; bridges are none.
    parts
        Number of parts.
    vertices
        Number of vertices of all outlines.
    """

    area: float
    perimeter: float
    parts: int
    vertices: int

    @property
    def compactness(self) -> float:
        """4π·area/perimeter²: 1 for a disc, less for all else; NaN without a perimeter."""
        return 4 * np.pi * self.area / self.perimeter**2 if self.perimeter else float("nan")


def shape_of(points: Sequence[float], height: int, width: int) -> Shape:
    """Return area, perimeter, parts and vertices of a polygon on an image of this size."""
    corners = np.asarray(points, np.float64).reshape(-1, 2) * (width, height)
    found = rings(corners)
    if not found:
        return Shape(0.0, 0.0, 1, len(corners))
    area, parts = 0.0, 0
    for number, ring in enumerate(found):
        others = (other for place, other in enumerate(found) if place != number)
        hole = sum(_holds(other, ring[0]) for other in others) % 2
        area += -_area(ring) if hole else _area(ring)
        parts += not hole
    length = sum(
        float(np.linalg.norm(ring - np.roll(ring, -1, axis=0), axis=1).sum()) for ring in found
    )
    return Shape(max(area, 0.0), length, max(parts, 1), sum(map(len, found)))


def rings(corners: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the outlines of a polygon: what is left of it when its bridges are taken out.

    Parameters
    ----------
    corners
        x and y of each vertex.

    Returns
    -------
    list of numpy.ndarray
        The vertices of each outline, three at least. A line that is walked there and back, as a
        bridge is, belongs to none.
    """
    count = len(corners)
    keys = list(map(tuple, corners.tolist()))
    back = [-1] * count
    waiting: dict[tuple[Any, Any], list[int]] = defaultdict(list)
    for number in range(count):
        start, end = keys[number], keys[(number + 1) % count]
        there = waiting.get((end, start))
        if there and start != end:
            other = there.pop()
            back[number], back[other] = other, number
        else:
            waiting[start, end].append(number)
    found: list[list[int]] = []
    walks: list[list[int]] = [[]]
    for number, other in enumerate(back):
        if other < 0:
            walks[-1].append(number)
        elif other > number:
            walks.append([])
        else:
            found.append(walks.pop())
    found += walks
    return [corners[walk] for walk in found if len(walk) > 2]


def _area(ring: NDArray[np.float64]) -> float:
    """Return the area within an outline."""
    x, y = (ring - ring[0]).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _holds(ring: NDArray[np.float64], point: NDArray[np.float64]) -> bool:
    """Return whether a point lies within an outline."""
    (x, y), (next_x, next_y) = ring.T, np.roll(ring, -1, axis=0).T
    crosses = (y > point[1]) != (next_y > point[1])
    where = x[crosses] + (point[1] - y[crosses]) * (next_x - x)[crosses] / (next_y - y)[crosses]
    return bool((where > point[0]).sum() % 2)


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
        Pixels of the part for an outer outline, none for a hole.
    bridges
        Place on the outline (number of an edge and share of it), point there, the outline that the
        bridge leads to, and the place and the point of arrival.
    """

    corners: NDArray[np.int64]
    part: int
    size: int | None
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
        size = int(numbers[part, cv2.CC_STAT_AREA]) if parent < 0 else None
        outlines.append(_Ring(kept[:, 0].astype(np.int64), part, size))
    outlines.sort(key=lambda ring: -(ring.size or _area(ring.corners.astype(np.float64))))
    wide = (
        ring for ring in outlines if ring.size is not None and _area(ring.corners.astype(float))
    )
    first = next(wide, None)
    if first is None:
        return []
    outlines.remove(first)
    return [first, *outlines[: MOST_RINGS - 1]]


def _join(outlines: list[_Ring]) -> None:
    """Join outlines to the first one by the shortest bridges, as Prim's algorithm finds them."""
    left = outlines[1:]
    nearest = [(_bridge(outlines[0], ring), outlines[0]) for ring in left]
    while left:
        place = min(range(len(left)), key=lambda number: nearest[number][0][0])
        ring, (bridge, source) = left.pop(place), nearest.pop(place)
        length, start, leaving, end, arriving = bridge
        if ring.size is not None and ring.size < length:
            # Its holes go with it.
            kept = [number for number, other in enumerate(left) if other.part != ring.part]
            left, nearest = [left[n] for n in kept], [nearest[n] for n in kept]
            continue
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

"""Outlines of a polygon, and what they measure: area, perimeter, parts, vertices.

A polygon of a label file is one closed walk. Where a mask has holes or parts the walk goes over
bridges, there and back (:mod:`tailwatch.yolo.masks`; Ultralytics' own converters join parts alike).
:func:`rings` takes out what is walked both ways; what is left are outlines. An outline that lies
within an odd number of others bounds a hole, every other one a part.

Outlines may touch. Of one that crosses itself, which people draw by mistake, the area is that of
the crossing curve, with parts of it counted against each other.

Level: no other part of ``yolo``. Cost: O(vertices + outlines · vertices).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Shape", "area_within", "rings", "shape_of"]


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


def shape_of(points: Sequence[float] | NDArray[np.float64], height: int, width: int) -> Shape:
    """Return area, perimeter, parts and vertices of a polygon on an image of this size."""
    corners = np.asarray(points, np.float64).reshape(-1, 2) * (width, height)
    found = rings(corners)
    if not found:
        return Shape(0.0, 0.0, 1, len(corners))
    area, parts = 0.0, 0
    for number, ring in enumerate(found):
        others = (other for place, other in enumerate(found) if place != number)
        hole = sum(_holds(other, ring) for other in others) % 2
        area += -area_within(ring) if hole else area_within(ring)
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
    ends = [*keys[1:], *keys[:1]]
    waiting: dict[tuple[Any, Any], list[int]] = defaultdict(list)
    left = set(range(count))
    for number, way in enumerate(zip(keys, ends, strict=True)):
        there = waiting[way[::-1]]
        if there and way[0] != way[1]:
            left -= {number, there.pop()}
        else:
            waiting[way].append(number)
    leaving: dict[Any, list[int]] = defaultdict(list)
    for number in sorted(left):
        leaving[keys[number]].append(number)
    found = []
    # As many edges lead to a vertex as away from it, so every walk comes back to its beginning.
    for first in sorted(left):
        walk = []
        edge: int | None = first if first in left else None
        while edge is not None:
            walk.append(edge)
            left.remove(edge)
            ways = [number for number in leaving[ends[edge]] if number in left]
            later = [number for number in ways if number > walk[-1]]
            closed = ends[edge] == keys[first] and not later
            edge = None if closed else (later or ways)[0]
        if len(walk) > 2:
            found.append(corners[walk])
    return found


def area_within(ring: NDArray[np.float64]) -> float:
    """Return the area within an outline."""
    x, y = (ring - ring[0]).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _holds(ring: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Return whether another outline lies within an outline, which it may touch."""
    (x, y), (next_x, next_y) = ring.T, np.roll(ring, -1, axis=0).T
    level = other[:, 1, None]
    crosses = (y > level) != (next_y > level)
    # Where an edge is level nothing crosses it, so its slope is not asked for.
    slope = (next_x - x) / np.where(next_y == y, 1.0, next_y - y)
    beyond = crosses & (x + (level - y) * slope > other[:, 0, None])
    return bool((beyond.sum(axis=1) % 2).mean() > 0.5)

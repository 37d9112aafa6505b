"""Masks drawn at random, with holes and parts, and a way to fill outlines that is not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDE = 160


def drawn_mask(rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """Draw a body with waves, up to three holes in it, and bars that cut it into parts."""
    y, x = np.mgrid[:side, :side]
    centre = rng.uniform(0.35, 0.65, 2) * side
    a, b = rng.uniform(0.25, 0.4, 2) * side
    turn = rng.uniform(0, np.pi)
    u = (x - centre[0]) * np.cos(turn) + (y - centre[1]) * np.sin(turn)
    v = (y - centre[1]) * np.cos(turn) - (x - centre[0]) * np.sin(turn)
    waves = 1 + 0.15 * np.sin(rng.integers(2, 6) * np.arctan2(v, u) + rng.uniform(0, 6))
    mask = (u / a) ** 2 + (v / b) ** 2 < waves**2
    for _ in range(rng.integers(0, 4)):
        place, radius = rng.uniform(-0.6, 0.6, 2), rng.uniform(2, 0.12 * side)
        mask &= (u - place[0] * a) ** 2 + (v - place[1] * b) ** 2 >= radius**2
    for _ in range(rng.integers(0, 3)):
        mask &= np.abs(u - rng.uniform(-0.6, 0.6) * a) > rng.uniform(1, 2)
    return mask


def iou(first: np.ndarray, second: np.ndarray) -> float:
    """Return the intersection over union of two masks."""
    return float((first & second).sum() / (first | second).sum())


def filled_by_skimage(points: Sequence[float], height: int, width: int) -> np.ndarray:
    """Fill a polygon by the even-odd rule, and the pixels that its line runs through."""
    from PIL import Image, ImageDraw
    from skimage.draw import polygon2mask

    corners = (np.array(points).reshape(-1, 2) * (width, height)).astype(int)
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).line([*map(tuple, corners), tuple(corners[0])], fill=1)
    found: np.ndarray = polygon2mask((height, width), corners[:, ::-1]) | (np.asarray(image) != 0)
    return found

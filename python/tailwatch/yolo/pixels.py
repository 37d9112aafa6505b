"""Pixels of an image file, and of a box on it, as Ultralytics reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.exceptions import SourceError
from tailwatch.text_form import path_text
from tailwatch.yolo.extra import extra

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["cut", "read_pixels"]


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """Pixels of an image file, in OpenCV's order of colours."""
    patches: Any = extra("ultralytics.utils.patches")
    pixels: NDArray[np.uint8] | None = patches.imread(str(path))
    if pixels is None:
        raise SourceError(argument=path_text(path), problem="expected an image file")
    return pixels


def cut(
    pixels: NDArray[np.uint8], box: tuple[float, float, float, float] | None
) -> NDArray[np.uint8]:
    """Cut a box out of an image, at least two pixels wide and high."""
    if box is None:
        return pixels
    height, width = pixels.shape[:2]
    x, y, w, h = box
    left, right = _span(x, w, width)
    top, bottom = _span(y, h, height)
    return np.ascontiguousarray(pixels[top:bottom, left:right])


def _span(centre: float, extent: float, pixels: int) -> tuple[int, int]:
    first = int(np.clip(np.floor((centre - extent / 2) * pixels), 0, max(pixels - 2, 0)))
    last = int(np.clip(np.ceil((centre + extent / 2) * pixels), first + 2, max(pixels, 2)))
    return first, last

"""Image files: what they hold, whether a trainer will take them, and how they get into a folder.

Ultralytics passes over an image that it cannot verify, or that has fewer than ten pixels on a side,
with no more than a line in its log. :func:`unusable` says so beforehand, by the same rule. Pixels
are those that Ultralytics reads.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.exceptions import SourceError
from tailwatch.text_form import path_text
from tailwatch.yolo.extra import extra

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "IMAGE_SUFFIXES",
    "LEAST_PIXELS",
    "cut",
    "link",
    "measure",
    "read_pixels",
    "sha256",
    "unusable",
]

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

FORMATS = frozenset({"BMP", "JPEG", "JPEG2000", "MPO", "PNG", "TIFF", "WEBP"})
"""Formats, as Pillow names them, that a file of these suffixes may be in and be trained on."""

LEAST_PIXELS = 10
"""The smallest width and height of an image that Ultralytics takes."""


def measure(file: Path) -> tuple[str, int, int]:
    """Return SHA-256, width and height of an image file.

    Raises
    ------
    SourceError
        It is not there, is no image, or has a name that a trainer takes for no image's.
    """
    if file.suffix.lower() not in IMAGE_SUFFIXES:
        raise SourceError(
            argument=path_text(file),
            expected=f"an image file whose name ends in {', '.join(sorted(IMAGE_SUFFIXES))}",
            got=repr(file.suffix) if file.suffix else "a name without a suffix",
        )
    image: Any = extra("PIL.Image")
    digest = sha256(file)
    try:
        # Pillow warns of doubtful files; such a file is taken, or refused by name.
        with warnings.catch_warnings(action="ignore"), image.open(file) as opened:
            width, height = opened.size
    # Pillow's readers raise what their parsers do: SyntaxError, struct.error, ValueError, …
    except Exception as error:
        raise SourceError(
            argument=path_text(file),
            expected="an image file",
            got=f"one that Pillow cannot read ({error})",
        ) from error
    return digest, width, height


def unusable(file: Path) -> str | None:
    """Return why a trainer would pass over an image, or None where it takes the image."""
    image: Any = extra("PIL.Image")
    try:
        with warnings.catch_warnings(action="ignore"), image.open(file) as opened:
            opened.verify()
            width, height = opened.size
            form = opened.format
    except Exception as error:  # noqa: BLE001  (whatever a parser raises)
        return f"unreadable: {str(error) or type(error).__name__}"
    if min(width, height) < LEAST_PIXELS:
        return f"{width} × {height} pixels, under {LEAST_PIXELS} on a side"
    return None if form in FORMATS else f"its content is {form}"


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file, which is read piece by piece."""
    try:
        if stat.S_ISREG(file.stat().st_mode):
            with file.open("rb") as opened:
                return hashlib.file_digest(opened, "sha256").hexdigest()
        said = "a folder or a device"
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
    raise SourceError(argument=path_text(file), expected="an image file", got=said)


def link(source: Path, target: Path) -> None:
    """Link a file, or copy it where the file system has no links to it.

    Of a symbolic link it is the file that is linked, so that the folder holds no link of that kind.
    """
    try:
        os.link(os.path.realpath(source), target)
    except FileNotFoundError as error:
        raise SourceError(
            argument=path_text(source), expected="a file that stays", got="one that is gone"
        ) from error
    except OSError:
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError as error:
        raise SourceError(
            argument=path_text(source), expected="a file that stays", got="one that is gone"
        ) from error


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """Return the pixels of an image file, in OpenCV's order of colours."""
    patches: Any = extra("ultralytics.utils.patches")
    pixels: NDArray[np.uint8] | None = patches.imread(str(path))
    if pixels is None:
        raise SourceError(
            argument=path_text(path), expected="an image file", got="one that OpenCV cannot read"
        )
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

"""Image files: what they hold, whether a trainer will take them, and how they get into a folder.

Ultralytics passes over an image that it cannot verify, or that has fewer than ten pixels on a side,
with no more than a line in its log, and stops in the middle of an epoch at one that it can verify
and not decode. :func:`unusable` says so beforehand, by the same rule. A JPEG that does not end as
one is written anew by Ultralytics, in the folder that tailwatch made for it, and taken if that
succeeds.

Sizes and pixels are those of the image as it is seen: turned where the camera says so (EXIF).
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
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

IMAGE_SUFFIXES = frozenset(
    {
        *(".avif", ".bmp", ".dng", ".heic", ".heif", ".jp2", ".jpeg", ".jpg", ".mpo", ".png"),
        *(".tif", ".tiff", ".webp"),
    }
)

FORMATS = frozenset({"AVIF", "BMP", "HEIF", "JPEG", "JPEG2000", "MPO", "PNG", "TIFF", "WEBP"})
"""Formats, as Pillow names them, that a file of these suffixes may be in and be trained on."""

BY_PILLOW = frozenset({".avif", ".heic", ".heif"})
"""Suffixes of which Ultralytics has Pillow read the pixels; all others OpenCV reads."""

NOT_EVERYWHERE = frozenset({".dng", ".jp2", ".mpo", ".tif", ".tiff"})
"""Suffixes of formats that OpenCV may have been built without, in whole or in part."""

TURNED = frozenset({5, 6, 7, 8})
"""Orientations of EXIF at which width and height change places."""

ORIENTATION = 274
"""Number of that tag."""

HEIF_READER = "pi_heif"
"""The package that Ultralytics reads HEIC with."""

PNG_EXIF = frozenset({"exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"})
"""What holds the orientation of a PNG, known before its pixels are read."""

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
    digest = sha256(file)
    try:
        # Pillow warns of doubtful files; such a file is taken, or refused by name.
        with warnings.catch_warnings(action="ignore"), _opened(file) as opened:
            width, height = _turned_size(opened, file)
    # Pillow's readers raise what their parsers do: SyntaxError, struct.error, ValueError, …
    except Exception as error:
        raise SourceError(
            argument=path_text(file),
            expected="an image file",
            got=f"one that Pillow cannot read ({_said(error, file)})",
        ) from error
    return digest, width, height


def unusable(file: Path) -> str | None:
    """Return why a trainer would pass over an image, or None where it takes the image."""
    try:
        with warnings.catch_warnings(action="ignore"), _opened(file) as opened:
            opened.verify()
            width, height = _turned_size(opened, file)
            form = opened.format
        if min(width, height) < LEAST_PIXELS:
            return f"{width} × {height} pixels, under {LEAST_PIXELS} on a side"
        if form not in FORMATS:
            return f"its content is {form}"
        if not _decodes(file, form):
            return f"OpenCV cannot decode this {form}"
    except Exception as error:  # noqa: BLE001  (whatever a parser raises)
        return f"unreadable: {_said(error, file)}"
    return None


def _opened(file: Path) -> Any:  # noqa: ANN401  (an image of Pillow)
    """Open an image; HEIC where the package that reads it is installed."""
    image: Any = extra("PIL.Image")
    if file.suffix.lower() in {".heic", ".heif"} and importlib.util.find_spec(HEIF_READER):
        importlib.import_module(HEIF_READER).register_heif_opener()
    return image.open(file)


def _said(error: Exception, file: Path) -> str:
    said = str(error) or type(error).__name__
    is_heif = file.suffix.lower() in {".heic", ".heif"}
    if is_heif and importlib.util.find_spec(HEIF_READER) is None:
        return f"{said}; pip install pi-heif reads HEIC"
    return said


def _turned_size(opened: Any, file: Path) -> tuple[int, int]:  # noqa: ANN401
    """Return width and height of an open image as it is seen."""
    width, height = opened.size
    form = opened.format
    try:
        if form == "PNG" and not PNG_EXIF & set(opened.info):
            return width, height
        exif = opened.tag_v2 if form == "TIFF" else opened.getexif()
        if exif.get(ORIENTATION) not in TURNED:
            return width, height
        if form not in {"JPEG", "MPO", "PNG", "AVIF"}:
            # Whether these are turned is up to the versions of the libraries that decode them.
            height, width = read_pixels(file).shape[:2]
            return width, height
    except Exception:  # noqa: BLE001  (tags that cannot be read turn nothing)
        return width, height
    return height, width


def _decodes(file: Path, form: str) -> bool:
    """Return whether the pixels can be read, where a look at the file does not tell."""
    suffix = file.suffix.lower()
    if form == "JPEG":
        with file.open("rb") as content:
            content.seek(-2, os.SEEK_END)
            if content.read() == b"\xff\xd9":
                return True
        with _opened(file) as opened:
            # Raises where the file was cut short.
            opened.load()
        return True
    if suffix in BY_PILLOW:
        with _opened(file) as opened:
            opened.load()
        return True
    if suffix not in NOT_EVERYWHERE:
        return True
    opencv: Any = extra("cv2")
    content_bytes = np.fromfile(file, np.uint8)
    return opencv.imdecode(content_bytes, opencv.IMREAD_UNCHANGED) is not None


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

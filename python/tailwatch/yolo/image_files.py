"""Image files: what they hold, whether a trainer will take them, and how they get into a folder.

Ultralytics passes over an image that it cannot verify, or that has fewer than ten pixels on a side,
with no more than a line in its log. :func:`unusable` says so beforehand, by the same rule. Pixels
are those that Ultralytics reads.

Pages show images with the boxes that two generations gave them, small.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.exceptions import SourceError
from tailwatch.report.detection import Picture
from tailwatch.text_form import path_of, path_text, shortened, visible
from tailwatch.yolo.detections import class_labels, tail_classes
from tailwatch.yolo.extra import extra

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from tailwatch.yolo.dataset import DetectionDataset

__all__ = [
    "IMAGE_SUFFIXES",
    "LEAST_PIXELS",
    "cut",
    "draw",
    "link",
    "measure",
    "read_pixels",
    "sha256",
    "side_by_side",
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


PIXELS = 220
"""Side of a picture."""

IMAGES = 4

LONGEST = 24
"""Characters of a class's name on a picture."""

COLOURS = (
    (230, 97, 1),
    (0, 114, 178),
    (0, 158, 115),
    (204, 121, 167),
    (240, 228, 66),
    (86, 180, 233),
    (213, 94, 0),
    (94, 60, 153),
)
"""Of the classes in turn: told apart by the colour-blind too, and named besides."""


def side_by_side(
    human: DetectionDataset, samples: Mapping[str, tuple[DetectionDataset, DetectionDataset]]
) -> list[Picture]:
    """Return pictures of the images on which most boxes of tail classes were lost.

    Parameters
    ----------
    human
        Human data, whose boxes decide which classes are rare.
    samples
        What the first and the last generation of each run labelled, by the name of the run.

    Returns
    -------
    list of Picture
        For each chosen image, the first generation and the last one of each run.
    """
    rare = tail_classes(human.class_totals())
    # An image that is in a sample twice has the same labels twice.
    places = {
        run: tuple(
            {sha: number for number, sha in enumerate(each.images["sha256"])} for each in pair
        )
        for run, pair in samples.items()
    }
    everywhere = [places[run][which] for run in places for which in (0, 1)]
    if not everywhere:
        return []
    common = sorted(set.intersection(*map(set, everywhere)))
    lost = np.zeros(len(common))
    moved = np.zeros(len(common))
    for run, pair in samples.items():
        first, last = (
            _counts(each, [places[run][which][sha] for sha in common])
            for which, each in enumerate(pair)
        )
        both = first.join(last, on=("place", "class"), how="full", coalesce=True, suffix="_last")
        both = both.with_columns(pl.col("boxes", "boxes_last").fill_null(0))
        place = both["place"].to_numpy()
        fewer = (both["boxes"] - both["boxes_last"]).to_numpy().astype(np.float64)
        is_rare = both["class"].is_in(rare.tolist()).to_numpy()
        np.add.at(lost, place, np.maximum(fewer, 0) * is_rare)
        np.add.at(moved, place, np.abs(fewer))
    order = np.lexsort((-moved, -lost))[:IMAGES]
    pictures = []
    for chosen in order:
        sha = common[chosen]
        for number, (run, pair) in enumerate(samples.items()):
            for which, each in enumerate(pair):
                # All runs begin with the same generation.
                if which == 0 and number:
                    continue
                caption = "first generation" if which == 0 else f"last generation, {run}"
                picture = draw(each, places[run][which][sha])
                pictures.append(Picture(sha[:12], caption, picture))
    return pictures


def _counts(data: DetectionDataset, numbers: list[int]) -> pl.DataFrame:
    """Count the boxes by class of the images of these numbers: place in the list, class, boxes."""
    places = pl.DataFrame({"place": np.arange(len(numbers)), "image": np.array(numbers, np.uint32)})
    boxes = places.join(data.boxes.select("image", "class"), on="image", how="inner")
    return boxes.group_by("place", "class").agg(pl.len().cast(pl.Int64).alias("boxes"))


def _drawable(name: str) -> str:
    """Return a name in letters that the font of a picture has."""
    return shortened(visible(name), LONGEST).encode("latin-1", "replace").decode("latin-1")


def draw(data: DetectionDataset, number: int, *, pixels: int = PIXELS) -> bytes:
    """Return one image with its boxes drawn, as a JPEG."""
    pillow: Any = extra("PIL.Image")
    drawing: Any = extra("PIL.ImageDraw")
    with pillow.open(path_of(data.images["path"][number])) as opened:
        image = opened.convert("RGB").resize((pixels, pixels))
    names = class_labels(data.names)
    pen = drawing.Draw(image)
    boxes = data.boxes.filter(pl.col("image") == number)
    for _, of_class, x, y, w, h, _ in boxes.iter_rows():
        colour = COLOURS[of_class % len(COLOURS)]
        left, top, right, bottom = (
            round(edge * pixels) for edge in (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        )
        pen.rectangle((left, top, right, bottom), outline=colour, width=2)
        pen.text((left + 3, max(top - 11, 0)), _drawable(names[of_class]), fill=colour)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()

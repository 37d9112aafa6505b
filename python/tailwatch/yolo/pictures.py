"""Images with their boxes or masks, as two generations labelled them, small enough for a page."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.report.detection import Picture
from tailwatch.text_form import path_of, shortened, visible
from tailwatch.yolo.detections import class_labels, tail_classes
from tailwatch.yolo.extra import extra
from tailwatch.yolo.outlines import rings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailwatch.yolo.dataset import DetectionDataset

__all__ = ["draw", "side_by_side"]

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
    """Return one image with its boxes, or the outlines of its masks, drawn, as a JPEG."""
    pillow: Any = extra("PIL.Image")
    drawing: Any = extra("PIL.ImageDraw")
    operations: Any = extra("PIL.ImageOps")
    with pillow.open(path_of(data.images["path"][number])) as opened:
        # Boxes are on the image as it is seen, not as the camera held it.
        image = operations.exif_transpose(opened).convert("RGB").resize((pixels, pixels))
    names = class_labels(data.names)
    pen = drawing.Draw(image)
    boxes = data.boxes.filter(pl.col("image") == number)
    for _, of_class, x, y, w, h, _, *points in boxes.iter_rows():
        colour = COLOURS[of_class % len(COLOURS)]
        left, top, right, bottom = (
            round(edge * pixels) for edge in (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        )
        if points:
            for ring in rings(np.array(points[0]).reshape(-1, 2) * pixels):
                pen.line([*map(tuple, ring), tuple(ring[0])], fill=colour, width=2)
        else:
            pen.rectangle((left, top, right, bottom), outline=colour, width=2)
        pen.text((left + 3, max(top - 11, 0)), _drawable(names[of_class]), fill=colour)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()

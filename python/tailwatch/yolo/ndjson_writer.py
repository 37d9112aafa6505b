"""A set as NDJSON, as Ultralytics reads it, with origin and teacher of each image's labels.

::

    FOLDER/dataset.ndjson       a line for the set, then one for each image
    FOLDER/images/train/        hard links to the images

The first line has the task and the classes; a line of an image has its file, size and split, its
boxes as ``class x y w h`` or polygons as ``class x1 y1 x2 y2 …``, and ``metadata``: SHA-256,
origin, teacher, and the confidences of what a detector drew.
``YOLO(...).train(data="dataset.ndjson")`` copies such a set into its folder of data sets. It has
images to train on and none to validate on: Ultralytics then takes a tenth of them for that.

No Ultralytics here. Cost: O(images + boxes).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tailwatch.writing import make_owned, owned_file, write_owned
from tailwatch.yolo.image_files import link
from tailwatch.yolo.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tailwatch.yolo.dataset import DetectionDataset

__all__ = ["NDJSON", "ndjson_lines", "write_ndjson"]

NDJSON = "dataset.ndjson"


def write_ndjson(data: DetectionDataset, directory: Path, folder: str) -> Path:
    """Write a set as NDJSON, with links to its images; the file of lines comes last.

    Parameters
    ----------
    data
        The set.
    directory
        A directory of ours.
    folder
        The folder in it; what is there already is kept.

    Returns
    -------
    pathlib.Path
        The file of lines.
    """
    target = owned_file(directory, f"{folder}/{NDJSON}")
    if target.exists():
        return target
    for part in (folder, f"{folder}/images", f"{folder}/images/train"):
        make_owned(directory, part)
    for path, name in zip(data.paths(), _files(data), strict=True):
        image = f"{folder}/images/train/{name}"
        if not owned_file(directory, image).exists():
            link(path, owned_file(directory, image))
    text = "".join(f"{line}\n" for line in ndjson_lines(data))
    write_owned(
        directory, f"{folder}/{NDJSON}", lambda file: file.write_text(text, encoding="utf-8")
    )
    return target


def ndjson_lines(data: DetectionDataset) -> Iterator[str]:
    """Yield the lines: of the set, then of each image."""
    yield json.dumps(
        {
            "type": "dataset",
            "task": str(data.task),
            "name": "tailwatch",
            "path": ".",
            "class_names": {str(number): name for number, name in enumerate(data.names)},
        }
    )
    # What Ultralytics does not know of a line it passes over.
    given = (
        pl.DataFrame({"image": np.arange(len(data), dtype=np.uint32)})
        .join(data.boxes.select("image", "confidence"), on="image", how="left")
        .group_by("image", maintain_order=True)
        .agg("confidence")["confidence"]
        .to_list()
    )
    rows = data.images.drop("path").iter_rows(named=True)
    kind = "segments" if data.task is Task.SEGMENT else "boxes"
    for name, row, labels, confidences in zip(
        _files(data), rows, data.label_rows(), given, strict=True
    ):
        metadata = {key: row[key] for key in ("sha256", "origin", "teacher")}
        yield json.dumps(
            {
                "type": "image",
                "file": name,
                "width": row["width"],
                "height": row["height"],
                "split": "train",
                "annotations": {kind: [list(each) for each in labels]},
                "metadata": metadata | {"confidences": confidences[: len(labels)]},
            }
        )


def _files(data: DetectionDataset) -> list[str]:
    """List the names that the images have in a folder."""
    return [f"{number:06d}{path.suffix.lower()}" for number, path in enumerate(data.paths())]

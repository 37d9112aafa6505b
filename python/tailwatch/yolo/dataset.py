"""A set of images with their boxes, and where each of them came from.

In memory it is two frames and holds no pixel: where the images are, and the boxes. On disk it is
one immutable folder:

====================  ========================================================================
file                  content
====================  ========================================================================
``images/000000.png``  hard links to the images (copies where a link cannot be)
``labels/000000.txt``  our label files, one per image, empty where there is no box
``data.yaml``         so that any YOLO trainer can read the folder
``manifest.parquet``  per image: its file, SHA-256, size, origin, teacher, and confidences
====================  ========================================================================

A folder is written once and never changed: Ultralytics keeps what it has read of the labels in a
cache that it holds for current as long as sizes do not change, so an edited folder may be trained
on as it was before. What is loaded is checked against the fingerprint in the manifest.

Level: above ``detections`` and ``data_yaml``; no Ultralytics here. Cost: a pass over the images to
read a ``data.yaml`` (their SHA-256); otherwise O(images + boxes).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError, SourceError
from tailwatch.yolo.data_yaml import label_path, read_split
from tailwatch.yolo.detections import SCHEMA, detections, label_text, read_labels
from tailwatch.yolo.environment import extra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailwatch.yolo.detections import Box

__all__ = ["IMAGES", "MANIFEST", "DetectionDataset", "link"]

IMAGES = pl.Schema(
    {
        "path": pl.String,
        "sha256": pl.String,
        "width": pl.UInt32,
        "height": pl.UInt32,
        "origin": pl.String,
        "teacher": pl.String,
    }
)
"""Columns of the images: where, what, how large; ``"human"`` or ``"pseudo"``, and whose labels."""

MANIFEST = "manifest.parquet"


@dataclass(frozen=True, eq=False, repr=False)
class DetectionDataset:
    """Images with boxes: the data of a loop of detectors.

    Attributes
    ----------
    names
        The classes, in the order of their numbers.
    images
        A row per image: path, sha256, width, height, origin (``"human"`` or ``"pseudo"``) and
        teacher, the fingerprint of the weights that labelled it.
    boxes
        A row per box: image, class, x, y, w, h, confidence; ordered by image.

    Examples
    --------
    >>> import tailwatch as tw
    >>> data = tw.yolo.DetectionDataset.from_yaml("coco8.yaml", split="train")  # doctest: +SKIP
    >>> data                                                                    # doctest: +SKIP
    DetectionDataset(4 images, 13 boxes, 80 classes, human)
    """

    names: tuple[str, ...]
    images: pl.DataFrame
    boxes: pl.DataFrame

    def __post_init__(self) -> None:
        if self.images.schema != IMAGES or self.boxes.schema != SCHEMA:
            message = f"images, boxes: expected the columns {IMAGES} and {SCHEMA}"
            raise InputError(message)

    @classmethod
    def from_yaml(cls, path: str | Path, *, split: str = "train") -> Self:
        """Read one set of a ``data.yaml``, as a user of Ultralytics has it.

        Parameters
        ----------
        path
            The ``data.yaml``.
        split
            ``"train"``, ``"val"`` or ``"test"``.

        Raises
        ------
        SourceError
            A file that is missing or no image, or a line of a label file that is no box.
        MissingDependencyError
            The extra ``yolo`` is not installed.
        """
        found = read_split(Path(path), split)
        boxes = [read_labels(label_path(image), len(found.names)) for image in found.images]
        return cls.from_images(found.images, boxes, names=found.names)

    @classmethod
    def from_images(
        cls,
        images: Sequence[str | Path],
        boxes: Sequence[Sequence[Box]],
        *,
        names: Sequence[str],
    ) -> Self:
        """Make a human data set of image files and their boxes.

        Parameters
        ----------
        images
            The files.
        boxes
            For each image its boxes: class, and centre, width and height as shares of the image.
        names
            The classes.
        """
        if len(images) != len(boxes):
            message = f"boxes: expected {len(images)} lists, one per image, got {len(boxes)}"
            raise InputError(message)
        files = [Path(image).resolve() for image in images]
        table = pl.DataFrame(
            [(str(file), *_measure(file), "human", None) for file in files],
            schema=IMAGES,
            orient="row",
        )
        return cls(tuple(names), table, detections(boxes))

    def __len__(self) -> int:
        return self.images.height

    def __repr__(self) -> str:
        """Say how much there is, of which origin."""
        origins = self.images["origin"].unique().sort().to_list()
        return (
            f"DetectionDataset({len(self)} images, {self.boxes.height} boxes, "
            f"{len(self.names)} classes, {' and '.join(origins) or 'empty'})"
        )

    def take(self, indices: NDArray[np.int64] | Sequence[int]) -> Self:
        """Give the images of these numbers, in this order and as often, with their boxes."""
        chosen = np.asarray(indices, np.int64)
        outside = chosen[(chosen < 0) | (chosen >= len(self))]
        if outside.size:
            message = f"indices: expected numbers from 0 to {len(self) - 1}, got {outside[0]}"
            raise InputError(message)
        places = pl.DataFrame(
            {"new": np.arange(chosen.size, dtype=np.uint32), "image": chosen.astype(np.uint32)}
        )
        boxes = places.join(self.boxes, on="image", how="inner", maintain_order="left_right")
        boxes = boxes.drop("image").rename({"new": "image"}).select(SCHEMA.names())
        return type(self)(self.names, self.images[chosen], boxes)

    def concat(self, others: Sequence[Self]) -> Self:
        """Give these images followed by those of `others`, which have the same classes."""
        parts = [self, *others]
        for other in others:
            if other.names != self.names:
                message = f"others: expected the classes {self.names}, got {other.names}"
                raise InputError(message)
        starts = np.cumsum([0, *(len(part) for part in parts)])
        boxes = [
            part.boxes.with_columns(pl.col("image") + pl.lit(int(start), pl.UInt32))
            for part, start in zip(parts, starts, strict=False)
        ]
        images = pl.concat([part.images for part in parts])
        return type(self)(self.names, images, pl.concat(boxes))

    def relabelled(self, boxes: pl.DataFrame, *, teacher: str) -> Self:
        """Give the same images with what a detector found on them.

        Parameters
        ----------
        boxes
            Detections on the images of this set.
        teacher
            Fingerprint of the detector's weights.
        """
        images = self.images.with_columns(
            origin=pl.lit("pseudo"), teacher=pl.lit(teacher, pl.String)
        )
        return type(self)(self.names, images, boxes.sort("image", maintain_order=True))

    def boxes_of(self) -> list[list[Box]]:
        """List the boxes of each image."""
        of_image: list[list[Box]] = [[] for _ in range(len(self))]
        for image, *box, _ in self.boxes.iter_rows():
            of_image[image].append(tuple(box))
        return of_image

    def class_counts(self) -> NDArray[np.int64]:
        """Count boxes by image (rows) and class (columns)."""
        counts = np.zeros((len(self), len(self.names)), np.int64)
        np.add.at(counts, (self.boxes["image"].to_numpy(), self.boxes["class"].to_numpy()), 1)
        return counts

    def fingerprint(self) -> str:
        """Give a SHA-256 of classes, images (by content), origins and boxes, to the last bit."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256(json.dumps(self.names).encode())
        digest.update(self.images.drop("path").write_csv().encode())
        for name in SCHEMA.names():
            column = self.boxes[name].fill_null(-1.0) if name == "confidence" else self.boxes[name]
            digest.update(np.ascontiguousarray(column.to_numpy()).tobytes())
        return digest.hexdigest()

    def save(self, directory: str | Path) -> Path:
        """Write the set as a folder, once.

        Parameters
        ----------
        directory
            A folder that is empty or not there yet.

        Returns
        -------
        pathlib.Path
            `directory`.

        Raises
        ------
        InputError
            The folder has something in it: folders are never changed.
        """
        folder = Path(directory)
        if folder.exists() and any(folder.iterdir()):
            message = f"directory: expected an empty folder, as sets are never changed: {folder}"
            raise InputError(message)
        for name in ("images", "labels"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        files = []
        paths = self.images["path"].to_list()
        for number, (path, boxes) in enumerate(zip(paths, self.boxes_of(), strict=True)):
            file = f"{number:06d}{Path(path).suffix.lower()}"
            link(Path(path), folder / "images" / file)
            (folder / "labels" / f"{number:06d}.txt").write_text(label_text(boxes))
            files.append(file)
        (folder / "data.yaml").write_text(_yaml(self.names))
        confidences = (
            pl.DataFrame({"image": np.arange(len(self), dtype=np.uint32)})
            .join(self.boxes.select("image", "confidence"), on="image", how="left")
            .group_by("image", maintain_order=True)
            .agg("confidence")
        )
        # Written last: a folder without it is not a set.
        manifest = self.images.drop("path").with_columns(
            file=pl.Series(files, dtype=pl.String), confidences=confidences["confidence"]
        )
        manifest.select("file", *IMAGES.names()[1:], "confidences").write_parquet(
            folder / MANIFEST,
            metadata={"names": json.dumps(self.names), "fingerprint": self.fingerprint()},
        )
        return folder

    @classmethod
    def load(cls, directory: str | Path) -> Self:
        """Read what `save` wrote, and see that nobody changed it.

        Raises
        ------
        SourceError
            There is no such folder, or its labels are not those that were written.
        """
        folder = Path(directory)
        file = folder / MANIFEST
        if not file.is_file():
            message = f"{folder}: expected a folder with {MANIFEST}"
            raise SourceError(message)
        metadata = pl.read_parquet_metadata(file)
        names = tuple(json.loads(metadata["names"]))
        manifest = pl.read_parquet(file)
        files = manifest["file"].to_list()
        boxes = [
            read_labels(folder / "labels" / f"{Path(name).stem}.txt", len(names)) for name in files
        ]
        given = manifest["confidences"].to_list()
        base = (folder / "images").resolve()
        images = manifest.with_columns(
            path=pl.Series([str(base / name) for name in files], dtype=pl.String)
        )
        found = cls(names, images.select(IMAGES.names()), detections(boxes, given))
        if found.fingerprint() != metadata["fingerprint"]:
            message = (
                f"{folder}: its labels are not those that were written; sets are never changed"
            )
            raise SourceError(message)
        return found


def _measure(file: Path) -> tuple[str, int, int]:
    """SHA-256, width and height of an image file."""
    image: Any = extra("PIL.Image")
    try:
        content = file.read_bytes()
        with image.open(file) as opened:
            width, height = opened.size
    except OSError as error:
        message = f"{file}: expected an image file: {error}"
        raise SourceError(message) from error
    return hashlib.sha256(content).hexdigest(), width, height


def link(source: Path, target: Path) -> None:
    """Link a file, or copy it where the file system has no links to it."""
    try:
        os.link(source, target)
    except FileNotFoundError as error:
        message = f"{source}: the file is no longer there"
        raise SourceError(message) from error
    except OSError:
        shutil.copyfile(source, target)


def _yaml(names: Sequence[str]) -> str:
    """Describe the folder for a trainer; JSON's strings are YAML's."""
    listed = "".join(f"  {number}: {json.dumps(name)}\n" for number, name in enumerate(names))
    return f"train: images\nval: images\nnames:\n{listed}"

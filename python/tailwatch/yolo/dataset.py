"""A set of images with their boxes or polygons, and where each of them came from.

In memory it is two frames and holds no pixel: where the images are, and the boxes. Where boxes have
polygons the set is one of segmentation: :mod:`tailwatch.yolo.instances`. On disk it is one
immutable folder:

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
on as it was before. What is loaded is checked against the manifest: labels by the fingerprint,
images by their SHA-256. How the folder is written and read is in :mod:`tailwatch.yolo.folder`.

Whose labels they are is a column of the images: ``"human"``, ``"pseudo"`` (a detector's), or
``"unknown"`` where nobody has said: :mod:`tailwatch.yolo.origins`.

Level: above ``detections`` and ``reader``; no Ultralytics here. Cost: a pass over the images to
read a ``data.yaml`` or a folder (their SHA-256); otherwise O(images + boxes).

The file is long because a set is one type, wherever it comes from and goes.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError, SourceError
from tailwatch.text_form import path_of, path_text, shown
from tailwatch.yolo.detections import SCHEMA
from tailwatch.yolo.folder import MANIFEST, read_folder, write_folder
from tailwatch.yolo.image_files import measure
from tailwatch.yolo.instances import INSTANCES, checked_row, frame_of_rows, rows_of
from tailwatch.yolo.origins import HUMAN, ORIGINS, PSEUDO, check_origin, origins_beside
from tailwatch.yolo.problems import check_bad_files
from tailwatch.yolo.reader import read_set
from tailwatch.yolo.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailwatch.yolo.detections import Box
    from tailwatch.yolo.instances import LabelRow
    from tailwatch.yolo.reader import SetContent

__all__ = ["IMAGES", "MANIFEST", "DetectionDataset"]

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
"""Columns of the images: where, what, how large; whose labels they have, and of which teacher."""


@dataclass(frozen=True, eq=False, repr=False)
class DetectionDataset:
    """Images with boxes or polygons: the data of a loop of detectors.

    Attributes
    ----------
    names
        The classes, in the order of their numbers.
    images
        A row per image: path, sha256, width, height, origin (``"human"``, ``"pseudo"`` or
        ``"unknown"``) and teacher, the fingerprint of the weights that labelled it.
    boxes
        A row per box: image, class, x, y, w, h, confidence; ordered by image. Instances have
        ``points`` besides, the polygon that the box is around.
    remarks
        What has to be said of the set as it was read: files that were left out, rows that were
        there twice. Other labels have none of it.

    Examples
    --------
    >>> import tailwatch as tw
    >>> data = tw.yolo.DetectionDataset.from_yaml("coco8.yaml", split="train")  # doctest: +SKIP
    >>> data                                                                    # doctest: +SKIP
    DetectionDataset(4 images, 13 boxes, 80 classes, unknown)
    """

    names: tuple[str, ...]
    images: pl.DataFrame
    boxes: pl.DataFrame
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.images.schema != IMAGES or self.boxes.schema not in (SCHEMA, INSTANCES):
            raise InputError(
                argument="images, boxes",
                expected=f"the columns {IMAGES} and {SCHEMA}, with or without points",
            )
        other = self.images["origin"].is_in(ORIGINS).not_() | self.images["origin"].is_null()
        if other.any():
            got = self.images["origin"].filter(other)[0]
            raise InputError(
                argument="images", expected=f"an origin among {', '.join(ORIGINS)}", got=repr(got)
            )

    @classmethod
    def from_yaml(
        cls,
        path: str | Path,
        *,
        split: str = "train",
        origin: str | None = None,
        task: str = Task.DETECT,
        bad_files: str = "refuse",
        single_cls: bool = False,
    ) -> Self:
        """Read one set of a ``data.yaml``, as Ultralytics reads it.

        A ``data.yaml`` does not say who drew the boxes. What lies in a folder that tailwatch wrote
        has the origin that its manifest says; all else is unknown, unless `origin` says it.

        Parameters
        ----------
        path
            The ``data.yaml``, a folder that has it, the bare name of one that comes with
            Ultralytics (``coco8.yaml``), or an NDJSON file.
        split
            ``"train"``, ``"val"`` or ``"test"``.
        origin
            Who made the labels, as you know it: ``"human"``, ``"pseudo"`` or ``"unknown"``.
        task
            What the labels are: ``"detect"``, boxes, or ``"segment"``, polygons.
        bad_files
            What becomes of images that Ultralytics passes over with a line in its log, for what is
            wrong with them or with a row of their labels: ``"refuse"`` names them all in one error,
            ``"leave-out"`` leaves them out and says so in `remarks`.
        single_cls
            Whether to take all classes for one, named ``item``, as Ultralytics does by that name.

        Raises
        ------
        SourceError
            A file that is missing or no image, or a line of a label file that is no box; or labels
            that are said to be human, and are those of a detector by the manifest beside them.
        MissingDependencyError
            The extra ``yolo`` is not installed.
        """
        kind = Task.of(task)
        check_origin(origin)
        check_bad_files(bad_files)
        found = read_set(Path(path), split, single_cls=single_cls, task=kind)
        found.require(bad_files)
        return cls.from_content(found, origin=origin)

    @classmethod
    def from_content(cls, found: SetContent, *, origin: str | None = None) -> Self:
        """Make a data set of what was read and can be used."""
        known = origins_beside(
            [image.path for image in found.images],
            origin,
            _is_unchanged,
            told=[image.origin for image in found.images],
        )
        rows = [
            (path_text(each.path), each.sha256, each.width, each.height, of.origin, of.teacher)
            for each, of in zip(found.images, known, strict=True)
        ]
        labels = [image.rows(found.task) for image in found.images]
        return cls(
            found.names,
            pl.DataFrame(rows, schema=IMAGES, orient="row"),
            frame_of_rows(found.task, labels),
            found.remarks(),
        )

    @classmethod
    def from_images(
        cls,
        images: Sequence[str | Path],
        boxes: Sequence[Sequence[Sequence[float]]],
        *,
        names: Sequence[str],
        origin: str = HUMAN,
        task: str = Task.DETECT,
    ) -> Self:
        """Make a data set of image files and their boxes, whose origin is human by default.

        Parameters
        ----------
        images
            The files.
        boxes
            For each image its boxes: class, and centre, width and height as shares of the image;
            or, for the task ``"segment"``, its polygons: class, x1, y1, x2, y2, ….
        names
            The classes.
        origin
            Who made the boxes: ``"human"``, ``"pseudo"`` or ``"unknown"``.
        task
            ``"detect"`` or ``"segment"``.

        Raises
        ------
        SourceError
            A file that is missing or no image, or a row that is no box, or no polygon, of these
            classes.
        """
        kind = Task.of(task)
        check_origin(origin)
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            raise InputError(
                argument="names", expected="a list of the names of the classes", got=shown(names)
            )
        if len(images) != len(boxes):
            raise InputError(
                argument="boxes",
                expected=f"{len(images)} lists, one per image",
                got=str(len(boxes)),
            )
        # A link keeps its name: what it leads to may have none that says what it is.
        files = [Path(os.path.abspath(image)) for image in images]  # noqa: PTH100
        table = pl.DataFrame(
            [(path_text(file), *measure(file), origin, None) for file in files],
            schema=IMAGES,
            orient="row",
        )
        rows = [
            [
                checked_row(kind, row, f"boxes: image {image}, row {number}", len(names))
                for number, row in enumerate(of_image)
            ]
            for image, of_image in enumerate(boxes)
        ]
        return cls(tuple(names), table, frame_of_rows(kind, rows))

    def __len__(self) -> int:
        return self.images.height

    @property
    def task(self) -> Task:
        """What the labels are: boxes, or instances with polygons."""
        return Task.SEGMENT if "points" in self.boxes.columns else Task.DETECT

    def __repr__(self) -> str:
        """Return the numbers of images, boxes and classes, and the origins."""
        origins = self.images["origin"].unique().sort().to_list()
        return (
            f"DetectionDataset({len(self)} images, {self.boxes.height} "
            f"{'instances' if self.task is Task.SEGMENT else 'boxes'}, "
            f"{len(self.names)} classes, {' and '.join(origins) or 'empty'})"
        )

    def take(self, indices: NDArray[np.int64] | Sequence[int]) -> Self:
        """Return the images at `indices`, in this order and as often, with their boxes."""
        chosen = np.asarray(indices, np.int64)
        outside = chosen[(chosen < 0) | (chosen >= len(self))]
        if outside.size:
            raise InputError(
                argument="indices",
                expected=f"numbers from 0 to {len(self) - 1}",
                got=str(outside[0]),
            )
        places = pl.DataFrame(
            {"new": np.arange(chosen.size, dtype=np.uint32), "image": chosen.astype(np.uint32)}
        )
        boxes = places.join(self.boxes, on="image", how="inner", maintain_order="left_right")
        boxes = boxes.drop("image").rename({"new": "image"}).select(self.boxes.columns)
        return type(self)(self.names, self.images[chosen], boxes, self.remarks)

    def concat(self, others: Sequence[Self]) -> Self:
        """Return these images followed by those of `others`, which have the same classes."""
        parts = [self, *others]
        for other in others:
            if other.names != self.names:
                raise InputError(
                    argument="others", expected=f"the classes {self.names}", got=str(other.names)
                )
            if other.task is not self.task:
                raise InputError(argument="others", expected=self.task.holds, got=other.task.holds)
        starts = np.cumsum([0, *(len(part) for part in parts)])
        boxes = [
            part.boxes.with_columns(pl.col("image") + pl.lit(int(start), pl.UInt32))
            for part, start in zip(parts, starts, strict=False)
        ]
        images = pl.concat([part.images for part in parts])
        remarks = dict.fromkeys(remark for part in parts for remark in part.remarks)
        return type(self)(self.names, images, pl.concat(boxes), tuple(remarks))

    def relabelled(self, boxes: pl.DataFrame, *, teacher: str) -> Self:
        """Return the same images with the boxes that a detector found on them.

        Parameters
        ----------
        boxes
            Detections on the images of this set.
        teacher
            Fingerprint of the detector's weights.
        """
        images = self.images.with_columns(origin=pl.lit(PSEUDO), teacher=pl.lit(teacher, pl.String))
        return type(self)(self.names, images, boxes.sort("image", maintain_order=True))

    def boxes_of(self) -> list[list[Box]]:
        """List the boxes of each image."""
        of_image: list[list[Box]] = [[] for _ in range(len(self))]
        for image, *box in self.boxes.select(SCHEMA.names()[:-1]).iter_rows():
            of_image[image].append(tuple(box))
        return of_image

    def label_rows(self) -> list[list[LabelRow]]:
        """List the lines of the label file of each image: boxes, or polygons."""
        return rows_of(self.boxes, len(self))

    def paths(self) -> list[Path]:
        """List the image files; in `images`, a path whose bytes are no text has escapes."""
        return [path_of(path) for path in self.images["path"]]

    def origins(self) -> dict[str, int]:
        """Count the images by the origin of their labels."""
        counts = self.images["origin"].value_counts()
        found: dict[str, int] = dict(counts.iter_rows())
        return {origin: found[origin] for origin in ORIGINS if origin in found}

    def class_totals(self) -> NDArray[np.int64]:
        """Count the boxes of each class."""
        return np.bincount(self.boxes["class"].to_numpy(), minlength=len(self.names))

    def class_counts(self) -> NDArray[np.int64]:
        """Count boxes by image (rows) and class (columns): images × classes numbers."""
        counts = np.zeros((len(self), len(self.names)), np.int64)
        np.add.at(counts, (self.boxes["image"].to_numpy(), self.boxes["class"].to_numpy()), 1)
        return counts

    def fingerprint(self) -> str:
        """Return the SHA-256 of classes, images (by content), origins and boxes."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256(json.dumps(self.names).encode())
        digest.update(self.images.drop("path").write_csv().encode())
        for name in SCHEMA.names():
            column = self.boxes[name].fill_null(-1.0) if name == "confidence" else self.boxes[name]
            digest.update(np.ascontiguousarray(column.to_numpy()).tobytes())
        if self.task is Task.SEGMENT:
            points = self.boxes["points"]
            for column in (points.list.len(), points.explode().drop_nulls()):
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
        return write_folder(self, Path(directory))

    @classmethod
    def load(cls, directory: str | Path) -> Self:
        """Read what `save` wrote, and see that nobody changed it.

        Raises
        ------
        SourceError
            There is no such folder, its labels or its images are not those that were written, or
            one of its files is a link or a device.
        """
        folder = Path(directory)
        found = read_folder(folder)
        boxes = frame_of_rows(found.task, found.rows, found.confidences)
        data = cls(found.names, found.images, boxes)
        if data.fingerprint() != found.fingerprint:
            raise SourceError(
                argument=path_text(folder),
                expected="the labels that were written, as sets are never changed",
                got="others",
            )
        return data


def _is_unchanged(folder: Path) -> bool:
    """Return whether a folder is as tailwatch wrote it."""
    try:
        DetectionDataset.load(folder)
    except SourceError:
        return False
    return True

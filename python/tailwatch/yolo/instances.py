"""Instances: the frame of polygons with their boxes, and the label files of segmentation.

A frame of instances is a frame of detections (:mod:`tailwatch.yolo.detections`) with one column
more; so all that looks at boxes looks at instances too:

==============  ===========  =================================================================
column          type         meaning
==============  ===========  =================================================================
``points``      list of f64  x1, y1, x2, y2, … of the polygon, as shares of width and height
``x`` … ``h``   f64          the box around the polygon, of its least and largest coordinates
==============  ===========  =================================================================

A label file has a line ``class x1 y1 x2 y2 x3 y3 …`` per instance, numbers with all their digits.
A set is all of polygons: a line of five columns is a box, and Ultralytics would drop an image that
mixes both, or train on boxes alone.

What rows are, how a label file is read and which columns a frame has is decided by the task, here
and nowhere else.

Level: above ``detections``, ``masks`` and ``tasks``; no Ultralytics here.
"""

from __future__ import annotations

import math
from itertools import repeat
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from tailwatch.exceptions import InputError, SourceError
from tailwatch.text_form import path_text, shortened, shown
from tailwatch.yolo.detections import (
    SCHEMA,
    box_of,
    class_of,
    detections,
    is_within,
    label_file_text,
    read_labels,
)
from tailwatch.yolo.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = [
    "INSTANCES",
    "LEAST_COLUMNS",
    "LabelRow",
    "box_around",
    "checked_row",
    "frame_of_rows",
    "instances",
    "polygon_of",
    "read_rows",
    "rows_of",
    "schema_of",
]

INSTANCES = pl.Schema({**SCHEMA, "points": pl.List(pl.Float64)})

LabelRow: TypeAlias = tuple[float, ...]
"""A line of a label file: the class, and a box or a polygon."""

LEAST_COLUMNS = 7
"""Of a polygon: the class, and three points."""


def instances(
    polygons: Iterable[Iterable[Sequence[float]]],
    confidences: Iterable[Iterable[float | None]] | None = None,
) -> pl.DataFrame:
    """Make a frame of instances from the polygons of each image.

    Parameters
    ----------
    polygons
        For each image, its polygons: class, x1, y1, x2, y2, ….
    confidences
        For each image, one confidence per polygon; none for what a person drew.

    Returns
    -------
    polars.DataFrame
        A row per instance, in the given order.

    Examples
    --------
    >>> from tailwatch.yolo import instances
    >>> instances([[(1, 0.2, 0.2, 0.4, 0.2, 0.4, 0.6)], []]).drop("points").rows()
    [(0, 1, 0.30000000000000004, 0.4, 0.2, 0.39999999999999997, None)]
    """
    beside = repeat(repeat(None)) if confidences is None else confidences
    rows = []
    for image, (of_image, given) in enumerate(zip(polygons, beside, strict=False)):
        for row, confidence in zip(of_image, given, strict=False):
            number, *points = row
            if len(points) < LEAST_COLUMNS - 1 or len(points) % 2:
                raise InputError(
                    argument="polygons",
                    expected="class and at least three points, x1 y1 x2 y2 x3 y3",
                    got=f"{len(points)} coordinates",
                    where=f"image {image}",
                )
            points = [float(value) for value in points]
            rows.append((image, int(number), *box_around(points), confidence, points))
    return pl.DataFrame(rows, schema=INSTANCES, orient="row")


def box_around(points: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the box around a polygon: centre, width and height.

    Examples
    --------
    >>> from tailwatch.yolo.instances import box_around
    >>> box_around([0.25, 0.5, 0.75, 0.5, 0.5, 1.0])
    (0.5, 0.75, 0.5, 0.5)
    """
    x, y = points[0::2], points[1::2]
    left, right, top, bottom = min(x), max(x), min(y), max(y)
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def schema_of(task: Task) -> pl.Schema:
    """Return the columns of a frame of this task."""
    return INSTANCES if task is Task.SEGMENT else SCHEMA


def frame_of_rows(
    task: Task,
    rows: Iterable[Iterable[LabelRow]],
    confidences: Iterable[Iterable[float | None]] | None = None,
) -> pl.DataFrame:
    """Make a frame from the lines of the label file of each image."""
    if task is Task.SEGMENT:
        return instances(rows, confidences)
    return detections(rows, confidences)  # type: ignore[arg-type]


def rows_of(frame: pl.DataFrame, images: int) -> list[list[LabelRow]]:
    """List the lines of the label file of each image."""
    of_image: list[list[LabelRow]] = [[] for _ in range(images)]
    if "points" in frame.columns:
        for image, number, points in frame.select("image", "class", "points").iter_rows():
            of_image[image].append((number, *points))
        return of_image
    for image, *box in frame.select(SCHEMA.names()[:-1]).iter_rows():
        of_image[image].append(tuple(box))
    return of_image


def read_rows(task: Task, path: Path, classes: int) -> list[LabelRow]:
    """Read a label file of this task; one that is not there has no line.

    Parameters
    ----------
    task
        What the file has lines of.
    path
        The file.
    classes
        Number of classes.

    Raises
    ------
    SourceError
        A line that is no box, or no polygon: the error names file, line and what it has.
    """
    if task is Task.DETECT:
        return list(read_labels(path, classes))
    return [
        _row(line.split(), f"{path_text(path)}: line {number}", classes)
        for number, line in enumerate((label_file_text(path) or "").splitlines(), start=1)
        if line.strip()
    ]


def checked_row(task: Task, values: Sequence[float], where: str, classes: int) -> LabelRow:
    """Return a row that a caller gives, held to what a line of a label file is held to.

    Parameters
    ----------
    task
        What the row is.
    values
        The class, and a box or a polygon.
    where
        Which row, which an error names first.
    classes
        Number of classes.

    Raises
    ------
    SourceError
        It is no box, or no polygon.
    """
    try:
        fields = [repr(float(value)) for value in values]
    except (TypeError, ValueError) as error:
        raise SourceError(argument=where, expected="numbers", got=shown(values)) from error
    if task is Task.DETECT:
        return box_of(fields, where, classes)
    return _row(fields, where, classes)


def _row(fields: list[str], where: str, classes: int) -> LabelRow:
    """Read a line of three points or more."""
    if len(fields) < LEAST_COLUMNS or not len(fields) % 2:
        hint = "a box, of which no mask can be learnt; task='detect' reads boxes"
        raise SourceError(
            argument=where,
            expected="a class and at least three points, x1 y1 x2 y2 x3 y3",
            got=f"{len(fields)} columns",
            hint=hint if len(fields) == len(SCHEMA) - 2 else None,
        )
    return polygon_of(fields, where, classes)


def polygon_of(fields: list[str], where: str, classes: int | None) -> LabelRow:
    """Read the fields of a row as a polygon, whose box lies in the image.

    Parameters
    ----------
    fields
        Class, x1, y1, x2, y2, … as text.
    where
        File and line, which an error names first.
    classes
        Number of classes; None where any number will do.

    Raises
    ------
    SourceError
        It is no polygon, or reaches beyond the image by more than a hundredth of it.
    """
    try:
        number, *points = map(float, fields)
    except ValueError as error:
        got = repr(shortened(" ".join(fields), 200))
        raise SourceError(argument=where, expected="numbers", got=got) from error
    of_class = class_of(number, fields[0], where, classes)
    # Of a coordinate that is no number a least and a largest one say nothing.
    if all(map(math.isfinite, points)) and is_within(box_around(points)):
        return (of_class, *points)
    outside = (text for text, value in zip(fields[1:], points, strict=True) if not 0 <= value <= 1)
    raise SourceError(
        argument=where,
        expected="points as shares of the image",
        got=shortened(next(outside, " ".join(fields)), 40),
    )

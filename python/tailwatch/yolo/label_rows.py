"""Label files as people have them, read as Ultralytics reads them for a detector.

============================  ====================================================================
rows                          become
============================  ====================================================================
five columns                  a box: class, x, y, w, h
more than six, all of them    polygons, of which the boxes around them count
pose rows, where the YAML     their box: the keypoints are cut off
has ``kpt_shape``
two rows alike                one, counted; alike to 32 bits, as the trainer holds them
boxes among polygons; six     nothing: Ultralytics passes over the whole image for one such row,
columns; a number outside     so each is named here and the image is a bad file
============================  ====================================================================

Coordinates may lie a hundredth outside of the image, as a tool's rounding puts them; they stay as
they are.

Level: above ``instances``. Labels that tailwatch wrote are read by ``instances.read_rows``, to the
last bit and with every row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.exceptions import SourceError
from tailwatch.text_form import path_text
from tailwatch.yolo.detections import box_of, label_file_text
from tailwatch.yolo.instances import box_around, polygon_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tailwatch.yolo.detections import Box

__all__ = ["LabelRows", "parse_rows", "read_rows"]

Polygon = tuple[float, ...]
"""x and y of each corner in turn, as shares of the image."""


@dataclass(frozen=True, slots=True)
class LabelRows:
    """The rows of one image.

    Attributes
    ----------
    boxes
        Class, x, y, w, h of each row, each once.
    polygons
        The polygons that `boxes` are around, in the same order; None where the rows are boxes.
    duplicates
        Rows that were there before.
    errors
        By line, what is wrong with a row.
    """

    boxes: tuple[Box, ...] = ()
    polygons: tuple[Polygon, ...] | None = None
    duplicates: int = 0
    errors: tuple[tuple[int | None, SourceError], ...] = ()


def read_rows(path: Path, classes: int | None, *, keypoint_columns: int = 0) -> LabelRows | None:
    """Read a label file; None where there is none.

    Parameters
    ----------
    path
        The file.
    classes
        Number of classes; None where every class is taken for one.
    keypoint_columns
        Columns that follow the box in a pose row.
    """
    try:
        text = label_file_text(path)
    except SourceError as error:
        return LabelRows(errors=((None, error),))
    if text is None:
        return None
    rows = ((number, line.split()) for number, line in enumerate(text.splitlines(), start=1))
    return parse_rows(
        [(number, fields) for number, fields in rows if fields],
        path_text(path),
        classes,
        keypoint_columns=keypoint_columns,
    )


def parse_rows(
    rows: Sequence[tuple[int, list[str]]],
    where: str,
    classes: int | None,
    *,
    keypoint_columns: int = 0,
    word: str = "line",
) -> LabelRows:
    """Make boxes of the rows of one image.

    Parameters
    ----------
    rows
        Number and fields of each row.
    where
        The file, for errors.
    classes, keypoint_columns
        See :func:`read_rows`.
    word
        What a row is called in an error.
    """
    pose = 5 + keypoint_columns
    if keypoint_columns:
        rows = [(n, fields[:5] if len(fields) == pose else fields) for n, fields in rows]
    polygons = any(len(fields) > 6 for _, fields in rows)
    found: list[tuple[Box, Polygon]] = []
    errors: list[tuple[int | None, SourceError]] = []
    for number, fields in rows:
        place = f"{where}: {word} {number}"
        try:
            found.append(
                _polygon(fields, place, classes)
                if polygons
                else (box_of(fields, place, classes), ())
            )
        except SourceError as error:
            errors.append((number, error))
    kept = list(_each_once(found))
    return LabelRows(
        tuple(box for box, _ in kept),
        tuple(polygon for _, polygon in kept) if polygons else None,
        len(found) - len(kept),
        tuple(errors),
    )


def _polygon(fields: list[str], where: str, classes: int | None) -> tuple[Box, Polygon]:
    """Read a row that is a polygon, and the box around it."""
    if len(fields) < 3 or len(fields) % 2 == 0 or len(fields) == 5:
        raise SourceError(
            argument=where,
            expected="polygons, class x1 y1 x2 y2 …, as in other rows of this file",
            got="a box" if len(fields) == 5 else f"{len(fields)} columns",
        )
    of_class, *points = polygon_of(fields, where, classes)
    return (int(of_class), *box_around(points)), tuple(points)


def _each_once(rows: Iterable[tuple[Box, Polygon]]) -> Iterable[tuple[Box, Polygon]]:
    """Yield each row once, the first time; polygons of one box are different rows."""
    seen: set[tuple[float, ...]] = set()
    for box, polygon in rows:
        key = (box[0], *np.array(polygon or box[1:], np.float32).tolist())
        if key not in seen:
            seen.add(key)
            yield box, polygon

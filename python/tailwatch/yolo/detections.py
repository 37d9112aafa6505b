"""Detections: one frame of boxes, and the label files that a YOLO trainer reads.

A frame of detections has one row per box:

==============  =======  =====================================================================
column          type     meaning
==============  =======  =====================================================================
``image``       u32      number of the image, from 0, in its data set
``class``       u16      number of the class, from 0
``x``, ``y``    f64      centre of the box, as a share of the image's width and height
``w``, ``h``    f64      width and height of the box, as shares of the image's
``confidence``  f64      what the detector gave it, null for a box that a person drew
==============  =======  =====================================================================

A label file has a line ``class x y w h`` per box and nothing else: Ultralytics drops an image whose
lines have a sixth column, with no more than a line in its log, and writes no file at all for an
image without detections. So tailwatch writes these files itself: five columns, numbers with all
their digits, and an empty file where nothing was found.

The number of a class is its identity: names may come twice (``names: [a, b, a]``), be empty, or be
those of the groups that statistics are given for. Where a name does not say which class is meant,
its number is put behind it: ``a #0``, ``b``, ``a #2``. So two classes never share a row, a seed's
mean or a line of a chart. Tail classes are the rarest that together have at most a tenth of the
human boxes, at least one.

Level: above :mod:`tailwatch.yolo.environment` alone; no Ultralytics here.
"""

from __future__ import annotations

import codecs
import stat
from collections import Counter
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tailwatch.exceptions import SourceError
from tailwatch.text_form import path_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "ALL_CLASSES",
    "MOST_CLASSES",
    "SCHEMA",
    "TAIL",
    "TAIL_CLASSES",
    "Box",
    "box_of",
    "class_labels",
    "class_of",
    "detections",
    "is_within",
    "label_file_text",
    "label_text",
    "read_labels",
    "tail_classes",
]

SCHEMA = pl.Schema(
    {
        "image": pl.UInt32,
        "class": pl.UInt16,
        "x": pl.Float64,
        "y": pl.Float64,
        "w": pl.Float64,
        "h": pl.Float64,
        "confidence": pl.Float64,
    }
)

Box = tuple[int, float, float, float, float]
"""Class, x, y, w, h."""

MOST_BYTES = 2**26
"""Of a label file: more than a million boxes."""

LARGEST, LEAST = np.float32(1.01), np.array([-0.01, -0.01, 0, 0], np.float32)
"""Ultralytics' own tolerance for coordinates that were rounded outwards."""

MOST_CLASSES = 2**16 - 1
"""Classes that a frame of detections can number."""


def detections(
    boxes: Iterable[Iterable[Box]], confidences: Iterable[Iterable[float | None]] | None = None
) -> pl.DataFrame:
    """Make a frame of detections from the boxes of each image.

    Parameters
    ----------
    boxes
        For each image, its boxes: class, x, y, w, h.
    confidences
        For each image, one confidence per box; none for boxes that a person drew.

    Returns
    -------
    polars.DataFrame
        A row per box, in the given order.

    Examples
    --------
    >>> from tailwatch.yolo import detections
    >>> detections([[(1, 0.5, 0.5, 0.2, 0.1)], []]).rows()
    [(0, 1, 0.5, 0.5, 0.2, 0.1, None)]
    """
    beside = repeat(repeat(None)) if confidences is None else confidences
    rows = [
        (image, *box, confidence)
        for image, (of_image, given) in enumerate(zip(boxes, beside, strict=False))
        for box, confidence in zip(of_image, given, strict=False)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def label_text(rows: Iterable[Sequence[float]]) -> str:
    r"""Write the boxes, or polygons, of one image as a label file; an empty one for none.

    Examples
    --------
    >>> from tailwatch.yolo.detections import label_text
    >>> label_text([(3, 0.5, 0.25, 0.125, 1 / 3)])
    '3 0.5 0.25 0.125 0.3333333333333333\n'
    >>> label_text([])
    ''
    """
    # The shortest text that gives the same float64 back.
    return "".join(f"{c} {' '.join(repr(float(value)) for value in row)}\n" for c, *row in rows)


def read_labels(path: Path, classes: int) -> list[Box]:
    """Read a label file that tailwatch wrote; one that is not there has no box.

    Parameters
    ----------
    path
        The file.
    classes
        Number of classes.

    Returns
    -------
    list
        Class, x, y, w, h of each box.

    Raises
    ------
    SourceError
        A line that is no box: the error names file, line and what it has.
    """
    return [
        box_of(line.split(), f"{path_text(path)}: line {number}", classes)
        for number, line in enumerate((label_file_text(path) or "").splitlines(), start=1)
        if line.strip()
    ]


def label_file_text(path: Path) -> str | None:
    """Return the text of a label file, in UTF-8 as Ultralytics reads it; None without a file.

    Raises
    ------
    SourceError
        It is a folder, a device, too large, or in another encoding.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            got = "a folder" if stat.S_ISDIR(found.st_mode) else "a device"
            raise SourceError(argument=path_text(path), expected="a label file", got=got)
        if found.st_size > MOST_BYTES:
            raise SourceError(
                argument=path_text(path),
                expected=f"a label file of at most {MOST_BYTES:,} bytes",
                got=f"{found.st_size:,}",
            )
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        wide = content[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
        raise SourceError(
            argument=path_text(path),
            expected="a label file, lines of text",
            got="UTF-16" if wide else "bytes that are no UTF-8",
            hint="save it as UTF-8: Ultralytics drops the image" if wide else None,
        ) from error
    except OSError as error:
        raise SourceError(
            argument=path_text(path), expected="a label file", got=error.strerror or str(error)
        ) from error


def box_of(fields: list[str], where: str, classes: int | None) -> Box:
    """Read the fields of a row as a box.

    Parameters
    ----------
    fields
        Class, x, y, w, h as text.
    where
        File and line, which an error names first.
    classes
        Number of classes; None where any number will do.

    Raises
    ------
    SourceError
        It is no box.
    """
    if len(fields) != 5:
        hint = "a column of confidences makes Ultralytics drop the image"
        raise SourceError(
            argument=where,
            expected="five columns, class x y w h",
            got=str(len(fields)),
            hint=hint if len(fields) == 6 else None,
        )
    try:
        number, x, y, w, h = map(float, fields)
    except ValueError as error:
        raise SourceError(
            argument=where, expected="five numbers", got=repr(" ".join(fields)[:200])
        ) from error
    of_class = class_of(number, fields[0], where, classes)
    if not is_within((x, y, w, h)):
        raise SourceError(
            argument=where,
            expected="x, y, w, h as shares of the image",
            got=" ".join(fields[1:])[:200],
        )
    return of_class, x, y, w, h


def is_within(box: Sequence[float]) -> bool:
    """Return whether x, y, w, h are shares of an image as the trainer takes them."""
    # In the precision that the trainer compares in: 1.01 itself is still inside.
    places = np.array(box, np.float32)
    return bool((places <= LARGEST).all() and (places >= LEAST).all())


def class_of(number: float, text: str, where: str, classes: int | None) -> int:
    """Return a number of a class; refuse a share, a NaN, an infinity, or one that is not there."""
    most = MOST_CLASSES if classes is None else classes
    if not 0 <= number < most or number != int(number):
        raise SourceError(argument=where, expected=f"a class from 0 to {most - 1}", got=text[:40])
    return int(number)


TAIL = 0.10
"""Most human boxes that tail classes have together."""

TAIL_CLASSES = "tail classes"
"""The rarest classes together, where a class is named."""

ALL_CLASSES = "all classes"
"""All classes of the human data together."""


def class_labels(names: Sequence[str]) -> tuple[str, ...]:
    """Return a label for each class that no other class has, in the order of their numbers.

    Parameters
    ----------
    names
        The classes' names, in the order of their numbers.

    Examples
    --------
    >>> from tailwatch.yolo.detections import class_labels
    >>> class_labels(["cat", "dog", "cat"])
    ('cat #0', 'dog', 'cat #2')
    """
    labels = list(names)
    while True:
        times = Counter([*labels, TAIL_CLASSES, ALL_CLASSES])
        shared = [
            number for number, label in enumerate(labels) if times[label] > 1 or not label.strip()
        ]
        if not shared:
            return tuple(labels)
        # A label that was made may be another class's name: then both are numbered, and so on.
        for number in shared:
            labels[number] = f"{labels[number]} #{number}"


def tail_classes(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of the tail classes, in ascending order.

    Parameters
    ----------
    counts
        Human boxes of each class; classes without any are none.
    """
    order = np.argsort(counts, kind="stable")
    order = order[counts[order] > 0]
    inside = np.cumsum(counts[order]) <= TAIL * counts.sum()
    return np.sort(order[: max(int(inside.sum()), 1)])

"""Sets in one NDJSON file: a line of what the set is, then a line for each image with its rows.

::

    {"type": "dataset", "task": "detect", "path": "images-of-it", "class_names": {"0": "cat"}}
    {"file": "a.jpg", "split": "train", "annotations": {"boxes": [[0, 0.5, 0.5, 0.2, 0.1]]}}

Images are in ``path/images/SPLIT`` beside the file. Ultralytics makes a folder of such a file, and
fetches what has an address instead; here it is read as it is, and addresses are refused. Of an
image's annotations the first kind counts. Without a set ``val`` a tenth of ``train`` becomes one,
chosen as Ultralytics chooses it.

Level: above ``label_rows``.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import SourceError
from tailwatch.text_form import path_text, shown
from tailwatch.yolo.data_yaml import SPLITS
from tailwatch.yolo.detections import MOST_CLASSES
from tailwatch.yolo.image_lists import MOST_LIST

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NdjsonSet", "Record", "read_ndjson"]

TASKS = ("detect", "segment", "pose", "obb")


@dataclass(frozen=True, slots=True)
class Record:
    """An image of a set.

    Attributes
    ----------
    image
        The file.
    line
        Line of the NDJSON file.
    rows
        Number and fields of each row of its annotations.
    metadata
        What the line says besides: tailwatch writes whose labels they are.
    """

    image: Path
    line: int
    rows: tuple[tuple[int, list[str]], ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NdjsonSet:
    """What an NDJSON file says.

    Attributes
    ----------
    names
        The classes.
    keypoint_columns
        Columns that follow the box in a pose row.
    records
        The images of each set, in the order of the file.
    """

    names: tuple[str, ...]
    keypoint_columns: int
    records: dict[str, list[Record]]


def read_ndjson(path: Path) -> NdjsonSet:
    """Read an NDJSON set.

    Raises
    ------
    SourceError
        It is none, is for a task without boxes, or its images are elsewhere.
    """
    lines = _lines(path)
    _, header = lines[0]
    task = header.get("task", "detect")
    if task not in TASKS:
        raise _wrong(path, 1, f"one of the tasks {', '.join(TASKS)}", shown(task))
    folder = header.get("path")
    if not isinstance(folder, str) or not folder:
        raise SourceError(
            argument=path_text(path),
            expected="a folder of images as path, in line 1",
            got="addresses" if any("url" in each for _, each in lines[1:]) else "none",
            hint="nothing is downloaded: convert the set with Ultralytics once, and give the "
            "data.yaml that it writes",
        )
    shape = header.get("kpt_shape", [0, 0] if task != "pose" else None)
    if not isinstance(shape, list) or len(shape) != 2 or not all(type(n) is int for n in shape):
        raise _wrong(path, 1, "kpt_shape, two numbers", shown(shape))
    records: dict[str, list[Record]] = {}
    numbers: set[int] = set()
    for line, content in lines[1:]:
        record, split = _record(path, line, content, folder)
        records.setdefault(split, []).append(record)
        numbers.update(_classes(content, path, line))
    if "train" not in records:
        raise SourceError(
            argument=path_text(path), expected="the set 'train'", got=", ".join(records) or "none"
        )
    if "val" not in records:
        _hold_out(path, records)
    return NdjsonSet(_names(header, numbers, path), shape[0] * shape[1], records)


def _lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    size = path.stat().st_size
    if size > MOST_LIST:
        raise SourceError(
            argument=path_text(path), expected=f"at most {MOST_LIST:,} bytes", got=f"{size:,}"
        )
    found = []
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(
            argument=path_text(path), expected="lines of JSON in UTF-8", got="other bytes"
        ) from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _wrong(path, number, "JSON", str(error)) from error
        if not isinstance(content, dict):
            raise _wrong(path, number, "an object", type(content).__name__)
        found.append((number, content))
    if not found:
        raise SourceError(argument=path_text(path), expected="lines of JSON", got="none")
    return found


def _record(path: Path, line: int, content: dict[str, Any], folder: str) -> tuple[Record, str]:
    split, name = content.get("split"), content.get("file")
    if split not in SPLITS:
        raise _wrong(path, line, f"a split among {', '.join(SPLITS)}", shown(split))
    if not isinstance(name, str) or not name or Path(name).name != name:
        raise _wrong(path, line, "the name of an image as file", shown(name))
    annotations = content.get("annotations", {})
    if not isinstance(annotations, dict):
        raise _wrong(path, line, "annotations by kind", shown(annotations))
    rows: Any = next(iter(annotations.values()), [])
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise _wrong(path, line, "a list of rows", shown(rows))
    image = Path(os.path.realpath(path.absolute().parent / folder / "images" / split / name))
    fields = [(number, [str(each) for each in row]) for number, row in enumerate(rows, start=1)]
    metadata = content.get("metadata")
    kept = metadata if isinstance(metadata, dict) else {}
    return Record(image, line, tuple((n, row) for n, row in fields if row), kept), split


def _classes(content: dict[str, Any], path: Path, line: int) -> set[int]:
    """Return the numbers of the classes in all annotations of an image."""
    try:
        return {
            int(row[0]) for rows in content.get("annotations", {}).values() for row in rows if row
        }
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong(path, line, "rows that begin with a class", str(error)) from error


def _names(header: dict[str, Any], numbers: set[int], path: Path) -> tuple[str, ...]:
    given = header.get("class_names", {})
    try:
        named = {int(key): str(name) for key, name in given.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise _wrong(path, 1, "class_names by number", shown(given)) from error
    every = numbers | set(named)
    most = max(every, default=-1) + 1
    if not 0 < most <= MOST_CLASSES or min(every) < 0:
        raise _wrong(path, 1, f"classes, at most {MOST_CLASSES:,}", str(most))
    # Gaps between names are filled one way, and no names at all another way.
    form = "class{}" if named else "class_{}"
    return tuple(named.get(number, form.format(number)) for number in range(most))


def _hold_out(path: Path, records: dict[str, list[Record]]) -> None:
    """Make a tenth of the training set the set that measures, as Ultralytics does."""
    train = list(records["train"])
    if len(train) < 2:
        raise SourceError(
            argument=path_text(path), expected="the set 'val', or two images", got="one image"
        )
    random.Random(0).shuffle(train)  # noqa: S311  (the same tenth as elsewhere, no secret)
    count = max(1, len(train) // 10)
    chosen = {record.line for record in train[:count]}
    records["val"] = [record for record in records["train"] if record.line in chosen]
    records["train"] = [record for record in records["train"] if record.line not in chosen]


def _wrong(path: Path, line: int, expected: str, got: str) -> SourceError:
    return SourceError(argument=f"{path_text(path)}: line {line}", expected=expected, got=got)

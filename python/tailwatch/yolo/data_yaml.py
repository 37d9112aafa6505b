"""A user's ``data.yaml``: which images it names, where their labels are, what the classes are.

Read as Ultralytics reads it: ``train``, ``val`` and ``test`` are a folder, a text file of paths, or
a list of these, below ``path``; the labels of ``…/images/a.jpg`` are in ``…/labels/a.txt``.
Nothing is downloaded, and a ``download:`` entry, which Ultralytics would run as a program, is not
looked at.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tailwatch.exceptions import SourceError, TailwatchError
from tailwatch.io.settings_text import parse_yaml, read_text
from tailwatch.text_form import path_text, shortened, shown, visible
from tailwatch.yolo.extra import extra
from tailwatch.yolo.image_files import IMAGE_SUFFIXES

__all__ = ["MOST_CLASSES", "Split", "label_path", "read_split"]

MOST_CLASSES = 2**16 - 1
"""Classes that a frame of detections can number."""

MOST_LIST = 2**28
"""Bytes of a text file that lists images."""


@dataclass(frozen=True, slots=True)
class Split:
    """One set of a ``data.yaml``.

    Attributes
    ----------
    names
        The classes, in the order of their numbers.
    images
        The image files, in the order of their names or of the list that named them.
    """

    names: tuple[str, ...]
    images: tuple[Path, ...]


def read_split(path: Path, split: str) -> Split:
    """Read which images one set of a ``data.yaml`` has.

    Parameters
    ----------
    path
        The ``data.yaml``.
    split
        ``"train"``, ``"val"`` or ``"test"``.

    Raises
    ------
    SourceError
        The file, the set or its images are not there. The network is not asked for them.
    """
    try:
        return _split(path, split)
    except TailwatchError:
        raise
    # A name that is too long, has a NUL in it, or leads through what may not be read.
    except (OSError, ValueError) as error:
        raise SourceError(
            argument=path_text(path), expected=f"a set {split!r} that can be read", got=str(error)
        ) from error


def _split(path: Path, split: str) -> Split:
    if not path.is_file():
        raise SourceError(
            argument=path_text(path),
            problem="no such data.yaml",
            expected="a data.yaml",
            got="no file",
            hint="nothing is downloaded, so it must be on disk",
        )
    extra("yaml")
    try:
        content = parse_yaml(read_text(path, "data.yaml"), "data.yaml", path_text(path))
    except SourceError as error:
        raise SourceError(
            argument=path_text(path), expected=error.expected, got=error.got
        ) from error
    if not isinstance(content, dict):
        raise SourceError(
            argument=path_text(path),
            expected="a mapping with train, val and names",
            got=type(content).__name__,
        )
    names = _names(content, path)
    entries = content.get(split)
    if entries is None and split == "val":
        entries = content.get("validation")
    if not entries:
        raise SourceError(
            argument=path_text(path),
            expected=f"the set {split!r}",
            got=", ".join(map(_shown, content)),
        )
    root = _root(content.get("path"), path)
    listed = entries if isinstance(entries, list) else [entries]
    for entry in listed:
        if not isinstance(entry, str | int | float):
            raise SourceError(
                argument=path_text(path),
                expected=f"folders or files as the set {split!r}",
                got=_shown(entry),
            )
    images = [image for entry in listed for image in _images(root, str(entry), path)]
    if not images:
        raise SourceError(
            argument=path_text(path),
            expected=f"images in the set {split!r}",
            got=f"none in {', '.join(map(_shown, listed))}",
            hint=f"image files end in {', '.join(sorted(IMAGE_SUFFIXES))}",
        )
    return Split(names, tuple(images))


def label_path(image: Path) -> Path:
    """Return where the labels of an image are: ``labels`` for the last ``images`` of its path.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tailwatch.yolo.data_yaml import label_path
    >>> label_path(Path("coco8/images/train/9.jpg")).as_posix()
    'coco8/labels/train/9.txt'
    """
    parts = list(image.parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _names(content: dict[Any, Any], path: Path) -> tuple[str, ...]:
    names = content.get("names")
    count = content.get("nc")
    if names is None and isinstance(count, int) and 0 < count <= MOST_CLASSES:
        return tuple(f"class_{number}" for number in range(count))
    if isinstance(names, dict):
        numbered = {_number(key): name for key, name in names.items()}
        if len(numbered) < len(names) or set(numbered) != set(range(len(names))):
            raise SourceError(
                argument=path_text(path),
                expected=f"names with the numbers 0 to {len(names) - 1}",
                got=_shown(list(names)),
            )
        names = [numbered[number] for number in range(len(names))]
    if not isinstance(names, list) or not 0 < len(names) <= MOST_CLASSES:
        raise SourceError(
            argument=path_text(path),
            expected=f"names, a list or mapping of the classes, at most {MOST_CLASSES:,}",
            got=_shown(names),
        )
    return tuple(_name(name, number, path) for number, name in enumerate(names))


def _number(key: object) -> object:
    """Return the number of a class, which may be written as text, as Ultralytics reads it."""
    if isinstance(key, str) and key.isascii() and key.isdecimal() and len(key) < 10:
        return int(key)
    return None if isinstance(key, bool) or not isinstance(key, int) else key


def _name(name: object, number: int, path: Path) -> str:
    if isinstance(name, dict | list | set | tuple):
        raise SourceError(
            argument=path_text(path),
            expected=f"text as the name of class {number}",
            got=_shown(name),
        )
    text = str(name)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SourceError(
            argument=path_text(path),
            expected=f"characters in the name of class {number}",
            got=f"{text!a}, half of a pair",
        ) from error
    return text


def _shown(value: object) -> str:
    """Return a value of any kind and size as one line."""
    return shortened(visible(value), 80) if isinstance(value, str) else shown(value)


def _root(given: object, path: Path) -> Path:
    """Return what the sets are relative to: `given` itself, beside the file, or where we are.

    Beside the file as it was named: a link may lead to where nothing else is.
    """
    here = path.absolute().parent
    if given is None:
        return here
    beside = here / str(given)
    return beside if beside.exists() else Path(str(given)).absolute()


def _images(root: Path, entry: str, path: Path) -> list[Path]:
    place = root / entry
    if not place.exists() and entry.startswith("../"):
        # As older data sets have it, relative to the folder of the file and not to `path`.
        place = root / entry.removeprefix("../")
    if place.is_dir():
        found = (file for file in place.rglob("*") if file.suffix.lower() in IMAGE_SUFFIXES)
        return sorted(file for file in found if file.is_file())
    if not place.is_file():
        raise SourceError(
            argument=path_text(path),
            expected="folders and files that exist",
            got=f"no {path_text(place)}",
            hint="nothing is downloaded",
        )
    if place.suffix.lower() in IMAGE_SUFFIXES:
        return [place]
    # A leading ./ is relative to the list itself.
    files = [
        place.parent / line[2:] if line.startswith("./") else root / line
        for line in map(str.strip, _lines(place))
        if line
    ]
    for file in files:
        if not file.is_file():
            raise SourceError(
                argument=path_text(place),
                expected="images that exist",
                got=f"no {path_text(file)}",
            )
    return files


def _lines(place: Path) -> list[str]:
    """Read a list of images."""
    found = place.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_LIST:
        raise SourceError(
            argument=path_text(place),
            expected=f"a list of images, at most {MOST_LIST:,} bytes",
            got=f"{found.st_size:,}",
        )
    # A name may hold any byte.
    return place.read_text(encoding="utf-8", errors="surrogateescape").splitlines()

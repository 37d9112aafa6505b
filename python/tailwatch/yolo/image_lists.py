"""Which files are the images of a set: those of a folder, or those that a text file lists.

Of a folder: all whose names end as an image's do, at any depth, through linked folders too; what
begins with a dot is hidden, files and folders, as in ``__MACOSX/._a.jpg``. A text file has a path
in each line: one that begins with ``./`` is relative to the file; another is relative to where the
command runs, or else to ``path``. A line that names no image is passed over, which is said. The
images of a set are in the order of their paths, however they were named.

Level: above ``data_yaml``.
"""

from __future__ import annotations

import codecs
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tailwatch.exceptions import SourceError
from tailwatch.text_form import path_text
from tailwatch.yolo.image_files import IMAGE_SUFFIXES
from tailwatch.yolo.problems import NOTE, Problem, refuse

if TYPE_CHECKING:
    from tailwatch.yolo.data_yaml import DataYaml

__all__ = ["MOST_LIST", "ImageList", "images_in", "is_image_name", "list_images"]

MOST_LIST = 2**28
"""Bytes of a text file that lists images."""

MOST_FOLDERS = 2**17
"""Folders below one, each counted as often as links lead to it."""


@dataclass(slots=True)
class ImageList:
    """The images of a set, and what is wrong with the places that name them.

    Attributes
    ----------
    images
        The files, in the order of their paths.
    problems
        Of places; what is wrong with an image itself is found when it is read.
    """

    images: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def is_image_name(name: str) -> bool:
    """Return whether a file of this name is taken for an image."""
    return f".{name.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES and "." in name


def list_images(data: DataYaml, split: str) -> ImageList:
    """List the images of a set.

    Raises
    ------
    SourceError
        A place is not there or cannot be read, or there is no image.
    """
    root, places = data.places(split)
    found = ImageList()
    for place in places:
        if place.is_dir():
            _walk(place, split, found)
        elif not place.is_file():
            raise SourceError(
                argument=path_text(data.path),
                expected="folders and files that exist",
                got=f"no {path_text(place)}",
                hint="nothing is downloaded",
            )
        elif is_image_name(place.name):
            found.images.append(place)
        else:
            _read_list(place, root, split, found)
    if not found.images:
        raise SourceError(
            argument=path_text(data.path),
            expected=f"images in the set {split!r}",
            got=f"none in {', '.join(data.entries[split])}",
            hint=f"image files end in {', '.join(sorted(IMAGE_SUFFIXES))}",
        )
    found.images.sort(key=str)
    return found


def images_in(folder: Path) -> list[Path]:
    """List the images of a folder, at any depth, in the order of their paths.

    Raises
    ------
    SourceError
        A folder in it cannot be read, or leads back.
    """
    found = ImageList()
    _walk(folder, "", found)
    refuse(found.problems, path_text(folder))
    return sorted(found.images, key=str)


def _walk(folder: Path, split: str, found: ImageList) -> None:
    """Add the images of a folder and of those in it, at any depth."""
    waiting: list[tuple[Path, frozenset[tuple[int, int]]]] = [(folder, frozenset())]
    looked = 0
    while waiting:
        place, above = waiting.pop()
        looked += 1
        if looked > MOST_FOLDERS:
            got = "more, as links that meet again make them"
            _refuse_folder(folder, split, found, f"at most {MOST_FOLDERS:,} folders", got)
            return
        try:
            here = place.stat()
            with os.scandir(place) as listed:
                entries = [
                    (entry.name, entry.is_dir())
                    for entry in listed
                    if not entry.name.startswith(".")
                ]
        except OSError as error:
            _refuse_folder(place, split, found, "a folder that can be read", error.strerror)
            continue
        identity = here.st_dev, here.st_ino
        if identity in above:
            # Ultralytics reads every image on the way again, up to forty times.
            expected = "linked folders that do not lead back"
            _refuse_folder(place, split, found, expected, "one that contains itself")
            continue
        # A folder whose name is an image's too: that it is none is said of it.
        found.images += [place / name for name, _ in entries if is_image_name(name)]
        waiting += [(place / name, above | {identity}) for name, inside in entries if inside]


def _refuse_folder(
    folder: Path, split: str, found: ImageList, expected: str, got: str | None
) -> None:
    cause = SourceError(argument=path_text(folder), expected=expected, got=got)
    found.problems.append(Problem.of(cause, "folder", split, folder))


def _read_list(place: Path, root: Path, split: str, found: ImageList) -> None:
    """Add the images that a text file lists."""
    others = []
    for number, line in enumerate(_lines(place), start=1):
        if not line.strip():
            continue
        if not is_image_name(line):
            others.append(number)
            continue
        given = place.parent / line[2:] if line.startswith("./") else Path(line)
        file = Path(os.path.abspath(given))  # noqa: PTH100  (a link keeps its name)
        beside = root / given
        if not file.exists() and beside.exists():
            file = beside
        if not os.path.lexists(file):
            cause = SourceError(
                argument=f"{path_text(place)}: line {number}",
                expected="images that exist",
                got=f"no {path_text(file)}",
            )
            found.problems.append(Problem.of(cause, "image", split, place, number))
        else:
            found.images.append(file)
    if others:
        said = (
            f"{len(others)} lines name no image and are passed over, the first is {others[0]}"
            if len(others) > 1
            else "the line names no image and is passed over"
        )
        found.problems.append(Problem("list", said, NOTE, split, place, others[0]))


def _lines(place: Path) -> list[str]:
    """Read a list of images."""
    size = place.stat()
    if not stat.S_ISREG(size.st_mode) or size.st_size > MOST_LIST:
        raise SourceError(
            argument=path_text(place),
            expected=f"a list of images, at most {MOST_LIST:,} bytes",
            got=f"{size.st_size:,}",
        )
    content = place.read_bytes()
    if content[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        raise SourceError(
            argument=path_text(place),
            expected="a list of images in UTF-8",
            got="UTF-16",
            hint="save it as UTF-8: Ultralytics reads no other",
        )
    # A name may hold any byte.
    text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="surrogateescape")
    return text.splitlines()

"""A user's ``data.yaml``: where it is, what the classes are, which places its sets name.

Read as Ultralytics reads it: ``train``, ``val`` and ``test`` are a folder, a text file of paths, or
a list of these, below ``path``. A file is looked for as it is named, and a bare name (``coco8``,
``coco8.yaml``) among those that come with Ultralytics. ``path`` is tried as it is given, beside the
file, and in the user's folder of data sets; the first place that has all of a set counts, and an
error names all that were tried. Nothing is downloaded, and a ``download:`` entry, which Ultralytics
would run as a program, is not looked at.

Level: above ``detections``; what is in the places is :mod:`tailwatch.yolo.image_lists`.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import SourceError, TailwatchError
from tailwatch.io.settings_text import parse_yaml, read_text
from tailwatch.text_form import path_text, shortened, shown, visible
from tailwatch.yolo.detections import MOST_CLASSES
from tailwatch.yolo.environment import data_sets_folder, packaged_file
from tailwatch.yolo.extra import extra

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SPLITS", "DataYaml", "label_path", "read_yaml"]

SPLITS = ("train", "val", "test")

SUFFIXES = (".yaml", ".yml")

TYPES: dict[str, tuple[type, ...]] = {
    "path": (str,),
    **dict.fromkeys(SPLITS, (str, list)),
    "names": (list, dict),
    "kpt_shape": (list,),
}
"""Types that the entries of a file may have."""


@dataclass(frozen=True, slots=True)
class DataYaml:
    """What a ``data.yaml`` says.

    Attributes
    ----------
    path
        The file.
    names
        The classes, in the order of their numbers.
    entries
        The places that each set names.
    roots
        What the places may be relative to, in the order in which that is tried.
    keypoint_columns
        Columns that follow the box in a pose row; 0 where the set is of boxes alone.
    keys
        All that the file has, by name.
    single
        The sets that are one place, and no list of them.
    """

    path: Path
    names: tuple[str, ...]
    entries: Mapping[str, tuple[str, ...]]
    roots: tuple[Path, ...]
    keypoint_columns: int
    keys: tuple[str, ...]
    single: frozenset[str]

    def places(self, split: str) -> tuple[Path, list[Path]]:
        """Return what a set is relative to, and its places, which are there.

        Raises
        ------
        SourceError
            The file has no such set, or its places are not there.
        """
        if split not in self.entries:
            raise SourceError(
                argument=path_text(self.path),
                expected=f"the set {split!r}",
                got=", ".join(self.keys) or "nothing",
            )
        missing = []
        for root in self.roots:
            places = [self._place(root, split, entry) for entry in self.entries[split]]
            absent = [place for place in places if not place.exists()]
            if not absent:
                return root, places
            missing.append(path_text(absent[0]))
        raise SourceError(
            argument=path_text(self.path),
            expected="folders and files that exist",
            got=f"no {', '.join(missing)}",
            hint="nothing is downloaded",
        )

    def _place(self, root: Path, split: str, entry: str) -> Path:
        # Ultralytics resolves links of the place, and looks for labels beside what is there.
        place = Path(os.path.realpath(root / entry))
        if split in self.single and not place.exists() and entry.startswith("../"):
            # As older data sets have it, relative to the folder of the file and not to `path`.
            return Path(os.path.realpath(root / entry.removeprefix("../")))
        return place


def read_yaml(path: Path) -> DataYaml:
    """Read a ``data.yaml``.

    Parameters
    ----------
    path
        The file, a folder that has it, or the bare name of one that comes with Ultralytics.

    Raises
    ------
    SourceError
        It is not there, or is none.
    """
    try:
        return _read(_found(path))
    except TailwatchError:
        raise
    # A name that is too long, has a NUL in it, or leads through what may not be read.
    except (OSError, ValueError) as error:
        raise SourceError(
            argument=path_text(path), expected="a data.yaml that can be read", got=str(error)
        ) from error


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


def _found(path: Path) -> Path:
    """Return the file that a name stands for."""
    if path.is_dir():
        return _inside(path)
    is_bare = len(path.parts) == 1
    names = [path, *(path.with_name(path.name + each) for each in SUFFIXES)]
    for name in names[: 3 if is_bare and path.suffix not in SUFFIXES else 1]:
        if name.is_file():
            return name
        packaged = packaged_file(f"cfg/datasets/{name}") if is_bare else None
        if packaged is not None:
            return packaged
    raise SourceError(
        argument=path_text(path),
        problem="no such data.yaml",
        expected="a data.yaml",
        got="no file",
        hint="nothing is downloaded, so it must be on disk",
    )


def _inside(folder: Path) -> Path:
    """Return the one ``data.yaml`` of a folder: in it, else anywhere below."""
    for pattern in ("*.yaml", "*.yml"):
        found = sorted(folder.glob(pattern)) or sorted(folder.rglob(pattern))
        if len(found) > 1:
            found = [each for each in found if each.stem == folder.stem] or found
        if len(found) == 1:
            return found[0]
        if found:
            raise SourceError(
                argument=path_text(folder),
                expected="one data.yaml in the folder",
                got=", ".join(path_text(each.relative_to(folder)) for each in found[:5]),
            )
    raise SourceError(argument=path_text(folder), expected="a data.yaml", got="a folder without")


def _read(path: Path) -> DataYaml:
    if path.suffix.lower() not in SUFFIXES:
        archive = zipfile.is_zipfile(path) or tarfile.is_tarfile(path)
        raise SourceError(
            argument=path_text(path),
            expected="a file whose name ends in .yaml or .yml",
            got="an archive" if archive else shown(path.suffix),
            hint="unpack it" if archive else None,
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
    content = {key: None if value == "None" else value for key, value in content.items()}
    if content.get("val") is None and "validation" in content:
        content["val"] = content["validation"]
    for key, types in TYPES.items():
        if content.get(key) is not None and not isinstance(content[key], types):
            kinds: dict[type, str] = {str: "text", list: "a list", dict: "a mapping"}
            raise SourceError(
                argument=path_text(path),
                expected=f"{' or '.join(kinds[each] for each in types)} as {key}",
                got=_shown(content[key]),
            )
    given = {split: content[split] for split in SPLITS if content.get(split)}
    for split, entries in given.items():
        for entry in entries if isinstance(entries, list) else ():
            if not isinstance(entry, str):
                raise SourceError(
                    argument=path_text(path),
                    expected=f"folders or files as the set {split!r}",
                    got=_shown(entry),
                )
    return DataYaml(
        path,
        _names(content, path),
        {
            split: tuple(entries) if isinstance(entries, list) else (entries,)
            for split, entries in given.items()
        },
        _roots(content.get("path"), path),
        _keypoint_columns(content, path),
        tuple(map(_shown, content)),
        frozenset(split for split, entries in given.items() if isinstance(entries, str)),
    )


def _names(content: dict[Any, Any], path: Path) -> tuple[str, ...]:
    names = content.get("names")
    count = _count(content, path)
    if names is None and count is not None and 0 < count <= MOST_CLASSES:
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
    if count is not None and count != len(names):
        raise SourceError(
            argument=path_text(path),
            expected=f"as many names as nc says, {count}",
            got=str(len(names)),
        )
    return tuple(_name(name, number, path) for number, name in enumerate(names))


def _count(content: dict[Any, Any], path: Path) -> int | None:
    """Return what ``nc`` says, which may be written as text or with a point."""
    if "nc" not in content:
        return None
    try:
        count = float(content["nc"])
        if count == int(count):
            return int(count)
    except (TypeError, ValueError, OverflowError):
        pass
    raise SourceError(
        argument=path_text(path), expected="an integer as nc", got=_shown(content["nc"])
    )


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


def _keypoint_columns(content: dict[Any, Any], path: Path) -> int:
    """Return how many columns of a pose row are keypoints; refuse images of other channels."""
    channels = content.get("channels", 3)
    if channels != 3:
        raise SourceError(
            argument=path_text(path),
            expected="images of 3 channels",
            got=f"channels: {_shown(channels)}",
            hint="a loop trains on colours alone",
        )
    shape = content.get("kpt_shape")
    if shape is None:
        return 0
    if len(shape) != 2 or not all(type(each) is int and 0 <= each < 10**6 for each in shape):
        raise SourceError(
            argument=path_text(path),
            expected="two numbers as kpt_shape, of keypoints and their columns",
            got=_shown(shape),
        )
    return int(shape[0] * shape[1])


def _shown(value: object) -> str:
    """Return a value of any kind and size as one line."""
    return shortened(visible(value), 80) if isinstance(value, str) else shown(value)


def _roots(given: str | None, path: Path) -> tuple[Path, ...]:
    """Return what the sets may be relative to.

    Beside the file as it was named: a link may lead to where nothing else is.
    """
    here = path.absolute().parent
    if not given:
        return (here,)
    asked = Path(given)
    if asked.is_absolute():
        return (asked,)
    tried = (asked.absolute(), here / asked, data_sets_folder() / asked)
    return tuple(dict.fromkeys(tried))

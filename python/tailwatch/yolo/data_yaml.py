"""A user's ``data.yaml``: which images it names, where their labels are, what the classes are.

Read as Ultralytics reads it: ``train``, ``val`` and ``test`` are a folder, a text file of paths, or
a list of these, below ``path``; the labels of ``…/images/a.jpg`` are in ``…/labels/a.txt``.
Nothing is downloaded, and a ``download:`` entry, which Ultralytics would run as a program, is not
looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tailwatch.exceptions import SourceError
from tailwatch.yolo.environment import extra

__all__ = ["IMAGE_SUFFIXES", "Split", "label_path", "read_split"]

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


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
    if not path.is_file():
        message = f"{path}: no such data.yaml; nothing is downloaded, so it must be on disk"
        raise SourceError(message)
    yaml: Any = extra("yaml")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"{path}: expected a data.yaml: {' '.join(str(error).split())}"
        raise SourceError(message) from error
    if not isinstance(content, dict):
        message = f"{path}: expected a mapping with train, val and names"
        raise SourceError(message)
    names = _names(content, path)
    entries = content.get(split)
    if entries is None and split == "val":
        entries = content.get("validation")
    if not entries:
        message = f"{path}: expected the set {split!r}, got {', '.join(map(str, content))}"
        raise SourceError(message)
    root = _root(content.get("path"), path)
    listed = entries if isinstance(entries, list) else [entries]
    images = [image for entry in listed for image in _images(root, str(entry), path)]
    if not images:
        message = f"{path}: {split}: found no image in {', '.join(map(str, listed))}"
        raise SourceError(message)
    return Split(names, tuple(images))


def label_path(image: Path) -> Path:
    """Say where the labels of an image are: ``labels`` for the last ``images`` of its path.

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
    if names is None and isinstance(count, int) and count > 0:
        return tuple(f"class_{number}" for number in range(count))
    if isinstance(names, dict):
        if sorted(names) != list(range(len(names))):
            message = (
                f"{path}: names: expected the numbers 0 to {len(names) - 1}, got {list(names)}"
            )
            raise SourceError(message)
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not names:
        message = f"{path}: expected names, a list or mapping of the classes"
        raise SourceError(message)
    return tuple(str(name) for name in names)


def _root(given: object, path: Path) -> Path:
    """Say what the sets are relative to: `given` itself, beside the file, or where we are."""
    if given is None:
        return path.resolve().parent
    beside = path.resolve().parent / str(given)
    return beside if beside.exists() else Path(str(given)).resolve()


def _images(root: Path, entry: str, path: Path) -> list[Path]:
    place = root / entry
    if not place.exists() and entry.startswith("../"):
        # As older data sets have it, relative to the folder of the file and not to `path`.
        place = root / entry.removeprefix("../")
    if place.is_dir():
        found = (file for file in place.rglob("*") if file.suffix.lower() in IMAGE_SUFFIXES)
        return sorted(file for file in found if file.is_file())
    if not place.is_file():
        message = f"{path}: no such folder or file: {place}; nothing is downloaded"
        raise SourceError(message)
    if place.suffix.lower() in IMAGE_SUFFIXES:
        return [place]
    lines = place.read_text(encoding="utf-8").splitlines()
    # A leading ./ is relative to the list itself.
    files = [
        place.parent / line[2:] if line.startswith("./") else root / line
        for line in map(str.strip, lines)
        if line
    ]
    for file in files:
        if not file.is_file():
            message = f"{place}: no such image: {file}"
            raise SourceError(message)
    return files

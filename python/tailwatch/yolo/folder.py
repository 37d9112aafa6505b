"""A data set as a folder of its own: written once, and checked as it is read.

What is read may have been changed since, or come from someone else. So nothing in the folder is
believed: a file that is a link or a device is refused, names in the manifest may not lead out of
the folder, every image has the SHA-256 that was written down, and the caller compares the
fingerprint of all labels. No link is followed, and nothing is written but into an empty folder.

Level: above ``detections`` and ``image_files``.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.regular import Place
from tailwatch.io.tables import read_frame
from tailwatch.text_form import path_of, path_text, shown
from tailwatch.writing import fill, owned_directory, owned_file
from tailwatch.yolo.detections import label_text
from tailwatch.yolo.image_files import link, sha256
from tailwatch.yolo.instances import read_rows
from tailwatch.yolo.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tailwatch.yolo.instances import LabelRow

__all__ = [
    "MANIFEST",
    "FolderContent",
    "LabelledImages",
    "read_folder",
    "read_manifest",
    "write_folder",
    "yaml_text",
]

MANIFEST = "manifest.parquet"

_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "file": pl.String,
    "sha256": pl.String,
    "width": pl.UInt32,
    "height": pl.UInt32,
    "origin": pl.String,
    "teacher": pl.String,
    "confidences": pl.List(pl.Float64),
}
COLUMNS = pl.Schema(_COLUMNS)
"""Columns of the manifest, a row per image."""


class LabelledImages(Protocol):
    """A set of labelled images, as :class:`~tailwatch.yolo.DetectionDataset` is one."""

    def __len__(self) -> int:
        """Count the images."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Names of the classes."""
        ...

    @property
    def images(self) -> pl.DataFrame:
        """A row per image."""
        ...

    @property
    def boxes(self) -> pl.DataFrame:
        """A row per box."""
        ...

    @property
    def task(self) -> Task:
        """What the labels are."""
        ...

    def label_rows(self) -> list[list[LabelRow]]:
        """Return the lines of the label file of each image."""
        ...

    def origins(self) -> dict[str, int]:
        """Count the images by the origin of their labels."""
        ...

    def fingerprint(self) -> str:
        """Return the SHA-256 of all that makes the set."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FolderContent:
    """What a folder holds.

    Attributes
    ----------
    names
        The classes.
    images
        A row per image, with its path.
    task
        What the labels are.
    rows, confidences
        Lines of the label file of each image, and their confidences.
    fingerprint
        Fingerprint of the set, by the manifest.
    """

    names: tuple[str, ...]
    images: pl.DataFrame
    task: Task
    rows: list[list[LabelRow]]
    confidences: list[list[float | None]]
    fingerprint: str


def write_folder(data: LabelledImages, folder: Path) -> Path:
    """Write a data set into a folder that is empty or not there yet."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        filled = any(folder.iterdir())
    except OSError as error:
        raise InputError(
            argument="directory",
            expected="a folder to write into",
            got=f"{path_text(folder)} ({error.strerror})",
        ) from error
    if filled:
        raise InputError(
            argument="directory",
            expected="an empty folder, as sets are never changed",
            got="one that holds something",
            where=path_text(folder),
        )
    for name in ("images", "labels"):
        (folder / name).mkdir()
    files = []
    labelled = data.images.select("path", "teacher").iter_rows()
    for number, ((path, teacher), rows) in enumerate(zip(labelled, data.label_rows(), strict=True)):
        file = f"{number:06d}{path_of(path).suffix.lower()}"
        link(path_of(path), folder / "images" / file)
        _write_labels(
            label_text(rows).encode(),
            folder / "labels" / f"{number:06d}.txt",
            shared=teacher is not None,
        )
        files.append(file)
    (folder / "data.yaml").write_text(yaml_text(data.names), encoding="utf-8")
    confidences = (
        pl.DataFrame({"image": np.arange(len(data), dtype=np.uint32)})
        .join(data.boxes.select("image", "confidence"), on="image", how="left")
        .group_by("image", maintain_order=True)
        .agg("confidence")
    )
    manifest = data.images.drop("path").with_columns(
        file=pl.Series(files, dtype=pl.String), confidences=confidences["confidence"]
    )
    # Written last: a folder without it is not a set.
    metadata = {"names": json.dumps(data.names), "fingerprint": data.fingerprint()}
    if data.task is not Task.DETECT:
        metadata["task"] = str(data.task)
    table = manifest.select(COLUMNS.names())
    fill(folder / MANIFEST, lambda file: table.write_parquet(file, metadata=metadata))
    return folder


_WRITTEN: dict[bytes, Path] = {}
"""Where this process has written labels of a detector, by the SHA-256 of the file."""

MOST_WRITTEN = 2**20


def _write_labels(content: bytes, file: Path, *, shared: bool) -> None:
    """Write a label file; where the labels are a detector's, as a link to an equal one.

    A loop keeps the labels of a generation twice, as its sample and in the set that the next one
    learns from, and each file takes a block of the disk.
    """
    if not shared or not content:
        file.write_bytes(content)
        return
    key = hashlib.sha256(content).digest()
    try:
        os.link(_WRITTEN[key], file, follow_symlinks=False)
        # What was there may have been replaced since.
        if stat.S_ISREG(file.lstat().st_mode) and file.read_bytes() == content:
            return
        file.unlink()
    except (KeyError, OSError):
        pass
    file.write_bytes(content)
    if len(_WRITTEN) >= MOST_WRITTEN:
        _WRITTEN.clear()
    _WRITTEN[key] = file.absolute()


def read_folder(folder: Path) -> FolderContent:
    """Read a folder that :func:`write_folder` wrote.

    Raises
    ------
    SourceError
        There is no such folder, or something in it is not what was written.
    """
    manifest, metadata = read_manifest(folder)
    names = _names(metadata, folder)
    task = _task(metadata, folder)
    for part in ("images", "labels"):
        owned_directory(folder, part)
    base = Path(folder.resolve()) / "images"
    paths, rows = [], []
    for file, written in manifest.select("file", "sha256").iter_rows():
        if sha256(owned_file(folder, f"images/{file}")) != written:
            raise SourceError(
                argument=path_text(folder),
                expected="the images that were written, as sets are never changed",
                got="another",
                where=file,
            )
        labels = owned_file(folder, f"labels/{Path(file).stem}.txt")
        if not labels.exists():
            raise SourceError(
                argument=path_text(folder), expected=f"labels of the image {file}", got="none"
            )
        rows.append(read_rows(task, labels, len(names)))
        paths.append(path_text(base / file))
    images = manifest.with_columns(path=pl.Series(paths, dtype=pl.String))
    return FolderContent(
        names,
        images.select("path", *COLUMNS.names()[1:-1]),
        task,
        rows,
        list(_confidences(manifest, rows, folder)),
        metadata["fingerprint"],
    )


def read_manifest(folder: Path) -> tuple[pl.DataFrame, dict[str, str]]:
    """Read the manifest of a folder: a row per image, and what it says of the whole.

    Raises
    ------
    SourceError
        There is none, or it is not one that tailwatch wrote.
    """
    file = folder / MANIFEST
    try:
        there = stat.S_ISREG(file.lstat().st_mode)
    except (OSError, ValueError):
        there = False
    if not there:
        raise SourceError(
            argument=path_text(folder), expected=f"a folder with {MANIFEST}", got="none"
        )
    try:
        manifest = read_frame(file, Place("data", path_text(file)))
        # Its metadata were taken in already, by a process that a damaged file may end.
        with file.open("rb") as opened:
            metadata = pl.read_parquet_metadata(opened)
    except (SourceError, OSError, pl.exceptions.PolarsError) as error:
        raise _foreign(folder, f"one that cannot be read ({error})") from error
    if manifest.schema != COLUMNS:
        raise _foreign(folder, f"one without the columns {', '.join(COLUMNS.names())}")
    if "fingerprint" not in metadata or "names" not in metadata:
        raise _foreign(folder, "one without a fingerprint")
    required = [name for name in COLUMNS.names() if name not in {"teacher", "confidences"}]
    if any(manifest[name].null_count() for name in required):
        raise _foreign(folder, "one with a value missing")
    for name in manifest["file"]:
        if name == ".." or PurePosixPath(name).name != name or "\0" in name or "\\" in name:
            raise _foreign(folder, f"one with {shown(name)}, no name of a file in its folder")
    return manifest, metadata


def yaml_text(names: Sequence[str]) -> str:
    """Return the ``data.yaml`` of the folder, in ASCII: a name may hold any character."""
    listed = "".join(f"  {number}: {_quoted(name)}\n" for number, name in enumerate(names))
    return f"train: images\nval: images\nnames:\n{listed}"


def _quoted(name: str) -> str:
    """Write a string as YAML does; JSON's way of writing a rare character is not YAML's."""

    def escaped(character: str) -> str:
        code = ord(character)
        if character in {'"', "\\"}:
            return f"\\{character}"
        if 0x20 <= code < 0x7F:
            return character
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    return f'"{"".join(map(escaped, name))}"'


def _names(metadata: dict[str, str], folder: Path) -> tuple[str, ...]:
    try:
        names: Any = json.loads(metadata["names"])
    except (ValueError, RecursionError) as error:
        raise _foreign(folder, "one whose classes cannot be read") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _foreign(folder, "one whose classes are no list of names")
    return tuple(names)


def _task(metadata: dict[str, str], folder: Path) -> Task:
    """Return what the labels are; those of a manifest that does not say it are boxes."""
    try:
        return Task(metadata.get("task", Task.DETECT))
    except ValueError as error:
        raise _foreign(folder, "one of another task") from error


def _confidences(
    manifest: pl.DataFrame, rows: list[list[LabelRow]], folder: Path
) -> Iterator[list[float | None]]:
    for given, of_image in zip(manifest["confidences"].to_list(), rows, strict=True):
        # An image without a box has one that is missing, or none.
        if given is None or len(given) < len(of_image):
            raise SourceError(
                argument=path_text(folder),
                expected="the labels that were written, as sets are never changed",
                got="others",
            )
        yield given


def _foreign(folder: Path, said: str) -> SourceError:
    return SourceError(
        argument=path_text(folder), expected=f"{MANIFEST} as tailwatch writes it", got=said
    )

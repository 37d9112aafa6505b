"""Whose labels images have: a person's, a detector's, or unknown.

A ``data.yaml`` names images and does not say who drew the boxes. Labels of a detector that are
taken for human ones would be what a loop is measured against. So an origin is known in two ways
only:

- the images or their labels lie in a folder that tailwatch wrote, and its manifest says it. Human
  labels have to be unchanged since, or they are unknown; a detector's labels stay a detector's;
- the caller says so.

Every other origin is ``"unknown"``, which is not another name for human.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tailwatch.exceptions import InputError, SourceError
from tailwatch.text_form import path_text, shown
from tailwatch.yolo.data_yaml import label_path
from tailwatch.yolo.folder import MANIFEST, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tailwatch.yolo.folder import LabelledImages


__all__ = [
    "HUMAN",
    "ORIGINS",
    "PSEUDO",
    "UNKNOWN",
    "Origin",
    "check_origin",
    "origins_beside",
    "refuse_pseudo",
    "unknown_sentence",
]

HUMAN, PSEUDO, UNKNOWN = "human", "pseudo", "unknown"

ORIGINS = (HUMAN, PSEUDO, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Origin:
    """Of the labels of one image: whose they are, and the fingerprint of the teacher if any."""

    origin: str
    teacher: str | None = None


def check_origin(origin: object, argument: str = "origin") -> None:
    """Refuse what is no origin; ``None`` says nothing."""
    if origin is not None and origin not in ORIGINS:
        raise InputError(
            argument=argument, expected=f"one of {', '.join(ORIGINS)}", got=shown(origin)
        )


def origins_beside(
    images: Sequence[Path],
    stated: str | None,
    unchanged: Callable[[Path], bool],
    *,
    told: Sequence[Origin | None] | None = None,
) -> list[Origin]:
    """Return whose labels the images have, for each image.

    Parameters
    ----------
    images
        The image files.
    stated
        Origin that the caller states, if any.
    unchanged
        Function that tells whether a folder is as tailwatch wrote it.
    told
        What the set itself tells of each image, if anything.

    Raises
    ------
    SourceError
        Labels are said to be human, or unknown, that a manifest says are a detector's.
    """
    manifests: dict[Path, dict[str, Origin]] = {}
    found = []
    for image, itself in zip(images, told or [None] * len(images), strict=True):
        known = {
            manifest[name]
            for folder, name in _places(image)
            if name in (manifest := _manifest(folder, manifests, unchanged))
        }
        if itself is not None:
            known.add(itself)
        # A detector's labels are that wherever else they are listed.
        pseudo = next((each for each in known if each.origin == PSEUDO), None)
        if pseudo is not None:
            if stated not in {None, PSEUDO}:
                raise SourceError(
                    argument="origin",
                    expected="the origin that the manifest says, pseudo",
                    got=repr(stated),
                    where=f"{path_text(image)}, "
                    + ("by its own line" if itself else f"whose folder has {MANIFEST}"),
                    hint="labels that a person has corrected belong into a folder of their own",
                )
            found.append(pseudo)
        elif stated is not None:
            found.append(Origin(stated))
        else:
            found.append(Origin(HUMAN) if Origin(HUMAN) in known else Origin(UNKNOWN))
    return found


def refuse_pseudo(data: LabelledImages, argument: str) -> None:
    """Refuse data with labels of a detector where a person's are what all is measured against."""
    pseudo = data.origins().get(PSEUDO, 0)
    if pseudo:
        raise InputError(
            argument=argument,
            expected="labels that a person made",
            got=f"{pseudo} of {len(data)} images with labels of a detector",
            hint="give the data that the loop began with",
        )


def unknown_sentence(data: LabelledImages, what: str) -> str:
    """Return a sentence about labels of unknown origin; empty where every origin is known."""
    unknown = data.origins().get(UNKNOWN, 0)
    if not unknown:
        return ""
    return (
        f"origin unknown: nobody has said who made the labels of {unknown} of {len(data)} {what}; "
        "where the labels are called human, that is taken on trust"
    )


def _places(image: Path) -> Iterator[tuple[Path, str]]:
    """Yield folders that an image or its labels may lie in, and the image's name there."""
    labels = label_path(image)
    seen = set()
    for file, within in ((image, "images"), (labels, "labels")):
        for path in (os.path.abspath(file), os.path.realpath(file)):  # noqa: PTH100
            place = Path(path)
            if place.parent.name == within and place not in seen:
                seen.add(place)
                # Labels have the name of their image, with another suffix.
                yield place.parent.parent, place.name if within == "images" else place.stem


def _manifest(
    folder: Path, manifests: dict[Path, dict[str, Origin]], unchanged: Callable[[Path], bool]
) -> dict[str, Origin]:
    """Read what a folder's manifest says of its images, by their names and by their stems."""
    if folder not in manifests:
        manifests[folder] = {}
        try:
            manifest, _ = read_manifest(folder)
        except SourceError:
            # Somebody else's, or none.
            return manifests[folder]
        trusted = unchanged(folder)
        for file, origin, teacher in manifest.select("file", "origin", "teacher").iter_rows():
            known = Origin(PSEUDO, teacher) if origin == PSEUDO else Origin(UNKNOWN)
            if origin == HUMAN and trusted:
                known = Origin(HUMAN)
            manifests[folder][file] = manifests[folder][Path(file).stem] = known
    return manifests[folder]

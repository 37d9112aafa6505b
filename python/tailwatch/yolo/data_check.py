"""All that is wrong with the sets of a ``data.yaml``, in one list, before anything is trained.

What each set has by itself is found by :mod:`tailwatch.yolo.reader`. Looked at here is what they
are together: one picture in two of them (by the SHA-256 of its file), classes that cannot be
measured, labels that no image has, labels of a detector, and the disk that a run needs.

Level: above ``dataset`` and ``checks``. Cost: a pass over the images of the sets that are asked
for, and over the folders of their labels.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError, SourceError
from tailwatch.report.words import counted
from tailwatch.text_form import path_text
from tailwatch.yolo.checks import named, same_names, unmeasured
from tailwatch.yolo.data_yaml import SPLITS, label_path
from tailwatch.yolo.dataset import DetectionDataset
from tailwatch.yolo.detections import class_labels
from tailwatch.yolo.image_lists import is_image_name
from tailwatch.yolo.origins import PSEUDO
from tailwatch.yolo.problems import (
    ERROR,
    NOTE,
    WARNING,
    Problem,
    check_bad_files,
    refuse,
)
from tailwatch.yolo.reader import OF_ANOTHER_TASK, read_set, splits_of
from tailwatch.yolo.tasks import Task

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tailwatch.yolo.reader import SetContent

__all__ = ["DataCheck", "check_data"]

COUNTS = pl.Schema(
    {
        "split": pl.String,
        "images": pl.Int64,
        "boxes": pl.Int64,
        "unlabelled": pl.Int64,
        "left_out": pl.Int64,
        "duplicates": pl.Int64,
    }
)
"""Columns of the counts, a row per set."""

FEW_BOXES = 12
"""Boxes of a class below which its crops are not measured."""

BLOCK = 4096
"""Bytes that a small file takes on a disk."""

NO_LABELS = frozenset({"classes.txt", "notes.json"})
"""Files that tools for labelling put among the labels."""

BAD_KINDS = frozenset({"image", "row", "label file", "folder", "labels without an image"})
"""Kinds of problems of single files, which can be left out."""


@dataclass(frozen=True, eq=False, repr=False)
class DataCheck:
    """What was found in the sets of a ``data.yaml``.

    Attributes
    ----------
    path
        The file.
    sets
        The sets, of the images that can be used.
    counts
        By set: images that can be used, their boxes, images without a label file, images that
        cannot be used, rows that were there before.
    problems
        Errors first, then warnings, then notes.
    """

    path: Path
    sets: Mapping[str, DetectionDataset]
    counts: pl.DataFrame
    problems: tuple[Problem, ...]

    @property
    def fine(self) -> bool:
        """Whether there is no error and no warning."""
        return all(problem.severity == NOTE for problem in self.problems)

    @property
    def sentence(self) -> str:
        """How many images there are, and how many problems of each severity."""
        times = Counter(problem.severity for problem in self.problems)
        counted = [
            f"{times[each] or 'no'} {each}{'' if times[each] == 1 else 's'}"
            for each in (ERROR, WARNING, NOTE)
        ]
        images = [
            f"{count:,} {split}" for split, count in self.counts.select("split", "images").rows()
        ]
        return f"{', '.join(counted)}; images that can be used: {', '.join(images) or 'none'}"

    def __repr__(self) -> str:
        """Return the sentence and the problems, a line each."""
        return "\n".join(
            [self.sentence, *(f"{each.severity}: {each.text}" for each in self.problems)]
        )

    def describe(self) -> dict[str, Any]:
        """Return all that was found as JSON takes it."""
        return {
            "data": path_text(self.path),
            "fine": self.fine,
            "sentence": self.sentence,
            "sets": self.counts.to_dicts(),
            "problems": [problem.describe() for problem in self.problems],
        }

    def require(self, bad_files: str = "refuse") -> None:
        """Refuse data with errors, all in one.

        Parameters
        ----------
        bad_files
            ``"refuse"``, or ``"leave-out"`` where files that cannot be used are to be passed over.

        Raises
        ------
        InputError
            Data cannot be trained on.
        """
        kept, _ = self.apart(bad_files)
        refuse(
            kept,
            path_text(self.path),
            hint="`tailwatch yolo-check` lists them all, and --bad-files leave-out, or "
            "bad_files='leave-out', leaves single files out",
        )

    def apart(self, bad_files: str) -> tuple[list[Problem], list[Problem]]:
        """Return the problems that stay, and those of files that are to be left out."""
        check_bad_files(bad_files)
        passed = BAD_KINDS if bad_files == "leave-out" else frozenset()
        return (
            [each for each in self.problems if each.kind not in passed],
            [each for each in self.problems if each.kind in passed],
        )


def check_data(
    path: str | Path,
    *,
    splits: Sequence[str] | None = None,
    origin: str | None = None,
    task: str = Task.DETECT,
    single_cls: bool = False,
    directory: str | os.PathLike[str] | None = None,
    trainings: int = 1,
) -> DataCheck:
    """Find all that is wrong with the sets of a ``data.yaml``.

    Parameters
    ----------
    path
        The ``data.yaml``, the bare name of one that comes with Ultralytics, or an NDJSON file.
    splits
        The sets; by default all that there are. What is not ``"train"`` measures.
    origin
        Who made the labels, as you know it.
    task
        What the sets are for: ``"detect"``, boxes, or ``"segment"``, polygons.
    single_cls
        Whether to take all classes for one.
    directory
        Where a run would be kept: the disk that it needs is compared with what is free there.
    trainings
        Trainings of that run.

    Returns
    -------
    DataCheck

    Raises
    ------
    SourceError
        There is no such file, or it cannot be read. What is wrong with a set is in `problems`.

    Examples
    --------
    >>> import tailwatch as tw
    >>> tw.yolo.check_data("coco8.yaml", splits=["train", "val"])               # doctest: +SKIP
    no errors, no warnings, no notes; images that can be used: 4 train, 4 val
    """
    kind = Task.of(task)
    file = Path(path)
    sets: dict[str, DetectionDataset] = {}
    contents: dict[str, SetContent] = {}
    problems: list[Problem] = []
    there = splits_of(file)
    if splits is None and not there:
        cause = SourceError(
            argument=path_text(file), expected=f"a set, one of {', '.join(SPLITS)}", got="none"
        )
        problems.append(Problem("set", str(cause), ERROR, cause=cause))
    for split in there if splits is None else dict.fromkeys(splits):
        try:
            found = read_set(file, split, single_cls=single_cls, task=kind)
            contents[split] = found
            problems += [*found.problems_of(ERROR), *found.notes()]
            sets[split] = DetectionDataset.from_content(found, origin=origin)
        except InputError as error:
            problems.append(Problem("set", str(error), ERROR, split, cause=error))
    # Two sets may share a folder of labels.
    orphans = [problem for content in contents.values() for problem in _orphans(content)]
    problems += {problem.file: problem for problem in reversed(orphans)}.values()
    problems += _of_sets(sets, contents)
    problems += _together(sets)
    if directory is not None:
        problems += _disk(sets.values(), Path(directory), trainings)
    order = (ERROR, WARNING, NOTE)
    rows = [
        (split, len(each.images), sets[split].boxes.height if split in sets else 0,
         each.unlabelled, each.left_out, each.duplicates)
        for split, each in contents.items()
    ]  # fmt: skip
    return DataCheck(
        file,
        sets,
        pl.DataFrame(rows, schema=COUNTS, orient="row"),
        tuple(sorted(problems, key=lambda each: order.index(each.severity))),
    )


def _orphans(content: SetContent) -> Iterator[Problem]:
    """Yield label files of which there is no image.

    Another set may have the image: so it is looked for on the disk, and not in the set.
    """
    labels: dict[Path, Path] = {}
    for image in content.images:
        file = label_path(image.path)
        if file.parent != image.path.parent:
            labels.setdefault(file.parent, image.path.parent)
    for folder, images in labels.items():
        try:
            stems = {each.stem for each in images.iterdir() if is_image_name(each.name)}
            files = sorted(each for each in folder.iterdir() if each.suffix.lower() == ".txt")
        except OSError:
            continue
        for file in files:
            if file.stem not in stems and file.name not in NO_LABELS and file.name[0] != ".":
                yield Problem(
                    "labels without an image",
                    f"no image of this name in {path_text(images)}",
                    ERROR,
                    content.split,
                    file,
                )


def _of_sets(
    sets: Mapping[str, DetectionDataset], contents: Mapping[str, SetContent]
) -> Iterator[Problem]:
    """Yield what is wrong with each set by itself."""
    for split, data in sets.items():
        pseudo = data.origins().get(PSEUDO, 0)
        if pseudo:
            said = (
                f"{pseudo} of {counted(len(data), 'image has', 'images have')} labels of a "
                "detector, by the manifest beside them: they cannot stand for human ones"
            )
            yield Problem("labels of a detector", said, ERROR, split)
        content = contents[split]
        if not len(data):
            # Of labels of another task that is said already.
            if OF_ANOTHER_TASK not in {each.kind for each in content.problems}:
                said = f"none of {counted(content.listed, 'image')} can be used"
                yield Problem("no images", said, ERROR, split)
        elif not data.boxes.height:
            said = (
                f"no labels were found: {counted(len(data), 'image')}, 0 {data.task.several}; the "
                f"first were looked for in {path_text(content.images[0].label_file)}"
            )
            yield Problem("no boxes", said, ERROR, split)
    for names in dict.fromkeys(data.names for data in sets.values()):
        for said in same_names(names):
            yield Problem("one name for two classes", said, WARNING)


def _together(sets: Mapping[str, DetectionDataset]) -> Iterator[Problem]:
    """Yield what is wrong with the sets beside each other."""
    splits = list(sets)
    for place, first in enumerate(splits):
        for second in splits[place + 1 :]:
            both = sets[second].images["sha256"].is_in(sets[first].images["sha256"].implode())
            paths = sets[second].images["path"].filter(both).to_list()
            if paths:
                whole = len(paths) == len(sets[second])
                how_many = f"{'all' if whole else len(paths)} of the {len(sets[second])} images"
                if len(sets[second]) == 1:
                    how_many = "the one image"
                said = (
                    f"{how_many} of {second} {'is' if len(paths) == 1 else 'are'} in {first} too "
                    f"({named(paths)}): precision on them says how well they were memorised"
                )
                kind = "one set for two" if whole else "picture in two sets"
                yield Problem(kind, said, WARNING, second)
    train = sets.get("train")
    for split in splits:
        if split == "train" or train is None or not sets[split].boxes.height:
            continue
        if said := unmeasured(train, sets[split], split):
            yield Problem("class without a test box", said, WARNING, split)
    if train is not None:
        totals = train.class_totals()
        few = np.flatnonzero((totals > 0) & (totals < FEW_BOXES))
        if few.size:
            labels = class_labels(train.names)
            names = [f"{labels[number]} ({totals[number]})" for number in few]
            said = (
                f"{few.size} of {len(labels)} classes {'has' if few.size == 1 else 'have'} fewer "
                f"than {FEW_BOXES} {train.task.several}, too few for crops to be measured: "
                f"{named(names)}"
            )
            yield Problem("few boxes", said, NOTE, "train")


def _disk(sets: Iterable[DetectionDataset], directory: Path, trainings: int) -> Iterator[Problem]:
    """Yield what a run needs on the disk of its folder, and whether that is there."""
    there = next(each for each in (directory, *directory.absolute().parents) if each.exists())
    device = there.stat().st_dev
    copied = images = 0
    for data in sets:
        images += len(data)
        for path in data.paths():
            found = path.stat()
            copied += found.st_size if found.st_dev != device else 0
    needed = copied + BLOCK * images * (1 + trainings)
    free = shutil.disk_usage(there).free
    how = f"{_megabytes(copied)} of images are copied" if copied else "images are linked"
    said = (
        f"a run of {counted(trainings, 'training')} needs {_megabytes(needed)} in "
        f"{path_text(directory)} besides its weights ({how}), and {_megabytes(free)} are free"
    )
    yield Problem("disk", said, ERROR if needed > free else NOTE)


def _megabytes(size: int) -> str:
    """Write a number of bytes in MB."""
    return f"about {size / 1e6:,.0f} MB" if size >= 1e6 else "less than 1 MB"

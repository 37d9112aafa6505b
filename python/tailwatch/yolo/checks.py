"""What is looked at before anything is trained: which images can be used, held out, whose labels.

What would make a number wrong is refused; what a number can be read with is said with it, as a
warning, in the frame and on the page.

Ultralytics passes over an image that it cannot use with a line in its log, so a training would be
on others than were given; here each image is looked at beforehand, once.

Many a ``data.yaml`` names one folder for ``train`` and ``val``, and a picture may be in both by
accident. Average precision on such images says how well they were memorised. Images are compared
by the SHA-256 of their files: the same picture, saved again or scaled, is another file and is not
seen. What is found is measured all the same, and said wherever the numbers are.
"""

from __future__ import annotations

import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.exceptions import InputError, SourceError, TailwatchWarning
from tailwatch.report.words import counted
from tailwatch.text_form import path_of, path_text, shown
from tailwatch.yolo.data_yaml import label_path
from tailwatch.yolo.detections import class_labels
from tailwatch.yolo.image_files import sha256, unusable
from tailwatch.yolo.origins import refuse_pseudo, unknown_sentence
from tailwatch.yolo.problems import ERROR, Problem, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tailwatch.yolo.dataset import DetectionDataset

__all__ = [
    "LISTED",
    "NOT_HELD_OUT",
    "Checks",
    "Overlap",
    "UsableImages",
    "little_shown",
    "named",
    "overlap",
    "overlap_with_files",
    "same_names",
    "unmeasured",
]

LEAST_SHOWN = 5_000
"""Images shown, each time counted, from which on a small detector learns something from nothing."""

ENOUGH_SHOWN = 10_000
"""Images shown after which the studies of docs/guide/yolo.md begin to label themselves."""

NAMED = 5
"""Images that a sentence names; the rest is counted."""

LISTED = 20
"""Images that an error or a row names; the rest is counted."""


NOT_HELD_OUT = "not held out"
"""How the sentence about test images that are learned from begins."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Test images that are learnt from.

    Attributes
    ----------
    images
        Number of test images.
    learned
        Paths of the test images that are learnt from.
    """

    images: int
    learned: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether no test image is learnt from."""
        return not self.learned

    def sentence(self) -> str:
        """Return a sentence about the test images that are learned from; empty without any."""
        if self:
            return ""
        names = named(path_text(path_of(path).name) for path in self.learned)
        return (
            f"{NOT_HELD_OUT}: {len(self.learned)} of {self.images} test images "
            f"{'is' if len(self.learned) == 1 else 'are'} among the images that are learned from "
            f"({names})"
        )

    def describe(self) -> dict[str, Any]:
        """Return the counts as JSON takes them."""
        return {
            "held_out": bool(self),
            "test_images": self.images,
            "test_images_learned_from": len(self.learned),
        }


def overlap(test: DetectionDataset, *learned: DetectionDataset) -> Overlap:
    """Return which images of `test` a loop learns from.

    Parameters
    ----------
    test
        Images that measure.
    learned
        Images that are learnt from: the first data, and the pool, whose images get labels.
    """
    known: set[str] = set()
    for data in learned:
        known.update(data.images["sha256"])
    both = test.images["sha256"].is_in(sorted(known))
    return Overlap(len(test), tuple(test.images["path"].filter(both)))


def overlap_with_files(test: DetectionDataset, files: Iterable[str | Path]) -> Overlap:
    """Return which images of `test` are among files that are learnt from.

    Read are only those that have the size of a test image; a file that is gone is none.
    """
    sizes = {size for path in test.paths() if (size := _size(path)) is not None}
    known = set()
    for file in map(Path, files):
        if _size(file) in sizes:
            with suppress(SourceError):
                known.add(sha256(file))
    both = test.images["sha256"].is_in(sorted(known))
    return Overlap(len(test), tuple(test.images["path"].filter(both)))


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except (OSError, ValueError):
        return None


def named(paths: Iterable[str], most: int = NAMED) -> str:
    """Return the first of several names, and the number of the others."""
    listed = list(paths)
    return ", ".join(listed[:most]) + (
        f" and {len(listed) - most} more" if len(listed) > most else ""
    )


def same_names(names: Sequence[str]) -> list[str]:
    """Return a sentence about each name that several classes have, of the first few."""
    twice = [name for name, times in Counter(names).items() if times > 1]
    said = []
    for name in twice[:NAMED]:
        *numbers, last = (str(place) for place, each in enumerate(names) if each == name)
        said.append(
            f"classes {', '.join(numbers)} and {last} are {'both' if len(numbers) == 1 else 'all'} "
            f"called {shown(name)}; they are told apart by number"
        )
    return said


def unmeasured(learned: DetectionDataset, test: DetectionDataset, called: str) -> str:
    """Return a sentence about classes that are learned and not tested; empty without any.

    Parameters
    ----------
    learned, test
        Data of the same classes.
    called
        What the test data are called.
    """
    missing = np.flatnonzero((test.class_totals() == 0) & (learned.class_totals() > 0))
    if not missing.size:
        return ""
    labels = class_labels(learned.names)
    return (
        f"{missing.size} of {len(labels)} classes {'is' if missing.size == 1 else 'are'} learned "
        f"and {'has' if missing.size == 1 else 'have'} no {test.task.one} in {called}, so no "
        f"precision: {named(labels[number] for number in missing)}"
    )


class UsableImages:
    """Images that a detector can learn from or be measured on, each looked at once by content."""

    def __init__(self) -> None:
        self._reasons: dict[str, str | None] = {}

    def split(self, data: DetectionDataset) -> tuple[DetectionDataset, tuple[str, ...]]:
        """Return the images that can be used, and the file and reason of each other one."""
        left_out = self.left_out(data)
        if not left_out:
            return data, ()
        kept = np.setdiff1d(np.arange(len(data)), list(left_out))
        return data.take(kept), tuple(left_out.values())

    def left_out(self, data: DetectionDataset) -> dict[int, str]:
        """List the images that cannot be used: by their numbers, file and reason."""
        found = {}
        for number, (path, sha) in enumerate(data.images.select("path", "sha256").iter_rows()):
            if sha not in self._reasons:
                self._reasons[sha] = unusable(path_of(path))
            reason = self._reasons[sha]
            if reason is not None:
                found[number] = f"{path} ({reason})"
        return found

    def require(self, data: DetectionDataset, argument: str) -> None:
        """Refuse data of which images cannot be learnt from, naming them.

        Raises
        ------
        InputError
            Ultralytics would leave images out, and train on others than it was given.
        """
        left_out = self.left_out(data)
        if left_out:
            raise InputError(
                argument=argument,
                expected="images that can be learned from",
                got=f"{len(left_out)} of {len(data)} that cannot: "
                + named(left_out.values(), LISTED),
                hint="take them out of the set",
            )

    def require_all(self, **parts: DetectionDataset) -> None:
        """Refuse images that cannot be learnt from, of several sets in one error.

        Parameters
        ----------
        **parts
            The sets, by the argument that they were given as.
        """
        problems = []
        for argument, data in parts.items():
            problems += _problems(partial(self.require, data, argument), argument)
        refuse(problems, "learner")


class Checks:
    """The checks of a study, over the data of all its seeds.

    Attributes
    ----------
    remarks
        Sentences that have to be said of the data, each once.
    held_out
        Whether no test image is learned from.
    """

    def __init__(self) -> None:
        self._remarks: dict[str, None] = {}
        self._used = UsableImages()
        self.held_out = True

    @property
    def remarks(self) -> tuple[str, ...]:
        """What has to be said of the data, in the order of the checks."""
        return tuple(self._remarks)

    def look(self, data: DetectionDataset, test: DetectionDataset, pool: DetectionDataset) -> None:
        """Check the data of one seed.

        Raises
        ------
        InputError
            They cannot be used: all that is wrong with them is in one error.
        """
        problems = [
            *_problems(lambda: refuse_pseudo(data, "data"), "data"),
            *_problems(lambda: _require_boxes(data, "data"), "data"),
            *_problems(lambda: refuse_pseudo(test, "test"), "test"),
            *_problems(lambda: _require_boxes(test, "test"), "test"),
            *_problems(lambda: self._used.require(data, "data"), "data"),
        ]
        if pool is not data:
            problems += _problems(lambda: self._used.require(pool, "pool"), "pool")
        left_out = self._used.left_out(test)
        problems += _problems(lambda: _require_measurable(test, left_out), "test")
        refuse(problems, "experiment")
        for part in (data, test, pool):
            for remark in part.remarks:
                self._say(remark)
        self._say(unknown_sentence(data, "first images"))
        self._say(unknown_sentence(test, "test images"))
        shared = overlap(test, data, pool)
        self.held_out = self.held_out and bool(shared)
        self._say(shared.sentence())
        for sentence in same_names(data.names):
            self._say(sentence)
        self._say(unmeasured(data, test, "the test images"))
        if left_out:
            self._say(
                f"left out: {len(left_out)} of {len(test)} test images cannot be measured on: "
                + named(left_out.values(), LISTED)
            )

    def _say(self, sentence: str) -> None:
        if sentence and sentence not in self._remarks:
            self._remarks[sentence] = None
            warnings.warn(sentence, TailwatchWarning, stacklevel=4)


def _problems(check: Callable[[], None], argument: str) -> list[Problem]:
    """Return what a check refuses, for one error about all that is wrong."""
    try:
        check()
    except InputError as error:
        return [
            Problem("data", str(error).removeprefix(f"{argument}: "), ERROR, argument, cause=error)
        ]
    return []


def _require_measurable(test: DetectionDataset, left_out: Mapping[int, str]) -> None:
    """Refuse test data of which no image can be measured on."""
    if len(left_out) == len(test):
        raise InputError(
            argument="test",
            expected="images that a detector can be measured on",
            got=f"none of {len(test)}: {named(left_out.values(), LISTED)}",
        )


def _require_boxes(data: DetectionDataset, argument: str) -> None:
    """Refuse data without a box: nothing can be learnt from them, or measured on them."""
    if data.boxes.height:
        return
    looked = "there is no image"
    if len(data):
        first = data.paths()[0]
        looked = f"labels of {path_text(first)} were looked for in {path_text(label_path(first))}"
    raise InputError(
        argument=argument,
        expected=f"images with {data.task.several}",
        got=f"no labels were found: {counted(len(data), 'image')}, 0 {data.task.several}",
        where=looked,
    )


def little_shown(images: int, epochs: int) -> str | None:
    """Say that a training from random weights is too short to learn anything, if it is.

    Examples
    --------
    >>> from tailwatch.yolo.checks import little_shown
    >>> little_shown(400, 30)
    >>> little_shown(100, 5)  # doctest: +ELLIPSIS
    'the model begins at random weights, and 5 epochs of 100 images show it 500 images: ...'
    """
    shown = images * epochs
    if shown >= LEAST_SHOWN:
        return None
    passes = "1 epoch" if epochs == 1 else f"{epochs:,} epochs"
    needed = -(-ENOUGH_SHOWN // max(images, 1))
    several = "1 image" if images == 1 else f"{images:,} images"
    return (
        f"the model begins at random weights, and {passes} of {several} show it {shown:,} images: "
        f"of fewer than some {LEAST_SHOWN:,} a detector learns next to nothing; "
        f"{needed:,} epochs show {ENOUGH_SHOWN:,}, or begin with weights"
    )

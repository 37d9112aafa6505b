"""What is looked at before a study trains anything: whose labels, which images, held out or not.

What would make a number wrong is refused; what a number can be read with is said with it, as a
warning, in the frame and on the page.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from tailwatch.exceptions import InputError, TailwatchWarning
from tailwatch.text_form import path_text
from tailwatch.yolo.data_yaml import label_path
from tailwatch.yolo.held_out import held_out, named
from tailwatch.yolo.images_used import NAMED, UsedImages
from tailwatch.yolo.origins import refuse_pseudo, unknown_sentence

if TYPE_CHECKING:
    from tailwatch.yolo.dataset import DetectionDataset

__all__ = ["Checks"]


class Checks:
    """The checks of a study, over the data of all its seeds.

    Attributes
    ----------
    remarks
        What has to be said, each once.
    held_out
        Whether no test image is learned from.
    """

    def __init__(self) -> None:
        self._remarks: dict[str, None] = {}
        self._used = UsedImages()
        self.held_out = True

    @property
    def remarks(self) -> tuple[str, ...]:
        """What has to be said of the data, in the order in which it was found."""
        return tuple(self._remarks)

    def look(self, data: DetectionDataset, test: DetectionDataset, pool: DetectionDataset) -> None:
        """Check the data of one seed.

        Raises
        ------
        InputError
            They cannot be used.
        """
        for argument, part in (("data", data), ("test", test)):
            refuse_pseudo(part, argument)
            _require_boxes(part, argument)
        self._used.require(data, "data")
        self._used.require(pool, "pool")
        left_out = self._used.left_out(test)
        if len(left_out) == len(test):
            raise InputError(
                argument="test",
                expected="images that a detector can be measured on",
                got=f"none of {len(test)}: {named(left_out.values(), NAMED)}",
            )
        self._say(unknown_sentence(data, "first images"))
        self._say(unknown_sentence(test, "test images"))
        overlap = held_out(test, data, pool)
        self.held_out = self.held_out and bool(overlap)
        self._say(overlap.sentence())
        if left_out:
            self._say(
                f"left out: {len(left_out)} of {len(test)} test images cannot be measured on: "
                + named(left_out.values(), NAMED)
            )

    def _say(self, sentence: str) -> None:
        if sentence and sentence not in self._remarks:
            self._remarks[sentence] = None
            warnings.warn(sentence, TailwatchWarning, stacklevel=4)


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
        expected="images with boxes",
        got=f"no labels were found: {len(data)} images, 0 boxes",
        where=looked,
    )

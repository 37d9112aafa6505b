"""Which images of a set a detector can learn from, or be measured on; each is looked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch.exceptions import InputError
from tailwatch.text_form import path_of
from tailwatch.yolo.held_out import named
from tailwatch.yolo.image_files import unusable

if TYPE_CHECKING:
    from tailwatch.yolo.dataset import DetectionDataset

__all__ = ["NAMED", "UsedImages"]

NAMED = 20
"""Images that an error names; the rest is counted."""


class UsedImages:
    """Looks at images by their content, and remembers what it saw."""

    def __init__(self) -> None:
        self._reasons: dict[str, str | None] = {}

    def split(self, data: DetectionDataset) -> tuple[DetectionDataset, tuple[str, ...]]:
        """Give the part of `data` that can be used, and the file and reason of each other image."""
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
                + named(left_out.values(), NAMED),
                hint="take them out of the set",
            )

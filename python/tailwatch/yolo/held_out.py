"""Whether the images that measure a detector are among those that it learns from.

Many a ``data.yaml`` names one folder for ``train`` and ``val``, and a picture may be in both by
accident. Average precision on such images says how well they were memorised. Images are compared
by the SHA-256 of their files: the same picture, saved again or scaled, is another file and is not
seen.
What is found is measured all the same, and said wherever the numbers are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailwatch.text_form import path_of, path_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailwatch.yolo.dataset import DetectionDataset

__all__ = ["HeldOut", "held_out"]

NAMED = 5
"""Images that a sentence names; the rest is counted."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What test images and learnt images have in common.

    Attributes
    ----------
    images
        How many images measure.
    learned
        Which of them are learnt from too, by their paths.
    """

    images: int
    learned: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether no test image is learnt from."""
        return not self.learned

    def sentence(self) -> str:
        """Say what is not held out; nothing where all is."""
        if self:
            return ""
        names = named(path_text(path_of(path).name) for path in self.learned)
        return (
            f"not held out: {len(self.learned)} of {self.images} test images are among the images "
            f"that are learned from ({names})"
        )

    def describe(self) -> dict[str, Any]:
        """Give it as JSON takes it."""
        return {
            "held_out": bool(self),
            "test_images": self.images,
            "test_images_learned_from": len(self.learned),
        }


def held_out(test: DetectionDataset, *learned: DetectionDataset) -> HeldOut:
    """Compare the images of `test` with those that a loop learns from.

    Parameters
    ----------
    test
        What measures.
    learned
        What is learnt from: the first data, and the pool, whose images get labels.
    """
    known: set[str] = set()
    for data in learned:
        known.update(data.images["sha256"])
    both = test.images["sha256"].is_in(sorted(known))
    return HeldOut(len(test), tuple(test.images["path"].filter(both)))


def named(paths: Iterable[str], most: int = NAMED) -> str:
    """Name the first of several, and count the rest."""
    listed = list(paths)
    return ", ".join(listed[:most]) + (
        f" and {len(listed) - most} more" if len(listed) > most else ""
    )

"""What a detector has to do for the loop, and the largest numbers that it takes.

The loop's logic (which images are labelled, what becomes of uncertain ones, what is measured) knows
no library: it calls the methods of `Detector`. :class:`UltralyticsDetector` is the one that ships.
A detector keeps nothing: what it has learnt is a file of weights.

Beyond `MOST` lies nothing that anyone trains: a slip of the keyboard would end in no memory, or
never. An error names the argument.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Self

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from tailwatch.progress import ProgressReport
    from tailwatch.yolo.dataset import DetectionDataset

__all__ = ["MOST", "Detector", "Evaluation", "Precision"]

MOST = {
    "epochs": 100_000,
    "imgsz": 8_192,
    "batch": 4_096,
    "max_det": 100_000,
    "crop_imgsz": 2_048,
    "threads": 1_024,
    "workers": 256,
    "budget": 10**12,
    "seeds": 1_000,
    "size": 10**9,
    "generations": 10_000,
}


@dataclass(frozen=True, slots=True)
class Precision:
    """Average precision, of boxes or of masks.

    Attributes
    ----------
    map
        Average precision over intersection-over-union .50 to .95, averaged over the classes that
        the data have; ``None`` where they have no box at all.
    map50
        Average precision at .50 alone, averaged over the classes.
    ap
        Average precision .50 to .95 by class; ``None`` for a class of which the data have no box.
    ap50
        Average precision at .50 alone, by class.
    """

    map: float | None
    map50: float | None
    ap: tuple[float | None, ...]
    ap50: tuple[float | None, ...]

    @classmethod
    def of_found(cls, found: Any, classes: int) -> Self:  # noqa: ANN401  (Ultralytics' own class)
        """Return what Ultralytics measured, of boxes or of masks, by the number of the class."""
        ap: list[float | None] = [None] * classes
        ap50 = ap.copy()
        for place, number in enumerate(found.ap_class_index):
            ap[number] = float(found.ap[place])
            ap50[number] = float(found.ap50[place])
        return cls(float(found.map), float(found.map50), tuple(ap), tuple(ap50))

    def without_mean(self) -> Self:
        """Return this precision for data without a box, in which there is nothing to find."""
        return replace(self, map=None, map50=None)


@dataclass(frozen=True, slots=True)
class Evaluation(Precision):
    """How well a detector finds what a person drew: boxes, and masks where it segments.

    Attributes
    ----------
    map, map50, ap, ap50
        Average precision of boxes.
    images
        Number of images that were measured; ``None`` for all.
    left_out
        File and reason of each other image.
    mask
        Average precision of masks; ``None`` for a detector of boxes.
    """

    images: int | None = None
    left_out: tuple[str, ...] = ()
    mask: Precision | None = None

    @property
    def of_task(self) -> Precision:
        """Average precision of what the detector is for: of masks where it segments."""
        return self if self.mask is None else self.mask


class Detector(Protocol):
    """Learns from boxes, finds boxes, and turns images into vectors."""

    def describe(self) -> dict[str, Any]:
        """Return all settings that the weights depend on, as JSON takes them."""
        ...

    def fit(
        self,
        data: DetectionDataset,
        weights: Path,
        *,
        seed: int,
        start: Path | None,
        budget: int | None,
        report: ProgressReport,
    ) -> None:
        """Learn from `data` and write `weights`: the same bytes for the same arguments.

        `start` has the weights to go on from; with ``None`` it begins as its settings say.
        `budget` is how many images to learn from, counted each time one is shown; with ``None``
        that too is as its settings say.
        """
        ...

    def predict(
        self, weights: Path, images: Sequence[Path], *, least: float, report: ProgressReport
    ) -> pl.DataFrame:
        """Return a frame of detections or instances, of a confidence of at least `least`."""
        ...

    def evaluate(self, weights: Path, data: DetectionDataset) -> Evaluation:
        """Measure average precision on the boxes of `data`."""
        ...

    def embed(
        self,
        weights: Path,
        images: Sequence[Path],
        boxes: pl.DataFrame | None = None,
        *,
        report: ProgressReport,
    ) -> NDArray[np.float32]:
        """Return a row for every image, or for every one of `boxes`."""
        ...

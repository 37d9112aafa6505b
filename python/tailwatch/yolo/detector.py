"""What a detector has to do for the loop, and the largest numbers that it takes.

The loop's logic (which images are labelled, what becomes of uncertain ones, what is measured) knows
no library: it calls the methods of `Detector`. :class:`UltralyticsDetector` is the one that ships.
A detector keeps nothing: what it has learnt is a file of weights.

Beyond `MOST` lies nothing that anyone trains: a slip of the keyboard would end in no memory, or
never. An error names the argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from tailwatch.progress import ProgressReport
    from tailwatch.yolo.dataset import DetectionDataset

__all__ = ["MOST", "Detector", "Evaluation"]

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
class Evaluation:
    """How well a detector finds what a person drew.

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
    images
        Number of images that were measured; ``None`` for all.
    left_out
        File and reason of each other image.
    """

    map: float | None
    map50: float | None
    ap: tuple[float | None, ...]
    ap50: tuple[float | None, ...]
    images: int | None = None
    left_out: tuple[str, ...] = ()


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
        """Return a frame of detections, of a confidence of at least `least`."""
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

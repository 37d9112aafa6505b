"""From what a detector finds to labels: thresholds, uncertain images, and how many are taken.

A box becomes a label where its confidence reaches the threshold of its class. An image on which
none does is uncertain: as ``"background"`` it is kept with no box, so that what the detector missed
teaches the next one that nothing is there; with ``"drop"`` another image takes its place.

Images are taken in a random order of the pool, each once before any is taken twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.arguments import real
from tailwatch.exceptions import InputError, TailwatchError
from tailwatch.text_form import shown
from tailwatch.yolo.detections import class_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.progress import ProgressReport
    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.detector import Detector
    from tailwatch.yolo.fits import Weights

__all__ = ["UNCERTAIN", "Labelling"]

UNCERTAIN = ("background", "drop")


@dataclass(frozen=True, kw_only=True)
class Labelling:
    """How pseudo-labels are made.

    Attributes
    ----------
    confidence
        Threshold of a class that has none of its own.
    class_confidence
        Thresholds by the name of the class.
    uncertain
        What becomes of an image without a label: ``"background"`` or ``"drop"``.
    """

    confidence: float = 0.25
    class_confidence: Mapping[str, float] = field(default_factory=dict)
    uncertain: str = "background"

    def __post_init__(self) -> None:
        if not isinstance(self.class_confidence, Mapping):
            raise InputError(
                argument="class_confidence",
                expected="a mapping of names to thresholds",
                got=type(self.class_confidence).__name__,
            )
        _check_threshold(self.confidence, "confidence", "")
        for name, value in self.class_confidence.items():
            _check_threshold(value, "class_confidence", f" for {shown(name)}")
        if self.uncertain not in UNCERTAIN:
            raise InputError(
                argument="uncertain",
                expected="'background' or 'drop'",
                got=shown(self.uncertain),
            )

    def describe(self) -> dict[str, Any]:
        """Return the settings, as JSON takes them."""
        return {
            "confidence": self.confidence,
            "class_confidence": dict(self.class_confidence),
            "uncertain": self.uncertain,
        }

    def thresholds(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        """List the threshold of each class; a name that two have is followed by the number."""
        labels = class_labels(names)
        if unknown := [name for name in self.class_confidence if name not in labels]:
            raise InputError(
                argument="class_confidence",
                expected=f"classes among {shown(labels)}",
                got=shown(unknown[0]),
                hint="several classes have this name: put the number of the one you mean behind it"
                if unknown[0] in names
                else None,
            )
        return np.array([self.class_confidence.get(label, self.confidence) for label in labels])

    def label(
        self,
        detector: Detector,
        fit: Weights,
        pool: DetectionDataset,
        size: int,
        *,
        rng: np.random.Generator,
        report: ProgressReport,
    ) -> DetectionDataset:
        """Label `size` images of `pool`, whose own labels are not looked at."""
        thresholds = self.thresholds(pool.names)
        order = rng.permutation(len(pool))
        drop = self.uncertain == "drop"
        # Which images will do is known only once all have been looked at.
        seen = np.sort(order if drop else order[: min(size, len(order))])
        labelled = self.labels_of(detector, fit, pool.take(seen), report=report)
        place = np.full(len(pool), -1)
        place[seen] = np.arange(len(seen))
        chosen = place[order]
        chosen = chosen[chosen >= 0]
        if drop:
            chosen = chosen[np.isin(chosen, labelled.boxes["image"].unique().to_numpy())]
        if not len(chosen):
            raise TailwatchError(
                argument="uncertain",
                expected=f"an image of the pool with a box of confidence {thresholds.min():g}",
                got=f"none among {len(pool)}, so that dropping uncertain images leaves none",
                hint="take 'background', or a lower confidence",
            )
        return labelled.take(np.resize(chosen, size))

    def labels_of(
        self, detector: Detector, fit: Weights, data: DetectionDataset, *, report: ProgressReport
    ) -> DetectionDataset:
        """Return all images of `data` with what the detector labels on them."""
        thresholds = self.thresholds(data.names)
        least = float(thresholds.min())
        found = detector.predict(fit.weights, data.paths(), least=least, report=report)
        kept = found.filter(found["confidence"] >= pl.Series(thresholds).gather(found["class"]))
        return data.relabelled(kept, teacher=fit.fingerprint)


def _check_threshold(value: object, argument: str, of: str) -> None:
    if not 0 < real(value, argument) <= 1:
        raise InputError(argument=argument, expected="above 0 and at most 1", got=f"{value!r}{of}")

"""From what a detector finds to labels: thresholds, uncertain images, and how many are taken.

A box becomes a label where its confidence reaches the threshold of its class. An image on which
none does is uncertain: as ``"background"`` it is kept with no box, so that what the detector missed
teaches the next one that nothing is there; with ``"drop"`` another image takes its place.

Images are taken in a random order of the pool, each once before any is taken twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.arguments import real
from tailwatch.exceptions import InputError, TailwatchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.detector import Detector, Report
    from tailwatch.yolo.fits import Fit

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
            message = "class_confidence: expected a mapping of names to thresholds"
            raise InputError(message)
        for name, value in {"confidence": self.confidence, **self.class_confidence}.items():
            if not 0 < real(value, "confidence") <= 1:
                message = f"confidence: expected above 0 and at most 1, got {value!r} for {name!r}"
                raise InputError(message)
        if self.uncertain not in UNCERTAIN:
            message = f"uncertain: expected 'background' or 'drop', got {self.uncertain!r}"
            raise InputError(message)

    def describe(self) -> dict[str, Any]:
        """Give the settings, as JSON takes them."""
        return {
            "confidence": self.confidence,
            "class_confidence": dict(self.class_confidence),
            "uncertain": self.uncertain,
        }

    def thresholds(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        """List the threshold of each class."""
        if unknown := sorted(set(self.class_confidence) - set(names)):
            message = f"class_confidence: expected classes among {names}, got {unknown[0]!r}"
            raise InputError(message)
        return np.array([self.class_confidence.get(name, self.confidence) for name in names])

    def label(
        self,
        detector: Detector,
        fit: Fit,
        pool: DetectionDataset,
        size: int,
        *,
        rng: np.random.Generator,
        report: Report,
    ) -> DetectionDataset:
        """Label `size` images of `pool`, whose own labels are not looked at."""
        thresholds = self.thresholds(pool.names)
        order = rng.permutation(len(pool))
        drop = self.uncertain == "drop"
        # Which images will do is known only once all have been looked at.
        seen = np.sort(order if drop else order[: min(size, len(order))])
        paths = [Path(path) for path in pool.images["path"].gather(seen)]
        found = detector.predict(fit.weights, paths, least=float(thresholds.min()), report=report)
        kept = found.filter(found["confidence"] >= pl.Series(thresholds).gather(found["class"]))
        labelled = pool.take(seen).relabelled(kept, teacher=fit.fingerprint)
        place = np.full(len(pool), -1)
        place[seen] = np.arange(len(seen))
        chosen = place[order]
        chosen = chosen[chosen >= 0]
        if drop:
            chosen = chosen[np.isin(chosen, kept["image"].unique().to_numpy())]
        if not len(chosen):
            message = (
                f"uncertain: none of the {len(pool)} images of the pool has a box of confidence "
                f"{thresholds.min():g}, so that dropping uncertain ones leaves none; expected "
                "'background', or a lower confidence"
            )
            raise TailwatchError(message)
        return labelled.take(np.resize(chosen, size))

"""YOLO26 as a learner of the loop: the detector of one generation labels the images of the next.

========  ====================================================================================
step      what happens
========  ====================================================================================
fit       the detector is trained on the images and boxes of the training set, from scratch, from
          the same base each time, or from the weights of the generation before
sample    images of the pool are labelled by it
risk      1 − mAP50–95 on human boxes
measure   average precision by class; classes, box sizes, boxes per image and crops of the new
          labels against the human ones: :mod:`tailwatch.yolo.statistics`
========  ====================================================================================

All of it is frozen before the first generation and written into the run directory: the head, the
thresholds, the start, the budget.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.arguments import integer
from tailwatch.exceptions import InputError
from tailwatch.yolo.checkpoints import check_model, digest
from tailwatch.yolo.crops import CropCoverage
from tailwatch.yolo.dataset import DetectionDataset, link
from tailwatch.yolo.fits import Fit, Fits
from tailwatch.yolo.labelling import Labelling
from tailwatch.yolo.statistics import as_frame, precision_rows, statistics
from tailwatch.yolo.ultralytics_detector import UltralyticsDetector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import polars as pl

    from tailwatch.yolo.detector import Detector, Evaluation, Report

__all__ = ["STARTS", "YoloLearner", "YoloModel"]

STARTS = ("scratch", "base", "previous")


def _silent(stage: str, done: int, total: int) -> None:
    """Take a report and show nothing."""


@dataclass(frozen=True, eq=False)
class YoloLearner:
    """A detector that learns from boxes, and labels images for the next generation.

    Parameters
    ----------
    model
        ``yolo26n.yaml``, or another architecture, for a detector that has seen nothing;
        ``yolo26n.pt``, or other weights that are on disk, for one that has. Ignored where
        `detector` is given.
    pool
        The images to label. Their own labels are not looked at.
    epochs, imgsz, batch
        Of each training.
    start
        Where each training begins: ``"scratch"``, at random weights; ``"base"``, at the weights of
        `model`; ``"previous"``, at those of the generation before (the first: at `model`). By
        default ``"base"`` for weights and ``"scratch"`` for an architecture.
    budget
        Images shown in each training, counted each time, whatever the size of the training set; by
        default `epochs` passes. Accumulating policies need it for an equal comparison.
    crop_imgsz
        Pixels to which a crop is scaled before it is embedded.
    confidence, class_confidence
        Threshold of a box to become a label, and thresholds of single classes by name.
    uncertain
        What becomes of an image with no such box: ``"background"`` keeps it as one on which there
        is nothing, ``"drop"`` takes another.
    nms_free
        Which head of YOLO26 predicts: the one with suppression, or the one that needs none.
    threads
        Threads of the CPU. Another number gives other weights.
    device
        Where to compute, as Ultralytics names it.
    settings
        Other training arguments of Ultralytics.
    directory
        Folder of the fits. Without one they are in a temporary folder, and a run cannot go on in
        another process. The arms of a study share it, and so their first generation.
    arm
        Name of the run among those that share the folder.
    encoder
        Weights for embedding crops, fixed for the whole run; by default those of the first fit.
    detector
        Another detector than YOLO26.
    report
        ``report(stage, done, total)``, called with epochs and images.

    Examples
    --------
    >>> import tailwatch as tw
    >>> data = tw.yolo.DetectionDataset.from_yaml("coco8.yaml")                 # doctest: +SKIP
    >>> test = tw.yolo.DetectionDataset.from_yaml("coco8.yaml", split="val")    # doctest: +SKIP
    >>> learner = tw.yolo.YoloLearner(                                          # doctest: +SKIP
    ...     "yolo26n.pt", pool=data, epochs=5, imgsz=640
    ... )
    >>> run = tw.recursion.run(                                                 # doctest: +SKIP
    ...     learner, data, holdout=test, policy=tw.recursion.Replace(), generations=1
    ... )
    """

    model: str = "yolo26n.yaml"
    _: KW_ONLY
    pool: DetectionDataset
    epochs: int = 5
    imgsz: int = 640
    batch: int = 16
    start: str | None = None
    budget: int | None = None
    crop_imgsz: int = 96
    confidence: float = 0.25
    class_confidence: Mapping[str, float] = field(default_factory=dict)
    uncertain: str = "background"
    nms_free: bool = False
    threads: int = 1
    device: str = "cpu"
    settings: Mapping[str, Any] = field(default_factory=dict)
    directory: str | os.PathLike[str] | None = None
    arm: str = "run"
    encoder: str | os.PathLike[str] | None = None
    detector: Detector | None = None
    report: Report = _silent

    def __post_init__(self) -> None:
        if not len(self.pool):
            message = "pool: expected at least one image, got none"
            raise InputError(message)
        if self.budget is not None:
            integer(self.budget, "budget")
        if self.start not in {None, *STARTS}:
            message = f"start: expected one of {', '.join(STARTS)}, got {self.start!r}"
            raise InputError(message)
        if self.detector is None:
            check_model(self.model)
        weights = Path(self.model).suffix == ".pt"
        if self.detector is None and self.start == "base" and not weights:
            message = f"start: 'base' needs weights to begin from, and {self.model} has none"
            raise InputError(message)
        if self.detector is None and self.start == "scratch" and weights:
            message = (
                f"start: 'scratch' begins at random weights, and {self.model} has others; give the "
                "architecture, a .yaml"
            )
            raise InputError(message)
        self._labelling.thresholds(self.pool.names)
        if self.encoder is not None:
            check_model(os.fspath(self.encoder))

    def describe(self) -> dict[str, Any]:
        """Give all that a run of this learner depends on, as JSON takes it."""
        encoder = None if self.encoder is None else digest(Path(self.encoder))
        return {
            **self._detector.describe(),
            "start": self._start,
            "budget": self.budget,
            **self._labelling.describe(),
            "pool": {"rows": len(self.pool), "fingerprint": self.pool.fingerprint()},
            "encoder": encoder,
        }

    def fit(self, data: DetectionDataset, *, rng: np.random.Generator) -> YoloModel:
        """Train on `data`; a training that is in the folder already is not done again."""
        if data.names != self.pool.names:
            message = f"pool: expected the classes of data, {data.names}, got {self.pool.names}"
            raise InputError(message)
        fit = self._fits.fit(
            self._detector,
            data,
            seed=int(rng.integers(2**31)),
            budget=self.budget,
            go_on=self._start == "previous",
            report=self.report,
        )
        return YoloModel(fit, label=self._label, evaluate=self._evaluate, compare=self._compare)

    @property
    def _start(self) -> str:
        if self.start is not None:
            return self.start
        return "base" if Path(self.model).suffix == ".pt" else "scratch"

    @cached_property
    def _labelling(self) -> Labelling:
        return Labelling(
            confidence=self.confidence,
            class_confidence=self.class_confidence,
            uncertain=self.uncertain,
        )

    @cached_property
    def _detector(self) -> Detector:
        if self.detector is not None:
            return self.detector
        return UltralyticsDetector(
            model=self.model,
            epochs=self.epochs,
            imgsz=self.imgsz,
            batch=self.batch,
            nms_free=self.nms_free,
            crop_imgsz=self.crop_imgsz,
            threads=self.threads,
            device=self.device,
            settings=self.settings,
        )

    @cached_property
    def _fits(self) -> Fits:
        encoder = None if self.encoder is None else Path(self.encoder)
        folder = self._temporary if self.directory is None else self.directory
        return Fits(Path(folder), self.arm, encoder)

    @cached_property
    def _temporary(self) -> str:
        """A folder that lasts as long as the learner."""
        folder = tempfile.mkdtemp(prefix="tailwatch-yolo-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    @cached_property
    def _crops(self) -> CropCoverage:
        """Human crops in the fixed encoder, embedded once."""
        return CropCoverage.of(
            self._detector, self._fits.encoder_weights(), self._fits.human(), report=self.report
        )

    def _label(self, fit: Fit, size: int, rng: np.random.Generator) -> DetectionDataset:
        """Label images of the pool."""
        return self._labelling.label(
            self._detector, fit, self.pool, size, rng=rng, report=self.report
        )

    def _evaluate(self, fit: Fit, data: DetectionDataset) -> Evaluation:
        """Measure average precision."""
        self.report("evaluating", 0, 0)
        return self._detector.evaluate(fit.weights, data)

    def _compare(self, samples: DetectionDataset) -> list[dict[str, Any]]:
        """Measure labels, and crops in the fixed encoder, against the human ones."""
        human = self._fits.human()
        return statistics(human, samples) + self._crops.rows(
            samples, self._detector, report=self.report
        )


class YoloModel:
    """What one generation has learnt.

    Parameters
    ----------
    fit
        Its weights.
    label, evaluate, compare
        What the learner does with weights: label images, measure precision, measure labels.
    """

    def __init__(
        self,
        fit: Fit,
        *,
        label: Callable[[Fit, int, np.random.Generator], DetectionDataset],
        evaluate: Callable[[Fit, DetectionDataset], Evaluation],
        compare: Callable[[DetectionDataset], list[dict[str, Any]]],
    ) -> None:
        self.fit, self._label, self._evaluate, self._compare = fit, label, evaluate, compare
        self._evaluations: dict[str, Evaluation] = {}

    @property
    def weights(self) -> Path:
        """The file of weights."""
        return self.fit.weights

    def sample(self, size: int, *, rng: np.random.Generator) -> DetectionDataset:
        """Label `size` images of the pool."""
        return self._label(self.fit, size, rng)

    def evaluate(self, data: DetectionDataset) -> Evaluation:
        """Measure average precision on human boxes."""
        key = data.fingerprint()
        if key not in self._evaluations:
            self._evaluations[key] = self._evaluate(self.fit, data)
        return self._evaluations[key]

    def risk(self, data: DetectionDataset) -> float:
        """Give 1 − mAP50–95."""
        return 1.0 - self.evaluate(data).map

    def measure(self, reference: DetectionDataset, samples: DetectionDataset) -> pl.DataFrame:
        """Measure average precision on `reference`, and `samples` against the human labels."""
        found = self.evaluate(reference)
        return as_frame(precision_rows(found, reference) + self._compare(samples))

    def save(self, directory: Path) -> None:
        """Keep the weights in a run directory, by a link."""
        link(self.fit.weights, directory / "weights.pt")
        text = json.dumps({"weights": self.fit.fingerprint}) + "\n"
        (directory / "model.json").write_text(text, encoding="utf-8")

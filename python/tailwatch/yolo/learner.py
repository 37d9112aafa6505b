"""YOLO26 as a learner of the loop: the detector of one generation labels the images of the next.

========  ====================================================================================
step      what happens
========  ====================================================================================
fit       the detector is trained on the images and boxes of the training set, from scratch, from
          the same base each time, or from the weights of the generation before
sample    images of the pool are labelled by it
risk      1 − mAP50–95 on human boxes; of masks where the model segments
measure   average precision by class; classes, box sizes, boxes per image and crops of the new
          labels against the human ones: :mod:`tailwatch.yolo.statistics`
========  ====================================================================================

All of it is frozen before the first generation and written into the run directory: the head, the
thresholds, the start, the budget. The file is a long one because the settings of a learner are, and
are said once.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import weakref
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.arguments import integer
from tailwatch.exceptions import InputError
from tailwatch.report.words import counted
from tailwatch.text_form import shown
from tailwatch.yolo.checkpoints import check_model, digest, model_task
from tailwatch.yolo.checks import UsableImages, named, overlap
from tailwatch.yolo.crops import CropCoverage
from tailwatch.yolo.detector import MOST
from tailwatch.yolo.fits import Fits, Weights
from tailwatch.yolo.fusion import fusion
from tailwatch.yolo.image_files import link
from tailwatch.yolo.labelling import Labelling
from tailwatch.yolo.origins import PSEUDO, UNKNOWN
from tailwatch.yolo.rows import as_frame, precision_rows
from tailwatch.yolo.statistics import statistics
from tailwatch.yolo.tasks import Task, require_task
from tailwatch.yolo.ultralytics_detector import UltralyticsDetector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import polars as pl

    from tailwatch.progress import ProgressReport
    from tailwatch.recursion.frame import Row
    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.detector import Detector, Evaluation

__all__ = ["STARTS", "YoloLearner", "YoloModel"]

STARTS = ("scratch", "base", "previous")

ARM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,200}")


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
        Epochs, side of an image in pixels, and images of a batch, in each training; a batch of −1
        is as many as are estimated to fit into the device, once for all trainings.
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
        Whether to predict by the head of YOLO26 that needs no suppression of overlapping boxes.
    threads
        Threads of the CPU. Another number gives other weights.
    device
        Where to compute, as Ultralytics names it.
    workers
        Processes that load images. Another number gives other weights.
    amp
        Whether to train in mixed precision, on a device that has it.
    settings
        Other training arguments of Ultralytics, such as ``{"mosaic": 0.0}``; those that a run
        freezes are refused with the reason.
    directory
        Folder of the fits. Without one they are in a temporary folder, and a run cannot go on in
        another process. The arms of a study share it, and so their first generation.
    arm
        Name of the run among those that share the folder.
    encoder
        Weights for embedding crops, fixed for the whole run; by default those of the first fit.
    ndjson
        Whether the folder keeps each training set as Ultralytics' NDJSON too, with the origin and
        the teacher of each image in its ``metadata``.
    detector
        Another detector than YOLO26.
    task
        ``"detect"`` or ``"segment"``, as the data have boxes or polygons; by default what `model`
        does, and ``"detect"`` for another detector.
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
    workers: int = 0
    amp: bool = False
    device: str = "cpu"
    settings: Mapping[str, Any] = field(default_factory=dict)
    directory: str | os.PathLike[str] | None = None
    arm: str = "run"
    encoder: str | os.PathLike[str] | None = None
    ndjson: bool = False
    detector: Detector | None = None
    task: str | None = None
    report: ProgressReport = _silent

    def __post_init__(self) -> None:
        if self.task is not None:
            Task.of(self.task)
        if not len(self.pool):
            raise InputError(argument="pool", expected="at least one image", got="none")
        if ARM.fullmatch(str(self.arm)) is None:
            raise InputError(
                argument="arm",
                expected="a name of letters, digits, dots, dashes",
                got=shown(self.arm),
            )
        if self.budget is not None:
            integer(self.budget, "budget", most=MOST["budget"])
        if self.start is not None and self.start not in STARTS:
            raise InputError(
                argument="start", expected=f"one of {', '.join(STARTS)}", got=shown(self.start)
            )
        if self.detector is None:
            check_model(self.model, None if self.task is None else Task.of(self.task))
        weights = Path(self.model).suffix == ".pt"
        if self.detector is None and self.start == "base" and not weights:
            raise InputError(
                argument="start",
                expected="a model with weights for 'base'",
                got=f"{shown(self.model)}, an architecture",
            )
        if self.detector is None and self.start == "scratch" and weights:
            raise InputError(
                argument="start",
                expected="an architecture for 'scratch', which begins at random weights",
                got=f"{shown(self.model)}, which has weights",
                hint="give the architecture, a .yaml",
            )
        self._labelling.thresholds(self.pool.names)
        if self.detector is None:
            # All that can be wrong with weights, device and settings is said before any training.
            self._detector.describe()
        if self.encoder is not None:
            check_model(os.fspath(self.encoder))

    def describe(self) -> dict[str, Any]:
        """Return all settings that a run of this learner depends on, as JSON takes them."""
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
        """Train on `data`, unless the folder has the same training already."""
        if data.names != self.pool.names:
            raise InputError(
                argument="pool",
                expected=f"the classes of data, {shown(data.names)}",
                got=shown(self.pool.names),
            )
        self.check_task(data, "data")
        # What a trainer passes over without a word would make another experiment of this one.
        self._used.require_all(data=data, pool=self.pool)
        fit = self._fits.fit(
            self._detector,
            self._fits.bring(data, report=self.report),
            seed=int(rng.integers(2**31)),
            budget=self.budget,
            go_on=self._start == "previous",
            report=self.report,
        )
        return YoloModel(
            fit,
            label=self._label,
            evaluate=self._evaluate,
            compare=self._compare,
            fuse=self._fuse,
            remark=partial(self._remark, learned=data),
        )

    def check_task(self, data: DetectionDataset, argument: str) -> None:
        """Refuse data with boxes where polygons are learnt from, or the other way round."""
        if self.task is not None:
            task = Task.of(self.task)
        else:
            task = model_task(self.model) if self.detector is None else Task.DETECT
        require_task(data.task, task, argument)

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
            workers=self.workers,
            amp=self.amp,
            device=self.device,
            settings=self.settings,
            task=self.task,
        )

    @cached_property
    def _fits(self) -> Fits:
        encoder = None if self.encoder is None else Path(self.encoder)
        folder = self._temporary if self.directory is None else self.directory
        return Fits(Path(folder), self.arm, encoder, self.ndjson)

    @cached_property
    def _temporary(self) -> str:
        """A folder that lasts as long as the learner."""
        folder = tempfile.mkdtemp(prefix="tailwatch-yolo-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    @cached_property
    def _used(self) -> UsableImages:
        """Images that the learner has looked at."""
        return UsableImages()

    @cached_property
    def _brought(self) -> DetectionDataset:
        """The pool, by files that folders of the run can link to."""
        return self._fits.bring(self.pool, report=self.report)

    @cached_property
    def _crops(self) -> CropCoverage:
        """Human crops in the fixed encoder, embedded once."""
        return CropCoverage.of(
            self._detector, self._fits.encoder_weights(), self._fits.human(), report=self.report
        )

    def _label(self, fit: Weights, size: int, rng: np.random.Generator) -> DetectionDataset:
        """Label images of the pool."""
        return self._labelling.label(
            self._detector, fit, self._brought, size, rng=rng, report=self.report
        )

    def _evaluate(self, fit: Weights, data: DetectionDataset) -> Evaluation:
        """Measure average precision on the images that can be used, and name the others."""
        self.check_task(data, "holdout")
        used, left_out = self._used.split(data)
        if not len(used):
            raise InputError(
                argument="holdout",
                expected="images that a detector can be measured on",
                got=f"none of {len(data)}: {named(left_out)}",
            )
        self.report("evaluating", 0, 0)
        near = self._fits.bring(used, report=self.report)
        found = self._detector.evaluate(fit.weights, near)
        images = len(near) if found.images is None else found.images
        left_out += found.left_out
        found = replace(found, images=images, left_out=left_out)
        # Without a box there is nothing to find, and no precision in finding it.
        if near.boxes.height:
            return found
        return replace(found.without_mean(), mask=found.mask and found.mask.without_mean())

    def _remark(self, reference: DetectionDataset, learned: DetectionDataset) -> str:
        """Return what has to be said of the data that measure."""
        said = [overlap(reference, self._fits.human(), learned, self.pool).sentence()]
        origins = reference.origins()
        for origin, words in ((UNKNOWN, "of unknown origin"), (PSEUDO, "a detector's")):
            if count := origins.get(origin):
                said.append(f"labels of {counted(count, 'test image')} are {words}")
        return "; ".join(filter(None, said))

    def _fuse(self, fit: Weights, reference: DetectionDataset, remark: str) -> list[Row]:
        """Measure fusion and confusion on the images that can be used."""
        used, _ = self._used.split(reference)
        found = self._labelling.labels_of(self._detector, fit, used, report=self.report)
        return fusion(used, found, remark=remark)

    def _compare(self, samples: DetectionDataset) -> list[Row]:
        """Measure labels, and crops in the fixed encoder, against the human ones."""
        human = self._fits.human()
        return statistics(human, samples) + self._crops.rows(
            samples, self._detector, report=self.report
        )


class YoloModel:
    """A detector that one generation has learnt.

    Parameters
    ----------
    fit
        The weights.
    label, evaluate, compare, fuse
        Functions of the learner: label images, measure precision, measure labels, measure fusion
        and confusion.
    remark
        Function that returns what has to be said of data that measure.
    """

    def __init__(
        self,
        fit: Weights,
        *,
        label: Callable[[Weights, int, np.random.Generator], DetectionDataset],
        evaluate: Callable[[Weights, DetectionDataset], Evaluation],
        compare: Callable[[DetectionDataset], list[Row]],
        fuse: Callable[[Weights, DetectionDataset, str], list[Row]],
        remark: Callable[[DetectionDataset], str],
    ) -> None:
        self.fit, self._label, self._evaluate, self._compare = fit, label, evaluate, compare
        self._fuse, self._remark = fuse, remark
        self._evaluations: dict[str, Evaluation] = {}

    @property
    def weights(self) -> Path:
        """File of weights."""
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
        """Return 1 − mAP50–95, of masks where there are any; NaN on data without a box."""
        found = self.evaluate(data).of_task.map
        return float("nan") if found is None else 1.0 - found

    def measure(self, reference: DetectionDataset, samples: DetectionDataset) -> pl.DataFrame:
        """Measure precision and fusion on `reference`, and `samples` against the human labels."""
        found, remark = self.evaluate(reference), self._remark(reference)
        rows = precision_rows(found, reference, remark=remark)
        rows += self._fuse(self.fit, reference, remark)
        return as_frame(rows + self._compare(samples))

    def save(self, directory: Path) -> None:
        """Write the weights into a run directory, as a link."""
        link(self.fit.weights, directory / "weights.pt")
        text = json.dumps({"weights": self.fit.fingerprint}) + "\n"
        (directory / "model.json").write_text(text, encoding="utf-8")

"""Observed models: what a model makes of human images, and its page.

A model's predictions become labels at a threshold, as in a loop, and are measured as there:
statistics of the labels (:mod:`tailwatch.yolo.statistics`), crops of each class in an encoder that
stays the same (:mod:`tailwatch.yolo.crops`), fusion and confusion (:mod:`tailwatch.yolo.fusion`).

The human side and the images that are predicted are different images, so that a value and its null
mean the same: predictions on the very images that they are compared with would be nearer to them
than other people's labels of other images are. So held-out images are cut in two, unless other
human data are given to compare with. Fusion and confusion are about the images that are predicted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tailwatch.comparison.registry import LABELS
from tailwatch.exceptions import InputError
from tailwatch.recursion.frame import SCHEMA
from tailwatch.report.observation import (
    OBSERVED,
    observation_fragment,
    observation_page,
    sentence_of_observation,
)
from tailwatch.report.words import counted
from tailwatch.results import Result
from tailwatch.text_form import shown
from tailwatch.yolo.checkpoints import digest
from tailwatch.yolo.checks import NOT_HELD_OUT, UsableImages, named
from tailwatch.yolo.crops import CropCoverage
from tailwatch.yolo.fits import Weights
from tailwatch.yolo.fusion import fusion
from tailwatch.yolo.origins import refuse_pseudo, unknown_sentence
from tailwatch.yolo.statistics import statistics
from tailwatch.yolo.tasks import require_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl
    from altair import FacetChart

    from tailwatch.progress import ProgressReport
    from tailwatch.recursion.frame import Row
    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.detector import Detector
    from tailwatch.yolo.labelling import Labelling

__all__ = ["MOST_IMAGES", "Observation", "Observer", "Sides"]

MOST_IMAGES = 500
"""Images that are predicted, unless another number is given."""


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Human data to compare with, and images to predict.

    Attributes
    ----------
    human
        The data to compare with.
    seen
        The images that are predicted, with their human boxes.
    remarks
        What has to be said of them.
    """

    human: DetectionDataset
    seen: DetectionDataset
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, holdout: DetectionDataset, human: DetectionDataset | None, *, images: int) -> Sides:
        """Cut held-out images in two, unless other human data are given.

        Parameters
        ----------
        holdout
            Human images that no model has learnt from.
        human
            Human data to compare with.
        images
            Most images to predict: a random choice, always the same.

        Raises
        ------
        InputError
            Labels of a detector; too few images; images with no box; other classes.
        """
        remarks: list[str] = []
        given = {"holdout": holdout} | ({} if human is None else {"human": human})
        used = {}
        for name, data in given.items():
            refuse_pseudo(data, name)
            remarks += data.remarks
            used[name], left_out = UsableImages().split(data)
            if left_out:
                remarks.append(
                    f"left out: {len(left_out)} of {counted(len(data), 'image')} of {name} cannot "
                    f"be measured on: {named(left_out)}"
                )
            require_task(data.task, holdout.task, name)
            if sentence := unknown_sentence(data, f"images of {name}"):
                remarks.append(sentence)
        if human is not None and human.names != holdout.names:
            raise InputError(
                argument="human",
                expected=f"the classes of holdout, {shown(holdout.names)}",
                got=shown(human.names),
            )
        usable = used["holdout"]
        least = 2 if human is None else 1
        if len(usable) < least:
            raise InputError(
                argument="holdout",
                expected=f"at least {least} images that can be measured on",
                got=str(len(usable)),
            )
        order = np.random.default_rng(0).permutation(len(usable))
        half = len(usable) // 2 if human is None else 0
        seen = usable.take(np.sort(order[half:][:images]))
        side = usable.take(np.sort(order[:half])) if human is None else used["human"]
        for name, data in (("holdout", seen), ("holdout" if human is None else "human", side)):
            if not data.boxes.height:
                raise InputError(
                    argument=name,
                    expected=f"images with {data.task.several}",
                    got=f"{len(data)} without any",
                )
        return cls(side, seen, tuple(dict.fromkeys(remarks)))


@dataclass(slots=True, eq=False)
class Observer:
    """Measures models against the same human data.

    Attributes
    ----------
    sides
        The human data and the images to predict.
    detector
        What predicts and embeds.
    labelling
        Thresholds of labels.
    encoder
        Weights that embed crops, of all models; without any crops are not measured.
    """

    sides: Sides
    detector: Detector
    labelling: Labelling
    encoder: Path | None = None
    _crops: CropCoverage | None = field(default=None, init=False, repr=False)

    def of(self, sides: Sides) -> Observer:
        """Return the same for other images to predict; embedded human crops are kept."""
        other = Observer(sides, self.detector, self.labelling, self.encoder)
        other._crops = self._crops
        return other

    def rows(
        self, weights: Path, *, report: ProgressReport, confidence: float = 0.95, remark: str = ""
    ) -> list[Row]:
        """Return what a model makes of the images, as rows of the frame of a run."""
        human, seen = self.sides.human, self.sides.seen
        fit = Weights(weights, digest(weights))
        found = self.labelling.labels_of(self.detector, fit, seen, report=report)
        rows = fusion(seen, found, confidence=confidence, remark=remark)
        rows += statistics(human, found, confidence=confidence)
        if self.encoder is not None:
            if self._crops is None:
                self._crops = CropCoverage.of(self.detector, self.encoder, human, report=report)
            rows += self._crops.rows(found, self.detector, report=report, confidence=confidence)
        return [{"group": "model", "n_sample": len(found), **row} for row in rows]


@dataclass(frozen=True, repr=False, eq=False)
class Observation(Result):
    """What models make of human images.

    Attributes
    ----------
    frame
        In the schema of a run's frame: ``run`` is a training or a model, ``generation`` the epoch
        of a training, or 1.
    classes
        Human boxes of each class.
    arguments
        What was done.
    remarks
        What has to be said of the data, and of what could not be measured.
    confidence
        Confidence of the intervals.
    step
        What ``generation`` counts: ``"epoch"`` or ``"model"``.
    """

    KIND = "observation"
    TABLES: ClassVar = {"frame": SCHEMA}

    frame: pl.DataFrame
    classes: Mapping[str, int]
    arguments: Mapping[str, Any]
    remarks: Sequence[str] = ()
    confidence: float = 0.95
    step: str = "model"

    @property
    def held_out(self) -> bool:
        """Whether no image that is predicted is known to be learned from."""
        return not any(remark.startswith(NOT_HELD_OUT) for remark in self.remarks)

    @property
    def sentence(self) -> str:
        """What is left of the classes, and what is fused and confused, in words."""
        return sentence_of_observation(self.frame, self.step, held_out=self.held_out)

    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""
        return observation_page(
            self.frame,
            classes=self.classes,
            arguments=self.arguments,
            confidence=self.confidence,
            remarks=self.remarks,
            step=self.step,
            held_out=self.held_out,
        )

    def plot(self, metrics: str | Sequence[str] | None = None) -> FacetChart:
        """Return metrics by epoch, or of models, as an Altair chart.

        Needs the extra: ``pip install 'tailwatch[plot]'``.

        Parameters
        ----------
        metrics
            Names of metrics; by default those that tell most.
        """
        from tailwatch.report.altair_charts import plot_generations

        there = set(self.frame["metric"])
        telling = [metric for metric in OBSERVED if metric in there]
        return plot_generations(self.frame, LABELS, metrics or telling or None)

    def _repr_html_(self) -> str:
        return observation_fragment(
            self.frame,
            confidence=self.confidence,
            remarks=self.remarks,
            step=self.step,
            held_out=self.held_out,
        )

    def _document(self) -> dict[str, Any]:
        return {
            "sentence": self.sentence,
            "arguments": dict(self.arguments),
            "remarks": list(self.remarks),
            "classes": dict(self.classes),
            "frame": self.frame,
        }

    def _parts(self) -> dict[str, Any]:
        return {
            "frame": self.frame,
            "classes": dict(self.classes),
            "arguments": dict(self.arguments),
            "remarks": list(self.remarks),
            "confidence": self.confidence,
            "step": self.step,
        }

"""The folder of a learner: what it has fitted, and the human set that it began with.

====================  ========================================================================
path                  content
====================  ========================================================================
``human/``            the data of the first fit, which must be human throughout
``fits/KEY.pt``       weights
``fits/KEY.json``     what they were fitted on, and from which start; written last
``arms/NAME.json``    the fits of one arm, in the order of its generations
``encoder.pt``        the fixed encoder: the weights of the first fit, unless others were given
====================  ========================================================================

A fit is named by all that decides its weights: the detector's settings, the data, the seed, the
budget, the start. One that is there is not done again: a run that was killed after a training goes
on after it, and the arms of a study, which all begin with the same human data and seed, share that
beginning.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError
from tailwatch.writing import write_atomically
from tailwatch.yolo.checkpoints import digest
from tailwatch.yolo.dataset import MANIFEST, DetectionDataset, link

if TYPE_CHECKING:
    from pathlib import Path

    from tailwatch.yolo.detector import Detector, Report

__all__ = ["Fit", "Fits"]


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights that a detector has learnt.

    Attributes
    ----------
    weights
        The file.
    fingerprint
        Its SHA-256.
    """

    weights: Path
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Fits:
    """The fits of one learner, in one folder.

    Attributes
    ----------
    directory
        The folder; made if it is not there.
    arm
        Name of the run among those that share the folder: its generations follow each other.
    encoder
        Weights to embed with; by default those of the first fit.
    """

    directory: Path
    arm: str = "run"
    encoder: Path | None = None

    def fit(
        self,
        detector: Detector,
        data: DetectionDataset,
        *,
        seed: int,
        budget: int | None,
        go_on: bool,
        report: Report,
    ) -> Fit:
        """Fit, or find what was fitted.

        Parameters
        ----------
        detector
            What learns.
        data
            What it learns from.
        seed
            Of the training.
        budget
            Images to show, counted each time.
        go_on
            Whether to start from the weights of the fit before this one.
        report
            Takes progress.
        """
        folder = self.directory / "fits"
        folder.mkdir(parents=True, exist_ok=True)
        self._keep_human(data)
        done = {"data": data.fingerprint(), "seed": seed, "budget": budget}
        before = self._before(done)
        start = folder / f"{before[-1]['key']}.pt" if go_on and before else None
        settings = {
            "detector": detector.describe(),
            **done,
            "start": _weights_of(start) if start else None,
        }
        key = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:32]
        weights, record = folder / f"{key}.pt", folder / f"{key}.json"
        if not record.exists():
            for unfinished in folder.glob("work-*"):
                shutil.rmtree(unfinished)
            detector.fit(data, weights, seed=seed, start=start, budget=budget, report=report)
            _write(record, settings | {"weights": digest(weights)})
        self._keep_encoder(weights)
        _write(self._arm_file(), [*before, done | {"key": key}])
        return Fit(weights, _weights_of(weights))

    def human(self) -> DetectionDataset:
        """Read the human data of the first fit."""
        return DetectionDataset.load(self.directory / "human")

    def encoder_weights(self) -> Path:
        """Say where the weights of the fixed encoder are."""
        return self.directory / "encoder.pt"

    def _arm_file(self) -> Path:
        folder = self.directory / "arms"
        folder.mkdir(exist_ok=True)
        return folder / f"{self.arm}.json"

    def _before(self, done: dict[str, Any]) -> list[dict[str, Any]]:
        """List the fits of this arm before the one on these data with this seed."""
        file = self._arm_file()
        fits: list[dict[str, Any]] = _read(file) if file.exists() else []
        for place, fit in enumerate(fits):
            if {name: fit[name] for name in done} == done:
                # A generation that is computed again, after a run was killed.
                return fits[:place]
        return fits

    def _keep_human(self, data: DetectionDataset) -> None:
        folder = self.directory / "human"
        if (folder / MANIFEST).exists():
            return
        if (data.images["origin"] != "human").any():
            message = (
                f"directory: {self.directory} has no human data of a first generation, so this run "
                "cannot go on there; give the directory that the learner had"
            )
            raise InputError(message)
        shutil.rmtree(folder, ignore_errors=True)
        data.save(folder)

    def _keep_encoder(self, first: Path) -> None:
        target = self.encoder_weights()
        if not target.exists():
            source = first if self.encoder is None else self.encoder
            write_atomically(target, lambda file: link(source, file))


def _weights_of(weights: Path) -> str:
    """Give the fingerprint of weights, from their record."""
    return str(_read(weights.with_suffix(".json"))["weights"])


def _read(file: Path) -> Any:  # noqa: ANN401  (any JSON)
    return json.loads(file.read_text(encoding="utf-8"))


def _write(file: Path, content: object) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_atomically(file, lambda target: target.write_text(text, encoding="utf-8"))

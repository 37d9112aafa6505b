"""A training of one's own, watched: callbacks for ``YOLO(...).train(...)``.

::

    watch = tailwatch.yolo.Watch(holdout)
    model = ultralytics.YOLO("yolo26n.pt")
    watch.attach(model).train(data="data.yaml", epochs=100)
    watch.observation.sentence

After some epochs, and at the end, the model predicts held-out human images, and what becomes of
classes, crops and instances is measured as :mod:`tailwatch.yolo.observation` says. The weights are
the moving average that Ultralytics saves as ``last.pt``. Frame and page are in ``tailwatch/`` of
the training's folder.

What it costs. By default (`every` is None) it is measured at the end, and before that after an
epoch by whose end all measurements together, this one included, take at most `share` of the
training's time, 5 %. What a measurement takes is known from the one before; for the first it is
estimated from a trial on 16 images, once 20 seconds have been trained. `images` bounds what the
measurement at the end takes. With ``every=k`` it is measured after every k-th epoch, whatever that
costs. `spent` and `trained` are the seconds of both.

What it changes: nothing. Generators, threads, settings and modes are given back after each
measurement, so the weights of a watched training are those of the same training alone, bit for bit.
A measurement that fails is a warning and a remark, and the training goes on. A training that is
interrupted, or ends with an error, is measured once more as far as it came, and leaves frame and
page; what is wrong with the data is an error before the first epoch. Trainings on several devices
at once run in other processes, which know no callbacks of this one.

The file is long because each callback reads what the others have left.
"""

from __future__ import annotations

import copy
import math
import shutil
import tempfile
import time
import warnings
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.arguments import integer, positive
from tailwatch.exceptions import InputError, TailwatchWarning
from tailwatch.recursion.frame import frame_of
from tailwatch.text_form import path_text, shown
from tailwatch.writing import make_owned
from tailwatch.yolo.checkpoints import write_model
from tailwatch.yolo.checks import overlap_with_files
from tailwatch.yolo.environment import borrowed
from tailwatch.yolo.extra import extra, require_extra
from tailwatch.yolo.labelling import Labelling
from tailwatch.yolo.loggers import check_loggers, log_rows
from tailwatch.yolo.observation import MOST_IMAGES, Observation, Observer, Sides
from tailwatch.yolo.session import said
from tailwatch.yolo.statistics import boxes_of_classes
from tailwatch.yolo.tasks import Task, require_task
from tailwatch.yolo.ultralytics_detector import UltralyticsDetector

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from tailwatch.recursion.frame import Row
    from tailwatch.yolo.dataset import DetectionDataset

__all__ = ["Watch"]

TRIAL_IMAGES = 16

BEFORE_TRIAL = 20.0
"""Seconds of training before the first trial."""

FOLDER = "tailwatch"


def _silent(stage: str, done: int, total: int) -> None:
    """Take a report and show nothing."""


@dataclass(slots=True, eq=False)
class _Training:
    """A training that is watched.

    Attributes
    ----------
    observer
        What measures it.
    run
        Its name.
    folder
        Where frame and page go.
    began, stopped
        When its first epoch began, and its last one ended.
    spent
        Seconds that measurements have taken.
    cost
        Seconds that the next one will take, if that is known.
    finished, measured
        The last epoch that ended, and that was measured.
    validated
        Precision that the training itself has measured after the last epoch.
    running, ended
        Whether an epoch is under way, and whether the training is over.
    """

    observer: Observer
    run: str
    folder: Path
    began: float
    stopped: float
    spent: float = 0.0
    cost: float | None = None
    finished: int = 0
    measured: int = 0
    validated: list[Row] = field(default_factory=list)
    running: bool = False
    ended: bool = False

    @property
    def trained(self) -> float:
        """Seconds of training, without its measurements."""
        return self.stopped - self.began - self.spent

    def spend(self, began: float) -> float:
        """Take note of a measurement that began then and is over now; return its seconds."""
        took = time.perf_counter() - began
        self.spent += took
        self.stopped += took
        return took


class Watch:
    """Callbacks of Ultralytics that measure a training against human data.

    Parameters
    ----------
    holdout
        Human images that the training does not learn from. Half of them are the human side, and
        the other half is predicted.
    human
        Other human data to compare with: then all of `holdout` is predicted.
    every
        Measure after every so many epochs; by default as often as `share` allows. At the end it is
        measured always.
    share
        Most time that measurements before the end take together, as a share of the training's.
    confidence
        Confidence at which a predicted box becomes a label.
    images
        Most images that are predicted.
    crop_imgsz
        Pixels to which a crop is scaled before it is embedded.
    encoder
        Weights that embed crops; by default those of the model itself as they are when the training
        begins.
    crops
        Whether to measure crops.
    directory
        Folder of frame and page; by default ``tailwatch`` in that of the training.
    log_to
        Loggers that get the values too, of those installed: ``"mlflow"``, ``"tensorboard"``,
        ``"wandb"``.

    Raises
    ------
    MissingDependencyError
        The extra ``yolo``, or a logger, is not installed.
    InputError
        Data with labels of a detector or without a box, or an argument out of range.
    """

    def __init__(
        self,
        holdout: DetectionDataset,
        *,
        human: DetectionDataset | None = None,
        every: int | None = None,
        share: float = 0.05,
        confidence: float = 0.25,
        images: int = MOST_IMAGES,
        crop_imgsz: int = 96,
        encoder: str | os.PathLike[str] | None = None,
        crops: bool = True,
        directory: str | os.PathLike[str] | None = None,
        log_to: Iterable[str] = (),
    ) -> None:
        require_extra()
        if every is not None:
            integer(every, "every")
        integer(images, "images")
        self._share = positive(share, "share", most=1.0)
        self._every, self._crop_imgsz, self._crops = every, crop_imgsz, crops
        self._encoder = None if encoder is None else Path(encoder)
        self._labelling = Labelling(confidence=confidence)
        self._directory = None if directory is None else Path(directory)
        self._loggers = check_loggers(log_to)
        self._sides = Sides.of(holdout, human, images=images)
        self._rows: list[Row] = []
        self._remarks = dict.fromkeys(self._sides.remarks)
        self._arguments: dict[str, Any] = {}
        self._training: _Training | None = None
        self._temporary = Path(tempfile.mkdtemp(prefix="tailwatch-watch-"))
        weakref.finalize(self, shutil.rmtree, self._temporary, ignore_errors=True)

    @property
    def spent(self) -> float:
        """Seconds that measurements of the latest training have taken."""
        return 0.0 if self._training is None else self._training.spent

    @property
    def trained(self) -> float:
        """Seconds of the latest training, without its measurements."""
        return 0.0 if self._training is None else self._training.trained

    @property
    def observation(self) -> Observation:
        """What has been measured so far."""
        return Observation(
            frame_of(self._rows),
            boxes_of_classes(self._sides.human),
            self._arguments,
            list(self._remarks),
            step="epoch",
        )

    def attach(self, model: Any) -> Any:  # noqa: ANN401  (Ultralytics' own class)
        """Add the callbacks to a model of Ultralytics, and return the model."""
        for event, callback in self.callbacks().items():
            model.add_callback(event, callback)
        return model

    def callbacks(self) -> dict[str, Callable[[Any], None]]:
        """Return the callbacks by event, for ``model.add_callback(event, callback)``."""
        return {
            "on_train_start": self._begin,
            "on_train_epoch_start": self._epoch_begins,
            "on_fit_epoch_end": self._epoch_ends,
            "on_train_end": self._end,
            "teardown": self._leave,
        }

    def _begin(self, trainer: Any) -> None:  # noqa: ANN401  (Ultralytics' own class)
        """Refuse what cannot be measured, before the first epoch."""
        self._training = None
        require_task(self._sides.human.task, Task.of(trainer.args.task, "model"), "holdout")
        names = tuple(str(name) for _, name in sorted(trainer.data["names"].items()))
        if names != self._sides.human.names:
            raise InputError(
                argument="holdout",
                expected=f"the classes of the training, {shown(names)}",
                got=shown(self._sides.human.names),
            )
        self._hold_out(trainer)
        self._arguments = {
            "training": path_text(trainer.save_dir),
            "epochs": int(trainer.epochs),
            "imgsz": int(trainer.args.imgsz),
            "images predicted": len(self._sides.seen),
            "human images": len(self._sides.human),
        }
        run = Path(trainer.save_dir).name
        self._rows = [row for row in self._rows if row["run"] != run]
        with borrowed():
            observer = self._observer(trainer)
        now = time.perf_counter()
        self._training = _Training(observer, run, self._folder(trainer), now, now)

    def _observer(self, trainer: Any) -> Observer:  # noqa: ANN401
        """Return what measures this training, with an encoder that stays the same throughout."""
        encoder = self._encoder if self._crops else None
        if self._crops and encoder is None:
            encoder = self._temporary / "encoder.pt"
            _snapshot(trainer, encoder)
        torch: Any = extra("torch")
        device = str(trainer.device)
        detector = UltralyticsDetector(
            imgsz=-(-int(trainer.args.imgsz) // 32) * 32,
            crop_imgsz=self._crop_imgsz,
            device="mps" if device.startswith("mps") else device,
            threads=torch.get_num_threads(),
            nms_free=trainer.args.nms is False,
            iou=trainer.args.iou,
            max_det=trainer.args.max_det,
        )
        return Observer(self._sides, detector, self._labelling, encoder)

    def _epoch_begins(self, trainer: Any) -> None:  # noqa: ANN401, ARG002
        if self._training is not None:
            self._training.running = True

    def _epoch_ends(self, trainer: Any) -> None:  # noqa: ANN401
        training = self._training
        # It is called once more after the last epoch, by the evaluation of the best weights.
        if training is None or not training.running:
            return
        training.running = False
        training.finished = trainer.epoch + 1
        training.validated = _validated(trainer)
        training.stopped = time.perf_counter()
        if training.finished < trainer.epochs and self._is_due(training, trainer):
            self._measure(training, trainer)

    def _is_due(self, training: _Training, trainer: Any) -> bool:  # noqa: ANN401
        if self._every is not None:
            return training.finished % self._every == 0
        if training.cost is None and training.trained >= BEFORE_TRIAL:
            training.cost = self._tried(training, trainer)
        if training.cost is None:
            return False
        return training.spent + training.cost <= self._share * training.trained

    def _end(self, trainer: Any) -> None:  # noqa: ANN401
        if self._training is not None:
            self._close(self._training, trainer)

    def _leave(self, trainer: Any) -> None:  # noqa: ANN401
        """Measure a training that was interrupted as far as it came; its end comes before this."""
        training = self._training
        if training is None or training.ended or not training.finished:
            return
        self._remarks[f"the training ended in epoch {trainer.epoch + 1} of {trainer.epochs}"] = None
        self._close(training, trainer)

    def _close(self, training: _Training, trainer: Any) -> None:  # noqa: ANN401
        """Measure at the end, and write the page."""
        training.ended = True
        training.stopped = time.perf_counter()
        try:
            if training.measured < training.finished:
                self._measure(training, trainer)
        finally:
            if self._rows:
                page = training.folder / "report.html"
                self._guarded("the page was not written", lambda: self.observation.save(page))

    def _tried(self, training: _Training, trainer: Any) -> float:  # noqa: ANN401
        """Return what a measurement will take, estimated from a few images."""
        seen = self._sides.seen
        few = seen.take(range(min(TRIAL_IMAGES, len(seen))))
        observer = training.observer.of(Sides(self._sides.human, few))
        began = time.perf_counter()
        done = self._guarded("a trial failed", lambda: self._found(trainer, observer))
        took = training.spend(began)
        # Parts of it take as long for few images as for many: this is an estimate from above.
        return took * len(seen) / len(few) if done is not None else math.inf

    def _measure(self, training: _Training, trainer: Any) -> None:  # noqa: ANN401
        epoch = training.finished
        began = time.perf_counter()
        found = self._guarded(
            f"nothing was measured after epoch {epoch}",
            lambda: self._found(trainer, training.observer),
        )
        if found is not None:
            found += training.validated
            self._rows += [{"run": training.run, "generation": epoch, **row} for row in found]
            frame, folder = training.folder / "frame.parquet", Path(trainer.save_dir)
            self._guarded("the frame was not written", lambda: self.observation.save(frame))
            self._guarded(
                "values were not logged", lambda: log_rows(found, epoch, self._loggers, folder)
            )
        training.measured = epoch
        training.cost = training.spend(began)

    def _found(self, trainer: Any, observer: Observer) -> list[Row]:  # noqa: ANN401
        weights = self._temporary / "weights.pt"
        _snapshot(trainer, weights)
        with borrowed():
            return observer.rows(weights, report=_silent)

    def _guarded(self, what: str, step: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Do a step whose failure ends no training; return None where it fails."""
        try:
            return step()
        except Exception as error:  # noqa: BLE001  (whatever it is, the training goes on)
            remark = f"{what}: {said(error)}"
            self._remarks[remark] = None
            warnings.warn(remark, TailwatchWarning, stacklevel=2)
            return None

    def _hold_out(self, trainer: Any) -> None:  # noqa: ANN401
        """Remark on images that the training learns from, by their content."""
        learned = trainer.train_loader.dataset.im_files
        sentence = overlap_with_files(self._sides.seen, learned).sentence()
        if sentence:
            self._remarks[sentence] = None

    def _folder(self, trainer: Any) -> Path:  # noqa: ANN401
        if self._directory is None:
            return make_owned(Path(trainer.save_dir), FOLDER)
        self._directory.mkdir(parents=True, exist_ok=True)
        return self._directory


def _snapshot(trainer: Any, target: Path) -> None:  # noqa: ANN401
    """Write the moving average of the weights, as Ultralytics saves it."""
    model = copy.deepcopy(trainer.ema.ema).half()
    if hasattr(model, "criterion"):
        model.criterion = None
    release = extra("ultralytics").__version__
    write_model(model, vars(trainer.args), target, release)


def _validated(trainer: Any) -> list[Row]:  # noqa: ANN401
    """Return the precision that the training itself has measured, if it has."""
    found = {
        "map50": trainer.metrics.get("metrics/mAP50(B)"),
        "map": trainer.metrics.get("metrics/mAP50-95(B)"),
        "mask_map50": trainer.metrics.get("metrics/mAP50(M)"),
        "mask_map": trainer.metrics.get("metrics/mAP50-95(M)"),
    }
    if not trainer.args.val:
        return []
    return [
        {
            "group": "model",
            "metric": metric,
            "value": float(value),
            "direction": "higher",
            "reason": "by the training, on its own validation set: its best epoch is chosen on it",
        }
        for metric, value in found.items()
        if value is not None
    ]

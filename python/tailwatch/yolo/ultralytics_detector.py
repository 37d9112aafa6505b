"""YOLO26 of Ultralytics as a `Detector`: train, predict, val and embed, pinned and offline.

What is pinned, and why:

==================  ==========================================================================
argument            reason
==================  ==========================================================================
``nms``             YOLO26 has two heads; ``None`` is the one-to-many head with suppression,
                    ``False`` the one that needs none. They score differently on the same weights
``nbs = batch``,    gradients are accumulated to 64 images and three epochs are warm-up by
``warmup_epochs``   default: a few epochs of a small set would be no training at all
``val=False``       the best epoch would be chosen on data that then measure it: the last epoch is
                    what is kept, and a separate human set measures it
``amp=False``       unless asked for: other weights; and the check that precedes mixed precision
                    fetches weights, so it is left out
``single_cls``      weights remember that all classes were taken for one: here they are what the
                    data say
``fraction=1``      a smaller share would be the first files by name, not a sample: the caller
                    takes the sample
``workers=0``       unless asked for: another number, other weights
``batch=-1``        is estimated once for a process, so that all trainings have the same one
threads             Ultralytics sets them to cores − 1; other numbers give other weights
==================  ==========================================================================

All that is pinned stands in this one class, which makes the file a long one. The checkpoint is
written again without date, paths and times: equal weights are equal files.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.arguments import integer, real
from tailwatch.exceptions import InputError, TailwatchError
from tailwatch.writing import write_atomically
from tailwatch.yolo.checkpoints import (
    check_device,
    check_model,
    model_task,
    open_model,
    rewrite,
)
from tailwatch.yolo.checks import UsableImages, named
from tailwatch.yolo.detector import MOST, Evaluation, Precision
from tailwatch.yolo.image_files import cut, read_pixels
from tailwatch.yolo.instances import box_around, schema_of
from tailwatch.yolo.masks import polygon_from_mask, without_border
from tailwatch.yolo.session import amp_unchecked, answering, session
from tailwatch.yolo.tasks import Task, require_task
from tailwatch.yolo.train_arguments import (
    ESTIMATED,
    check_amp,
    check_settings,
    estimated_batch,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tailwatch.progress import ProgressReport
    from tailwatch.yolo.dataset import DetectionDataset

__all__ = ["WORK", "UltralyticsDetector"]

WORK = "work-"
"""How folders begin that a killed training leaves beside its weights."""

PREDICTED = 16
"""Images in a batch of predictions."""

SEGMENTED = 4
"""The same where each detection has a mask of the size of its image."""


@dataclass(frozen=True, kw_only=True)
class UltralyticsDetector:
    """YOLO26, trained and used with frozen arguments.

    Parameters
    ----------
    model
        Where training begins: the name of an architecture of Ultralytics (``yolo26n.yaml``), or a
        file of your own, ``.yaml`` or ``.pt``.
    epochs, imgsz, batch
        Epochs, side of an image in pixels, and images of a batch, as in Ultralytics; a batch of −1
        is as many as are estimated to fit into the device.
    nms_free
        Whether to use the head without non-maximum suppression.
    iou
        Intersection over union beyond which suppression drops the lower score.
    max_det
        Most boxes of an image.
    warmup_epochs
        At most 1: see above.
    crop_imgsz
        Pixels to which a crop is scaled before it is embedded.
    device
        ``"cpu"``, or a GPU as Ultralytics names it.
    threads
        Threads of the CPU.
    workers
        Processes that load images. Another number gives other weights.
    amp
        Whether to train in mixed precision, on a device that has it.
    settings
        Other training arguments of Ultralytics (``mosaic``, ``lr0``, …).
    task
        ``"detect"`` or ``"segment"``; by default what `model` does. A model that does another is
        refused.
    """

    model: str = "yolo26n.yaml"
    epochs: int = 5
    imgsz: int = 640
    batch: int = 16
    nms_free: bool = False
    iou: float = 0.7
    max_det: int = 300
    warmup_epochs: float = 1.0
    crop_imgsz: int = 96
    device: str = "cpu"
    threads: int = 1
    workers: int = 0
    amp: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    task: str | None = None

    def __post_init__(self) -> None:
        if self.task is not None:
            Task.of(self.task)
        for name in ("epochs", "imgsz", "max_det", "crop_imgsz", "threads"):
            integer(getattr(self, name), name, most=MOST[name])
        integer(self.workers, "workers", least=0, most=MOST["workers"])
        if self.batch != ESTIMATED:
            integer(self.batch, "batch", most=MOST["batch"])
        for name in ("imgsz", "crop_imgsz"):
            if getattr(self, name) % 32:
                raise InputError(
                    argument=name, expected="a multiple of 32", got=str(getattr(self, name))
                )
        if not 0 <= real(self.warmup_epochs, "warmup_epochs") <= 1:
            raise InputError(
                argument="warmup_epochs", expected="0 to 1", got=str(self.warmup_epochs)
            )
        if not 0 < real(self.iou, "iou") <= 1:
            raise InputError(argument="iou", expected="above 0 and at most 1", got=str(self.iou))
        check_settings(self.settings)
        # Without the extra it is said where the detector is used.
        if str(self.device) != "cpu":
            check_device(self.device)
        check_amp(self.amp, self.device)

    @property
    def images_of_a_batch(self) -> int:
        """Images of a batch: those that were asked for, or that are estimated to fit."""
        if self.batch != ESTIMATED:
            return self.batch
        return estimated_batch(self.model, self.imgsz, str(self.device), amp=self.amp)

    def describe(self) -> dict[str, Any]:
        """Return all settings, and the versions of the libraries, that the weights depend on."""
        from importlib.metadata import version

        task = self._task(self.model)
        return {
            "detector": "ultralytics",
            "model": check_model(self.model),
            **({} if task is Task.DETECT else {"task": str(task)}),
            "epochs": self.epochs,
            "imgsz": self.imgsz,
            "batch": self.images_of_a_batch,
            "nms_free": self.nms_free,
            "iou": self.iou,
            "max_det": self.max_det,
            "warmup_epochs": self.warmup_epochs,
            "crop_imgsz": self.crop_imgsz,
            "device": self.device,
            "threads": self.threads,
            "workers": self.workers,
            "amp": self.amp,
            "settings": dict(self.settings),
            "versions": {name: version(name) for name in ("ultralytics", "torch", "torchvision")},
        }

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
        """Train on `data`, and write the weights of the last epoch.

        A budget is met to the nearest whole epoch, of which there is at least one.
        """
        begin = self.model if start is None else str(start)
        require_task(data.task, self._task(begin), "data")
        UsableImages().require(data, "data")
        epochs = self.epochs if budget is None else max(1, round(budget / len(data)))
        batch = self.images_of_a_batch
        kept: dict[str, Any] = {"passed": []}
        with (
            session(self.threads, seed=seed),
            answering("train", kept["passed"]),
            amp_unchecked(),
            tempfile.TemporaryDirectory(dir=weights.parent, prefix=WORK) as work,
        ):
            # Ultralytics puts what is relative into a folder of its own.
            folder = Path(work).resolve()
            yaml = _lay_out(data, folder / "data", validate=batch)
            model = open_model(begin)
            for event, callback in _callbacks(report, kept, data).items():
                model.add_callback(event, callback)
            model.train(
                data=str(yaml),
                epochs=epochs,
                imgsz=self.imgsz,
                batch=batch,
                nbs=batch,
                device=self.device,
                seed=seed,
                deterministic=True,
                single_cls=False,
                project=str(folder),
                name="run",
                exist_ok=True,
                patience=epochs,
                workers=self.workers,
                amp=self.amp,
                val=False,
                save=False,
                plots=False,
                verbose=False,
                nms=self._nms,
                iou=self.iou,
                max_det=self.max_det,
                warmup_epochs=self.warmup_epochs,
                **self.settings,
            )
            last = folder / "run" / "weights" / "last.pt"
            write_atomically(weights, lambda target: rewrite(last, target))

    def predict(
        self, weights: Path, images: Sequence[Path], *, least: float, report: ProgressReport
    ) -> pl.DataFrame:
        """Return a frame of detections or instances, of a confidence of at least `least`.

        An instance whose mask has no area, or is a pixel wide everywhere, is none.
        """
        rows: list[tuple[Any, ...]] = []
        passed: list[BaseException] = []
        with session(self.threads), answering("predict", passed):
            task = self._task(str(weights))
            model = open_model(str(weights))
            size = PREDICTED if task is Task.DETECT else SEGMENTED
            for start, chunk in _chunks(images, report, "labelling", passed, size):
                results = model.predict(
                    [read_pixels(path) for path in chunk],
                    conf=least,
                    imgsz=self.imgsz,
                    batch=PREDICTED,
                    device=self.device,
                    iou=self.iou,
                    max_det=self.max_det,
                    nms=self._nms,
                    rect=False,
                    save=False,
                    verbose=False,
                )
                for image, found in enumerate(results, start=start):
                    boxes = found.boxes
                    if task is Task.SEGMENT:
                        rows += _instances(image, found)
                        continue
                    places = boxes.xywhn.clamp(0, 1).double().tolist()
                    columns = (boxes.cls.int().tolist(), places, boxes.conf.double().tolist())
                    rows += [
                        (image, number, *place, confidence)
                        for number, place, confidence in zip(*columns, strict=True)
                    ]
        return pl.DataFrame(rows, schema=schema_of(task), orient="row")

    def evaluate(self, weights: Path, data: DetectionDataset) -> Evaluation:
        """Measure average precision, of masks too, by Ultralytics' own validation."""
        task = self._task(str(weights))
        require_task(data.task, task, "data")
        # Beside the weights, where links to images are possible if they are at all.
        folder = tempfile.TemporaryDirectory(dir=weights.parent, prefix=WORK)
        with session(self.threads), answering("evaluate"), folder as work:
            yaml = _lay_out(data, Path(work).resolve() / "data")
            model = open_model(str(weights))
            read: list[str] = []
            model.add_callback(
                "on_val_start", lambda validator: read.extend(validator.dataloader.dataset.im_files)
            )
            found = model.val(
                data=str(yaml),
                imgsz=self.imgsz,
                batch=PREDICTED,
                device=self.device,
                iou=self.iou,
                max_det=self.max_det,
                nms=self._nms,
                single_cls=False,
                workers=0,
                plots=False,
                verbose=False,
                project=work,
                name="val",
            )
            box = Precision.of_found(found.box, len(data.names))
            mask = None
            if task is Task.SEGMENT:
                mask = Precision.of_found(found.seg, len(data.names))
            if not data.boxes.height:
                box, mask = box.without_mean(), mask and mask.without_mean()
            return Evaluation(
                box.map,
                box.map50,
                box.ap,
                box.ap50,
                mask=mask,
                images=len(read),
                left_out=tuple(f"{each} (left out by Ultralytics)" for each in _left(data, read)),
            )

    def embed(
        self,
        weights: Path,
        images: Sequence[Path],
        boxes: pl.DataFrame | None = None,
        *,
        report: ProgressReport,
        layers: Sequence[int] | None = None,
    ) -> NDArray[np.float32]:
        """Return the pooled features of the last layer before the head, by image or by box.

        Parameters
        ----------
        weights
            A ``.pt`` file.
        images
            Image files.
        boxes
            Detections on `images`: each is cut out, scaled to ``crop_imgsz``, and becomes a row.
        report
            Called with stage, done and total.
        layers
            Other layers; their features are joined.
        """
        rows: list[Any] = []
        passed: list[BaseException] = []
        with session(self.threads), answering("embed", passed):
            model = open_model(str(weights))
            size = self.imgsz if boxes is None else self.crop_imgsz
            sources = [(path, None) for path in images] if boxes is None else _places(images, boxes)
            for _, chunk in _chunks(sources, report, "embedding", passed):
                found = model.embed(
                    [cut(read_pixels(path), box) for path, box in chunk],
                    embed=None if layers is None else list(layers),
                    imgsz=size,
                    batch=PREDICTED,
                    device=self.device,
                    rect=False,
                    save=False,
                    verbose=False,
                )
                rows.extend(row.cpu().numpy() for row in found)
        return np.stack(rows).astype(np.float32) if rows else np.empty((0, 0), np.float32)

    def _task(self, model: str) -> Task:
        """Return what a model does, which is what was asked for if anything was."""
        found = model_task(model)
        if self.task is not None:
            check_model(model, Task.of(self.task))
        return found

    @property
    def _nms(self) -> bool | None:
        """Head that predicts, as Ultralytics names it."""
        return False if self.nms_free else None


def _instances(image: int, found: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Yield the instances on an image as rows of a frame: their masks, as polygons."""
    if found.masks is None:
        return
    labels, confidences = found.boxes.cls.int().tolist(), found.boxes.conf.double().tolist()
    masks = without_border(found.masks.data.cpu().numpy(), found.orig_shape)
    for mask, label, confidence in zip(masks, labels, confidences, strict=True):
        polygon = polygon_from_mask(mask)
        if polygon:
            yield (image, label, *box_around(polygon), confidence, list(polygon))


def _lay_out(data: DetectionDataset, folder: Path, *, validate: int | None = None) -> Path:
    """Write the data where the trainer reads them, and give their ``data.yaml``."""
    data.save(folder)
    if validate is None:
        return folder / "data.yaml"
    # Ultralytics validates after the last epoch whatever it is told; a batch is soon done.
    images = sorted((folder / "images").iterdir())[:validate]
    listed = "".join(f"./images/{image.name}\n" for image in images)
    (folder / "val.txt").write_text(listed, encoding="utf-8")
    text = (folder / "data.yaml").read_text(encoding="utf-8")
    yaml = folder / "train.yaml"
    yaml.write_text(text.replace("val: images", "val: val.txt", 1), encoding="utf-8")
    return yaml


def _left(data: DetectionDataset, read: Sequence[str]) -> list[str]:
    """List the images of `data` that are not among the files that were read."""
    there = {int(Path(file).stem) for file in read}
    paths = data.images["path"]
    return [paths[number] for number in range(len(data)) if number not in there]


def _callbacks(
    report: ProgressReport, kept: dict[str, Any], data: DetectionDataset
) -> dict[str, Callable[[Any], None]]:
    """Return callbacks that report progress, and refuse a training that leaves images out.

    ``on_fit_epoch_end`` would fire once more in the final evaluation.
    """

    def start(trainer: Any) -> None:  # noqa: ANN401
        left = _left(data, trainer.train_loader.dataset.im_files)
        if left:
            # It logs this and goes on, with what would be another experiment.
            raise TailwatchError(
                argument="data",
                expected=f"{len(data)} images that Ultralytics trains on",
                got=f"{len(left)} that it left out: {named(left)}",
            )
        kept["batches"] = len(trainer.train_loader)
        kept["done"] = 0

    def batch(trainer: Any) -> None:  # noqa: ANN401
        kept["done"] += 1
        total = trainer.epochs * kept["batches"]
        stage = f"epoch {trainer.epoch + 1}/{trainer.epochs}"
        _tell(report, (stage, min(kept["done"], total), total), kept["passed"])

    return {"on_train_start": start, "on_train_batch_end": batch}


def _tell(report: ProgressReport, what: tuple[str, int, int], passed: list[BaseException]) -> None:
    """Report progress; keep what the report raises, which is not Ultralytics' own error."""
    try:
        report(*what)
    except BaseException as error:
        passed.append(error)
        raise


def _chunks(
    items: Sequence[Any],
    report: ProgressReport,
    stage: str,
    passed: list[BaseException],
    size: int = PREDICTED,
) -> Iterator[tuple[int, Sequence[Any]]]:
    for start in range(0, len(items), size):
        yield start, items[start : start + size]
        done = min(start + size, len(items))
        _tell(report, (stage, done, len(items)), passed)


def _places(
    images: Sequence[Path], boxes: pl.DataFrame
) -> list[tuple[Path, tuple[float, float, float, float]]]:
    placed = boxes.select("image", "x", "y", "w", "h").iter_rows()
    return [(images[image], (x, y, w, h)) for image, x, y, w, h in placed]

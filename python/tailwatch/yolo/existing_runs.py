"""Models that exist already: the trainings in a folder of Ultralytics, side by side.

Of each folder with ``weights/best.pt`` the model is measured on the same human images, as
:mod:`tailwatch.yolo.observation` says, and its average precision on those of them that it predicts.
Nothing in the folders is written, and weights are opened without running code that is in them.
Whether the human images are held out is asked of the training data that each training names.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.arguments import integer
from tailwatch.exceptions import InputError, SourceError, TailwatchError
from tailwatch.io.settings_text import parse_yaml, read_text
from tailwatch.progress import reporting
from tailwatch.recursion.frame import frame_of
from tailwatch.text_form import path_text, shown
from tailwatch.yolo.checkpoints import class_names, model_task
from tailwatch.yolo.checks import named, overlap_with_files
from tailwatch.yolo.data_yaml import read_yaml
from tailwatch.yolo.dataset import DetectionDataset
from tailwatch.yolo.image_files import link
from tailwatch.yolo.image_lists import list_images
from tailwatch.yolo.labelling import Labelling
from tailwatch.yolo.observation import MOST_IMAGES, Observation, Observer, Sides
from tailwatch.yolo.rows import precision_rows
from tailwatch.yolo.statistics import boxes_of_classes
from tailwatch.yolo.tasks import Task, require_task
from tailwatch.yolo.ultralytics_detector import UltralyticsDetector

if TYPE_CHECKING:
    import os

    from tailwatch.progress import ProgressOption
    from tailwatch.recursion.frame import Row

__all__ = ["read_runs"]


def read_runs(
    directory: str | os.PathLike[str],
    holdout: DetectionDataset | None = None,
    *,
    human: DetectionDataset | None = None,
    weights: str = "best",
    confidence: float = 0.25,
    images: int = MOST_IMAGES,
    imgsz: int | None = None,
    crop_imgsz: int = 96,
    encoder: str | os.PathLike[str] | None = None,
    threads: int = 1,
    device: str = "cpu",
    progress: ProgressOption = None,
) -> Observation:
    """Measure the models of trainings that were done, on the same human images.

    Parameters
    ----------
    directory
        A folder of trainings, such as ``runs/detect``; or of one.
    holdout
        Human images that no model has learnt from; by default the set ``val`` of the ``data.yaml``
        that all trainings name, on which ``best.pt`` was chosen.
    human
        Other human data to compare with; by default half of `holdout`, and the other half is
        predicted.
    weights
        ``"best"`` or ``"last"``.
    confidence
        Confidence at which a predicted box becomes a label.
    images
        Most images that are predicted.
    imgsz
        Side of an image in pixels; by default that of each training.
    crop_imgsz
        Pixels to which a crop is scaled before it is embedded.
    encoder
        Weights that embed crops, the same for all; by default those of the first model by name.
    threads, device
        Where to compute.
    progress
        ``None``, ``True`` for a display on standard error, or a callable ``(stage, done, total)``.

    Returns
    -------
    Observation
        A run for each model, by the name of its folder.

    Raises
    ------
    SourceError
        There is no training, or one that cannot be read.
    InputError
        Trainings of different data without a `holdout`, other classes, or data that cannot be
        measured on.
    """
    if weights not in {"best", "last"}:
        raise InputError(argument="weights", expected="'best' or 'last'", got=shown(weights))
    integer(images, "images")
    files = _weights_of(Path(directory), weights)
    task = _common_task(files)
    trained = {name: _arguments(file.parent.parent) for name, file in files.items()}
    test = _common_holdout(trained, task) if holdout is None else holdout
    require_task(test.task, task, "holdout")
    sides = Sides.of(test, human, images=images)
    remarks = [*sides.remarks, *_not_held_out(sides.seen, trained)]
    if holdout is None and weights == "best":
        remarks.append("best.pt is the epoch that did best on the set that is measured on here")
    for name, file in files.items():
        if class_names(file) != test.names:
            raise InputError(
                argument="holdout",
                expected=f"the classes of {name}, {shown(class_names(file))}",
                got=shown(test.names),
            )
    labelling = Labelling(confidence=confidence)
    chosen = next(iter(files.values())) if encoder is None else Path(encoder)
    rows: list[Row] = []
    observer: Observer | None = None
    with (
        reporting(progress) as report,
        tempfile.TemporaryDirectory(prefix="tailwatch-runs-") as work,
    ):
        for place, (name, file) in enumerate(files.items()):
            report("models", place, len(files))
            # The data to evaluate on are laid out beside the weights.
            beside = Path(work) / f"{place}.pt"
            link(file, beside)
            size = imgsz or trained[name].get("imgsz")
            detector = UltralyticsDetector(
                imgsz=-(-size // 32) * 32 if isinstance(size, int) else 640,
                crop_imgsz=crop_imgsz,
                threads=threads,
                device=device,
            )
            # Crops are scaled to one size, so those of people are embedded once.
            if observer is None:
                observer = Observer(sides, detector, labelling, chosen)
            observer.detector = detector
            found = observer.rows(file, report=report)
            for row in precision_rows(detector.evaluate(beside, sides.seen), sides.seen):
                found.append({"group": "model", **row, "reason": None})
            rows += [{"run": name, "generation": 1, **row} for row in found]
    arguments = {
        "directory": path_text(Path(directory)),
        "weights": {name: path_text(file) for name, file in files.items()},
        "images predicted": len(sides.seen),
        "human images": len(sides.human),
    }
    return Observation(
        frame_of(rows), boxes_of_classes(sides.human), arguments, remarks, step="model"
    )


def _weights_of(directory: Path, weights: str) -> dict[str, Path]:
    """Return the files of weights by the names of their trainings, in the order of the names."""
    within = Path("weights") / f"{weights}.pt"
    try:
        # By its own name, also where it is given as a dot.
        folders = [directory.resolve(), *sorted(directory.iterdir())]
        found = {folder.name: folder / within for folder in folders if (folder / within).is_file()}
    except (OSError, ValueError) as error:
        raise SourceError(
            argument="directory",
            expected="a folder of trainings",
            got=f"{path_text(directory)} ({getattr(error, 'strerror', None) or error})",
        ) from error
    if not found:
        raise SourceError(
            argument="directory",
            expected=f"folders with {within.as_posix()}",
            got="none",
            where=path_text(directory),
        )
    return found


def _arguments(folder: Path) -> dict[str, Any]:
    """Read what a training was given, if its folder says it."""
    file = folder / "args.yaml"
    if not file.is_file():
        return {}
    content = parse_yaml(read_text(file, "directory"), "directory", path_text(file))
    return content if isinstance(content, dict) else {}


def _common_task(files: dict[str, Path]) -> Task:
    """Return what all models do; models of different tasks have no numbers in common."""
    tasks = {name: model_task(file) for name, file in files.items()}
    if len(set(tasks.values())) > 1:
        raise InputError(
            argument="directory",
            expected="models of one task",
            got=shown({name: str(task) for name, task in tasks.items()}),
        )
    return next(iter(tasks.values()))


def _not_held_out(seen: DetectionDataset, trained: dict[str, dict[str, Any]]) -> list[str]:
    """Return sentences about images that a model has learnt from, and where that is not known."""
    files: list[Path] = []
    unknown = []
    for name, arguments in trained.items():
        try:
            files += list_images(read_yaml(Path(str(arguments["data"]))), "train").images
        except (TailwatchError, KeyError, OSError, ValueError):
            unknown.append(name)
    said = [overlap_with_files(seen, dict.fromkeys(files)).sentence()]
    if unknown:
        said.append(
            "whether images that are predicted were learned from is not known: the training data "
            f"of {named(unknown)} cannot be read"
        )
    return list(filter(None, said))


def _common_holdout(trained: dict[str, dict[str, Any]], task: Task) -> DetectionDataset:
    """Read the validation set of the data that all trainings name."""
    data = {name: arguments.get("data") for name, arguments in trained.items()}
    if len(set(map(str, data.values()))) > 1 or not all(
        isinstance(each, str) for each in data.values()
    ):
        raise InputError(
            argument="holdout",
            expected="human images, as the trainings do not name one data.yaml",
            got=shown(data),
            hint="give holdout=tailwatch.yolo.DetectionDataset.from_yaml(…)",
        )
    alone = {arguments.get("single_cls") is True for arguments in trained.values()}
    return DetectionDataset.from_yaml(
        str(next(iter(data.values()))), split="val", task=task, single_cls=alone == {True}
    )

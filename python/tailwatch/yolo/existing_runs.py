"""Models that exist already: the trainings in a folder of Ultralytics, side by side.

Of each folder with ``weights/best.pt`` the model is measured on the same human images, as
:mod:`tailwatch.yolo.observation` says, and its average precision on those of them that it predicts.
Nothing in the folders is written, and weights are opened without running code that is in them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.arguments import integer
from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.settings_text import parse_yaml, read_text
from tailwatch.progress import reporting
from tailwatch.recursion.frame import frame_of
from tailwatch.text_form import path_text, shown
from tailwatch.yolo.checkpoints import class_names
from tailwatch.yolo.dataset import DetectionDataset
from tailwatch.yolo.labelling import Labelling
from tailwatch.yolo.observation import MOST_IMAGES, Observation, Observer, Sides
from tailwatch.yolo.rows import precision_rows
from tailwatch.yolo.statistics import boxes_of_classes
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
        that all trainings name.
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
    trained = {name: _arguments(file.parent.parent) for name, file in files.items()}
    test = _common_holdout(trained) if holdout is None else holdout
    sides = Sides.of(test, human, images=images)
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
    with reporting(progress) as report:
        for place, (name, file) in enumerate(files.items()):
            report("models", place, len(files))
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
            for row in precision_rows(detector.evaluate(file, sides.seen), sides.seen):
                found.append({"group": "model", **row, "reason": None})
            rows += [{"run": name, "generation": 1, **row} for row in found]
    arguments = {
        "directory": path_text(Path(directory)),
        "weights": {name: path_text(file) for name, file in files.items()},
        "images predicted": len(sides.seen),
        "human images": len(sides.human),
    }
    return Observation(
        frame_of(rows), boxes_of_classes(sides.human), arguments, list(sides.remarks), step="model"
    )


def _weights_of(directory: Path, weights: str) -> dict[str, Path]:
    """Return the files of weights by the names of their trainings, in the order of the names."""
    within = Path("weights") / f"{weights}.pt"
    try:
        folders = [directory, *sorted(directory.iterdir())]
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


def _common_holdout(trained: dict[str, dict[str, Any]]) -> DetectionDataset:
    """Read the validation set of the data that all trainings name."""
    named = {name: arguments.get("data") for name, arguments in trained.items()}
    if len(set(map(str, named.values()))) > 1 or not all(
        isinstance(each, str) for each in named.values()
    ):
        raise InputError(
            argument="holdout",
            expected="human images, as the trainings do not name one data.yaml",
            got=shown(named),
            hint="give holdout=tailwatch.yolo.DetectionDataset.from_yaml(…)",
        )
    return DetectionDataset.from_yaml(str(next(iter(named.values()))), split="val")

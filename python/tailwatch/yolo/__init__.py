"""YOLO26 as a learner of the loop: what becomes of a detector that labels its own training data.

Needs the extra ``tailwatch[yolo]``, which brings Ultralytics, licensed under AGPL-3.0.
"""

from __future__ import annotations

from typing import NoReturn

from tailwatch.names import no_such_name
from tailwatch.yolo.dataset import DetectionDataset
from tailwatch.yolo.detections import detections
from tailwatch.yolo.detector import Detector, Evaluation
from tailwatch.yolo.embedding import embed
from tailwatch.yolo.learner import YoloLearner, YoloModel
from tailwatch.yolo.policies import HumanOnly
from tailwatch.yolo.seeds import over_seeds
from tailwatch.yolo.study import Experiment, Study, study
from tailwatch.yolo.ultralytics_detector import UltralyticsDetector

__all__ = [
    "DetectionDataset",
    "Detector",
    "Evaluation",
    "Experiment",
    "HumanOnly",
    "Study",
    "UltralyticsDetector",
    "YoloLearner",
    "YoloModel",
    "detections",
    "embed",
    "over_seeds",
    "study",
]


def __getattr__(name: str) -> NoReturn:
    """Say of a name that is not there which may have been meant."""
    raise no_such_name(__name__, name, __all__)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)

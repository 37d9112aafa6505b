"""YOLO26 as a learner of the loop: what becomes of a detector that labels its own training data.

The extra ``tailwatch[yolo]`` brings Ultralytics, licensed under AGPL-3.0.

========================  =================================================================
``extra``                 the packages of the extra, imported when first needed
``environment``           Ultralytics, imported offline; the one file that imports it
``session``               a stretch of time in which the process belongs to Ultralytics
``train_arguments``       training arguments that a caller may give, and those that a run freezes
``tasks``                 what a model finds: boxes, or instances with masks
``checkpoints``           weights, architectures and devices, checked and opened
``image_files``           image files, and their pixels
``detections``            the frame of boxes, and label files; names of classes
``outlines``              outlines of a polygon: area, perimeter, parts, vertices
``masks``                 from a mask to a polygon and back
``instances``             the frame of polygons, and their label files
``folder``                a data set as a folder, written once and checked
``problems``              problems of a data set, and the error that names them all
``label_rows``            label files as people have them
``data_yaml``             a user's ``data.yaml``
``image_lists``           which files are the images of a set
``ndjson_reader``         sets in one NDJSON file
``reader``                one set as Ultralytics reads it, with all that is wrong with it
``origins``               whose labels: a person's, a detector's, or unknown
``dataset``               images with boxes or polygons: the data of the loop
``detector``              what a detector has to do for the loop
``checks``                what is looked at before anything is trained
``data_check``            all that is wrong with the sets of a ``data.yaml``, in one list
``ultralytics_detector``  YOLO26 as such a detector
``embedding``             images or crops as embeddings
``image_copies``          images of another device, copied once
``ndjson_writer``         a set as NDJSON, with whose labels each image has
``fits``                  the folder of a learner: weights by all that decides them
``labelling``             from detections to the labels of the next generation
``rows``                  rows of the frame of a run
``shapes``                sizes and shapes of masks against human ones
``statistics``            the new labels against the human ones
``crops``                 crops of each class against the human ones
``fusion``                instances that run together, and classes that are confused
``learner``               YOLO26 as a learner
``study``                 several policies and seeds, one budget, one control
``observation``           what models make of human images: halves, measurements, result
``watch``                 callbacks that observe a training of one's own
``existing_runs``         models that exist already, side by side
``loggers``               values for MLflow, TensorBoard and Weights & Biases
``pictures``              images with the boxes of two generations
``study_result``          what came of a study: its seeds as one frame, and its page
========================  =================================================================
"""

from __future__ import annotations

from typing import NoReturn

from tailwatch.exceptions import no_such_name
from tailwatch.recursion.policies import HumanOnly
from tailwatch.yolo.data_check import DataCheck, check_data
from tailwatch.yolo.dataset import DetectionDataset
from tailwatch.yolo.detections import detections
from tailwatch.yolo.detector import Detector, Evaluation, Precision
from tailwatch.yolo.embedding import embed
from tailwatch.yolo.existing_runs import read_runs
from tailwatch.yolo.instances import instances
from tailwatch.yolo.learner import YoloLearner, YoloModel
from tailwatch.yolo.masks import mask_from_polygon, polygon_from_mask
from tailwatch.yolo.observation import Observation
from tailwatch.yolo.study import Experiment, study
from tailwatch.yolo.study_result import Study, over_seeds
from tailwatch.yolo.tasks import Task
from tailwatch.yolo.ultralytics_detector import UltralyticsDetector
from tailwatch.yolo.watch import Watch

__all__ = [
    "DataCheck",
    "DetectionDataset",
    "Detector",
    "Evaluation",
    "Experiment",
    "HumanOnly",
    "Observation",
    "Precision",
    "Study",
    "Task",
    "UltralyticsDetector",
    "Watch",
    "YoloLearner",
    "YoloModel",
    "check_data",
    "detections",
    "embed",
    "instances",
    "mask_from_polygon",
    "over_seeds",
    "polygon_from_mask",
    "read_runs",
    "study",
]


def __getattr__(name: str) -> NoReturn:
    """Raise an error that names what may have been meant."""
    raise no_such_name(__name__, name, __all__)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)

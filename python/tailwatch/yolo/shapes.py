"""Shapes of the masks: size, compactness, parts and vertices of instances against human ones.

Rows of the frame of a run, by the cuts and nulls of :mod:`tailwatch.yolo.statistics`: ``value`` is
the mean over the instances on the sampled images C, ``null`` that over the human half B. NAME is a
class; without it a metric is of all instances.

=========================  ================================================================
metric                     definition, mean over instances
=========================  ================================================================
``mask_area:NAME``         area of the parts without their holes, as a share of the image
``mask_compactness:NAME``  4π·area/perimeter², in pixels: 1 for a disc; holes and gaps add
                           to the perimeter
``mask_parts:NAME``        number of parts
``mask_vertices:NAME``     number of vertices of the polygon, bridges left out
=========================  ================================================================

Vertices are those of the label file: people click few, and a polygon that is made of a mask has as
many as its tolerance asks for (:mod:`tailwatch.yolo.masks`). So where people drew with another tool
than that, their number differs from the first generation on, and only its change means something.

Cost: O(vertices) for each instance; per cut O(instances + classes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.yolo.detections import class_labels
from tailwatch.yolo.outlines import shape_of
from tailwatch.yolo.rows import row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tailwatch.recursion.frame import Row
    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.rows import Floats

    Members = NDArray[np.bool_]

__all__ = ["METRICS", "shape_rows"]

METRICS = ("mask_area", "mask_compactness", "mask_parts", "mask_vertices")


def shape_rows(
    human: DetectionDataset,
    samples: DetectionDataset,
    cuts: Iterable[tuple[Members, Members, Members]],
    *,
    confidence: float,
    method: str,
) -> list[Row]:
    """Return rows on the shapes of a sample's masks against human ones.

    Parameters
    ----------
    human, samples
        Sets of instances.
    cuts
        Which images are in A and B (human), and in C (sampled).
    confidence
        Confidence of the intervals.
    method
        What the cuts are.
    """
    classes = len(human.names)
    x, y = _Masks.of(human), _Masks.of(samples)
    there = np.unique(x.label)
    found = [(y.means(c, classes, there), x.means(b, classes, there)) for _, b, c in cuts]
    # Side, cut, metric, class; all classes last.
    values, nulls = (np.array(side) for side in zip(*found, strict=True))
    labels = class_labels(human.names)
    groups = [*(f":{labels[number]}" for number in there), ""]
    return [
        row(
            metric + group,
            values[:, place, column],
            nulls[:, place, column],
            confidence,
            direction="match",
            method=method,
            sizes={"n_reference": len(human), "n_candidate": len(samples)},
        )
        for place, metric in enumerate(METRICS)
        for column, group in enumerate(groups)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Masks:
    """The instances of a set, measured.

    Attributes
    ----------
    image, label
        Numbers of the image and of the class of each.
    values
        A row for each metric; NaN where an instance has no value.
    """

    image: NDArray[np.int64]
    label: NDArray[np.int64]
    values: Floats

    @classmethod
    def of(cls, data: DetectionDataset) -> _Masks:
        """Measure the instances of a set."""
        image, label = (data.boxes[name].to_numpy().astype(np.int64) for name in ("image", "class"))
        sizes = data.images.select("height", "width").rows()
        values = np.empty((len(METRICS), len(image)))
        for number, (place, points) in enumerate(data.boxes.select("image", "points").iter_rows()):
            height, width = sizes[place]
            # A trainer takes what reaches beyond the image, and what it learns is what is within.
            shape = shape_of(np.clip(points, 0.0, 1.0), height, width)
            share = shape.area / (height * width)
            values[:, number] = share, shape.compactness, shape.parts, shape.vertices
        return cls(image, label, values)

    def means(self, members: Members, classes: int, there: NDArray[np.int64]) -> Floats:
        """Return the mean of each metric (rows) by class, and of all; NaN where there is none."""
        inside = members[self.image]
        label, values = self.label[inside], self.values[:, inside]
        means = np.full((len(METRICS), len(there) + 1), np.nan)
        for place, of_metric in enumerate(values):
            known = np.isfinite(of_metric)
            counts = np.bincount(label[known], minlength=classes)
            sums = np.bincount(label[known], weights=of_metric[known], minlength=classes)
            counts = np.append(counts[there], counts.sum())
            sums = np.append(sums[there], sums.sum())
            np.divide(sums, counts, out=means[place], where=counts > 0)
        return means

"""What became of the labels: statistics of detections against human ones, with their nulls.

The human images are cut at random into halves A and B, and as many images C are drawn from the
sample; ``value`` is the mean of metric(A, C) over 200 such cuts, ``null`` that of metric(A, B), and
the intervals are quantiles over the cuts. A statistic of a random half has about that spread
around its mean which the whole sample has around the truth (the delete-half jackknife), so the
intervals are those of the sample; they say nothing of another training, which several seeds do.

=====================  ====================================================  ==============
metric                 definition                                            null
=====================  ====================================================  ==============
``class_share:NAME``   share of the boxes that are of the class              halves
``class_kl``           KL(C ‖ A) = Σ q ln(q/p) of the shares of the classes,  halves
                       nats; half a box is added to each class of A
``tail_class_mass``    share of the boxes in the tail classes: the rarest    halves
                       that together have at most 10 % of the human boxes,
                       at least one
``type_coverage``      share of the human classes that have a box; with a    resampling of
                       level, of the rarest of them                          human boxes
``classes_gone``       human classes without a box                           the same
``box_size``           mean of √(w·h)                                        halves
``box_size_distance``  Wasserstein distance of √(w·h)                        halves
``boxes_per_image``    mean number of boxes                                  halves
``boxes_distance``     Wasserstein distance of the number of boxes           halves
``empty_images``       share of images without a box                         halves
``confidence``         mean confidence of the boxes                          none
``map``, ``map50``     average precision over IoU .50–.95, and at .50, on    none
                       human boxes; by class as ``ap:NAME``, ``ap50:NAME``
``mask_map``, …        the same of masks, where the task is to segment       none
=====================  ====================================================  ==============

Mean confidence, boxes per image and distances of whole images do not see a class die; what sees it
is on the side of the labels, and crops by class (:mod:`tailwatch.yolo.crops`).

Instances have the statistics of their boxes, and those of their masks besides:
:mod:`tailwatch.yolo.shapes`.

NAME is that of :func:`tailwatch.yolo.detections.class_labels`. Cost: O(images + boxes + classes)
per cut, and as much memory, with some 5 KB for each class. No Ultralytics here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.metrics.categorical import type_coverage
from tailwatch.metrics.univariate import wasserstein_distance
from tailwatch.yolo.detections import TAIL, class_labels, tail_classes
from tailwatch.yolo.rows import row
from tailwatch.yolo.shapes import shape_rows
from tailwatch.yolo.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tailwatch.recursion.frame import Row
    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.rows import Floats

    Members = NDArray[np.bool_]
    Statistic = tuple[str, float | None, str, Floats, Floats]

__all__ = ["CUTS", "Cuts", "boxes_of_classes", "statistics"]

CUTS = 200
DISTANCE_CUTS = 50
"""Cuts for distances, which sort their values in each."""

RAREST = 0.30
"""Share of the classes that a level of ``type_coverage`` takes, from the rarest."""

HALVES = "halves of images, {cuts} cuts"


@dataclass(frozen=True, slots=True)
class Cuts:
    """Random cuts of human and sampled images; the same ones each time they are gone through.

    They are drawn as they are used: all at once they would take `number` times the images.

    Attributes
    ----------
    human, sample
        Number of images.
    number
        Number of cuts.
    """

    human: int
    sample: int
    number: int = CUTS

    def __len__(self) -> int:
        return self.number

    @property
    def size(self) -> int:
        """Images of a half, and of C, so that both sides of a cut miss as much."""
        return max(min(self.human // 2, self.sample), 1)

    def __iter__(self) -> Iterator[tuple[Members, Members, Members]]:
        """Yield a flag for each image: whether it is in A, in B (human), in C (sampled)."""
        of_human = np.random.Generator(np.random.PCG64(0))
        of_sample = np.random.Generator(np.random.PCG64([0, 1]))
        size = self.size
        for _ in range(self.number):
            first = of_human.permutation(self.human)[: 2 * size]
            c = of_sample.permutation(self.sample)[:size]
            yield (
                _flags(first[:size], self.human),
                _flags(first[-size:], self.human),
                _flags(c, self.sample),
            )


def _flags(chosen: NDArray[np.int64], images: int) -> Members:
    flags = np.zeros(images, np.bool_)
    flags[chosen] = True
    return flags


def statistics(
    human: DetectionDataset, samples: DetectionDataset, *, confidence: float = 0.95
) -> list[Row]:
    """Return the statistics of a sample's boxes against human ones.

    Parameters
    ----------
    human
        The human data that the loop began with.
    samples
        Images that a generation labelled.
    confidence
        Confidence of the intervals.

    Returns
    -------
    list of dict
        Rows of the frame of a run.
    """
    x, y = _Side.of(human), _Side.of(samples)
    cuts = Cuts(x.images, y.images)
    sizes = {"n_reference": x.images, "n_candidate": y.images}
    found = _of_counts(class_labels(human.names), x, y, cuts)
    found += _of_distances(x, y, cuts)
    rows = [
        row(
            metric,
            values,
            nulls,
            confidence,
            direction=direction,
            level=level,
            method=HALVES.format(cuts=len(values)),
            sizes=sizes,
        )
        for metric, level, direction, values, nulls in found
    ]
    rows += _coverage(human.class_totals(), samples.class_totals(), confidence, sizes)
    if human.task is Task.SEGMENT and samples.task is Task.SEGMENT:
        method = HALVES.format(cuts=len(cuts))
        rows += shape_rows(human, samples, cuts, confidence=confidence, method=method)
    given = samples.boxes["confidence"].drop_nulls()
    if len(given):
        rows.append(
            {
                "metric": "confidence",
                "value": float(given.to_numpy().mean()),
                "direction": "none",
                "reason": "mean of the boxes that became labels",
                **sizes,
            }
        )
    return rows


def boxes_of_classes(data: DetectionDataset) -> dict[str, int]:
    """Return the number of boxes of each class, by its label."""
    return dict(zip(class_labels(data.names), data.class_totals().tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The boxes of a data set, as arrays: no image has a row of its own for each class.

    Attributes
    ----------
    images
        Number of images.
    image, label
        Numbers of the image and of the class of each box.
    extent
        √(w·h) of each box.
    """

    images: int
    image: NDArray[np.int64]
    label: NDArray[np.int64]
    extent: Floats

    @classmethod
    def of(cls, data: DetectionDataset) -> _Side:
        boxes = data.boxes
        extent = np.sqrt(boxes["w"].to_numpy() * boxes["h"].to_numpy())
        image, label = (boxes[name].to_numpy().astype(np.int64) for name in ("image", "class"))
        return cls(len(data), image, label, np.asarray(extent, np.float64))

    def boxes_by_image(self) -> NDArray[np.int64]:
        """Count the boxes of each image."""
        return np.bincount(self.image, minlength=self.images)

    def counts(self, members: Members, columns: NDArray[np.int64], classes: int) -> Floats:
        """Count the boxes of the images in `members`, by the column of their class."""
        inside = members[self.image]
        return np.bincount(columns[self.label[inside]], minlength=classes).astype(np.float64)


def _of_counts(labels: Sequence[str], x: _Side, y: _Side, cuts: Cuts) -> list[Statistic]:
    """Return the statistics that count boxes by image and class."""
    there = np.unique(np.concatenate([x.label, y.label]))
    columns = np.searchsorted(there, np.arange(len(labels)))
    a, b, c = (np.empty((len(cuts), len(there))) for _ in range(3))
    per_x, per_y = x.boxes_by_image(), y.boxes_by_image()
    per_image, empty = (np.empty((2, len(cuts))) for _ in range(2))
    for number, (in_a, in_b, in_c) in enumerate(cuts):
        a[number] = x.counts(in_a, columns, len(there))
        b[number] = x.counts(in_b, columns, len(there))
        c[number] = y.counts(in_c, columns, len(there))
        for place, counts in enumerate((per_y[in_c], per_x[in_b])):
            per_image[place, number] = counts.mean()
            empty[place, number] = (counts == 0).mean()
    tail = columns[tail_classes(np.bincount(x.label, minlength=len(labels)))]
    # A class without a box on either side has half a box too, and a share that nothing asks for.
    p = (a + 0.5) / ((a + 0.5).sum(axis=1, keepdims=True) + 0.5 * (len(labels) - len(there)))
    of_c, of_b = _shares(c), _shares(b)
    found: list[Statistic] = [
        (f"class_share:{labels[number]}", None, "match", of_c[:, column], of_b[:, column])
        for column, number in enumerate(there)
    ]
    mass = (each[:, tail].sum(axis=1) for each in (of_c, of_b))
    return [
        *found,
        ("class_kl", None, "lower", _kl(of_c, p), _kl(of_b, p)),
        ("tail_class_mass", TAIL, "match", *mass),
        # Values of the sample alone: A plays no part.
        ("boxes_per_image", None, "match", *per_image),
        ("empty_images", None, "match", *empty),
    ]


def _shares(counts: Floats) -> Floats:
    """Return the shares of the classes; NaN where there is no box at all."""
    total = counts.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)
    return shares


def _kl(q: Floats, p: Floats) -> Floats:
    ratio = np.divide(q, p, out=np.ones_like(q), where=q > 0)
    return np.asarray((q * np.log(ratio)).sum(axis=1), np.float64)


def _coverage(
    x: NDArray[np.int64], y: NDArray[np.int64], confidence: float, sizes: dict[str, int]
) -> list[Row]:
    """Return rows on the classes that still have a box; nulls are by resampling human boxes."""
    classes = int((x > 0).sum())
    if not classes:
        return []
    human = {str(number): int(count) for number, count in enumerate(x) if count}
    sampled = {str(number): int(count) for number, count in enumerate(y) if count}
    gone = sum(name not in sampled for name in human)
    if not sampled:
        return [
            {
                "metric": "type_coverage",
                "level": 1.0,
                "value": 0.0,
                "direction": "higher",
                "reason": "there is no box at all",
                **sizes,
            },
            _gone(gone, None, sizes),
        ]
    found = type_coverage(human, sampled, levels=(RAREST,), confidence=confidence)
    rows = [
        {
            "metric": "type_coverage",
            "level": each["level"],
            "value": each["coverage"],
            **{name: each[name] for name in ("low", "high", "null", "null_low", "null_high")},
            "retention": each["retention"],
            "direction": "higher",
            "method": "Clopper–Pearson, the null by resampling human boxes",
            **sizes,
        }
        for each in found.iter_rows(named=True)
    ]
    return [*rows, _gone(gone, classes * (1 - float(found["null"][0])), sizes)]


def _gone(count: int, null: float | None, sizes: dict[str, int]) -> Row:
    return {
        "metric": "classes_gone",
        "value": float(count),
        "null": null,
        "direction": "lower",
        "reason": "counted; the null is by resampling human boxes",
        **sizes,
    }


def _of_distances(x: _Side, y: _Side, cuts: Cuts) -> list[Statistic]:
    """Return the statistics of number and size of the boxes."""
    per_x, per_y = (side.boxes_by_image().astype(np.float64) for side in (x, y))
    numbers, sizes = (np.full((2, min(DISTANCE_CUTS, len(cuts))), np.nan) for _ in range(2))
    means = np.full((2, len(cuts)), np.nan)
    for number, (in_a, in_b, in_c) in enumerate(cuts):
        few = number < numbers.shape[1]
        of_a = x.extent[in_a[x.image]]
        others = (y.extent[in_c[y.image]], x.extent[in_b[x.image]])
        for place, (other, count) in enumerate(
            zip(others, (per_y[in_c], per_x[in_b]), strict=True)
        ):
            if few:
                numbers[place, number] = wasserstein_distance(per_x[in_a], count)
            if other.size:
                means[place, number] = other.mean()
                if of_a.size and few:
                    sizes[place, number] = wasserstein_distance(of_a, other)
    return [
        ("boxes_distance", None, "lower", *numbers),
        ("box_size", None, "match", *means),
        ("box_size_distance", None, "lower", *sizes),
    ]

"""Fusion and confusion: whether instances that people tell apart run together in the predictions.

Predicted instances are held against the human ones of the same held-out images. Everything below is
a function of areas alone (`Intersections`: those of the instances, and those that two share), so
boxes and masks go through the same code.

===================  =======================================================  ===================
metric               definition                                               null
===================  =======================================================  ===================
``fusion``           share of the predicted instances that cover two or more  human instances on
                     human ones                                               themselves
``fused_only``       share of the human instances that are covered by such    the same
                     predicted ones and by no other
``matched``          share of the human instances that are matched,           none
                     whatever the class
``confusion``        share of the matched human instances that are labelled   none: human labels
                     as another class                                         agree with
                                                                              themselves
``confusion:a→b``    share of the matched human instances of class a that     none
                     are labelled b; the `MOST_PAIRS` most frequent pairs
===================  =======================================================  ===================

An instance covers another where their intersection is at least half of the smaller area. Matching
is greedy: predicted instances in descending order of confidence each take the human one, among
those that are left, with the largest intersection over union, if that is at least a half.

A human box may lie in another one, so human labels have fusion of their own: that is the null, from
human instances against themselves. Intervals are quantiles over random halves of the images, as in
:mod:`tailwatch.yolo.statistics`; value and null come from different halves. The control arm of a
study shows what a detector that saw human labels alone fuses and confuses.

Misleading: pairs are those that are frequent in these predictions, so their shares are on the large
side of the truth, and a pair that is not among them has no row. Confusion is of what is matched: a
class that is found nowhere is confused with nothing, which `matched` and the classes gone show.

Cost: O(p · h) time and memory for an image of p predicted and h human instances, one image after
the other; for polygons, the pixels of the boxes around them. No Ultralytics here.

The file is long because what overlaps, what is counted and what a row says are one definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.recursion.frame import joined
from tailwatch.yolo.detections import class_labels
from tailwatch.yolo.masks import mask_from_polygon
from tailwatch.yolo.rows import row
from tailwatch.yolo.statistics import HALVES, Cuts
from tailwatch.yolo.tasks import Task, require_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tailwatch.recursion.frame import Row
    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.rows import Floats

    Labels = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Statistic = tuple[str, str, Floats, Floats]
    Polygons = Sequence[Sequence[float]]

__all__ = [
    "COVERED",
    "MATCHED",
    "MOST_PAIRS",
    "Instances",
    "Intersections",
    "covers_several",
    "found_only_fused",
    "fusion",
    "instances_of",
    "matches",
]

COVERED = 0.5
"""Least share of the smaller of two instances that lies in the other one."""

MATCHED = 0.5
"""Least intersection over union of a predicted instance and the human one that it is matched to."""

MOST_PAIRS = 10
"""Pairs of classes that have rows of their own."""

MOST_SIDE = 1024
"""Pixels of the longer side of an image on which polygons are filled."""

NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Intersections:
    """Areas of the predicted (p) and the human (h) instances of one image, in one unit.

    Attributes
    ----------
    predicted, human
        Area of each instance: p and h numbers.
    shared
        Area that each predicted instance shares with each human one: p × h.
    """

    predicted: Floats
    human: Floats
    shared: Floats

    @classmethod
    def of_boxes(cls, predicted: Floats, human: Floats) -> Intersections:
        """Return the areas of boxes.

        Parameters
        ----------
        predicted, human
            A row per box: centre x and y, width, height, all in one unit for each axis.
        """
        first, last = (
            (each[:, :2] - each[:, 2:] / 2, each[:, :2] + each[:, 2:] / 2)
            for each in (predicted, human)
        )
        low = np.maximum(first[0][:, None], last[0][None])
        high = np.minimum(first[1][:, None], last[1][None])
        return cls(
            predicted[:, 2] * predicted[:, 3],
            human[:, 2] * human[:, 3],
            np.maximum(high - low, 0.0).prod(axis=2),
        )

    @classmethod
    def of_polygons(
        cls, predicted: Polygons, human: Polygons, *, height: int, width: int
    ) -> Intersections:
        """Return the areas of polygons, in pixels.

        Parameters
        ----------
        predicted, human
            x1, y1, x2, y2, … of each, as shares of the image.
        height, width
            Pixels of the image; polygons of one whose longer side has more than `MOST_SIDE` are
            filled as if it had so many.
        """
        scale = min(1.0, MOST_SIDE / max(height, width))
        size = [max(round(side * scale), 1) for side in (height, width)]
        first, last = ([_Mask.of(each, *size) for each in of] for of in (predicted, human))
        shared = [[float(one.shared(other)) for other in last] for one in first]
        return cls(
            np.array([mask.pixels.sum() for mask in first], np.float64),
            np.array([mask.pixels.sum() for mask in last], np.float64),
            np.array(shared, np.float64).reshape(len(first), len(last)),
        )

    def covered(self) -> Floats:
        """Return the share of the smaller of two instances that lies in the other: p × h."""
        return _ratio(self.shared, np.minimum(self.predicted[:, None], self.human[None]))

    def union_shares(self) -> Floats:
        """Return intersection over union of each two instances: p × h."""
        return _ratio(self.shared, self.predicted[:, None] + self.human[None] - self.shared)


@dataclass(frozen=True, slots=True, eq=False)
class _Mask:
    """The filled pixels of a polygon, cut to the box around them.

    Attributes
    ----------
    top, left
        The first row and column of the box.
    pixels
        Flags of the pixels in it.
    """

    top: int
    left: int
    pixels: Flags

    @classmethod
    def of(cls, points: Sequence[float], height: int, width: int) -> _Mask:
        """Fill a polygon as Ultralytics fills it."""
        flags = mask_from_polygon(points, height, width)
        rows, columns = (np.flatnonzero(flags.any(axis=axis)) for axis in (1, 0))
        if not rows.size:
            return cls(0, 0, flags[:0, :0])
        within = flags[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return cls(int(rows[0]), int(columns[0]), within.copy())

    def shared(self, other: _Mask) -> int:
        """Count the pixels that two masks of one image share."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom, right = (
            min(*(getattr(each, start) + each.pixels.shape[axis] for each in (self, other)))
            for axis, start in enumerate(("top", "left"))
        )
        if bottom <= top or right <= left:
            return 0
        mine, others = (
            each.pixels[top - each.top : bottom - each.top, left - each.left : right - each.left]
            for each in (self, other)
        )
        return int((mine & others).sum())


def covers_several(areas: Intersections) -> NDArray[np.bool_]:
    """Return for each predicted instance whether it covers two or more human ones."""
    several: NDArray[np.bool_] = (areas.covered() >= COVERED).sum(axis=1) >= 2
    return several


def found_only_fused(areas: Intersections) -> NDArray[np.bool_]:
    """Return for each human instance whether all that cover it, one at least, cover several."""
    covered = areas.covered() >= COVERED
    several = covered.sum(axis=1) >= 2
    fused: NDArray[np.bool_] = covered[several].any(axis=0) & ~covered[~several].any(axis=0)
    return fused


def matches(areas: Intersections, confidence: Floats) -> Labels:
    """Return for each human instance the number of the predicted one that it is matched to, or −1.

    Parameters
    ----------
    areas
        The instances of one image.
    confidence
        Of each predicted instance; equal ones take turns as they come.
    """
    left = areas.union_shares()
    found = np.full(len(areas.human), NONE, np.int64)
    if not left.size:
        return found
    for predicted in np.argsort(-confidence, kind="stable"):
        human = int(left[predicted].argmax())
        if left[predicted, human] >= MATCHED:
            found[human] = predicted
            left[:, human] = -1.0
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Instances:
    """The instances of one image.

    Attributes
    ----------
    areas
        Their areas.
    predicted, human
        The class of each.
    confidence
        Of the predicted ones.
    """

    areas: Intersections
    predicted: Labels
    human: Labels
    confidence: Floats


def instances_of(human: DetectionDataset, predicted: DetectionDataset) -> Iterator[Instances]:
    """Yield the instances of each image, human and predicted ones: boxes, or masks.

    Parameters
    ----------
    human
        Images with the boxes or polygons that people drew.
    predicted
        The same images in the same order, with those of a detector, or of people.
    """
    sides = [_by_image(each) for each in (predicted, human)]
    sizes = human.images.select("height", "width").iter_rows()
    for found, drawn, (height, width) in zip(*sides, sizes, strict=True):
        areas = (
            Intersections.of_polygons(found.points, drawn.points, height=height, width=width)
            if human.task is Task.SEGMENT
            else Intersections.of_boxes(found.boxes, drawn.boxes)
        )
        yield Instances(areas, found.labels, drawn.labels, found.confidence)


def fusion(
    human: DetectionDataset,
    predicted: DetectionDataset,
    *,
    confidence: float = 0.95,
    remark: str = "",
) -> list[Row]:
    """Return fusion and confusion of predicted instances, against human ones of the same images.

    Parameters
    ----------
    human
        Images with the boxes that people drew, from which nothing was learnt.
    predicted
        The same images in the same order, with what a detector found on them.
    confidence
        Confidence of the intervals.
    remark
        Sentence about the data, added to every row.

    Returns
    -------
    list of dict
        Rows of the frame of a run.
    """
    require_task(predicted.task, human.task, "predicted")
    if not len(human):
        return []
    labels = class_labels(human.names)
    counts, pairs = _counts(instances_of(human, predicted), len(human), len(labels))
    nulls, _ = _counts(instances_of(human, human), len(human), len(labels))
    largest = pairs.largest(MOST_PAIRS)
    of_pair = pairs.counts(largest, len(human))
    cuts = Cuts(len(human), len(human))
    value, null = (np.empty((len(cuts), _COLUMNS)) for _ in range(2))
    by_pair = np.empty((len(cuts), 2, len(largest)))
    for number, (_, in_b, in_c) in enumerate(cuts):
        value[number] = counts[in_c].sum(axis=0)
        null[number] = nulls[in_b].sum(axis=0)
        by_pair[number] = of_pair[in_c].sum(axis=0)
    nothing = np.full(len(cuts), np.nan)
    of_predicted, of_human = (
        [_ratio(each[:, part], each[:, whole], np.nan) for each in (value, null)]
        for part, whole in ((1, 0), (3, 2))
    )
    found: list[Statistic] = [
        ("fusion", "lower", of_predicted[0], of_predicted[1]),
        ("fused_only", "lower", of_human[0], of_human[1]),
        ("matched", "higher", _ratio(value[:, 4], value[:, 2], np.nan), nothing),
        ("confusion", "lower", _ratio(value[:, 5], value[:, 4], np.nan), nothing),
    ]
    reasons = dict.fromkeys((each[0] for each in found), remark)
    for place, (of_a, of_b) in enumerate(largest):
        name = f"confusion:{_pair_label(labels, of_a, of_b)}"
        shares = _ratio(by_pair[:, 0, place], by_pair[:, 1, place], np.nan)
        found.append((name, "lower", shares, nothing))
        of_all = f"one of the {len(largest)} most frequent of {len(pairs)} pairs"
        reasons[name] = joined(of_all, remark) or ""
    sizes = {"n_reference": len(human), "n_candidate": len(predicted)}
    return [
        row(
            metric,
            values,
            of_null,
            confidence,
            direction=direction,
            sizes=sizes,
            method=HALVES.format(cuts=len(cuts)),
            reason=reasons[metric] or None,
        )
        for metric, direction, values, of_null in found
    ]


def _pair_label(labels: Sequence[str], of_a: int, of_b: int) -> str:
    """Return a label of a pair of classes that no other pair has."""
    plain = f"{labels[of_a]}→{labels[of_b]}"
    # Where names have arrows, a→b and c may read as a and b→c do.
    return f"{plain} #{of_a}→#{of_b}" if any("→" in label for label in labels) else plain


_COLUMNS = 6
"""Counts of an image: predicted, fused; human, found only fused, matched, labelled otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """The matched human instances of all images: image, class by people, class as labelled."""

    image: Labels
    human: Labels
    predicted: Labels
    classes: int

    def _confused(self) -> tuple[Labels, Labels]:
        """Return the pairs of classes that differ, as one number each, and how often they are."""
        other = self.human != self.predicted
        numbers = self.human[other] * self.classes + self.predicted[other]
        return np.unique(numbers, return_counts=True)

    def __len__(self) -> int:
        return len(self._confused()[0])

    def largest(self, most: int) -> list[tuple[int, int]]:
        """Return the most frequent pairs of classes that differ; ties by their numbers."""
        numbers, times = self._confused()
        chosen = numbers[np.argsort(-times, kind="stable")[:most]]
        return [divmod(int(number), self.classes) for number in chosen]

    def counts(self, pairs: Sequence[tuple[int, int]], images: int) -> NDArray[np.int64]:
        """Return images × 2 × pairs: instances of class a labelled b, and all of class a."""
        found = np.zeros((images, 2, len(pairs)), np.int64)
        for place, (of_a, of_b) in enumerate(pairs):
            human = self.human == of_a
            for part, chosen in enumerate((human & (self.predicted == of_b), human)):
                found[:, part, place] = np.bincount(self.image[chosen], minlength=images)
        return found


def _counts(
    instances: Iterator[Instances], images: int, classes: int
) -> tuple[NDArray[np.int64], _Pairs]:
    """Count what was fused, matched and confused in each image."""
    counts = np.zeros((images, _COLUMNS), np.int64)
    pairs = []
    for image, each in enumerate(instances):
        matched = matches(each.areas, each.confidence)
        there = matched != NONE
        human, predicted = each.human[there], each.predicted[matched[there]]
        counts[image] = (
            len(each.predicted),
            covers_several(each.areas).sum(),
            len(each.human),
            found_only_fused(each.areas).sum(),
            there.sum(),
            (human != predicted).sum(),
        )
        pairs.append(np.stack([np.full(len(human), image), human, predicted]))
    image, human, predicted = np.concatenate(pairs, axis=1)
    return counts, _Pairs(image, human, predicted, classes)


@dataclass(frozen=True, slots=True, eq=False)
class _OfImage:
    """The instances of one side of an image.

    Attributes
    ----------
    boxes
        x, y, w, h of each.
    points
        The polygon of each, where they have them.
    labels, confidence
        Class and confidence of each.
    """

    boxes: Floats
    points: Polygons
    labels: Labels
    confidence: Floats


def _by_image(data: DetectionDataset) -> Iterator[_OfImage]:
    """Yield the instances of each image."""
    boxes = data.boxes.sort("image", maintain_order=True)
    places = boxes.select("x", "y", "w", "h").to_numpy()
    points = boxes["points"] if data.task is Task.SEGMENT else None
    labels = boxes["class"].to_numpy().astype(np.int64)
    # What a person drew is sure.
    confidence = boxes["confidence"].fill_null(1.0).to_numpy()
    edges = np.searchsorted(boxes["image"].to_numpy(), np.arange(len(data) + 1))
    for start, end in pairwise(edges.tolist()):
        inside = slice(start, end)
        # Those of one image as Python's numbers, which take four times as much as the frame does.
        of_image = [] if points is None else points[inside].to_list()
        yield _OfImage(places[inside], of_image, labels[inside], confidence[inside])


def _ratio(part: Floats, whole: Floats, otherwise: float = 0.0) -> Floats:
    """Return part over whole; where there is no whole, `otherwise`."""
    part, whole = (np.asarray(each, np.float64) for each in (part, whole))
    ratios: Floats = np.divide(part, whole, out=np.full(part.shape, otherwise), where=whole > 0)
    return ratios

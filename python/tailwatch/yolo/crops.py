"""Coverage of each class's human crops by sampled crops, in an encoder that stays the same.

Each box is cut out and embedded by weights that stay the same for the whole run: an encoder that
was trained anew with each generation would move with what it measures. Within a class, coverage is
the share of human crops whose ball, reaching to the k-th nearest human crop, holds a sampled crop
(Naeem et al. 2020); tail coverage is that of the tenth of the human crops with the largest balls.
A class that is gone has coverage 0.

Halves A and B of the human images and as many sampled images C, as in
:mod:`tailwatch.yolo.statistics`: value is coverage of A by C, null that of A by B. So a class with
fewer boxes than human images would have loses coverage too, and that is meant.

The cuts that are used give both A and B more than k crops of the class: the first `CROP_CUTS` of
`CANDIDATES` random ones. Such a rule for A alone would favour cuts that leave B next to nothing,
and the null of a rare class would lie far below what fresh human images give; with both, A and B
remain exchangeable. A class with fewer than 2(k + 1) human crops, or with all of them on a few
images, is not measured, and ``reason`` says why; a class without a single crop left has coverage 0
even then. Means over several classes are over the classes that are measured.

Distances over all classes together do not see a rare class die; coverage by class does. O(n²) per
class, with at most `MOST` crops a side, drawn at random; ``reason`` says where crops are left
out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.recursion.frame import joined
from tailwatch.yolo.detections import ALL_CLASSES, TAIL, TAIL_CLASSES, class_labels, tail_classes
from tailwatch.yolo.rows import row
from tailwatch.yolo.statistics import Cuts

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    from tailwatch.progress import ProgressReport
    from tailwatch.recursion.frame import Row
    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.detector import Detector

    Floats = NDArray[np.float64]

__all__ = ["MOST", "CropCoverage", "class_coverage"]

K = 5
CROP_CUTS = 20
CANDIDATES = 100
LEAST_CUTS = 5
"""Cuts that have to be fit for a class to be measured."""

MOST = 1000
"""Crops of a class that enter, on either side."""


@dataclass(frozen=True, slots=True, eq=False)
class CropCoverage:
    """The human side: crops in the fixed encoder.

    Attributes
    ----------
    human
        The data that the loop began with.
    boxes
        The boxes of it that enter.
    embeddings
        A row for each.
    encoder
        Weights of the fixed encoder.
    """

    human: DetectionDataset
    boxes: pl.DataFrame
    embeddings: NDArray[np.float32]
    encoder: Path

    @classmethod
    def of(
        cls, detector: Detector, encoder: Path, human: DetectionDataset, *, report: ProgressReport
    ) -> CropCoverage:
        """Embed the human crops."""
        boxes = _chosen(human)
        embeddings = detector.embed(encoder, human.paths(), boxes, report=report)
        return cls(human, boxes, embeddings, encoder)

    def rows(
        self,
        samples: DetectionDataset,
        detector: Detector,
        *,
        report: ProgressReport,
        confidence: float = 0.95,
    ) -> list[Row]:
        """Return rows on the coverage of each class, of the tail classes and of all."""
        boxes = _chosen(samples)
        embedded = detector.embed(self.encoder, samples.paths(), boxes, report=report)
        cuts = BoxCuts.of(self.human, self.boxes, samples, boxes)
        counts = self.human.class_totals()
        left = samples.class_totals() > 0
        # Coverage and tail coverage; by C and by B; class; cut.
        values = np.full((2, 2, len(counts), CROP_CUTS), np.nan)
        for number in np.flatnonzero(counts):
            x, y = (side["class"].to_numpy() == number for side in (self.boxes, boxes))
            values[:, :, number] = class_coverage(
                self.embeddings[x], embedded[y], cuts.of_class(x, y)
            )
        measured = np.isfinite(values[0, 1]).any(axis=1)
        labels = class_labels(self.human.names)
        groups = {labels[number]: np.array([number]) for number in np.flatnonzero(counts)}
        groups[TAIL_CLASSES] = tail_classes(counts)
        groups[ALL_CLASSES] = np.flatnonzero(counts)
        sizes = {"n_reference": len(self.human), "n_candidate": len(samples)}
        found = []
        for of_tail, metric in enumerate(("crop_coverage", "crop_tail_coverage")):
            for name, members in groups.items():
                inside = members[measured[members]]
                by_c, by_b = _mean_of_classes(values[of_tail][:, inside])
                method, reason = _how(counts[members], measured[members])
                if not inside.size and not left[members].any():
                    by_c = np.zeros(1)
                    reason = joined("no crop is left", reason)
                found.append(
                    row(
                        f"{metric}:{name}",
                        by_c,
                        by_b,
                        confidence,
                        direction="higher",
                        level=TAIL if of_tail else None,
                        method=method,
                        reason=reason,
                        sizes=sizes,
                    )
                )
        return found


def _how(counts: NDArray[np.int64], measured: NDArray[np.bool_]) -> tuple[str | None, str | None]:
    """Return how classes were measured, and why some were not, by their human crops."""
    least = 2 * (K + 1)
    few = (
        f"a cut needs more than {K} crops of a class in either half of the human images, so at "
        f"least {least}, on several images"
    )
    if not measured.any():
        got = f"there are {counts[0]}" if len(counts) == 1 else "no class of these has them"
        return None, f"{few}; {got}"
    some = f"mean of {measured.sum()} of {len(measured)} classes: {few}"
    most = f"at most {MOST} crops of a class"
    return (
        f"halves of images, {CROP_CUTS} cuts, k = {K}, fixed encoder",
        joined(None if measured.all() else some, most if (counts > MOST).any() else None),
    )


@dataclass(frozen=True, slots=True, eq=False)
class BoxCuts:
    """For each cut (rows), which boxes are on an image of A, of B, of C.

    Attributes
    ----------
    a, b
        Human boxes in A, and in B.
    c
        Sampled boxes in C.
    """

    a: NDArray[np.bool_]
    b: NDArray[np.bool_]
    c: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        human: DetectionDataset,
        human_boxes: pl.DataFrame,
        samples: DetectionDataset,
        boxes: pl.DataFrame,
    ) -> BoxCuts:
        """Draw cuts of the images."""
        in_x, in_y = human_boxes["image"].to_numpy(), boxes["image"].to_numpy()
        a, b = (np.empty((CANDIDATES, len(in_x)), np.bool_) for _ in range(2))
        c = np.empty((CANDIDATES, len(in_y)), np.bool_)
        for number, cut in enumerate(Cuts(len(human), len(samples), CANDIDATES)):
            a[number], b[number], c[number] = cut[0][in_x], cut[1][in_x], cut[2][in_y]
        return cls(a, b, c)

    def of_class(self, x: NDArray[np.bool_], y: NDArray[np.bool_]) -> BoxCuts:
        """Return the first cuts that are fit for a class, whose boxes are `x` and `y`."""
        a, b, c = self.a[:, x], self.b[:, x], self.c[:, y]
        fit = np.flatnonzero((a.sum(axis=1) > K) & (b.sum(axis=1) > K))[:CROP_CUTS]
        if len(fit) < LEAST_CUTS:
            fit = fit[:0]
        return BoxCuts(a[fit], b[fit], c[fit])


def class_coverage(
    human: NDArray[np.float32], sample: NDArray[np.float32], cuts: BoxCuts
) -> Floats:
    """Return coverage and tail coverage (rows) of A by C and by B (columns), for each cut.

    Parameters
    ----------
    human, sample
        Embeddings of the crops of one class.
    cuts
        Crops in A, B and C; A has more than k in each cut, and B is not empty.

    Returns
    -------
    numpy.ndarray
        2 × 2 × `CROP_CUTS`; NaN beyond the cuts that there are.
    """
    from scipy.spatial.distance import cdist

    found = np.full((2, 2, CROP_CUTS), np.nan)
    if not len(cuts.a):
        return found
    within = cdist(human, human)
    across = cdist(human, sample) if len(sample) else np.empty((len(human), 0))
    for number, (a, b, c) in enumerate(zip(cuts.a, cuts.b, cuts.c, strict=True)):
        rows = int(a.sum())
        # A row is at distance 0 from itself, which is the nearest.
        radius = np.partition(within[np.ix_(a, a)], K, axis=1)[:, K]
        tail = np.argsort(-radius, kind="stable")[: max(round(TAIL * rows), 1)]
        for place, distances in enumerate((across[np.ix_(a, c)], within[np.ix_(a, b)])):
            nearest = distances.min(axis=1) if distances.shape[1] else np.full(rows, np.inf)
            covered = nearest <= radius
            found[:, place, number] = covered.mean(), covered[tail].mean()
    return found


def _mean_of_classes(values: Floats) -> Floats:
    """Return the mean over the classes (axis 1) that a cut measures."""
    there = np.isfinite(values)
    total = np.where(there, values, 0.0).sum(axis=1)
    count = there.sum(axis=1)
    means: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return means


def _chosen(data: DetectionDataset) -> pl.DataFrame:
    """Return at most `MOST` boxes of each class, always the same, in the order of images."""
    numbered = data.boxes.with_row_index("number")
    return (
        numbered.sample(fraction=1.0, shuffle=True, seed=0)
        .group_by("class", maintain_order=True)
        .head(MOST)
        .sort("number")
        .select(data.boxes.columns)
    )

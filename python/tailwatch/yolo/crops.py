"""Do the crops of a class still look as varied as the human ones? In an encoder that does not move.

Each box is cut out and embedded by weights that stay the same for the whole run: an encoder that
was trained anew with each generation would move with what it measures. Within a class, coverage is
the share of human crops whose ball, reaching to the k-th nearest human crop, holds a sampled crop
(Naeem et al. 2020); tail coverage is that of the tenth of the human crops with the largest balls.
A class that is gone has coverage 0.

Halves A and B of the human images and as many sampled images C, as in
:mod:`tailwatch.yolo.statistics`: value is coverage of A by C, null that of A by B. So a class with
fewer boxes than human images would have loses coverage too, and that is meant.

Distances over all classes together do not see a rare class die; these do. O(n²) per class, with at
most `MOST` crops a side, drawn at random; the rest of a larger class is left out and ``method``
says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.yolo.statistics import TAIL, Cuts, row, tail_classes

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.detector import Detector, Report

    Floats = NDArray[np.float64]

__all__ = ["MOST", "CropCoverage", "class_coverage"]

K = 5
CROP_CUTS = 20
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
        cls, detector: Detector, encoder: Path, human: DetectionDataset, *, report: Report
    ) -> CropCoverage:
        """Embed the human crops."""
        boxes = _chosen(human)
        embeddings = detector.embed(encoder, _paths(human), boxes, report=report)
        return cls(human, boxes, embeddings, encoder)

    def rows(
        self,
        samples: DetectionDataset,
        detector: Detector,
        *,
        report: Report,
        confidence: float = 0.95,
    ) -> list[dict[str, Any]]:
        """Coverage of each class, of the tail classes and of all, as rows of the frame of a run."""
        boxes = _chosen(samples)
        embedded = detector.embed(self.encoder, _paths(samples), boxes, report=report)
        cuts = Cuts.of(len(self.human), len(samples), CROP_CUTS)
        names = self.human.names
        counts = self.human.class_counts().sum(0)
        shape = (2, 2, len(names), CROP_CUTS)
        # Coverage and tail coverage; by C and by B; class; cut.
        values = np.full(shape, np.nan)
        for number in np.flatnonzero(counts):
            x, y = self.boxes["class"] == number, boxes["class"] == number
            values[:, :, number] = class_coverage(
                (self.embeddings[x.to_numpy()], self.boxes.filter(x)["image"].to_numpy()),
                (embedded[y.to_numpy()], boxes.filter(y)["image"].to_numpy()),
                cuts,
            )
        many = (counts > MOST).any()
        method = f"halves of images, {CROP_CUTS} cuts, k = {K}, fixed encoder"
        method += f"; at most {MOST} crops of a class" if many else ""
        groups = {name: np.array([number]) for number, name in enumerate(names) if counts[number]}
        groups["tail classes"] = tail_classes(counts)
        groups["all classes"] = np.flatnonzero(counts)
        found = []
        for of_tail, metric in enumerate(("crop_coverage", "crop_tail_coverage")):
            for name, members in groups.items():
                by_c, by_b = _mean_of_classes(values[of_tail][:, members])
                found.append(
                    row(
                        f"{metric}:{name}",
                        by_c,
                        by_b,
                        confidence,
                        direction="higher",
                        level=TAIL if of_tail else None,
                        method=method
                        if np.isfinite(by_c).any()
                        else f"not measured: no half of the human images has more than {K} crops",
                        sizes={"n_reference": len(self.human), "n_candidate": len(samples)},
                    )
                )
        return found


def class_coverage(
    human: tuple[NDArray[np.float32], NDArray[np.uint32]],
    sample: tuple[NDArray[np.float32], NDArray[np.uint32]],
    cuts: Cuts,
) -> Floats:
    """Coverage and tail coverage (rows) of A by C and by B (columns), for each cut.

    Parameters
    ----------
    human, sample
        Embeddings of the crops of one class, and the numbers of the images that they are on.
    cuts
        Halves of the images.

    Returns
    -------
    numpy.ndarray
        2 × 2 × cuts; NaN for a cut in which A has no more than k crops.
    """
    from scipy.spatial.distance import cdist

    (x, in_x), (y, in_y) = human, sample
    within = cdist(x, x) if len(x) else np.empty((0, 0))
    across = cdist(x, y) if len(x) and len(y) else np.empty((len(x), 0))
    found = np.full((2, 2, len(cuts.a)), np.nan)
    for number, (a, b, c) in enumerate(zip(cuts.a, cuts.b, cuts.c, strict=True)):
        of_a, of_b, of_c = np.isin(in_x, a), np.isin(in_x, b), np.isin(in_y, c)
        rows = int(of_a.sum())
        if rows <= K:
            continue
        # A row is at distance 0 from itself, which is the nearest.
        radius = np.partition(within[np.ix_(of_a, of_a)], K, axis=1)[:, K]
        tail = np.argsort(-radius, kind="stable")[: max(round(TAIL * rows), 1)]
        for place, distances in enumerate((across[np.ix_(of_a, of_c)], within[np.ix_(of_a, of_b)])):
            nearest = distances.min(axis=1) if distances.shape[1] else np.full(rows, np.inf)
            covered = nearest <= radius
            found[:, place, number] = covered.mean(), covered[tail].mean()
    return found


def _mean_of_classes(values: Floats) -> Floats:
    """Mean over the classes (axis 1) that a cut measures."""
    there = np.isfinite(values)
    total = np.where(there, values, 0.0).sum(axis=1)
    count = there.sum(axis=1)
    means: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return means


def _chosen(data: DetectionDataset) -> pl.DataFrame:
    """Take at most `MOST` boxes of each class, the same ones each time, in the order of images."""
    numbered = data.boxes.with_row_index("number")
    return (
        numbered.sample(fraction=1.0, shuffle=True, seed=0)
        .group_by("class", maintain_order=True)
        .head(MOST)
        .sort("number")
        .select(data.boxes.columns)
    )


def _paths(data: DetectionDataset) -> list[Path]:
    return [Path(path) for path in data.images["path"]]

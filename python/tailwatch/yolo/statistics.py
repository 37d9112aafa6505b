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
=====================  ====================================================  ==============

Mean confidence, boxes per image and distances of whole images do not see a class die; what sees it
is on the side of the labels, and crops by class (:mod:`tailwatch.yolo.crops`).

Cost: O(images × classes + boxes) per cut. No Ultralytics here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.comparison.result import SCHEMA
from tailwatch.metrics.categorical import type_coverage
from tailwatch.metrics.univariate import wasserstein_distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.detector import Evaluation

    Floats = NDArray[np.float64]
    Rows = list[dict[str, Any]]

__all__ = [
    "CUTS",
    "TAIL",
    "Cuts",
    "as_frame",
    "precision_rows",
    "row",
    "statistics",
    "tail_classes",
]

CUTS = 200
DISTANCE_CUTS = 50
"""Cuts for distances, which sort their values in each."""

TAIL = 0.10
"""Most human boxes that tail classes have together."""

RAREST = 0.30
"""Share of the classes that a level of ``type_coverage`` takes, from the rarest."""

HALVES = "halves of images, {cuts} cuts"
OVER_SEEDS = "no interval within one training: it is over seeds"


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """Random cuts of human and sampled images.

    Attributes
    ----------
    a, b
        Numbers of the human images of both halves, a row per cut.
    c
        Numbers of the sampled images.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    c: NDArray[np.int64]

    @classmethod
    def of(cls, human: int, sample: int, cuts: int = CUTS) -> Cuts:
        """Draw cuts of so many images; the same ones each time."""
        rng = np.random.Generator(np.random.PCG64(0))
        size = max(min(human // 2, sample), 1)
        first = np.stack([rng.permutation(human)[: 2 * size] for _ in range(cuts)])
        # Half of the sample where it has as many images as the human set, so that both sides of a
        # cut miss as much.
        c = np.stack([rng.permutation(sample)[:size] for _ in range(cuts)])
        return cls(first[:, :size], first[:, -size:], c)


def tail_classes(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of the rarest classes that together have at most a tenth of the boxes, at least one.

    Parameters
    ----------
    counts
        Human boxes of each class; classes without any are none.
    """
    order = np.argsort(counts, kind="stable")
    order = order[counts[order] > 0]
    inside = np.cumsum(counts[order]) <= TAIL * counts.sum()
    return np.sort(order[: max(int(inside.sum()), 1)])


def statistics(
    human: DetectionDataset, samples: DetectionDataset, *, confidence: float = 0.95
) -> Rows:
    """Compare the boxes of a sample with human ones.

    Parameters
    ----------
    human
        The human data that the loop began with.
    samples
        What a generation labelled.
    confidence
        Of the intervals.

    Returns
    -------
    list of dict
        Rows of the frame of a run.
    """
    x, y = human.class_counts(), samples.class_counts()
    cuts = Cuts.of(len(human), len(samples))
    sizes = {"n_reference": len(human), "n_candidate": len(samples)}
    rows = [
        row(metric, values, nulls, confidence, direction=direction, level=level, sizes=sizes)
        for metric, level, direction, values, nulls in _of_counts(human.names, x, y, cuts)
    ]
    rows += _coverage(x.sum(0), y.sum(0), confidence, sizes)
    few = Cuts(*(each[:DISTANCE_CUTS] for each in (cuts.a, cuts.b, cuts.c)))
    numbers = _Pair(x.sum(1).astype(float), y.sum(1).astype(float), few)
    by_c, by_b = numbers.distances()
    rows.append(row("boxes_distance", by_c, by_b, confidence, direction="lower", sizes=sizes))
    rows += _of_sizes(human, samples, cuts, confidence, sizes)
    given = samples.boxes["confidence"].drop_nulls()
    if len(given):
        rows.append(
            {
                "metric": "confidence",
                "value": float(given.to_numpy().mean()),
                "direction": "none",
                "method": "no interval: mean of the boxes that became labels",
                **sizes,
            }
        )
    return rows


def precision_rows(found: Evaluation, reference: DetectionDataset) -> Rows:
    """Put average precision into rows; a class without a human box has no row."""
    values = {"map": found.map, "map50": found.map50}
    for metric, of_class in (("ap", found.ap), ("ap50", found.ap50)):
        for name, value in zip(reference.names, of_class, strict=True):
            if value is not None:
                values[f"{metric}:{name}"] = value
    return [
        {
            "metric": metric,
            "value": value,
            "direction": "higher",
            "n_reference": len(reference),
            "method": OVER_SEEDS,
        }
        for metric, value in values.items()
    ]


def row(
    metric: str,
    values: Floats,
    nulls: Floats,
    confidence: float,
    *,
    direction: str,
    sizes: dict[str, int],
    level: float | None = None,
    method: str | None = None,
) -> dict[str, Any]:
    """Make a row of a metric's values over cuts; cuts in which it has none are NaN."""
    value, low, high = _summary(values, confidence)
    null, null_low, null_high = _summary(nulls, confidence)
    retention = retention_low = retention_high = None
    kept = direction != "lower" and null
    if kept and value is not None and low is not None and high is not None:
        retention, retention_low, retention_high = value / kept, low / kept, high / kept
    return {
        "metric": metric,
        "level": level,
        "value": value,
        "low": low,
        "high": high,
        "null": null,
        "null_low": null_low,
        "null_high": null_high,
        "retention": retention,
        "retention_low": retention_low,
        "retention_high": retention_high,
        "direction": direction,
        "method": method or HALVES.format(cuts=len(values)),
        **sizes,
    }


def as_frame(rows: Rows) -> pl.DataFrame:
    """Make the frame that the loop takes."""
    table = [[each.get(column) for column in SCHEMA] for each in rows]
    return pl.DataFrame(table, schema=SCHEMA, orient="row")


def _summary(values: Floats, confidence: float) -> tuple[float | None, float | None, float | None]:
    there = values[np.isfinite(values)]
    if not there.size:
        return None, None, None
    low, high = np.quantile(there, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(there.mean()), float(low), float(high)


def _of_counts(
    names: tuple[str, ...], x: NDArray[np.int64], y: NDArray[np.int64], cuts: Cuts
) -> list[tuple[str, float | None, str, Floats, Floats]]:
    """Statistics of the numbers of boxes by image and class: metric, level, direction, values."""
    a, b, c = (
        counts[chosen].sum(axis=1).astype(float)
        for counts, chosen in ((x, cuts.a), (x, cuts.b), (y, cuts.c))
    )
    tail = tail_classes(x.sum(0))
    p = (a + 0.5) / (a + 0.5).sum(axis=1, keepdims=True)
    found: list[tuple[str, float | None, str, Floats, Floats]] = []
    for number, name in enumerate(names):
        if x[:, number].any() or y[:, number].any():
            pair = (_shares(c)[:, number], _shares(b)[:, number])
            found.append((f"class_share:{name}", None, "match", *pair))
    found += [
        ("class_kl", None, "lower", _kl(_shares(c), p), _kl(_shares(b), p)),
        (
            "tail_class_mass",
            TAIL,
            "match",
            *(_shares(each)[:, tail].sum(axis=1) for each in (c, b)),
        ),
    ]
    # Of these the sample has its own value, whatever A is.
    in_b, in_c = x.sum(1)[cuts.b], y.sum(1)[cuts.c]
    found += [
        ("boxes_per_image", None, "match", in_c.mean(axis=1), in_b.mean(axis=1)),
        ("empty_images", None, "match", (in_c == 0).mean(axis=1), (in_b == 0).mean(axis=1)),
    ]
    return found


def _shares(counts: Floats) -> Floats:
    """Shares of the classes; NaN where there is no box at all."""
    total = counts.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)
    return shares


def _kl(q: Floats, p: Floats) -> Floats:
    ratio = np.divide(q, p, out=np.ones_like(q), where=q > 0)
    return np.asarray((q * np.log(ratio)).sum(axis=1), np.float64)


def _coverage(
    x: NDArray[np.int64], y: NDArray[np.int64], confidence: float, sizes: dict[str, int]
) -> Rows:
    """Classes that are still there, against a plain resampling of the human boxes."""
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
                "method": "no interval: there is no box at all",
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
            "method": "Clopper–Pearson; null: human boxes resampled",
            **sizes,
        }
        for each in found.iter_rows(named=True)
    ]
    return [*rows, _gone(gone, classes * (1 - float(found["null"][0])), sizes)]


def _gone(count: int, null: float | None, sizes: dict[str, int]) -> dict[str, Any]:
    return {
        "metric": "classes_gone",
        "value": float(count),
        "null": null,
        "direction": "lower",
        "method": "no interval: counted; null: human boxes resampled",
        **sizes,
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """One number for each image of both sides, and the cuts."""

    x: Floats
    y: Floats
    cuts: Cuts

    def distances(self) -> tuple[Floats, Floats]:
        """Wasserstein distances of A to C and of A to B."""
        pairs = [
            (wasserstein_distance(self.x[a], self.y[c]), wasserstein_distance(self.x[a], self.x[b]))
            for a, b, c in zip(self.cuts.a, self.cuts.b, self.cuts.c, strict=True)
        ]
        values, nulls = np.array(pairs).T
        return values, nulls


def _of_sizes(
    human: DetectionDataset,
    samples: DetectionDataset,
    cuts: Cuts,
    confidence: float,
    sizes: dict[str, int],
) -> Rows:
    """Sizes of boxes, by the cuts of the images that they are on."""
    x, y = _sizes_by_image(human), _sizes_by_image(samples)
    means = np.full((2, len(cuts.a)), np.nan)
    distances = np.full((2, min(DISTANCE_CUTS, len(cuts.a))), np.nan)
    for number, (a, b, c) in enumerate(zip(cuts.a, cuts.b, cuts.c, strict=True)):
        of_a, of_b, of_c = (
            np.concatenate([side[image] for image in chosen])
            for side, chosen in ((x, a), (x, b), (y, c))
        )
        for place, other in enumerate((of_c, of_b)):
            if other.size:
                means[place, number] = other.mean()
                if of_a.size and number < distances.shape[1]:
                    distances[place, number] = wasserstein_distance(of_a, other)
    return [
        row("box_size", means[0], means[1], confidence, direction="match", sizes=sizes),
        row(
            "box_size_distance",
            distances[0],
            distances[1],
            confidence,
            direction="lower",
            sizes=sizes,
        ),
    ]


def _sizes_by_image(data: DetectionDataset) -> list[Floats]:
    boxes = data.boxes
    extent = np.sqrt(boxes["w"].to_numpy() * boxes["h"].to_numpy())
    starts = np.searchsorted(boxes["image"].to_numpy(), np.arange(1, len(data)))
    return [np.asarray(part, np.float64) for part in np.split(extent, starts)]

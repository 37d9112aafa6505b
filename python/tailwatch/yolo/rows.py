"""Rows of the frame of a run: of a statistic over random cuts, and of average precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tailwatch.comparison.intervals import ratio_of
from tailwatch.recursion.frame import MEASURED, Row
from tailwatch.yolo.checks import LISTED, named
from tailwatch.yolo.detections import class_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.detector import Evaluation, Precision

__all__ = ["Floats", "as_frame", "precision_rows", "row"]

Floats: TypeAlias = NDArray[np.float64]

OVER_SEEDS = "an interval is over seeds, not within one training"


def row(
    metric: str,
    values: Floats,
    nulls: Floats,
    confidence: float,
    *,
    direction: str,
    sizes: dict[str, int],
    method: str | None,
    level: float | None = None,
    reason: str | None = None,
) -> Row:
    """Return a row for the values of a statistic over cuts; NaN for a cut without a value."""
    value, low, high = _summary(values, confidence)
    null, null_low, null_high = _summary(nulls, confidence)
    retention = retention_low = retention_high = None
    if direction != "lower" and value is not None and null is not None:
        retention, retention_low, retention_high = ratio_of(
            (value, low, high), (null, null_low, null_high)
        )
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
        "method": None if low is None else method,
        "reason": "no cut has a value" if low is None and reason is None else reason,
        **sizes,
    }


def precision_rows(
    found: Evaluation, reference: DetectionDataset, *, remark: str = ""
) -> list[Row]:
    """Return average precision as rows; a class without a human box has none.

    Parameters
    ----------
    found
        Average precision, and the images it comes from.
    reference
        The data that it was measured on.
    remark
        Sentence about the data, added to every row.
    """
    labels = class_labels(reference.names)
    values = _values(found, labels)
    if found.mask is not None:
        values |= _values(found.mask, labels, "mask_")
    said = [OVER_SEEDS] if found.map is not None else ["the test set has no box"]
    if found.left_out:
        said.append(
            f"left out {len(found.left_out)} of {len(reference)} images: "
            + named(found.left_out, LISTED)
        )
    said += [remark] * bool(remark)
    return [
        {
            "metric": metric,
            "value": value,
            "direction": "higher",
            "n_reference": len(reference) if found.images is None else found.images,
            "reason": "; ".join(said),
        }
        for metric, value in values.items()
    ]


def _values(found: Precision, labels: Sequence[str], of: str = "") -> dict[str, float | None]:
    """Return average precision by the names of the metrics."""
    values: dict[str, float | None] = {f"{of}map": found.map, f"{of}map50": found.map50}
    for metric, of_class in (("ap", found.ap), ("ap50", found.ap50)):
        for name, value in zip(labels, of_class, strict=True):
            if value is not None:
                values[f"{of}{metric}:{name}"] = value
    return values


def as_frame(rows: list[Row]) -> pl.DataFrame:
    """Return rows as the frame that the loop takes."""
    table = [[each.get(column) for column in MEASURED] for each in rows]
    return pl.DataFrame(table, schema=MEASURED, orient="row")


def _summary(values: Floats, confidence: float) -> tuple[float | None, float | None, float | None]:
    there = values[np.isfinite(values)]
    if not there.size:
        return None, None, None
    low, high = np.quantile(there, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(there.mean()), float(low), float(high)

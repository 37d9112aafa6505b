"""Average precision as rows of the frame, with what has to be said of the images measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch.yolo.held_out import named
from tailwatch.yolo.naming import class_labels

if TYPE_CHECKING:
    from tailwatch.yolo.dataset import DetectionDataset
    from tailwatch.yolo.detector import Evaluation
    from tailwatch.yolo.statistics import Rows

__all__ = ["precision_rows"]

LEFT_OUT_NAMED = 20
"""Images left out of a measurement that a row names; the rest is counted."""

OVER_SEEDS = "an interval is over seeds, not within one training"


def precision_rows(found: Evaluation, reference: DetectionDataset, *, remark: str = "") -> Rows:
    """Put average precision into rows; a class without a human box has no row.

    Parameters
    ----------
    found
        What was measured.
    reference
        The data that it was measured on.
    remark
        What else has to be said of these data.
    """
    values: dict[str, float | None] = {"map": found.map, "map50": found.map50}
    labels = class_labels(reference.names)
    for metric, of_class in (("ap", found.ap), ("ap50", found.ap50)):
        for name, value in zip(labels, of_class, strict=True):
            if value is not None:
                values[f"{metric}:{name}"] = value
    said = [OVER_SEEDS] if found.map is not None else ["the test set has no box"]
    if found.left_out:
        said.append(
            f"left out {len(found.left_out)} of {len(reference)} images: "
            + named(found.left_out, LEFT_OUT_NAMED)
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

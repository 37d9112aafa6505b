"""The words of detection: its metrics, for all classes and for one."""

from __future__ import annotations

from tailwatch.report.labels import Label

__all__ = ["describe_detection"]

_SHARE = "share"

_LABELS = {
    "map": Label("mAP50–95", "fidelity", "precision", "Average precision over IoU .50 to .95."),
    "map50": Label("mAP50", "fidelity", "precision", "Average precision at IoU .50."),
    "class_kl": Label("KL of the classes", "divergence", "nats", "KL(labels ‖ human), by class."),
    "tail_class_mass": Label(
        "Boxes in tail classes", "tails", _SHARE, "Share of the boxes that rare classes have."
    ),
    "classes_gone": Label("Classes gone", "tails", "classes", "Human classes without any box."),
    "box_size": Label("Size of boxes", "spread", "share of a side", "Mean of √(w·h)."),
    "box_size_distance": Label(
        "Distance of box sizes", "divergence", "share of a side", "Wasserstein distance of √(w·h)."
    ),
    "boxes_per_image": Label("Boxes per image", "spread", "boxes", "Mean number of boxes."),
    "boxes_distance": Label(
        "Distance of boxes per image", "divergence", "boxes", "Wasserstein distance."
    ),
    "empty_images": Label("Images without a box", "spread", _SHARE, "Share of such images."),
    "confidence": Label("Mean confidence", "fidelity", "confidence", "Of the boxes kept."),
}

_OF_CLASS = {
    "ap": Label("AP50–95", "fidelity", "precision", "Average precision over IoU .50 to .95 of {}."),
    "ap50": Label("AP50", "fidelity", "precision", "Average precision at IoU .50 of {}."),
    "class_share": Label("Share", "spread", _SHARE, "Share of the boxes that are {}."),
    "crop_coverage": Label(
        "Crop coverage", "fidelity", _SHARE, "Human crops of {} that new crops come near to."
    ),
    "crop_tail_coverage": Label(
        "Crop tail coverage", "tails", _SHARE, "The same, of the most unusual human crops of {}."
    ),
}


def describe_detection(metric: str) -> Label | None:
    """Return the label of a metric of detections, or None if it is none."""
    name, colon, of = metric.partition(":")
    if not colon:
        return _LABELS.get(name)
    label = _OF_CLASS.get(name)
    if label is None:
        return None
    return Label(f"{label.name}, {of}", label.group, label.unit, label.meaning.format(of))

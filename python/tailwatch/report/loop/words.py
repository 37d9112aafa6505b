"""The words of a loop: its metrics beside those of the panel, those of detections among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch.report.words import Label, describe, in_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LOOP_LABELS", "LOOP_TERMS", "SPREAD", "TAILS", "describe_loop", "stop_in_words"]

TAILS = (
    "tail_mass",
    "tail_recall",
    "tail_odds_ratio",
    "directional_tails",
    "tail_coverage",
    "rare_type_coverage",
    "type_coverage",
    "types",
)
"""What tells about tails, the most telling first: coverage is high where what is left is small."""

SPREAD = ("total_variance", "variance", "gini_simpson")
"""What tells about variance: all are multiplied by the same factors of theory."""

_SHARE = "share"

LOOP_LABELS: dict[str, Label] = {
    "risk": Label(
        "Risk on held-out human data",
        "fidelity",
        "loss",
        "Mean loss of the model of a generation on human rows that no generation learned from.",
    ),
    "training_risk": Label(
        "Risk on its own training set",
        "fidelity",
        "loss",
        "Mean loss of the model of a generation on the rows that it learned from.",
    ),
    "variance": Label("Variance", "spread", "squared units", "Variance of the sampled numbers."),
    "gini_simpson": Label(
        "Gini–Simpson diversity",
        "spread",
        _SHARE,
        "How often two sampled categories differ: 1 − Σp².",
    ),
    "types": Label("Types", "tails", "count", "Different categories in the sample."),
    "type_coverage": Label(
        "Types kept", "tails", _SHARE, "Categories of the human data that the sample still has."
    ),
    "rare_type_coverage": Label(
        "Rare types kept",
        "tails",
        _SHARE,
        "Categories of the rarer half of the human data that the sample still has.",
    ),
    "total_variation": Label(
        "Total variation",
        "divergence",
        _SHARE,
        "Half the sum of the differences of all shares.",
    ),
    "jensen_shannon": Label(
        "Jensen–Shannon divergence",
        "divergence",
        "nats",
        "How well a category tells which set it is from: 0 not at all, ln 2 always.",
    ),
    "hellinger": Label(
        "Hellinger distance", "divergence", "distance", "Distance between roots of shares."
    ),
    "entropy": Label("Entropy", "spread", "nats", "Mean surprise of a category, −Σ p ln p."),
    "missing_mass": Label(
        "Missing mass",
        "tails",
        _SHARE,
        "Estimated share of what a further sample would bring that was not seen yet.",
    ),
    "zipf_exponent": Label(
        "Zipf exponent",
        "tails",
        "exponent",
        "How fast shares fall with rank: it rises when rare types are lost.",
    ),
    "distinct_1_pooled": Label(
        "Distinct tokens", "spread", "share of tokens", "Different tokens among all of them."
    ),
    "distinct_2_pooled": Label(
        "Distinct pairs", "spread", "share of pairs", "Different pairs of tokens among all of them."
    ),
    "distinct_2_per_document": Label(
        "Distinct pairs in a document",
        "spread",
        "share of pairs",
        "Different pairs of tokens among those of one document, on average.",
    ),
    "self_repetition": Label(
        "Repetition",
        "fidelity",
        "share of documents",
        "Documents that repeat a run of tokens of another one.",
    ),
    "between_modes": Label(
        "Rows between modes",
        "fidelity",
        _SHARE,
        "Samples that lie between the separate modes of human data.",
    ),
    "wasserstein_distance": Label(
        "Wasserstein distance",
        "divergence",
        "units",
        "How far numbers must be moved, on average, to make one set of the other.",
    ),
    "kolmogorov_smirnov": Label(
        "Kolmogorov–Smirnov distance",
        "divergence",
        _SHARE,
        "Largest difference of the two distribution functions.",
    ),
    "hill_index": Label("Hill index", "tails", "1 ÷ tail exponent", "How heavy the upper tail is."),
    "human_fraction": Label(
        "Human rows in the training set",
        "fidelity",
        _SHARE,
        "Share of the rows a generation learned from that people made.",
    ),
    "unknown_fraction": Label(
        "Rows of unknown origin in the training set",
        "fidelity",
        _SHARE,
        "Share of the rows a generation learned from of which nobody has said who made them.",
    ),
    "training_rows": Label(
        "Rows of the training set", "fidelity", "rows", "Rows a generation learned from."
    ),
    "training_entropy": Label(
        "Entropy of the training set",
        "spread",
        "nats",
        "Differential entropy of the rows a generation learned from, from their neighbours: it "
        "falls as they draw together.",
    ),
}
"""What a loop measures besides the metrics of a comparison."""

LOOP_TERMS: dict[str, str] = {
    "Generation": "Generation 1 is the first model, which learned from human data.",
    "Null": "What a fresh human sample of the same size would score, had nothing happened.",
    "Theory": "What closed forms expect of this learner, policy and size, before anything ran.",
    "Retention": (
        "Value ÷ null: 1 is what a fresh human sample scores, 0 is all lost. For divergences, "
        "(value − null) in standard errors of the null (SE)."
    ),
    "Alarm": (
        "Rings at the first generation at which less than 95 % is kept for sure. All looks of a "
        "run share one error: a learner that keeps more rings in 5 % of runs at most, however long "
        "they are (at 95 %)."
    ),
    "Holds, does not hold": "The interval lies on that side of the threshold.",
    "Undetermined": "The interval holds the threshold: these data cannot tell.",
    "Not measured": "The run recorded nothing that this definition is about.",
}
"""The words that the page of a loop needs."""

_STOPS = {
    "alarm": "stopped by its alarm after generation {} of {}",
    "on_generation": "stopped by its callback after generation {} of {}",
    "interrupted": "interrupted, or still at work, after generation {} of {}",
}


def stop_in_words(stopped: str, last: int, asked: int) -> str:
    """Say why a run has fewer generations than it was asked for.

    Parameters
    ----------
    stopped
        Why: ``"alarm"``, ``"on_generation"`` or ``"interrupted"``.
    last, asked
        Generations that there are, and that were asked for.
    """
    return _STOPS[stopped].format(last, asked)


_OF_DETECTIONS = {
    "map": Label("mAP50–95", "fidelity", "precision", "Average precision over IoU .50 to .95."),
    "map50": Label("mAP50", "fidelity", "precision", "Average precision at IoU .50."),
    "mask_map": Label(
        "Mask mAP50–95", "fidelity", "precision", "Average precision of masks, IoU .50 to .95."
    ),
    "mask_map50": Label("Mask mAP50", "fidelity", "precision", "Of masks, at IoU .50."),
    "mask_area": Label("Area of masks", "spread", "share of the image", "Mean area."),
    "mask_compactness": Label(
        "Compactness", "spread", "share of a disc's", "Mean of 4π · area / perimeter²."
    ),
    "mask_parts": Label("Parts of a mask", "spread", "parts", "Mean number of parts."),
    "mask_vertices": Label("Vertices", "spread", "vertices", "Mean number of vertices."),
    "class_kl": Label("KL of the classes", "divergence", "nats", "KL(labels ‖ human), by class."),
    "tail_class_mass": Label(
        "Labels in tail classes", "tails", _SHARE, "Share of the labels that rare classes have."
    ),
    "classes_gone": Label("Classes gone", "tails", "classes", "Human classes that no label is of."),
    "box_size": Label("Size of boxes", "spread", "share of a side", "Mean of √(w·h)."),
    "box_size_distance": Label(
        "Distance of box sizes", "divergence", "share of a side", "Wasserstein distance of √(w·h)."
    ),
    "boxes_per_image": Label("Labels per image", "spread", "labels", "Mean number of labels."),
    "boxes_distance": Label(
        "Distance of labels per image", "divergence", "labels", "Wasserstein distance."
    ),
    "empty_images": Label("Images without a label", "spread", _SHARE, "Share of such images."),
    "confidence": Label("Mean confidence", "fidelity", "confidence", "Of the labels kept."),
    "fusion": Label(
        "Fused predictions",
        "fidelity",
        _SHARE,
        "Share of the predicted instances that cover two or more human ones.",
    ),
    "fused_only": Label(
        "Found only fused",
        "fidelity",
        _SHARE,
        "Share of the human instances that only such predicted ones cover.",
    ),
    "matched": Label(
        "Human instances matched",
        "fidelity",
        _SHARE,
        "Share of the human instances that a predicted one matches, whatever its class.",
    ),
    "confusion": Label(
        "Labelled as another class",
        "fidelity",
        _SHARE,
        "Share of the matched human instances that are labelled as another class.",
    ),
}

_OF_CLASS = {
    "ap": Label("AP50–95", "fidelity", "precision", "Average precision over IoU .50 to .95 of {}."),
    "ap50": Label("AP50", "fidelity", "precision", "Average precision at IoU .50 of {}."),
    "mask_ap": Label(
        "Mask AP50–95", "fidelity", "precision", "Of masks of {}, over IoU .50 to .95."
    ),
    "mask_ap50": Label("Mask AP50", "fidelity", "precision", "Of masks of {}, at IoU .50."),
    "mask_area": Label("Area of masks", "spread", "share of the image", "Mean area of {}."),
    "mask_compactness": Label(
        "Compactness", "spread", "share of a disc's", "Mean of 4π · area / perimeter² of {}."
    ),
    "mask_parts": Label("Parts of a mask", "spread", "parts", "Mean number of parts of {}."),
    "mask_vertices": Label("Vertices", "spread", "vertices", "Mean number of vertices of {}."),
    "class_share": Label("Share", "spread", _SHARE, "Share of the labels that are {}."),
    "crop_coverage": Label(
        "Crop coverage", "fidelity", _SHARE, "Human crops of {} that new crops come near to."
    ),
    "crop_tail_coverage": Label(
        "Crop tail coverage", "tails", _SHARE, "The same, of the most unusual human crops of {}."
    ),
    "confusion": Label(
        "Labelled otherwise",
        "fidelity",
        _SHARE,
        "Share of the matched human instances of one class that are labelled as another: {}.",
    ),
}


def describe_loop(metric: str, labels: Mapping[str, Label], group: str = "panel") -> Label:
    """Return the label of any metric of a loop's frame.

    Parameters
    ----------
    metric
        Its name.
    labels
        What each metric of a comparison is called.
    group
        Its group in the frame.
    """
    if group == "parameter":
        known = labels.get(metric) or LOOP_LABELS.get(metric)
        plain = in_sentence(known.name) if known else metric.replace("_", " ")
        return Label(
            f"Model: {plain}", "spread", "as fitted", "A parameter that the model learned."
        )
    known = labels.get(metric) or LOOP_LABELS.get(metric)
    if known is not None:
        return known
    name, colon, task = metric.partition(":")
    if colon and name == "earlier_risk":
        return Label(
            f"Risk on the earlier task {task}",
            "fidelity",
            "loss",
            "Mean loss on a task that was learned before this loop began.",
        )
    return _describe_detection(metric) or describe(metric, labels)


def _describe_detection(metric: str) -> Label | None:
    """Return the label of a metric of detections, or None if it is none."""
    name, colon, of = metric.partition(":")
    if not colon:
        return _OF_DETECTIONS.get(name)
    label = _OF_CLASS.get(name)
    if label is None:
        return None
    return Label(f"{label.name}, {of}", label.group, label.unit, label.meaning.format(of))

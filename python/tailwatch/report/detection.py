"""The page of a study of detectors: which classes are left, how well they are found, and pictures.

A pure function of the study's frame, of the number of human boxes of each class, and of pictures
that are encoded already; so a page can be drawn again without the images.

The file is long because page, fragment and sentence say the same numbers in the same words.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.report.html import escape
from tailwatch.report.loop.panels import FRESH, figures
from tailwatch.report.loop.plots import arms_of, plots_of
from tailwatch.report.page import Section, fragment, fragment_mark, page, run_details
from tailwatch.report.words import Number, percent, write
from tailwatch.text_form import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailwatch.report.loop.plots import Arm

__all__ = [
    "TELLING",
    "Picture",
    "classes_in_words",
    "detection_fragment",
    "detection_page",
    "drawn_classes",
    "listed",
    "of_classes",
    "of_metrics",
    "of_pairs",
    "sentence_of_study",
    "terms",
]

MOST_PAIRS = 12
"""Pairs of confused classes that are drawn: those with the largest share anywhere."""

MOST_CLASSES = 30
"""Classes that are drawn: half of them the most frequent, half the rarest."""

CONTROL = "the arm that learns from human data alone"
"""The null of precision and of confusion, which have none within a run."""

HUMAN_LABELS = "human labels against themselves"
"""The null of fusion."""

TELLING = ("tail_class_mass", "classes_gone", "map50", "mask_map50")
"""What tells most of a study."""

MANY = 10
"""Classes from which on the decimals of their mean number say nothing."""

LEAST_PRECISION = 0.05
"""A mAP50 below this is next to that of random weights, and labels by such a detector are noise."""

TERMS = {
    "Tail classes": "The rarest classes, which together have at most a tenth of the human labels.",
    "Class share": "Share of the labels that are of a class; the band is that of human images.",
    "KL of the classes": "Sum of q ln(q/p) of the shares of the classes, in nats: 0 when nothing "
    "happened, but for what chance makes of it, which is the band.",
    "Classes gone": "Classes of the human data that no label is of.",
    "Crop coverage": "Share of the human crops of a class that a crop of the new labels comes as "
    "near to as other human crops do, in an encoder that stays the same.",
    "Fused": "A predicted instance that covers two or more human ones: it has at least half of the "
    "area of the smaller one in common with each. Human instances do so too: that is the band.",
    "Matched": "A human instance to which a predicted one belongs: intersection over union of "
    "at least a half, by confidence and whatever the class; the two may be of different classes.",
    "AP50": "Average precision on human boxes at an intersection over union of a half.",
    "Control": "Human data alone, trained as often and as long: what training does by itself.",
}

TERMS_OF_MASKS = {
    "Mask AP50": "Average precision on human masks: at least a half of the pixels that either of "
    "two masks has are in both.",
    "Compactness": "4π · area / perimeter²: 1 for a disc, less for all else.",
    "Parts, vertices": "Parts of a mask, and corners of its polygon.",
}

PRECISIONS = {"map50": "mAP50", "mask_map50": "mask mAP50"}

SHAPES = ("mask_area", "mask_compactness", "mask_parts", "mask_vertices")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image with its boxes, as one generation of one run labelled it.

    Attributes
    ----------
    image
        What the image is called; pictures of one name stand side by side.
    caption
        Under it.
    content
        A JPEG.
    """

    image: str
    caption: str
    content: bytes


def detection_page(
    frame: pl.DataFrame,
    *,
    classes: Mapping[str, int],
    arguments: Mapping[str, Any],
    pictures: Sequence[Picture] = (),
    confidence: float = 0.95,
    remarks: Sequence[str] = (),
    held_out: bool = True,
) -> str:
    """Return the page of a study as one HTML document that needs nothing else.

    Parameters
    ----------
    frame
        In the schema of a run's frame; runs are told apart by column ``run``.
    classes
        Human boxes of each class.
    arguments
        What was run.
    pictures
        Images with boxes; those of one image in a row.
    confidence
        Of the intervals.
    remarks
        What has to be said of the data before a number is read.
    held_out
        Whether no image that measures precision is learned from.
    """
    arms = arms_of(frame)
    said = percent(confidence)
    drawn = drawn_classes(classes)
    precise = frame.filter(pl.col("metric") == "map50")
    segments = _precision_of(frame) == "mask_map50"
    drawn_by_people = "instances" if segments else "boxes"
    over_seeds = precise["low"].is_not_null().any()
    sections = [
        Section("What to know of the data", listed(remarks)),
        Section(
            "Classes by generation",
            "<p>The share of each class in the labels of each generation, from frequent to rare. "
            "A class that leaves its band is gaining or losing ground; at 0 it is gone.</p>"
            + _counted(frame, "class_share", "labelled images", "first ones")
            + of_classes(frame, arms, "class_share", drawn, said),
        ),
        Section(
            "What became of the tail classes",
            of_metrics(
                frame,
                arms,
                (
                    "tail_class_mass",
                    "classes_gone",
                    "type_coverage",
                    "class_kl",
                    "crop_coverage:tail classes",
                    "crop_tail_coverage:tail classes",
                ),
                "tails",
                said,
            ),
        ),
        Section(
            "Average precision",
            f"<p>{_measured_on(drawn_by_people, held_out=held_out, remarks=remarks)}</p>"
            + _counted(frame, "map50", "", "test images")
            + of_metrics(
                frame,
                arms,
                ("mask_map50", "mask_map", "map50", "map"),
                "precision",
                said,
                null=CONTROL,
            )
            + "<h3>By class</h3>"
            + of_classes(
                frame, arms, "mask_ap50" if segments else "ap50", drawn, said, null=CONTROL
            ),
        ),
        Section(
            "Shapes of the masks",
            "<p>Means over the instances; the band is that of human images.</p>"
            + of_metrics(frame, arms, SHAPES, "shapes", said)
            + "<h3>Area by class</h3>"
            + of_classes(frame, arms, "mask_area", drawn, said)
            if segments
            else "",
        ),
        Section(
            "What runs together",
            "<p>Instances that people tell apart and the detector does not, on the images that "
            "measure precision; and classes that it takes for each other.</p>"
            + of_metrics(frame, arms, ("fusion", "fused_only"), "fusion", said, null=HUMAN_LABELS)
            + of_metrics(frame, arms, ("matched", "confusion"), "matched", said, null=CONTROL)
            + of_pairs(frame, arms, said, null=CONTROL),
        ),
        Section("The same images, first and last generation", _gallery(pictures)),
        Section(
            "What hardly moves",
            "<p>Numbers that are often watched, and say little of a class that dies.</p>"
            + of_metrics(
                frame,
                arms,
                (
                    "confidence",
                    "boxes_per_image",
                    "empty_images",
                    "box_size",
                    "box_size_distance",
                    "boxes_distance",
                ),
                "others",
                said,
            ),
        ),
        Section("What each number means", terms(segments=segments)),
        Section("What was run", run_details(arguments)),
    ]
    generations = frame["generation"].max()
    return page(
        kind="tailwatch yolo-loop",
        subject=", ".join(arm.name for arm in arms),
        sentence=sentence_of_study(frame, held_out=held_out),
        facts={
            "Generations": str(generations),
            "Classes": str(len(classes)),
            f"Human {drawn_by_people}": str(sum(classes.values())),
            "Held out": "yes" if held_out else "no",
            "Intervals": said if over_seeds else "none: one seed",
        },
        sections=[section for section in sections if section.body],
        foot="This file holds aggregated numbers and the pictures shown, and loads nothing.",
    )


def detection_fragment(
    frame: pl.DataFrame,
    *,
    confidence: float = 0.95,
    remarks: Sequence[str] = (),
    held_out: bool = True,
) -> str:
    """Return the sentence, remarks, tails and precision as an element for a notebook.

    The arguments are those of :func:`detection_page`.
    """
    sentence = sentence_of_study(frame, held_out=held_out)
    mark = fragment_mark(sentence, frame)
    drawn = of_metrics(frame, arms_of(frame), TELLING, f"study-{mark}", percent(confidence))
    return fragment(sentence=sentence, body=listed(remarks) + drawn)


def listed(remarks: Sequence[str]) -> str:
    """Return remarks as a list; nothing without any."""
    items = "".join(f"<li>{escape(visible(remark))}</li>" for remark in remarks)
    return f"<ul>{items}</ul>" if items else ""


def _counted(frame: pl.DataFrame, metric: str, candidates: str, references: str) -> str:
    """Say how many images the numbers of a metric are of."""
    rows = frame.filter(pl.col("metric").str.split(":").list.first() == metric)
    said = []
    for column, what in (("n_candidate", candidates), ("n_reference", references)):
        numbers = rows[column].drop_nulls().unique().sort().to_list()
        if numbers and what:
            # Seeds may have data of their own.
            number = " to ".join(f"{each:,}" for each in dict.fromkeys((numbers[0], numbers[-1])))
            said.append(f"{number} {what}")
    return f"<p>Each number is of {' and '.join(said)}.</p>" if said else ""


def _measured_on(labels: str, *, held_out: bool, remarks: Sequence[str]) -> str:
    """Say what precision is measured on; labels are boxes or instances."""
    unknown = any(remark.startswith("origin unknown") for remark in remarks)
    boxes = f"{labels} of unknown origin" if unknown else f"human {labels}"
    if held_out:
        return f"On {boxes}, on images that no generation learned from."
    return (
        f"On {boxes}, on images of which some are learned from: not held out, so that these "
        "numbers are higher than on new images."
    )


def sentence_of_study(frame: pl.DataFrame, *, held_out: bool = True) -> str:
    """Say for each run what became of classes and precision, first generation to last.

    Where the first generation has learnt nothing, or labels nothing, nothing can be lost, and that
    alone is said.
    """
    nothing = _learnt_nothing(frame) or _labelled_nothing(frame)
    if nothing is not None:
        return nothing
    metric = _precision_of(frame)
    words = PRECISIONS[metric]
    parts = [] if held_out else ["Not held out: precision is measured on images learned from"]
    for name in frame["run"].unique(maintain_order=True):
        of_run = frame.filter(pl.col("run") == name)
        gone = _ends(of_run, "classes_gone")
        precision = _ends(of_run, metric)
        if gone is None or precision is None or precision[1].value is None:
            continue
        first, last = (write(each).value for each in precision)
        interval = write(precision[1]).interval
        classes = classes_in_words(gone[1].value or 0.0, "gone") or "no class is gone"
        # What is gone from the beginning was not lost on the way.
        if gone[1].value and gone[0].value == gone[1].value:
            classes += ", as in the first generation,"
        parts.append(
            f"{name}: {classes} and {words} goes from {first} to {last}"
            + (f" {interval}" if interval else "")
        )
    return "; ".join(parts) + "." if len(parts) > (not held_out) else "Nothing was measured."


def classes_in_words(number: float, what: str) -> str:
    """Say that so many classes, a mean perhaps, are `what`; nothing of none."""
    if not number:
        return ""
    written = f"{number:.2g}" if number < MANY else f"{number:.0f}"
    return f"{written} {'class is' if written == '1' else 'classes are'} {what}"


def _learnt_nothing(frame: pl.DataFrame) -> str | None:
    """Say that no run has learnt anything, by the precision of its first generation."""
    metric = _precision_of(frame)
    first = frame.filter(metric=metric, generation=1).sort("value", descending=True)
    if first["value"].drop_nulls().is_empty() or first["value"].drop_nulls()[0] >= LEAST_PRECISION:
        return None
    best = write(Number(*first.select("value", "low", "high").row(0)))
    interval = f" {best.interval}" if best.interval else ""
    return (
        f"Nothing was learnt, so nothing can be lost: the first generation has a "
        f"{PRECISIONS[metric]} of "
        f"{best.value}{interval}. It needs more epochs, more images, or weights to begin with."
    )


def _labelled_nothing(frame: pl.DataFrame) -> str | None:
    """Say that the first generation puts a label on no image, in no run."""
    empty = frame.filter(metric="empty_images", generation=1)["value"].drop_nulls()
    if empty.is_empty() or (empty < 1).any():
        return None
    return (
        "Nothing is labelled, so nothing can be lost: on no image does the first generation find "
        "anything that it is sure enough of. It needs a lower confidence, more epochs, or weights "
        "to begin with."
    )


def _precision_of(frame: pl.DataFrame) -> str:
    """Return the precision that tells of this study: of masks, where there are masks."""
    return "mask_map50" if (frame["metric"] == "mask_map50").any() else "map50"


def _ends(of_run: pl.DataFrame, metric: str) -> tuple[Number, Number] | None:
    rows = of_run.filter(pl.col("metric") == metric).sort("generation")
    found = [Number(*each) for each in rows.select("value", "low", "high").iter_rows()]
    return (found[0], found[-1]) if found else None


def drawn_classes(classes: Mapping[str, int]) -> list[str]:
    """Names of the classes that are drawn, from frequent to rare."""
    order = sorted((name for name in classes if classes[name]), key=lambda name: -classes[name])
    if len(order) <= MOST_CLASSES:
        return order
    half = MOST_CLASSES // 2
    return [*order[:half], *order[-half:]]


def of_classes(
    frame: pl.DataFrame,
    arms: Sequence[Arm],
    metric: str,
    names: Sequence[str],
    confidence: str,
    *,
    step: str = "generation",
    null: str = FRESH,
) -> str:
    """Draw a metric of each class."""
    wanted = [f"{metric}:{name}" for name in names]
    return of_metrics(frame, arms, wanted, metric, confidence, step=step, null=null)


def of_metrics(
    frame: pl.DataFrame,
    arms: Sequence[Arm],
    metrics: Sequence[str],
    name: str,
    confidence: str,
    *,
    step: str = "generation",
    null: str = FRESH,
) -> str:
    """Draw metrics by generation, or by another `step`, under ids that begin with `name`."""
    # None of these is a metric of a comparison: their words are those of loops.
    plots = plots_of(frame.filter(pl.col("metric").is_in(metrics)), arms, {}, metrics)
    if not plots:
        return "<p>Not measured.</p>"
    return figures(
        plots, arms, name=name, confidence=confidence, from_zero=True, step=step, null=null
    )


def of_pairs(
    frame: pl.DataFrame,
    arms: Sequence[Arm],
    confidence: str,
    *,
    step: str = "generation",
    null: str = FRESH,
) -> str:
    """Draw the pairs of classes that are confused most; nothing where none is."""
    pairs = (
        frame.filter(pl.col("metric").str.starts_with("confusion:"), pl.col("value") > 0)
        .group_by("metric", maintain_order=True)
        .agg(pl.col("value").max())
        .sort("value", descending=True, maintain_order=True)["metric"]
    )
    if pairs.is_empty():
        return ""
    drawn = pairs.head(MOST_PAIRS).to_list()
    many = f"{len(drawn)} of {len(pairs)} pairs that were measured" * (len(pairs) > len(drawn))
    return f"<h3>Human class → class as labelled{f': {many}' if many else ''}</h3>" + of_metrics(
        frame, arms, drawn, "confusion", confidence, step=step, null=null
    )


def _gallery(pictures: Sequence[Picture]) -> str:
    """Put the pictures of each image side by side."""
    rows: dict[str, list[Picture]] = {}
    for picture in pictures:
        rows.setdefault(picture.image, []).append(picture)
    parts = []
    for row in rows.values():
        cells = "".join(
            f'<div class="tw-panel"><p>{escape(picture.caption)}</p>'
            f'<img alt="{escape(picture.caption)}" style="width:100%" '
            f'src="data:image/jpeg;base64,{base64.b64encode(picture.content).decode()}"></div>'
            for picture in row
        )
        parts.append(f'<figure><div class="tw-panels">{cells}</div></figure>')
    if not parts:
        return ""
    return (
        "<p>Chosen because the labels of tail classes differ most between the first and the last "
        "generation: they show what was lost and are no sample of all images.</p>" + "".join(parts)
    )


def terms(*, segments: bool) -> str:
    """Return what each number means."""
    said = TERMS | TERMS_OF_MASKS if segments else TERMS
    entries = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in said.items())
    return f"<dl>{entries}</dl>"

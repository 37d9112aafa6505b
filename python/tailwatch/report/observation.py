"""The page of observed models: what a training, or models side by side, make of human images.

A pure function of a frame in the schema of a run's, of the number of human boxes of each class, and
of what was done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.report.detection import (
    HUMAN_LABELS,
    SHAPES,
    classes_in_words,
    drawn_classes,
    listed,
    of_classes,
    of_metrics,
    of_pairs,
    terms,
)
from tailwatch.report.loop.panels import FRESH
from tailwatch.report.loop.plots import arms_of
from tailwatch.report.page import Section, fragment, fragment_mark, page, run_details
from tailwatch.report.words import Number, percent, written_shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

__all__ = ["OBSERVED", "observation_fragment", "observation_page", "sentence_of_observation"]

RUNS_TOGETHER = "What runs together"

OBSERVED = ("tail_class_mass", "classes_gone", "fusion", "confusion")
"""What tells most of observed models."""


def observation_page(
    frame: pl.DataFrame,
    *,
    classes: Mapping[str, int],
    arguments: Mapping[str, Any],
    confidence: float,
    remarks: Sequence[str],
    step: str,
    held_out: bool = True,
) -> str:
    """Return the page as one HTML document that needs nothing else.

    Parameters
    ----------
    frame
        In the schema of a run's frame; its column ``generation`` counts steps.
    classes
        Human boxes of each class.
    arguments
        What was done.
    confidence
        Of the intervals.
    remarks
        What has to be said of the data before a number is read.
    step
        What ``generation`` counts: ``"epoch"`` or ``"model"``.
    held_out
        Whether no image that is predicted is known to be learned from.
    """
    arms = arms_of(frame)
    said = percent(confidence)
    drawn = drawn_classes(classes)
    segments = not frame.filter(metric="mask_area").is_empty()
    titled = {
        "What is left of the classes": (
            *("tail_class_mass", "classes_gone", "type_coverage", "class_kl"),
            *("crop_coverage:tail classes", "crop_tail_coverage:tail classes"),
            *("crop_coverage:all classes", "crop_tail_coverage:all classes"),
        ),
        RUNS_TOGETHER: ("fusion", "fused_only", "matched", "confusion"),
        "Average precision": ("mask_map50", "mask_map", "map50", "map"),
        "Shapes of the masks": SHAPES,
        "Boxes and images": (
            *("confidence", "boxes_per_image", "empty_images", "box_size", "box_size_distance"),
            "boxes_distance",
        ),
    }
    bodies = {
        title: of_metrics(
            frame,
            arms,
            metrics,
            f"part-{place}",
            said,
            step=step,
            null=HUMAN_LABELS if title == RUNS_TOGETHER else FRESH,
        )
        for place, (title, metrics) in enumerate(titled.items())
    }
    bodies[RUNS_TOGETHER] += of_pairs(frame, arms, said, step=step)
    sections = [
        Section("What to know of the data", listed(remarks)),
        *(Section(title, body) for title, body in bodies.items()),
        Section("Classes", of_classes(frame, arms, "class_share", drawn, said, step=step)),
        Section("What each number means", terms(segments=segments)),
        Section("What was observed", run_details(arguments)),
    ]
    return page(
        kind="tailwatch observation",
        subject=", ".join(arm.name for arm in arms) or "nothing yet",
        sentence=sentence_of_observation(frame, step, held_out=held_out),
        facts={
            "Models": str(frame["run"].n_unique()),
            "Classes": str(len(classes)),
            f"Human {'instances' if segments else 'boxes'}": str(sum(classes.values())),
            "Intervals": said,
        },
        sections=[section for section in sections if section.body],
        foot="This file holds aggregated numbers, and loads nothing.",
    )


def observation_fragment(
    frame: pl.DataFrame,
    *,
    confidence: float,
    remarks: Sequence[str],
    step: str,
    held_out: bool = True,
) -> str:
    """Return the sentence, remarks and what tells most as an element for a notebook."""
    sentence = sentence_of_observation(frame, step, held_out=held_out)
    name = f"observation-{fragment_mark(sentence, frame)}"
    drawn = of_metrics(frame, arms_of(frame), OBSERVED, name, percent(confidence), step=step)
    return fragment(sentence=sentence, body=listed(remarks) + drawn)


def sentence_of_observation(frame: pl.DataFrame, step: str, *, held_out: bool = True) -> str:
    """Say for each run what is left of the classes, and what is fused and confused, at its end."""
    parts = [] if held_out else ["Not held out: images that are predicted were learned from"]
    for name in frame["run"].unique(maintain_order=True):
        of_run = frame.filter(run=name)
        last = of_run["generation"].to_list()[-1]
        at_end = of_run.filter(generation=last)
        gone = _number(at_end, "classes_gone")
        if gone is None or gone.value is None:
            continue
        classes = classes_in_words(gone.value, "not found") or "every class is found"
        empty = _number(at_end, "empty_images")
        if empty is not None and empty.value == 1:
            classes = "nothing is found"
        where = f" after {step} {last}" if step == "epoch" else ""
        told = [f"{name}: {classes}{where}"]
        for metric, words in (("fusion", "fused"), ("confusion", "labelled as another class")):
            found = _number(at_end, metric)
            if found is not None and found.value is not None:
                written = written_shares(found)
                share = f"{written.value} {written.interval or ''}".strip()
                told.append(f"{share if found.value else 'none'} {words}")
        parts.append(", ".join(told))
    return "; ".join(parts) + "." if len(parts) > (not held_out) else "Nothing was measured."


def _number(rows: pl.DataFrame, metric: str) -> Number | None:
    found = rows.filter(metric=metric).select("value", "low", "high").rows()
    return Number(*found[0]) if found else None

"""From a study to its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.report.detection import detection_page
from tailwatch.yolo.dataset import DetectionDataset
from tailwatch.yolo.naming import class_labels
from tailwatch.yolo.pictures import side_by_side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from tailwatch.recursion.result import Run

__all__ = ["study_page"]


def study_page(
    frame: pl.DataFrame,
    runs: Mapping[int, Mapping[str, Run]],
    human: DetectionDataset,
    *,
    generations: int,
    confidence: float,
    remarks: Sequence[str] = (),
    held_out: bool = True,
) -> str:
    """Draw a study, with pictures of its first seed.

    Parameters
    ----------
    frame
        Means and intervals over seeds.
    runs
        By seed and arm; their directories have what was labelled.
    human
        Human data of the first seed.
    generations
        Of each run.
    confidence
        Of the intervals.
    remarks
        What has to be said of the data.
    held_out
        Whether no test image is learned from.
    """
    first = next(iter(runs.values()))
    samples = {
        label: (_samples(run.directory, 1), _samples(run.directory, generations))
        for label, run in first.items()
        if run.directory is not None
    }
    labels, counts = class_labels(human.names), human.class_totals()
    return detection_page(
        frame,
        classes={name: int(count) for name, count in zip(labels, counts, strict=True)},
        arguments=_arguments(runs),
        pictures=side_by_side(human, samples),
        confidence=confidence,
        remarks=remarks,
        held_out=held_out,
    )


def _samples(directory: Path, generation: int) -> DetectionDataset:
    return DetectionDataset.load(directory / "generations" / f"{generation:04d}" / "samples")


def _arguments(runs: Mapping[int, Mapping[str, Run]]) -> dict[str, Any]:
    """Say what was run: what the first run was, and what differs between them."""
    first = next(iter(runs.values()))
    arguments = dict(next(iter(first.values())).arguments)
    arguments.pop("label", None)
    return {
        **arguments,
        "policy": {label: run.arguments["policy"] for label, run in first.items()},
        "seed": list(runs),
    }

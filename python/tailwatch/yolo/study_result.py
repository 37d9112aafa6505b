"""What came of a study: its frames, its runs, and what its page shows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from tailwatch.recursion.frame import SCHEMA
from tailwatch.recursion.result import Run
from tailwatch.report.detection import (
    TELLING,
    Picture,
    detection_fragment,
    detection_page,
    sentence_of_study,
)
from tailwatch.results import Result
from tailwatch.text_form import path_of, path_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from altair import FacetChart

__all__ = ["SEEDS", "Study"]

SEEDS: dict[str, type[pl.DataType]] = {**SCHEMA, "seed": pl.Int64}
"""Columns of the runs of all seeds below each other."""


@dataclass(frozen=True, repr=False, eq=False)
class Study(Result):
    """What came of a study.

    Attributes
    ----------
    frame
        All arms in the schema of a run's frame: means and intervals over seeds.
    seeds
        The runs of every seed below each other, with a column ``seed``.
    runs
        The runs, by seed and arm. Those of a study that was loaded have no samples at hand.
    directory
        The folder of the study.
    remarks
        What has to be said of the data: labels of unknown origin, test images that are learned
        from, images that were left out.
    held_out
        Whether no test image is learned from, in any seed.
    confidence
        Confidence of the intervals.
    classes
        Human boxes of each class, in the first seed.
    pictures
        Images of the first seed with the boxes of the first and the last generation.
    """

    KIND = "study"
    TABLES: ClassVar = {"frame": SCHEMA, "seeds": SEEDS}

    frame: pl.DataFrame
    seeds: pl.DataFrame
    runs: Mapping[int, Mapping[str, Run]]
    directory: Path = field(default_factory=Path)
    remarks: tuple[str, ...] = ()
    held_out: bool = True
    confidence: float = 0.95
    classes: Mapping[str, int] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()

    @property
    def sentence(self) -> str:
        """What became of classes and precision in each arm, in words."""
        return sentence_of_study(self.frame, held_out=self.held_out)

    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""
        return detection_page(
            self.frame,
            classes=self.classes,
            arguments=self._arguments(),
            pictures=self.pictures,
            confidence=self.confidence,
            remarks=self.remarks,
            held_out=self.held_out,
        )

    def plot(self, metrics: str | Sequence[str] | None = None) -> FacetChart:
        """Return metrics by generation as an Altair chart, to look at and to change.

        Needs the extra: ``pip install 'tailwatch[plot]'``.

        Parameters
        ----------
        metrics
            Names of metrics; by default those of tail classes and precision.

        Raises
        ------
        MissingDependencyError
            Altair is not installed.
        InputError
            A metric that the frame does not have.
        """
        from tailwatch.report.altair_charts import plot_generations

        measured = self.frame["metric"].unique()
        telling = [metric for metric in TELLING if (measured == metric).any()]
        return plot_generations(self.frame, metrics or telling or None)

    def _repr_html_(self) -> str:
        return detection_fragment(
            self.frame,
            confidence=self.confidence,
            remarks=self.remarks,
            held_out=self.held_out,
        )

    def _document(self) -> dict[str, Any]:
        return {
            "sentence": self.sentence,
            "arguments": self._arguments(),
            "remarks": list(self.remarks),
            "held_out": self.held_out,
            "classes": dict(self.classes),
            "frame": self.frame,
            "seeds": self.seeds,
        }

    def _arguments(self) -> dict[str, Any]:
        """Return the arguments of the first run, with the policies and seeds of all."""
        first = next(iter(self.runs.values()))
        arguments = dict(next(iter(first.values())).arguments)
        arguments.pop("label", None)
        return {
            **arguments,
            "policy": {label: run.arguments["policy"] for label, run in first.items()},
            "seed": list(self.runs),
        }

    def _parts(self) -> dict[str, Any]:
        runs = [
            [
                seed,
                label,
                run.arguments,
                None if run.directory is None else path_text(run.directory),
            ]
            for seed, of_seed in self.runs.items()
            for label, run in of_seed.items()
        ]
        return {
            "frame": self.frame,
            "seeds": self.seeds,
            # Lists for tuples, as they are read.
            "runs": json.loads(json.dumps(runs)),
            "directory": path_text(self.directory),
            "remarks": list(self.remarks),
            "held_out": self.held_out,
            "confidence": self.confidence,
            "classes": dict(self.classes),
            "captions": [[picture.image, picture.caption] for picture in self.pictures],
            **{_blob(place): each.content for place, each in enumerate(self.pictures)},
        }

    @classmethod
    def _of_parts(cls, parts: dict[str, Any]) -> Self:
        seeds = parts["seeds"]
        runs: dict[int, dict[str, Run]] = {}
        for seed, label, arguments, directory in parts["runs"]:
            of_run = seeds.filter(seed=seed, run=label).drop("seed")
            place = None if directory is None else path_of(directory)
            runs.setdefault(seed, {})[label] = Run(of_run, arguments, place)
        return cls(
            parts["frame"],
            seeds,
            runs,
            path_of(parts["directory"]),
            tuple(parts["remarks"]),
            parts["held_out"],
            parts["confidence"],
            parts["classes"],
            tuple(
                Picture(image, caption, parts[_blob(place)])
                for place, (image, caption) in enumerate(parts["captions"])
            ),
        )


def _blob(place: int) -> str:
    return f"picture {place}"

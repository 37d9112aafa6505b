"""What came of a study: the runs of its seeds as one frame, and what its page shows.

For each arm, generation, metric and level, over the seeds that measured it:

==============  ================================================================================
column          content
==============  ================================================================================
``value``       mean over seeds, with the t interval mean ± t · sd/√n, cut where the metric ends
``null``        mean over seeds of what each run gives; for average precision, risk and confusion,
                which have none within a run, the control arm at the same generation
``retention``   value over null, where less is a loss, with the errors of both in its interval
==============  ================================================================================

Data and training are new with each seed where the study makes them so; then the interval is for a
new experiment of this kind. With one seed there is no interval over seeds, and ``reason`` says so.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl

from tailwatch.comparison.intervals import ratio_of
from tailwatch.comparison.registry import LABELS
from tailwatch.distributions import t_quantile
from tailwatch.recursion.frame import SCHEMA, frame_of, joined
from tailwatch.recursion.result import Run
from tailwatch.report.detection import (
    TELLING,
    Picture,
    detection_fragment,
    detection_page,
    sentence_of_study,
)
from tailwatch.report.loop.verdicts import alarm_in_words, named
from tailwatch.report.words import counted
from tailwatch.results import Result, plain
from tailwatch.text_form import path_of, path_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from altair import FacetChart

__all__ = ["CONTROL", "CONTROL_OF_UNKNOWN", "SEEDS", "Study", "over_seeds"]

CONTROL = "human only"
"""Label of the control arm."""

CONTROL_OF_UNKNOWN = "first data only"
"""Its label where nobody has said that the first data are human."""

MOST_METHODS = 3
"""Different methods of single seeds that are quoted."""

KEY = ("run", "generation", "group", "metric", "level")

SHARES = frozenset(
    {
        *("class_share", "tail_class_mass", "type_coverage", "empty_images", "confidence"),
        *("crop_coverage", "crop_tail_coverage", "map", "map50", "ap", "ap50"),
        *("fusion", "fused_only", "matched", "confusion"),
        *("mask_map", "mask_map50", "mask_ap", "mask_ap50", "mask_area"),
    }
)
PRECISIONS = frozenset({"map", "map50", "ap", "ap50"})
CONTROLLED = PRECISIONS | {f"mask_{name}" for name in PRECISIONS} | {"matched", "confusion"}
"""Metrics that have no null within a run."""

NOT_NEGATIVE = frozenset(
    {
        *("classes_gone", "class_kl", "box_size", "box_size_distance"),
        *("boxes_per_image", "boxes_distance"),
        *("mask_compactness", "mask_parts", "mask_vertices"),
    }
)

SEEDS: dict[str, type[pl.DataType]] = {**SCHEMA, "seed": pl.Int64}
"""Columns of the runs of all seeds below each other."""


def over_seeds(frames: Mapping[int, pl.DataFrame], *, confidence: float = 0.95) -> pl.DataFrame:
    """Return one frame of the runs of several seeds: means, and intervals over the seeds.

    Parameters
    ----------
    frames
        By seed, the frames of all arms below each other.
    confidence
        Confidence of the intervals.

    Returns
    -------
    polars.DataFrame
        In the schema of a run's frame.
    """
    numbered = pl.concat(
        [frame.with_columns(seed=pl.lit(seed)) for seed, frame in sorted(frames.items())]
    )
    groups = numbered.group_by(KEY, maintain_order=True)
    rows = [_joined(part, len(frames), confidence) for _, part in groups]
    control = {
        (each["generation"], each["metric"], each["level"]): each
        for each in rows
        if each["run"] in {CONTROL, CONTROL_OF_UNKNOWN}
    }
    for each in rows:
        beside = control.get((each["generation"], each["metric"], each["level"]))
        if each["null"] is None and beside is not None and _is_controlled(each):
            each |= {
                "null": beside["value"],
                "null_low": beside["low"],
                "null_high": beside["high"],
                "reason": joined(each["reason"], f"the null is the arm {beside['run']!r}"),
            }
        value, null = (
            tuple(each[name] for name in names)
            for names in (("value", "low", "high"), ("null", "null_low", "null_high"))
        )
        if None not in (value[0], null[0]) and each["direction"] in {"higher", "match"}:
            kept = ratio_of(value, null)
            each |= dict(zip(("retention", "retention_low", "retention_high"), kept, strict=True))
        # What has to be said of the data of a seed has to be said of the mean.
        of_seed = each.pop("of_seed")
        each["reason"] = joined(each["reason"], f"of each seed: {of_seed}" if of_seed else None)
    return frame_of(rows).select(list(SCHEMA))


def _is_controlled(row: dict[str, Any]) -> bool:
    """Return whether the control arm says what a metric is where nothing happened."""
    return row["group"] == "risk" or row["metric"].partition(":")[0] in CONTROLLED


def _bounds(row: dict[str, Any]) -> tuple[float, float]:
    """Return the least and the largest value that a metric can have."""
    name = row["metric"].partition(":")[0]
    if name in SHARES or row["group"] == "risk":
        return 0.0, 1.0
    return (0.0 if name in NOT_NEGATIVE else -math.inf), math.inf


def _joined(part: pl.DataFrame, seeds: int, confidence: float) -> dict[str, Any]:
    """Return mean and interval of one metric, over those of the seeds that measured it."""
    row = part.drop("seed").row(0, named=True)
    row |= dict.fromkeys(("low", "high", "null_low", "null_high", "standard_error"))
    row |= dict.fromkeys(("retention", "retention_low", "retention_high"))
    said = part.select("method", "reason").unique(maintain_order=True).rows()
    row["of_seed"] = " / ".join(filter(None, (joined(*each) for each in said[:MOST_METHODS])))
    row |= {"method": None, "reason": None}
    values, nulls = (part[name].drop_nulls().drop_nans().to_numpy() for name in ("value", "null"))
    row["value"] = float(values.mean()) if values.size else None
    row["null"] = float(nulls.mean()) if nulls.size else None
    if nulls.size:
        lows, highs = part["null_low"].drop_nulls(), part["null_high"].drop_nulls()
        row["null_low"] = None if lows.is_empty() else float(lows.to_numpy().mean())
        row["null_high"] = None if highs.is_empty() else float(highs.to_numpy().mean())
    if values.size < 2:
        row["reason"] = f"{values.size} of {counted(seeds, 'seed')} measured it"
        return row
    error = values.std(ddof=1) / np.sqrt(values.size)
    reach = t_quantile((1 + confidence) / 2, values.size - 1) * error
    # What cannot be the truth is no part of an interval that holds it.
    least, most = _bounds(row)
    row["low"] = max(row["value"] - float(reach), least)
    row["high"] = min(row["value"] + float(reach), most)
    of = "" if values.size == seeds else f" of {seeds}"
    row["method"] = f"mean of {values.size}{of} seeds, t interval"
    return row


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
            remarks=(*self.remarks, *self.alarms_in_words()),
            held_out=self.held_out,
        )

    def alarms_in_words(self) -> list[str]:
        """Say of the runs whose alarm rang, or that were stopped, when and why: a line for each."""
        lines = []
        for seed, of_seed in self.runs.items():
            for label, run in of_seed.items():
                rang = "" if run.alarm is None else alarm_in_words(plain(run.alarm))
                said = [f"the alarm {named(rang, LABELS)}"] if rang else []
                said += run.stops().values()
                if said:
                    lines.append(f"{label}, seed {seed}: {'; '.join(said)}")
        return lines

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
        return plot_generations(self.frame, LABELS, metrics or telling or None)

    def _repr_html_(self) -> str:
        return detection_fragment(
            self.frame,
            confidence=self.confidence,
            remarks=(*self.remarks, *self.alarms_in_words()),
            held_out=self.held_out,
        )

    def _document(self) -> dict[str, Any]:
        return {
            "sentence": self.sentence,
            "arguments": self._arguments(),
            "remarks": list(self.remarks),
            "held_out": self.held_out,
            "classes": dict(self.classes),
            "alarms": [
                {"seed": seed, "run": label, "stopped": run.stopped, "alarm": plain(run.alarm)}
                for seed, of_seed in self.runs.items()
                for label, run in of_seed.items()
            ],
            "frame": self.frame,
            "seeds": self.seeds,
        }

    def _arguments(self) -> dict[str, Any]:
        """Return the arguments of the first run, with the policies and seeds of all."""
        first = next(iter(self.runs.values()))
        arguments = dict(next(iter(first.values())).arguments)
        # Metrics are those of a panel, which no study of detectors has.
        for name in ("label", "metrics"):
            arguments.pop(name, None)
        # A loop is told that its reference is one, and the study has looked.
        if isinstance(arguments.get("reference"), dict):
            arguments["reference"] = arguments["reference"] | {"held_out": self.held_out}
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
                run.stopped,
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
        for seed, label, arguments, directory, stopped in parts["runs"]:
            of_run = seeds.filter(seed=seed, run=label).drop("seed")
            place = None if directory is None else path_of(directory)
            runs.setdefault(seed, {})[label] = Run(of_run, arguments, place, stopped=stopped)
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

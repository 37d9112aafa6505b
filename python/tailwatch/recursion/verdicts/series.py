"""One metric through the generations of a run, read from its frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Series", "check_frame", "levels_of", "series_of"]

NEEDED = (
    "run",
    "generation",
    "group",
    "metric",
    "level",
    "value",
    "low",
    "high",
    "null",
    "null_low",
    "null_high",
    "retention",
    "retention_low",
    "retention_high",
    "n_reference",
    "n_candidate",
    "tail_rows",
)
"""Columns that verdicts read."""

NUMBERS = NEEDED[5:14]
COMPARED = ("panel", "moments")


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of one metric, one per generation in which it has a value.

    Attributes
    ----------
    name
        Metric, with its level.
    metric
        Metric alone.
    rows
        Rows of the frame, by ascending generation.
    numbers
        Columns of numbers by name; NaN where there is none.
    generations
        Generation of each row.
    """

    name: str
    metric: str
    rows: list[dict[str, Any]]
    numbers: dict[str, Array]
    generations: NDArray[np.int64]

    def __len__(self) -> int:
        """Count generations."""
        return len(self.rows)

    def __getitem__(self, column: str) -> Array:
        """Return one column."""
        return self.numbers[column]

    def part(self, places: slice | NDArray[np.bool_]) -> Series:
        """Return some of the generations."""
        rows = [self.rows[place] for place in np.arange(len(self.rows))[places]]
        numbers = {name: values[places] for name, values in self.numbers.items()}
        return Series(self.name, self.metric, rows, numbers, self.generations[places])


def check_frame(frame: object, name: str = "frame") -> pl.DataFrame:
    """Return the frame of one run."""
    if not isinstance(frame, pl.DataFrame):
        raise InputError(argument=name, expected="the frame of a run", got=type(frame).__name__)
    missing = [column for column in NEEDED if column not in frame.columns]
    if missing:
        raise InputError(
            argument=name, expected=f"the frame of a run, but it has no column {missing[0]!r}"
        )
    runs = frame["run"].unique(maintain_order=True).to_list()
    if len(runs) > 1:
        raise InputError(
            argument=name,
            expected="the frame of one run",
            got=f"{len(runs)}: {runs[0]!r}, {runs[1]!r}",
        )
    return frame


def series_of(
    frame: pl.DataFrame, metric: str, *groups: str, level: float | None = None
) -> Series | None:
    """Return a metric through the generations, or None if it was not measured.

    Parameters
    ----------
    frame
        As :func:`check_frame` returns it.
    metric
        Name of the metric.
    groups
        In which groups to look; in those that compare samples with human data by default.
    level
        The level, if the metric has several.

    Raises
    ------
    InputError
        Two values in one generation.
    """
    chosen = frame.filter(pl.col("metric") == metric, pl.col("value").is_not_null())
    chosen = chosen.filter(pl.col("group").is_in(groups or COMPARED))
    if level is not None:
        chosen = chosen.filter((pl.col("level") - level).abs() < 1e-9)
    if chosen.is_empty():
        return None
    rows = chosen.sort("generation").to_dicts()
    generations = np.array([row["generation"] for row in rows], dtype=np.int64)
    name = metric if level is None else f"{metric} at {level:g}"
    if len(np.unique(generations)) < len(generations):
        repeated = int(generations[1:][np.diff(generations) == 0][0])
        raise InputError(
            argument="frame",
            expected=f"one value of {name} in generation {repeated}",
            got="several",
        )
    numbers = {
        # What is None becomes NaN.
        column: np.array([row[column] for row in rows], dtype=np.float64)
        for column in NUMBERS
    }
    return Series(name, metric, rows, numbers, generations)


def levels_of(frame: pl.DataFrame, metric: str) -> list[float]:
    """Return the levels of a metric, the one with most rows first."""
    levels = frame.filter(pl.col("metric") == metric)["level"].drop_nulls().unique().to_list()
    return sorted((float(level) for level in levels), reverse=True)

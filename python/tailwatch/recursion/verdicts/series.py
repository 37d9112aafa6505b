"""One metric through the generations of a run, read from its frame, and its changes.

Changes have intervals that know their noise. What changes at random from one generation to the next
is noise, what adds up is signal. So noise is taken from successive differences (von Neumann 1941):
their variance about their mean is 2s² where values err independently about a straight line, and a
drift, however steep, adds nothing to it.

To this comes the error of each value, as the frame gives it. The held-out rows are the same ones in
all generations, so errors of different generations are added as if they were one error, which is
the most they can do.

Slopes are weighted by the frame's errors, and their own errors allow for residuals that follow each
other: with the lag-one correlation r of the residuals, corrected for its bias, the variance is
(1 + r)/(1 − r) times that of independent ones, and so many fewer residuals count. Where so few are
left that no line is honest, values are taken for a random walk: its steps are independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.distributions import normal_quantile, t_quantile
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    from numpy.typing import NDArray


__all__ = [
    "COMPARED",
    "DEGREES_OF_FREEDOM",
    "FEWEST",
    "NEEDED",
    "Change",
    "Series",
    "change",
    "check_frame",
    "drift",
    "levels_of",
    "pooled_stretch",
    "series_from",
    "series_of",
    "slope",
    "stretch",
    "window_length",
]

DEGREES_OF_FREEDOM = 10
"""Of t, by whose quantiles intervals are stretched: the fewest that half-samples have."""

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
"""Groups of the frame whose numbers have a null of human rows."""


def window_length(generations: int) -> int:
    """Return how many of the last generations speak for the end of a run: a third of them."""
    return max(1, -(-generations // 3))


def stretch(confidence: float, error: float) -> float:
    """Return how much longer an interval is that misses on either side with probability `error`."""
    given = t_quantile((1 - confidence) / 2, DEGREES_OF_FREEDOM)
    return t_quantile(error, DEGREES_OF_FREEDOM) / given


def pooled_stretch(first: float, second: float, confidence: float, error: float) -> float:
    """Return how much longer the interval of a difference is, by the freedom of both its errors.

    Two independent errors with ν degrees of freedom each have ν/(s² + (1 − s)²) together, with s
    the share of the first one's variance (Satterthwaite 1946): up to 2ν. With more than ν = 10 an
    interval is stretched less, down to the ratio of normal quantiles, which is the least. With 10
    for both it misses, at errors of some ten-thousandths, up to 1.3 times as often as it says.

    Parameters
    ----------
    first, second
        How far the intervals of both reach.
    confidence, error
        As in :func:`stretch`.
    """
    length = math.hypot(first, second)
    part = (first / length) ** 2 if length > 0 else 1.0
    side = (1 - confidence) / 2
    freedom = DEGREES_OF_FREEDOM / (part**2 + (1 - part) ** 2)
    pooled = t_quantile(error, freedom) / t_quantile(side, DEGREES_OF_FREEDOM)
    return max(pooled, normal_quantile(error) / normal_quantile(side))


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
            argument=name,
            expected="the frame of a run",
            got=f"one without a column {missing[0]!r}",
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
    return series_from(chosen.sort("generation").to_dicts(), metric, level)


def series_from(rows: list[dict[str, Any]], metric: str, level: float | None) -> Series:
    """Return the series of rows that are of one metric, in the order of their generations.

    Parameters
    ----------
    rows
        With the columns :data:`NEEDED`, and a value each.
    metric, level
        What they are of.

    Raises
    ------
    InputError
        Two values in one generation.
    """
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


FEWEST = 4
"""Values below which successive differences say nothing about noise."""


@dataclass(frozen=True, slots=True)
class Change:
    """A difference or a slope with its interval."""

    value: float
    low: float
    high: float


def change(
    values: Array, below: Array, above: Array, *, confidence: float, error: float
) -> Change | None:
    """Compare the last third of the values with the first value.

    Parameters
    ----------
    values, below, above
        One per generation, and how far their intervals reach; 0 where there are none.
    confidence
        Of these intervals.
    error
        Probability that the new interval misses on one side.

    Returns
    -------
    Change or None
        ``None`` for fewer than four values.
    """
    count = len(values)
    if count < FEWEST:
        return None
    last = slice(count - min(window_length(count), count - 1), None)
    length = count - int(last.start)
    differences = np.diff(values)
    noise = float(differences.var(ddof=1)) / 2
    # Successive differences share their values: two thirds of them are worth counting.
    freedom = max(2 * (count - 2) / 3, 1.0)
    of_noise = -t_quantile(error, freedom) * np.sqrt(noise * (1 + 1 / length))
    reach = stretch(confidence, error)
    moved = float(values[last].mean() - values[0])
    down = reach * np.hypot(below[last].mean(), above[0])
    up = reach * np.hypot(above[last].mean(), below[0])
    return Change(
        moved, moved - float(np.hypot(of_noise, down)), moved + float(np.hypot(of_noise, up))
    )


def slope(x: Array, y: Array, weights: Array, *, error: float) -> Change | None:
    """Fit a straight line, weighted, with an error that allows for autocorrelation.

    Parameters
    ----------
    x, y, weights
        Points in their order.
    error
        Probability that the interval misses on one side.

    Returns
    -------
    Change or None
        Of y per unit of x; ``None`` for fewer than four points, or too few that count.
    """
    count = len(x)
    if count < FEWEST:
        return None
    w = weights / weights.sum()
    centred = x - w @ x
    spread = float(w @ centred**2)
    value = float((w * centred) @ y) / spread
    residuals = np.sqrt(w * count) * (y - w @ y - value * centred)
    squares = float((residuals**2).sum())
    follows = 0.0
    if squares > 0:
        lagged = float((residuals[1:] * residuals[:-1]).sum()) / squares
        # Residuals of a line seem less correlated than they are, by about (1 + 4r)/n.
        follows = float(np.clip(lagged + (1 + 4 * lagged) / count, 0.0, 0.99))
    inflation = (1 + follows) / (1 - follows)
    freedom = count / inflation - 2
    if freedom < 1:
        return None
    variance = squares / (count - 2) / (count * spread) * inflation
    reach = -t_quantile(error, freedom) * np.sqrt(variance)
    return Change(value, value - float(reach), value + float(reach))


def drift(y: Array, *, error: float) -> Change | None:
    """Sum up the steps of a random walk, with an error from their spread.

    Parameters
    ----------
    y
        Values in their order.
    error
        Probability that the interval misses on one side.

    Returns
    -------
    Change or None
        From the first to the last value; ``None`` for fewer than four values.
    """
    if len(y) < FEWEST:
        return None
    steps = np.diff(y)
    count = len(steps)
    reach = -t_quantile(error, count - 1) * float(steps.std(ddof=1)) * count**0.5
    value = float(y[-1] - y[0])
    return Change(value, value - reach, value + reach)

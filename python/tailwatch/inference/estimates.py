"""An estimate: the value of a metric, its null, and what their errors are known from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ClosedVariance", "Estimate", "HalfSamples", "NoInterval", "Scale"]

Scale = Literal["share", "ratio"]
"""``share``: a count over a known total (times a constant); ``ratio``: positive, read on the log
scale."""


@dataclass(frozen=True, slots=True)
class HalfSamples:
    """Replicates on random halves, on the scale on which they spread symmetrically.

    Attributes
    ----------
    values, nulls
        The metric on each half-sample, shape (replicates,).
    scale
        On which standard errors are taken.
    total
        For shares: the rows that the share is taken of, in the whole sample.
    unit
        For shares: what the share was divided by (the level, for masses).
    """

    values: NDArray[np.float64]
    nulls: NDArray[np.float64]
    scale: Scale
    total: float = 0.0
    unit: float = 1.0


@dataclass(frozen=True, slots=True)
class ClosedVariance:
    """Sampling variances in closed form."""

    value: float
    null: float
    difference: float


@dataclass(frozen=True, slots=True)
class NoInterval:
    """No honest interval is known, and this is why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The value and null of one metric at one level.

    Attributes
    ----------
    metric
        Name of the metric.
    level
        Tail level, if it has one.
    value, null
        metric(A, C) and metric(A, B).
    error
        What the errors are known from.
    """

    metric: str
    level: float | None
    value: float
    null: float
    error: HalfSamples | ClosedVariance | NoInterval

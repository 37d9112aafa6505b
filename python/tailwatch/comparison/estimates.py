"""An estimate: the value of a metric, its null, and what their errors are known from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from tailwatch._core import NoValue

__all__ = ["ClosedVariance", "Estimate", "HalfSamples", "NoInterval", "Scale"]

Scale = Literal["share", "ratio", "real", "signed"]
"""On which errors are symmetric: ``share`` on the logit scale, ``ratio`` on the log scale, ``real``
as it is, where nothing is below 0, and ``signed`` as it is."""


@dataclass(frozen=True, slots=True)
class HalfSamples:
    """A metric on the whole samples and on random halves, in the form in which it was counted.

    Attributes
    ----------
    values, nulls
        Whole at index 0, then one entry per half-sample.
    scale
        On which standard errors are taken.
    total
        For shares: the rows of the whole that the share is taken of.
    complementary
        Whether every second half is the complement of the one before it.
    kept
        Share of the rows that a replicate holds.
    present
        From the counted form to the metric: increasing. Masses are shares over their level, odds a
        function of a share.
    """

    values: NDArray[np.float64]
    nulls: NDArray[np.float64]
    scale: Scale
    total: float = 0.0
    complementary: bool = False
    kept: float = 0.5
    present: Callable[[NDArray[np.float64]], NDArray[np.float64]] = lambda counted: counted


@dataclass(frozen=True, slots=True)
class ClosedVariance:
    """Sampling variances of a distance, its null and their difference, in closed form.

    Attributes
    ----------
    value, null, difference
        Variances where the true distance is zero.
    slope
        What a unit of true distance adds to the variance of the value and of the difference.
    """

    value: float
    null: float
    difference: float
    slope: float = 0.0


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
        metric(A, C) and metric(A, B); NaN where there is none.
    error
        What the errors are known from.
    tail_rows
        Of the odds in a pooled tail: rows of C there, tied ones in proportion.
    """

    metric: str
    level: float | None
    value: float
    null: float
    error: HalfSamples | ClosedVariance | NoInterval | NoValue
    tail_rows: float | None = None

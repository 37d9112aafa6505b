"""What a family of metrics makes of the human halves, and of each candidate after them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

import numpy as np

from tailwatch._core import NoValue
from tailwatch.comparison.estimates import Estimate
from tailwatch.comparison.halves import REPLICATES
from tailwatch.exceptions import TailwatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tailwatch._core import PreparedMetrics, PreparedSummary, Rows
    from tailwatch.comparison.estimates import ClosedVariance, HalfSamples
    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.metrics.embeddings.tail_test import TailCounts
    from tailwatch.progress import Settings

    Whole = tuple[str, float | None, float | None, TailCounts | ClosedVariance | float | None]
    """Name, level and value on all rows, ``None`` where there is none; then what its error is known
    from: of the odds in a pooled tail the counts, of a squared distance its variance; or its
    p-value."""

    Pair: TypeAlias = tuple[str, float | None, NDArray[np.float64], NDArray[np.float64]]
    """Name, level, values and nulls of a metric: of the whole samples, then of their parts."""

    State: TypeAlias = dict[str, NDArray[np.float64]]
    """Numbers that a family is restored from, by name."""

    Shapes: TypeAlias = dict[str, tuple[int, ...]]
    """Their shapes."""

__all__ = [
    "Family",
    "Panel",
    "Summary",
    "estimate_from",
    "null_of",
    "over",
    "paired",
    "required",
    "without_value",
]


@dataclass(frozen=True, slots=True)
class Panel:
    """How a comparison was asked for.

    Attributes
    ----------
    names
        Metrics to compute.
    k
        Neighbour that rarity and balls reach to.
    levels
        Tail levels.
    seed
        Seed of all random choices.
    """

    names: frozenset[str]
    k: int
    levels: tuple[float, ...]
    seed: int

    def replicates(self, parts: str = "halves") -> tuple[int, int, str]:
        """Say how parts of the samples are drawn."""
        return REPLICATES, self.seed, parts


class Family(Protocol):
    """Metrics that are computed together: made of the human halves, it meets candidates."""

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        """Compute all that no candidate is needed for, the nulls among it."""
        ...

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield each metric with its null and what its error is known from."""
        ...

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield each metric on all rows."""
        ...


class Summary(ABC):
    """A family that a file can keep without the rows: the numbers behind it are no rows.

    What it needs of the halves and of all rows for any candidate are some arrays, of shapes that do
    not depend on the number of rows; restored from them it gives the same bits.

    Attributes
    ----------
    NAME
        What a file calls it.
    LEAST_ROWS
        Human rows below which its numbers may be told to be those of single rows.
    """

    NAME: ClassVar[str]
    LEAST_ROWS: ClassVar[int] = 0

    @abstractmethod
    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        """Compute all that no candidate is needed for, the nulls among it."""

    @abstractmethod
    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield each metric with its null and what its error is known from."""

    @abstractmethod
    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield each metric on all rows."""

    @classmethod
    @abstractmethod
    def shapes(cls, names: frozenset[str], columns: int) -> Shapes:
        """Return the shapes of :meth:`state` for some metrics and so many columns."""

    @abstractmethod
    def state(self, settings: Settings) -> State:
        """Return the numbers from which :meth:`restore` makes the family again."""

    @classmethod
    @abstractmethod
    def restore(cls, state: State, panel: Panel, columns: int, settings: Settings) -> Summary:
        """Make the family of numbers in these shapes."""


def null_of(prepared: PreparedSummary) -> NDArray[np.float64]:
    """Return the nulls that were prepared, a row for each metric; none without a value."""
    nulls = prepared.null
    rows = [] if isinstance(nulls, NoValue) else [values for _, _, values in nulls]
    return np.array(rows, np.float64)


def paired(
    prepared: PreparedMetrics | PreparedSummary, rows: Sequence[Rows], settings: Settings
) -> list[Pair] | NoValue:
    """Return what was found of each metric, or why there is none.

    Parameters
    ----------
    prepared
        What was prepared from A and B.
    rows
        C, behind A where the rows of A are needed.
    settings
        Of the core.
    """
    nulls = prepared.null
    if isinstance(nulls, NoValue):
        return nulls
    value: Any = prepared.value
    values = value(*rows, settings)
    if isinstance(values, NoValue):
        return values
    return [
        (metric, level, of_value, of_null)
        for (metric, level, of_value), (_, _, of_null) in zip(values, nulls, strict=True)
    ]


def without_value(
    metric: str, prepared: PreparedMetrics | PreparedSummary, reason: NoValue
) -> Estimate:
    """Return the estimate of a metric that has no value on the candidate, with its null."""
    nulls = prepared.null
    null = math.nan if isinstance(nulls, NoValue) else float(nulls[0][2][0])
    return Estimate(metric, None, math.nan, null, reason)


def required(found: list[Pair] | NoValue) -> list[Pair]:
    """Return what was found of metrics that all data have."""
    if isinstance(found, NoValue):
        raise TailwatchError(argument="candidate", expected="a value", got=found.reason)
    return found


def over(share: NDArray[np.float64], *, level: float) -> NDArray[np.float64]:
    """Return a share of all rows as a multiple of the `level` that it is by chance."""
    return share / level


def estimate_from(metric: str, level: float | None, error: HalfSamples) -> Estimate:
    """Make the estimate whose value and null are those of the whole samples in `error`."""
    value, null = (
        min(float(error.present(counted[:1])[0]), error.most)
        for counted in (error.values, error.nulls)
    )
    return Estimate(metric, level, value, null, error)

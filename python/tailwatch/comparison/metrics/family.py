"""What a metric is, and what a family of them makes of the human halves and of each candidate."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol, TypeAlias

import numpy as np

from tailwatch._core import NoValue
from tailwatch.comparison.estimates import Estimate
from tailwatch.comparison.halves import REPLICATES
from tailwatch.exceptions import TailwatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tailwatch._core import PreparedMetrics, PreparedSummary, Rows
    from tailwatch.comparison.estimates import ClosedVariance, CountedRows, HalfSamples
    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.metrics.embeddings.directions import Area
    from tailwatch.metrics.embeddings.tail_test import TailCounts
    from tailwatch.progress import Settings

    Known: TypeAlias = TailCounts | ClosedVariance | CountedRows | Area | float | None
    Whole: TypeAlias = tuple[str, float | None, float | None, Known]
    """Name, level and value on all rows, ``None`` where there is none; then what its error is known
    from: of the odds in a pooled tail the counts, of a squared distance its variance, of a share
    its rows, of an area its error; or its p-value."""

    Pair: TypeAlias = tuple[str, float | None, NDArray[np.float64], NDArray[np.float64]]
    """Name, level, values and nulls of a metric: of the whole samples, then of their parts."""

    State: TypeAlias = dict[str, NDArray[np.float64]]
    """Numbers that a family is restored from, by name."""

    Shapes: TypeAlias = dict[str, tuple[int, ...]]
    """Their shapes."""
    from tailwatch.comparison.estimates import Scale
    from tailwatch.report.words import Label

__all__ = [
    "Cost",
    "Direction",
    "Family",
    "IntervalMethod",
    "Method",
    "Metric",
    "Panel",
    "Summary",
    "estimate_from",
    "null_of",
    "over",
    "paired",
    "required",
    "without_value",
]


COMPLEMENTARY: Final = "complementary halves"


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
    complementary
        Whether all parts are complementary halves, as the change against a baseline needs them.
    """

    names: frozenset[str]
    k: int
    levels: tuple[float, ...]
    seed: int
    complementary: bool = False

    def replicates(self, parts: str = "halves") -> tuple[int, int, str]:
        """Say how parts of the samples are drawn."""
        return REPLICATES, self.seed, COMPLEMENTARY if self.complementary else parts


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


Direction = Literal["higher", "lower", "match"]
"""Which way is better: up, down, or equal to the null (below it is loss, above it widening)."""

Cost = Literal["linear in rows", "rows × log rows", "rows × √rows", "quadratic in rows"]
"""How the time grows with the rows of the samples, for a given number of columns."""

Method = Literal[
    "half-sampling", "three-quarter sampling", "closed variance", "binomial", "no interval"
]
"""How errors are known; what the ``method`` column of the frame begins with."""


@dataclass(frozen=True, slots=True)
class IntervalMethod:
    """How the interval of a metric is made.

    Attributes
    ----------
    method
        What its error is known from.
    words
        The rest, in words; after "no interval", why there is none.
    scale
        On which the errors of half-samples are symmetric; ``None`` for other methods.
    """

    method: Method
    words: str
    scale: Scale | None = None

    def __str__(self) -> str:
        """Say method and words."""
        return f"{self.method}: {self.words}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of a comparison.

    Attributes
    ----------
    name
        In the ``metric`` column of the frame.
    label
        What pages and charts call it, and say of it.
    direction
        Which way is better.
    family
        What computes it, with the other metrics of its family.
    definition
        What is measured, in a line, for reference X (n rows) and candidate Y (m rows).
    source
        Where the definition comes from.
    null
        What the metric is of two samples of one distribution.
    interval
        How its interval is made.
    cost
        How its time grows with the rows.
    work
        What the time is made of: h rows in each half, d columns, 31 subsets for half-samples.
    memory
        What it holds besides the embeddings.
    by_level
        Whether there is a row per tail level.
    """

    name: str
    label: Label
    direction: Direction
    family: type[Family]
    definition: str
    source: str
    null: str
    interval: IntervalMethod
    cost: Cost
    work: str
    memory: str
    by_level: bool = False

    @property
    def needs_rows(self) -> bool:
        """Whether a file of a reference has to hold the rows for it."""
        return not issubclass(self.family, Summary)

    @property
    def quadratic(self) -> bool:
        """Whether the cost outgrows a sort of the rows, so that ``max_rows`` bounds it."""
        return self.cost in {"rows × √rows", "quadratic in rows"}

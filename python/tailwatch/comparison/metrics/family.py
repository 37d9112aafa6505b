"""What a family of metrics makes of the human halves, and of each candidate after them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from tailwatch._core import NoValue
from tailwatch.comparison.estimates import Estimate
from tailwatch.comparison.halves import REPLICATES
from tailwatch.exceptions import TailwatchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from tailwatch._core import PreparedMetrics, Rows
    from tailwatch.comparison.estimates import HalfSamples
    from tailwatch.comparison.halves import Candidate, Halves, Human
    from tailwatch.metrics.embeddings.tail_test import TailCounts
    from tailwatch.progress import Settings

    Whole = tuple[str, float | None, float | None, TailCounts | None]
    """Name, level and value on all rows, ``None`` where there is none; with the odds in a pooled
    tail, the counts that they are made of."""

    Pair: TypeAlias = tuple[str, float | None, NDArray[np.float64], NDArray[np.float64]]
    """Name, level, values and nulls of a metric: of the whole samples, then of their parts."""

__all__ = ["Family", "Panel", "estimate_from", "over", "paired", "required", "without_value"]


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

    def wholes(self, human: Human, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield each metric on all rows."""
        ...


def paired(prepared: PreparedMetrics, a: Rows, c: Rows, settings: Settings) -> list[Pair] | NoValue:
    """Return what was found of each metric of `prepared`, or why there is none."""
    nulls = prepared.null
    if isinstance(nulls, NoValue):
        return nulls
    values = prepared.value(a, c, settings)
    if isinstance(values, NoValue):
        return values
    return [
        (metric, level, of_value, of_null)
        for (metric, level, of_value), (_, _, of_null) in zip(values, nulls, strict=True)
    ]


def without_value(metric: str, prepared: PreparedMetrics, reason: NoValue) -> Estimate:
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
    """Return a share of all rows as a multiple of the `level` that it would be by chance."""
    return share / level


def estimate_from(metric: str, level: float | None, error: HalfSamples) -> Estimate:
    """Make the estimate whose value and null are those of the whole samples in `error`."""
    value, null = (float(error.present(counted[:1])[0]) for counted in (error.values, error.nulls))
    return Estimate(metric, level, value, null, error)

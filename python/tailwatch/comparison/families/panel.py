"""How a comparison was asked for, and how a family of metrics answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch.comparison.estimates import Estimate
from tailwatch.comparison.samples import REPLICATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.comparison.estimates import HalfSamples
    from tailwatch.comparison.samples import Samples
    from tailwatch.metrics.embeddings.tail_test import TailCounts
    from tailwatch.progress import Settings

    Full = Iterator[
        tuple[str, float | None, float | None]
        | tuple[str, float | None, float | None, TailCounts | None]
    ]

__all__ = ["Family", "Panel", "estimate_from", "over"]


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

    def halves(self, *, complementary: bool = False) -> tuple[int, int, bool]:
        """Say how half-samples are drawn."""
        return REPLICATES, self.seed, complementary


@dataclass(frozen=True, slots=True)
class Family:
    """The two ways in which a family is computed.

    Attributes
    ----------
    estimates
        With halves and intervals, metric by metric.
    full
        Name, level and value on all rows; no value is ``None``. With the odds in a pooled tail, the
        counts that they are made of.
    """

    estimates: Callable[[Samples, Panel, Settings], Iterator[Estimate]]
    full: Callable[[Samples, Panel, Settings], Full]


def over(share: NDArray[np.float64], *, level: float) -> NDArray[np.float64]:
    """Return a share of all rows as a multiple of the `level` that it would be by chance."""
    return share / level


def estimate_from(metric: str, level: float | None, error: HalfSamples) -> Estimate:
    """Make the estimate whose value and null are those of the whole samples in `error`."""
    value, null = (float(error.present(counted[:1])[0]) for counted in (error.values, error.nulls))
    return Estimate(metric, level, value, null, error)

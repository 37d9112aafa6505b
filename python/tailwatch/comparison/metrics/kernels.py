"""Mean discrepancies of kernels: one pass over the pairs for all of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch._core import NoValue
from tailwatch.comparison.estimates import (
    ClosedVariance,
    Estimate,
    NoInterval,
    tail_index,
    too_heavy,
)
from tailwatch.metrics.embeddings.divergence import median_distance, polynomial_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tailwatch._core import Rows
    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.comparison.metrics.family import Panel, Whole
    from tailwatch.progress import Settings

__all__ = ["Kernels"]

COEFFICIENT = "energy_coefficient"


class Kernels:
    """Squared MMD and energy distance."""

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._a, self._human = halves.bounded[0], halves.bounded_whole
        self._kernels = _kernels_of(halves.bounded, panel)
        kernels = list(self._kernels.values())
        self._prepared = _core.prepare_kernels(halves.bounded, kernels, settings)
        self._asks_for_coefficient = COEFFICIENT in panel.names
        # The polynomial kernel is unbounded and takes moments of the rows with it.
        unbounded = "mmd_polynomial" in self._kernels
        self._tail = tail_index(halves.bounded, settings) if unbounded else None

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield each metric with its null and what its error is known from."""
        rows = candidate.bounded
        found = self._prepared.estimates(self._a, rows, settings)
        for name, numbers, human in zip(self._kernels, found, self._prepared.nulls, strict=True):
            if isinstance(numbers, NoValue):
                null = math.nan if human is None else human
                yield Estimate(name, None, math.nan, null, numbers)
                if name == "energy_distance" and self._asks_for_coefficient:
                    yield Estimate(COEFFICIENT, None, math.nan, math.nan, numbers)
                continue
            value, null, *variances, apart = numbers
            heavy = None
            if name == "mmd_polynomial" and self._tail is not None:
                heavy = too_heavy(self._tail, tail_index([rows], settings))
            yield Estimate(name, None, value, null, heavy or ClosedVariance(*variances))
            if name == "energy_distance" and self._asks_for_coefficient:
                yield self._coefficient(value, null, variances, apart)

    def _coefficient(
        self, value: float, null: float, variances: Sequence[float], apart: float
    ) -> Estimate:
        """Return the energy distance in units of twice the mean distance of the samples.

        The unit is an average over all pairs, whose error is far below that of the distance.
        """
        place = list(self._kernels).index("energy_distance")
        unit, human = 2 * apart, 2 * self._prepared.apart[place]
        if not min(unit, human) > 0:
            return Estimate(COEFFICIENT, None, 0.0, 0.0, NoInterval("all rows are equal"))
        of_value, of_null, of_difference, slope = variances
        scaled = ClosedVariance(
            of_value / unit**2, of_null / human**2, of_difference / unit**2, slope / unit
        )
        return Estimate(COEFFICIENT, None, value / unit, null / human, scaled)

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield each metric on all rows."""
        x, y = self._human, candidate.bounded_whole
        # The bandwidth is the comparison's: a kernel that changed would be another metric.
        found = _core.whole_kernel_metrics(x, y, list(self._kernels.values()), settings)
        for name, numbers in zip(self._kernels, found, strict=True):
            asks = name == "energy_distance" and self._asks_for_coefficient
            if isinstance(numbers, NoValue):
                yield name, None, None, None
                continue
            value, variance, slope, apart = numbers
            yield name, None, value, ClosedVariance(variance, math.nan, math.nan, slope)
            if asks and apart > 0:
                unit = 2 * apart
                error = ClosedVariance(variance / unit**2, math.nan, math.nan, slope / unit)
                yield COEFFICIENT, None, value / unit, error


def _kernels_of(human: Sequence[Rows], panel: Panel) -> dict[str, tuple[str, list[float]]]:
    """Return the kernel of each metric asked for; all of them share one pass over the pairs."""
    kernels: dict[str, tuple[str, list[float]]] = {}
    if "mmd_polynomial" in panel.names:
        kernels["mmd_polynomial"] = ("polynomial", polynomial_parameters(human[0].shape[1]))
    if "mmd_gaussian" in panel.names:
        # Of A and B alone: with C, the kernel and so the null would change with the candidate.
        kernels["mmd_gaussian"] = ("gaussian", [median_distance(human)])
    if {"energy_distance", COEFFICIENT} & panel.names:
        kernels["energy_distance"] = ("distance", [])
    return kernels

"""Mean discrepancies of kernels: one pass over the pairs for all of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch._core import NoValue
from tailwatch.comparison.estimates import ClosedVariance, Estimate
from tailwatch.comparison.heaviness import tail_index, too_heavy
from tailwatch.metrics.embeddings.divergence import median_distance, polynomial_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tailwatch._core import Rows
    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.comparison.metrics.family import Panel, Whole
    from tailwatch.progress import Settings

__all__ = ["Kernels"]


class Kernels:
    """Squared MMD and energy distance."""

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._a, self._human = halves.bounded[0], halves.bounded_whole
        self._kernels = _kernels_of(halves.bounded, panel)
        kernels = list(self._kernels.values())
        self._prepared = _core.prepare_kernels(halves.bounded, kernels, settings)
        # The polynomial kernel is unbounded and takes moments of the rows with it.
        unbounded = "mmd_polynomial" in self._kernels
        self._tail = tail_index(halves.bounded, settings) if unbounded else None

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield each metric with its null and what its error is known from."""
        rows = candidate.bounded
        found = self._prepared.estimates(self._a, rows, settings)
        for name, numbers, human in zip(self._kernels, found, self._prepared.nulls, strict=True):
            if isinstance(numbers, NoValue):
                yield Estimate(name, None, math.nan, math.nan if human is None else human, numbers)
                continue
            value, null, *variances = numbers
            heavy = None
            if name == "mmd_polynomial" and self._tail is not None:
                heavy = too_heavy(self._tail, tail_index([rows], settings))
            yield Estimate(name, None, value, null, heavy or ClosedVariance(*variances))

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield each metric on all rows."""
        x, y = self._human, candidate.bounded_whole
        # The bandwidth is the comparison's: a kernel that changed would be another metric.
        found = _core.whole_kernel_metrics(x, y, list(self._kernels.values()), settings)
        for name, value in zip(self._kernels, found, strict=True):
            yield name, None, None if isinstance(value, NoValue) else value, None


def _kernels_of(human: Sequence[Rows], panel: Panel) -> dict[str, tuple[str, list[float]]]:
    """Return the kernel of each metric asked for; all of them share one pass over the pairs."""
    kernels: dict[str, tuple[str, list[float]]] = {}
    if "mmd_polynomial" in panel.names:
        kernels["mmd_polynomial"] = ("polynomial", polynomial_parameters(human[0].shape[1]))
    if "mmd_gaussian" in panel.names:
        # Of A and B alone: with C, the kernel and so the null would change with the candidate.
        kernels["mmd_gaussian"] = ("gaussian", [median_distance(human)])
    if "energy_distance" in panel.names:
        kernels["energy_distance"] = ("distance", [])
    return kernels

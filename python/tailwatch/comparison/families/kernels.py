"""Mean discrepancies of kernels: one pass over the pairs for all of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch._core import NoValue
from tailwatch.comparison.estimates import ClosedVariance, Estimate
from tailwatch.comparison.heaviness import too_heavy
from tailwatch.metrics.embeddings.divergence import median_distance, polynomial_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tailwatch._core import Rows
    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.progress import Settings

__all__ = ["estimates", "full"]


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    names, kernels = _named_kernels(samples.bounded[:2], panel)
    found = _core.kernel_metrics(samples.bounded, kernels, settings)
    for name, numbers in zip(names, found, strict=True):
        if isinstance(numbers, NoValue):
            yield Estimate(name, None, math.nan, math.nan, numbers)
            continue
        value, null, *variances = numbers
        # The polynomial kernel is unbounded and takes moments of the rows with it.
        heavy = too_heavy(samples.bounded, settings) if name == "mmd_polynomial" else None
        yield Estimate(name, None, value, null, heavy or ClosedVariance(*variances))


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    reference, candidate = samples.bounded_wholes
    # The bandwidth is the comparison's: a kernel that changed would be another metric.
    names, kernels = _named_kernels(samples.bounded[:2], panel)
    found = _core.whole_kernel_metrics(reference, candidate, kernels, settings)
    for name, value in zip(names, found, strict=True):
        yield name, None, None if isinstance(value, NoValue) else value


def _named_kernels(
    human: Sequence[Rows], panel: Panel
) -> tuple[list[str], list[tuple[str, list[float]]]]:
    """Return the metrics asked for and their kernels, which share one pass over the pairs."""
    kernels: dict[str, tuple[str, list[float]]] = {}
    if "mmd_polynomial" in panel.names:
        kernels["mmd_polynomial"] = ("polynomial", polynomial_parameters(human[0].shape[1]))
    if "mmd_gaussian" in panel.names:
        # Of A and B alone: with C, the kernel and so the null would change with the candidate.
        kernels["mmd_gaussian"] = ("gaussian", [median_distance(human)])
    if "energy_distance" in panel.names:
        kernels["energy_distance"] = ("distance", [])
    return list(kernels), list(kernels.values())

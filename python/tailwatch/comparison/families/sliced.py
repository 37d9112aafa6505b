"""Optimal transport along directions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.comparison.estimates import HalfSamples
from tailwatch.comparison.families.panel import estimate_from
from tailwatch.comparison.heaviness import too_heavy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.progress import Settings

__all__ = ["estimates", "full"]


EXPONENT = 2.0
PROJECTIONS = 256


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    halves = panel.halves(complementary=True)
    found = _core.sliced_metrics(samples.halves, halves, EXPONENT, PROJECTIONS, settings)
    # Squares of the farthest rows decide, as they do for covariances.
    heavy = too_heavy(samples.halves, settings)
    for metric, level, values, nulls in found:
        # The square has errors of first and second order, which complementary halves tell apart;
        # its root has one that falls as 1/√n, and would get too short an interval.
        error = HalfSamples(values, nulls, "real", complementary=True, present=np.sqrt)
        estimate = estimate_from(metric, level, error)
        yield replace(estimate, error=heavy) if heavy else estimate


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    reference, candidate = samples.wholes
    directions = _core.projections(reference.shape[1], PROJECTIONS, panel.seed, settings)
    value = _core.sliced_wasserstein(reference, candidate, directions, EXPONENT, settings)
    yield "sliced_wasserstein", None, value

"""Optimal transport along directions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.comparison.estimates import HalfSamples
from tailwatch.comparison.families.panel import estimate_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.running import Settings

__all__ = ["estimates", "full"]


EXPONENT = 2.0
PROJECTIONS = 256


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    halves = panel.halves(complementary=True)
    found = _core.sliced_metrics(samples.halves, halves, EXPONENT, PROJECTIONS, settings)
    for metric, level, values, nulls in found:
        # The square is a mean, with errors of first and second order; its root is neither.
        error = HalfSamples(values, nulls, "real", complementary=True, present=np.sqrt)
        yield estimate_from(metric, level, error)


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    reference, candidate = samples.wholes
    directions = _core.projections(reference.shape[1], PROJECTIONS, panel.seed)
    value = _core.sliced_wasserstein(reference, candidate, directions, EXPONENT, settings)
    yield "sliced_wasserstein", None, value

"""Tails along directions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.comparison.estimates import HalfSamples
from tailwatch.comparison.families.panel import estimate_from, over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.progress import Settings

__all__ = ["estimates", "full"]


DIRECTIONAL_LEVEL = 0.01
DIRECTIONS = 256


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    found = _core.directional_metrics(
        samples.halves, panel.halves(), DIRECTIONAL_LEVEL, DIRECTIONS, settings
    )
    # A row counts in every direction, but only as many directions as columns are independent.
    rows, columns = samples.halves[0].shape
    total = rows * min(columns, DIRECTIONS)
    present = partial(over, level=DIRECTIONAL_LEVEL)
    for metric, level, values, nulls in found:
        shares = (values * DIRECTIONAL_LEVEL, nulls * DIRECTIONAL_LEVEL)
        yield estimate_from(metric, level, HalfSamples(*shares, "share", total, present=present))


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    reference, candidate = samples.wholes
    directions = _core.directions(reference, DIRECTIONS, panel.seed, settings)
    ratios = _core.directional_tails(reference, candidate, directions, DIRECTIONAL_LEVEL, settings)
    yield "directional_tails", DIRECTIONAL_LEVEL, float(ratios.mean())

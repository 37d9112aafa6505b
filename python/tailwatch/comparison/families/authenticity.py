"""How much of a candidate is no copy, with one half of the reference as training data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.comparison.estimates import HalfSamples
from tailwatch.comparison.families.panel import estimate_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.progress import Settings

__all__ = ["estimates", "full"]


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    found = _core.authenticity_metrics(samples.bounded, panel.halves(), settings)
    rows = samples.bounded[0].shape[0]
    for metric, level, values, nulls in found:
        yield estimate_from(metric, level, HalfSamples(values, nulls, "share", rows))


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    del panel
    yield "authenticity", None, _core.authenticity(*samples.bounded_wholes, settings)

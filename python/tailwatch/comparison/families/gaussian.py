"""Metrics of means and covariances."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.comparison.estimates import HalfSamples
from tailwatch.comparison.families.panel import estimate_from
from tailwatch.comparison.heaviness import too_heavy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.comparison.estimates import Estimate, Scale
    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.running import Settings

__all__ = ["estimates", "full"]


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    found = _core.gaussian_metrics(samples.halves, panel.halves(complementary=True), settings)
    heavy = too_heavy(samples.halves, settings)
    for metric, level, values, nulls in found:
        scale: Scale = "real" if metric == "frechet_distance" else "ratio"
        estimate = estimate_from(
            metric, level, HalfSamples(values, nulls, scale, complementary=True)
        )
        yield replace(estimate, error=heavy) if heavy else estimate


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    reference, candidate = samples.wholes
    if "frechet_distance" in panel.names:
        yield "frechet_distance", None, _core.frechet_distance(reference, candidate, settings)
    names = ("total_variance", "effective_rank", "participation_ratio")
    if panel.names.intersection(names):
        _, trace, _, effective_rank, participation_ratio = _core.spectrum(candidate, settings)
        values = (trace, effective_rank, participation_ratio)
        yield from ((name, None, value) for name, value in zip(names, values, strict=True))

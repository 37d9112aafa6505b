"""Metrics of means and covariances."""

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

    from numpy.typing import NDArray

    from tailwatch.comparison.estimates import Estimate, Scale
    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.progress import Settings

__all__ = ["estimates", "full"]


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    found = _core.gaussian_metrics(samples.halves, panel.halves(complementary=True), settings)
    heavy = too_heavy(samples.halves, settings)
    for metric, level, values, nulls in found:
        scale: Scale = "real" if metric == "frechet_distance" else "ratio"
        made = [(metric, HalfSamples(values, nulls, scale, complementary=True))]
        if metric == "frechet_distance":
            ends = _extrapolated(values), _extrapolated(nulls)
            name = "frechet_distance_extrapolated"
            made.append((name, HalfSamples(*ends, "signed", complementary=True)))
        for name, error in made:
            estimate = estimate_from(name, level, error)
            yield replace(estimate, error=heavy) if heavy else estimate


def _extrapolated(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put the end of the line through whole and halves, at 1/N = 0, in place of the whole.

    The halves are both halves of 15 cuts: what is linear in the rows is as it was, and what is not
    has 16/15 of its variance. So the halves show the error of the end as they do that of the whole.
    """
    end = 2 * distances[0] - distances[1:].mean()
    return np.concatenate([[end], distances[1:]])


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    reference, candidate = samples.wholes
    if "frechet_distance" in panel.names:
        yield "frechet_distance", None, _core.frechet_distance(reference, candidate, settings)
    if "frechet_distance_extrapolated" in panel.names:
        found = _core.frechet_distance_extrapolated(reference, candidate, 2, panel.seed, settings)
        yield "frechet_distance_extrapolated", None, found[0]
    names = ("total_variance", "effective_rank", "participation_ratio")
    if panel.names.intersection(names):
        _, trace, _, effective_rank, participation_ratio = _core.spectrum(candidate, settings)
        values = (trace, effective_rank, participation_ratio)
        yield from ((name, None, value) for name, value in zip(names, values, strict=True))

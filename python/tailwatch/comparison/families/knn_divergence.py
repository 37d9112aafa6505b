"""Kullback–Leibler divergence from nearest neighbours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch._core import NoValue
from tailwatch.comparison.estimates import Estimate, HalfSamples, NoInterval
from tailwatch.comparison.families.panel import estimate_from
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.progress import Settings

__all__ = ["estimates", "full"]

NAME = "knn_divergence"
INFINITE = "more than k rows are equal where less than k of the reference are"


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    found = _core.divergence_metrics(
        samples.bounded, panel.halves(), _dimension(samples), panel.k, settings
    )
    if isinstance(found, NoValue):
        yield Estimate(NAME, None, math.nan, math.nan, found)
        return
    metric, level, values, nulls = found
    if math.isfinite(values[0]) and math.isfinite(nulls[0]):
        yield estimate_from(metric, level, HalfSamples(values, nulls, "signed"))
    else:
        yield Estimate(metric, level, float(values[0]), float(nulls[0]), NoInterval(INFINITE))


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    reference, candidate = samples.bounded_wholes
    try:
        value = _core.knn_divergence(reference, candidate, panel.k, _dimension(samples), settings)
    except InputError:
        # All rows may hold copies that no half holds enough of.
        yield NAME, None, None
    else:
        yield NAME, None, value


def _dimension(samples: Samples) -> float:
    """Return the number of columns, as :func:`tailwatch.metrics.knn_divergence` takes it."""
    return float(samples.halves[0].shape[1])

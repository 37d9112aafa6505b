"""Balls, tails and rarity: metrics that come from nearest neighbours."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.arguments import tail_size
from tailwatch.comparison.estimates import HalfSamples
from tailwatch.comparison.families.panel import estimate_from, over
from tailwatch.comparison.samples import REPLICATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.running import Settings

__all__ = ["estimates", "full", "odds_ratio"]


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    rows = samples.bounded[0].shape[0]
    replicates = (REPLICATES, panel.seed, "density" in panel.names)
    found = _core.neighbor_metrics(samples.bounded, replicates, panel.levels, panel.k, settings)
    for metric, level, values, nulls in found:
        if metric == "density":
            error = HalfSamples(values, nulls, "ratio", kept=0.75)
        elif level is None:
            error = HalfSamples(values, nulls, "share", rows)
        elif metric in {"tail_coverage", "tail_recall"}:
            error = HalfSamples(values, nulls, "share", tail_size(level, rows))
        elif metric == "tail_odds_ratio":
            tail = tail_size(level, 2 * rows)
            odds = partial(odds_ratio, tail=tail, reference=rows, candidate=rows)
            error = HalfSamples(values, nulls, "share", tail, present=odds)
        else:
            error = HalfSamples(values, nulls, "share", rows, present=partial(over, level=level))
        yield estimate_from(metric, level, error)


def odds_ratio(
    share: NDArray[np.float64], *, tail: int, reference: int, candidate: int
) -> NDArray[np.float64]:
    """Odds of a candidate row in the pooled tail over those of a reference row.

    Parameters
    ----------
    share
        Of the tail's rows, those of the candidate.
    tail, reference, candidate
        Rows in the tail and in the samples. An empty side counts as half a row, so that the odds
        are finite.
    """
    of_candidate = share * tail
    of_reference = np.maximum(tail - of_candidate, 0.5)
    odds = of_candidate / np.maximum(candidate - of_candidate, 0.5)
    found: NDArray[np.float64] = odds * np.maximum(reference - of_reference, 0.5) / of_reference
    return found


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    reference, candidate = samples.bounded_wholes
    found = _core.whole_neighbor_metrics(reference, candidate, panel.levels, panel.k, settings)
    for metric, level, counted in found:
        value = np.array(counted)
        if metric in {"tail_mass", "tail_supported_mass"} and level is not None:
            value = over(value, level=level)
        elif metric == "tail_odds_ratio" and level is not None:
            n, m = reference.shape[0], candidate.shape[0]
            tail = tail_size(level, n + m)
            value = odds_ratio(value, tail=tail, reference=n, candidate=m)
        yield metric, level, float(value)

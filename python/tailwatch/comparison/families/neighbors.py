"""Balls, tails and rarity: metrics that come from nearest neighbours."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.arguments import tail_size
from tailwatch.comparison.estimates import HalfSamples
from tailwatch.comparison.families.panel import estimate_from, over
from tailwatch.comparison.samples import REPLICATES
from tailwatch.metrics.embeddings.tail_test import TailCounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.progress import Settings

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
            estimate = estimate_from(metric, level, error)
            yield replace(estimate, tail_rows=float(values[0]) * tail)
            continue
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
        Rows in the tail and in the samples. A side of less than half a row counts as half a row,
        so that the odds are finite.
    """
    of_candidate = share * tail
    of_reference = np.maximum(tail - of_candidate, 0.5)
    # One product over another: equal counts have odds of 1, to the last bit.
    found: NDArray[np.float64] = (of_candidate * np.maximum(reference - of_reference, 0.5)) / (
        np.maximum(candidate - of_candidate, 0.5) * of_reference
    )
    return found


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    reference, candidate = samples.bounded_wholes
    n, m = reference.shape[0], candidate.shape[0]
    found, pooled = _core.whole_neighbor_metrics(
        reference, candidate, panel.levels, panel.k, settings
    )
    counts = {
        level: TailCounts.of(tail, n, m) for level, tail in zip(panel.levels, pooled, strict=True)
    }
    for metric, level, counted in found:
        value, tail = np.array(counted), None
        if metric in {"tail_mass", "tail_supported_mass"} and level is not None:
            value = over(value, level=level)
        elif metric == "tail_odds_ratio" and level is not None:
            tail = counts[level]
            value = odds_ratio(value, tail=tail.places, reference=n, candidate=m)
        yield metric, level, float(value), tail

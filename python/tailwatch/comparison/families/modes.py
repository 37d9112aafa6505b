"""Modes of the reference that the candidate no longer reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.comparison.estimates import Estimate, NoInterval
from tailwatch.metrics.embeddings.modes import default_clusters, mode_table, rare_and_lost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch._core import Rows
    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.progress import Settings

__all__ = ["estimates", "full"]


MODE_LEVEL = 0.05


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    a, b, c = samples.bounded
    value, null = (_modes_kept(a, other, panel, settings) for other in (c, b))
    reason = "a mode counts as lost only where its own 95 % interval says so"
    yield Estimate("mode_coverage", MODE_LEVEL, value, null, NoInterval(reason))


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    reference, candidate = samples.bounded_wholes
    yield "mode_coverage", MODE_LEVEL, _modes_kept(reference, candidate, panel, settings)


def _modes_kept(reference: Rows, candidate: Rows, panel: Panel, settings: Settings) -> float:
    clusters = default_clusters(reference.shape[0])
    labels = _core.modes(reference, [reference, candidate], clusters, panel.seed, settings)
    counts = [np.bincount(of_sample, minlength=clusters) for of_sample in labels]
    table = mode_table(counts[0], counts[1], level=MODE_LEVEL)
    rare, lost = rare_and_lost(table)
    return 1 - lost / rare

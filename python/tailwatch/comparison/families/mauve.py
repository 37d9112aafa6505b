"""MAUVE: the frontier between two samples, over clusters of their pooled rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.comparison.estimates import Estimate, NoInterval
from tailwatch.metrics.embeddings.mauve import FRONTIER, default_mauve_clusters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch._core import Rows
    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.progress import Settings

__all__ = ["estimates", "full"]


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield the metric with its null: two clusterings of as many rows into as many clusters.

    One clustering of all three samples would let the null depend on the candidate.
    """
    a, b, c = samples.bounded
    value, null = (_mauve(a, other, panel, settings) for other in (c, b))
    reason = "clusters are fitted to the rows they count, and a half has others and another bias"
    yield Estimate("mauve", None, value, null, NoInterval(reason))


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield the metric on all rows."""
    yield "mauve", None, _mauve(*samples.bounded_wholes, panel, settings)


def _mauve(reference: Rows, candidate: Rows, panel: Panel, settings: Settings) -> float:
    clusters = default_mauve_clusters(reference.shape[0], candidate.shape[0])
    return _core.mauve(reference, candidate, clusters, FRONTIER, panel.seed, settings)

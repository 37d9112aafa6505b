"""Jensen–Shannon divergence from nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.comparison.estimates import Estimate, NoInterval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.progress import Settings

__all__ = ["estimates", "full"]

NAME = "knn_jensen_shannon"
REASON = "its balls count rows of both samples, which each half-sample would have to search anew"


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    a, b, c = samples.bounded
    value, null = (_core.knn_jensen_shannon(a, other, panel.k, settings) for other in (c, b))
    yield Estimate(NAME, None, value, null, NoInterval(REASON))


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    yield NAME, None, _core.knn_jensen_shannon(*samples.bounded_wholes, panel.k, settings)

"""How metrics are computed, a room for each kind of data that they share.

=================  ============================================================================
room               metrics
=================  ============================================================================
``neighbors``      balls, tails and rarity; copies; divergences from nearest neighbours
``moments``        means and covariances; the Vendi score
``kernels``        mean discrepancies
``clusters``       modes; MAUVE
``directions``     tails and optimal transport along directions
``family``         what such a room offers
=================  ============================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch.comparison.metrics.clusters import Mauve, Modes
from tailwatch.comparison.metrics.directions import DirectionalTails, SlicedWasserstein
from tailwatch.comparison.metrics.kernels import Kernels
from tailwatch.comparison.metrics.moments import Moments, Vendi
from tailwatch.comparison.metrics.neighbors import (
    Authenticity,
    KnnDivergence,
    KnnJensenShannon,
    Neighborhoods,
)

if TYPE_CHECKING:
    from tailwatch.comparison.metrics.family import Family

__all__ = ["FAMILIES"]

FAMILIES: dict[str, type[Family]] = {
    "neighbors": Neighborhoods,
    "modes": Modes,
    "directional": DirectionalTails,
    "gaussian": Moments,
    "kernels": Kernels,
    "sliced": SlicedWasserstein,
    "authenticity": Authenticity,
    "vendi": Vendi,
    "knn_divergence": KnnDivergence,
    "knn_jensen_shannon": KnnJensenShannon,
    "mauve": Mauve,
}
"""What computes the metrics of each family of the registry."""

"""How each family of metrics is computed: with halves for a comparison, and on all rows."""

from __future__ import annotations

from tailwatch.comparison.families import (
    authenticity,
    directional,
    gaussian,
    kernels,
    knn_divergence,
    knn_jensen_shannon,
    mauve,
    modes,
    neighbors,
    sliced,
    vendi,
)
from tailwatch.comparison.families.panel import Family

__all__ = ["FAMILIES"]

FAMILIES: dict[str, Family] = {
    "neighbors": Family(neighbors.estimates, neighbors.full),
    "modes": Family(modes.estimates, modes.full),
    "directional": Family(directional.estimates, directional.full),
    "gaussian": Family(gaussian.estimates, gaussian.full),
    "kernels": Family(kernels.estimates, kernels.full),
    "sliced": Family(sliced.estimates, sliced.full),
    "authenticity": Family(authenticity.estimates, authenticity.full),
    "vendi": Family(vendi.estimates, vendi.full),
    "knn_divergence": Family(knn_divergence.estimates, knn_divergence.full),
    "knn_jensen_shannon": Family(knn_jensen_shannon.estimates, knn_jensen_shannon.full),
    "mauve": Family(mauve.estimates, mauve.full),
}

"""How each family of metrics is computed: with halves for a comparison, and on all rows."""

from __future__ import annotations

from tailwatch.comparison.families import directional, gaussian, kernels, modes, neighbors
from tailwatch.comparison.families.panel import Family

__all__ = ["FAMILIES"]

FAMILIES: dict[str, Family] = {
    "neighbors": Family(neighbors.estimates, neighbors.full),
    "modes": Family(modes.estimates, modes.full),
    "directional": Family(directional.estimates, directional.full),
    "gaussian": Family(gaussian.estimates, gaussian.full),
    "kernels": Family(kernels.estimates, kernels.full),
}

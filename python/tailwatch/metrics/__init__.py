"""Metrics of one or two sets of embeddings: numbers, without intervals.

:func:`tailwatch.compare` puts intervals and nulls beside them. Every function takes embeddings in
any form that :func:`tailwatch.open` takes, and keyword arguments after them; ``threads`` and
``progress`` mean the same everywhere.
"""

from __future__ import annotations

from tailwatch.metrics.coverage import (
    PRDC,
    precision_recall_density_coverage,
    tail_coverage,
)
from tailwatch.metrics.directional import DirectionalTails, directional_tails
from tailwatch.metrics.divergence import energy_distance, frechet_distance, mmd
from tailwatch.metrics.diversity import Spectrum, spectrum
from tailwatch.metrics.extrapolation import ExtrapolatedDistance, frechet_distance_extrapolated
from tailwatch.metrics.mauve import mauve
from tailwatch.metrics.mmd_test import MMDTest, mmd_test
from tailwatch.metrics.modes import ModeCoverage, mode_coverage
from tailwatch.metrics.neighbors import nearest_neighbors
from tailwatch.metrics.tail_test import TailTest, tail_test

__all__ = [
    "PRDC",
    "DirectionalTails",
    "ExtrapolatedDistance",
    "MMDTest",
    "ModeCoverage",
    "Spectrum",
    "TailTest",
    "directional_tails",
    "energy_distance",
    "frechet_distance",
    "frechet_distance_extrapolated",
    "mauve",
    "mmd",
    "mmd_test",
    "mode_coverage",
    "nearest_neighbors",
    "precision_recall_density_coverage",
    "spectrum",
    "tail_coverage",
    "tail_test",
]

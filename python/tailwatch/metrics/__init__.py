"""Metrics of one or two sets of embeddings: numbers, without intervals.

:func:`tailwatch.compare` puts intervals and nulls beside them. Every function takes embeddings in
any form that :func:`tailwatch.open` takes, and keyword arguments after them; ``threads`` and
``progress`` mean the same everywhere. Labels and their counts are for
:mod:`tailwatch.metrics.categorical`, documents of tokens for :mod:`tailwatch.metrics.text`.
"""

from __future__ import annotations

from tailwatch.metrics import categorical, text, univariate
from tailwatch.metrics.authenticity import authenticity
from tailwatch.metrics.coverage import (
    PRDC,
    precision_recall_density_coverage,
    tail_coverage,
)
from tailwatch.metrics.dimension import IntrinsicDimension, intrinsic_dimension
from tailwatch.metrics.directional import DirectionalTails, directional_tails
from tailwatch.metrics.divergence import energy_distance, frechet_distance, mmd
from tailwatch.metrics.diversity import Spectrum, spectrum
from tailwatch.metrics.extrapolation import ExtrapolatedDistance, frechet_distance_extrapolated
from tailwatch.metrics.knn_divergence import knn_divergence, knn_jensen_shannon
from tailwatch.metrics.mauve import mauve
from tailwatch.metrics.mmd_test import MMDTest, mmd_test
from tailwatch.metrics.modes import ModeCoverage, mode_coverage
from tailwatch.metrics.neighbors import nearest_neighbors
from tailwatch.metrics.sliced import sliced_wasserstein
from tailwatch.metrics.tail_test import TailTest, tail_test
from tailwatch.metrics.vendi import vendi_score

__all__ = [
    "PRDC",
    "DirectionalTails",
    "ExtrapolatedDistance",
    "IntrinsicDimension",
    "MMDTest",
    "ModeCoverage",
    "Spectrum",
    "TailTest",
    "authenticity",
    "categorical",
    "directional_tails",
    "energy_distance",
    "frechet_distance",
    "frechet_distance_extrapolated",
    "intrinsic_dimension",
    "knn_divergence",
    "knn_jensen_shannon",
    "mauve",
    "mmd",
    "mmd_test",
    "mode_coverage",
    "nearest_neighbors",
    "precision_recall_density_coverage",
    "sliced_wasserstein",
    "spectrum",
    "tail_coverage",
    "tail_test",
    "text",
    "univariate",
    "vendi_score",
]

"""Metrics of one or two sets of embeddings: numbers, without intervals.

:func:`tailwatch.compare` puts intervals and nulls beside them. Every function takes embeddings in
any form that :func:`tailwatch.open` takes, and keyword arguments after them; ``threads`` and
``progress`` mean the same everywhere. Labels and their counts are for
:mod:`tailwatch.metrics.categorical`, documents of tokens for :mod:`tailwatch.metrics.text`.
"""

from __future__ import annotations

from typing import NoReturn

from tailwatch.exceptions import no_such_name
from tailwatch.metrics import categorical, text, univariate
from tailwatch.metrics.embeddings.clipped import clipped_coverage, clipped_density
from tailwatch.metrics.embeddings.copies import Copies, copies
from tailwatch.metrics.embeddings.coverage import (
    PRDC,
    authenticity,
    precision_recall_density_coverage,
    tail_coverage,
)
from tailwatch.metrics.embeddings.directions import (
    DirectionalTails,
    ProbeAUC,
    directional_tails,
    probe_auc,
    sliced_wasserstein,
)
from tailwatch.metrics.embeddings.divergence import energy_distance, frechet_distance, mmd
from tailwatch.metrics.embeddings.diversity import (
    IntrinsicDimension,
    Spectrum,
    intrinsic_dimension,
    rke,
    spectrum,
    vendi_score,
)
from tailwatch.metrics.embeddings.inference import (
    ExtrapolatedDistance,
    MMDTest,
    frechet_distance_extrapolated,
    mmd_test,
)
from tailwatch.metrics.embeddings.mauve import mauve
from tailwatch.metrics.embeddings.modes import ModeCoverage, mode_coverage
from tailwatch.metrics.embeddings.neighbors import (
    knn_divergence,
    knn_entropy,
    knn_jensen_shannon,
    nearest_neighbors,
)
from tailwatch.metrics.embeddings.tail_test import TailTest, tail_test

__all__ = [
    "PRDC",
    "Copies",
    "DirectionalTails",
    "ExtrapolatedDistance",
    "IntrinsicDimension",
    "MMDTest",
    "ModeCoverage",
    "ProbeAUC",
    "Spectrum",
    "TailTest",
    "authenticity",
    "categorical",
    "clipped_coverage",
    "clipped_density",
    "copies",
    "directional_tails",
    "energy_distance",
    "frechet_distance",
    "frechet_distance_extrapolated",
    "intrinsic_dimension",
    "knn_divergence",
    "knn_entropy",
    "knn_jensen_shannon",
    "mauve",
    "mmd",
    "mmd_test",
    "mode_coverage",
    "nearest_neighbors",
    "precision_recall_density_coverage",
    "probe_auc",
    "rke",
    "sliced_wasserstein",
    "spectrum",
    "tail_coverage",
    "tail_test",
    "text",
    "univariate",
    "vendi_score",
]


def __getattr__(name: str) -> NoReturn:
    """Raise an error that names what may have been meant."""
    raise no_such_name(__name__, name, __all__)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)

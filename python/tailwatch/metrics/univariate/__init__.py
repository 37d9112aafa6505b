"""Metrics of one or two samples of numbers: columns, 1-D arrays, scores, lengths, counts.

Every function takes one-dimensional NumPy arrays, Polars `Series` or Arrow arrays of any numeric
type and any length. The numbers are compared in a type that holds all of them; one that no type
holds is refused by its place, so that none is rounded. :func:`aggregate` makes an expression of any
of them, for ``group_by().agg()``.

=============  =====================================================================
``values``     what counts as a sample of numbers, and two of one type
``distances``  Wasserstein, energy; shares in bins: stability index, Jensen–Shannon
``goodness``   Kolmogorov–Smirnov, Cramér–von Mises
``hill``       how heavy a tail is
``groups``     any of them inside ``group_by().agg()``
=============  =====================================================================
"""

from __future__ import annotations

from tailwatch.metrics.univariate.distances import (
    energy_distance,
    jensen_shannon,
    population_stability_index,
    wasserstein_distance,
)
from tailwatch.metrics.univariate.goodness import (
    CramerVonMises,
    KolmogorovSmirnov,
    cramer_von_mises,
    kolmogorov_smirnov,
)
from tailwatch.metrics.univariate.groups import aggregate
from tailwatch.metrics.univariate.hill import HillIndex, hill_index

__all__ = [
    "CramerVonMises",
    "HillIndex",
    "KolmogorovSmirnov",
    "aggregate",
    "cramer_von_mises",
    "energy_distance",
    "hill_index",
    "jensen_shannon",
    "kolmogorov_smirnov",
    "population_stability_index",
    "wasserstein_distance",
]

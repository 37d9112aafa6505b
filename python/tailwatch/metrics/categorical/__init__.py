"""Metrics of tables of counts: class labels, tokens, cluster ids.

Every function takes labels (a Series, a 1-D array or a list of strings, integers, categories or
whatever else can be grouped) or their counts: a mapping, a frame of the two columns type and count
in any order, pandas ``value_counts()``, or ``numpy.unique(..., return_counts=True)``. A list of
integers is a list of labels, never of counts; a form that may be either is refused. Two tables are
joined on their types; a type of one alone has the count 0 in the other.

What can be estimated with an error is an :class:`Estimate`, a float that carries it; divergences
are floats, and :func:`compare_counts` puts intervals and nulls beside them.

===============  ===================================================================
``count_forms``  which of the forms that counts come in is which
``counts``       labels or counts as a table; two tables as one
``diversity``    a number that carries its interval; entropy, Gini–Simpson, Zipf's
                 exponent of one table
``types``        how many types there would be, and which a candidate still has
``divergences``  total variation, Kullback–Leibler, Jensen–Shannon, Hellinger
``comparison``   divergences with interval and null; Pearson's test
===============  ===================================================================
"""

from __future__ import annotations

from tailwatch.metrics.categorical.comparison import ChiSquare, chi_square, compare_counts
from tailwatch.metrics.categorical.counts import CountsLike
from tailwatch.metrics.categorical.divergences import (
    hellinger,
    jensen_shannon,
    kl_divergence,
    total_variation,
)
from tailwatch.metrics.categorical.diversity import Estimate, entropy, gini_simpson, zipf_exponent
from tailwatch.metrics.categorical.types import (
    expected_types,
    missing_mass,
    rarefaction,
    type_coverage,
)

__all__ = [
    "ChiSquare",
    "CountsLike",
    "Estimate",
    "chi_square",
    "compare_counts",
    "entropy",
    "expected_types",
    "gini_simpson",
    "hellinger",
    "jensen_shannon",
    "kl_divergence",
    "missing_mass",
    "rarefaction",
    "total_variation",
    "type_coverage",
    "zipf_exponent",
]

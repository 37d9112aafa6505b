"""Closed forms of training on what earlier models made, and their inverses.

Generation n (or t, k) is the n-th **fit**; the first one sees M human rows. Variances are in units
of the human one. ``ddof=0`` (maximum likelihood) divides by M, ``ddof=1`` (unbiased) by M − 1.

======================  ============================================================================
``gaussian``            replace: variance, mean, deviation, logarithm, half-life, distances
``accumulate``          the pool of all data, and samples of it
``mixing``              fresh and fixed human rows, the best weight
``universality``        the share of the variance that a policy keeps
``categories``          types that survive, effective sample size, time to one type
``regression``          labels of the model before: replace, accumulate, mixtures, too few rows
``unseen_by_variance``  kernel densities and hard pseudo-labels
``inverses``            human share, rows, generations and schedules for a share to be kept
``plan``                all of it for one loop
``curves``              what is expected of each generation of a run
``fits``                how generations are counted; checks of arguments
======================  ============================================================================
"""

from __future__ import annotations

from tailwatch.recursion.theory.accumulate import (
    accumulate_limit,
    accumulate_subsample_limit,
    accumulate_subsample_variance,
    accumulate_variance,
)
from tailwatch.recursion.theory.categories import (
    effective_sample_size,
    time_to_one_type,
    type_survival,
    types_drawn,
    types_expected,
)
from tailwatch.recursion.theory.gaussian import (
    biased_sampling_variance,
    c4,
    half_life,
    relative_variance_of_variance,
    replace_deviation,
    replace_divergence,
    replace_log_variance,
    replace_mean_square,
    replace_variance,
    replace_wasserstein,
    variance_of_log_variance,
)
from tailwatch.recursion.theory.inverses import (
    fixed_real_rows_for,
    generations_until,
    real_fraction_for,
    rows_for,
    sample_schedule,
    schedule_for,
    schedule_kept,
)
from tailwatch.recursion.theory.mixing import (
    Moments,
    fixed_real_limit,
    fixed_real_variance,
    fresh_real_limit,
    fresh_real_step,
    fresh_real_variance,
    mixing_error,
    mixing_weight,
)
from tailwatch.recursion.theory.regression import (
    regression_accumulate_risk,
    regression_mixture_risk,
    regression_replace_risk,
    ridgeless_risk,
)
from tailwatch.recursion.theory.universality import variance_kept, variance_limit
from tailwatch.recursion.theory.unseen_by_variance import (
    PseudoLabels,
    kernel_density_variance,
    pseudo_labels,
)

__all__ = [
    "Moments",
    "PseudoLabels",
    "accumulate_limit",
    "accumulate_subsample_limit",
    "accumulate_subsample_variance",
    "accumulate_variance",
    "biased_sampling_variance",
    "c4",
    "effective_sample_size",
    "fixed_real_limit",
    "fixed_real_rows_for",
    "fixed_real_variance",
    "fresh_real_limit",
    "fresh_real_step",
    "fresh_real_variance",
    "generations_until",
    "half_life",
    "kernel_density_variance",
    "mixing_error",
    "mixing_weight",
    "pseudo_labels",
    "real_fraction_for",
    "regression_accumulate_risk",
    "regression_mixture_risk",
    "regression_replace_risk",
    "relative_variance_of_variance",
    "replace_deviation",
    "replace_divergence",
    "replace_log_variance",
    "replace_mean_square",
    "replace_variance",
    "replace_wasserstein",
    "ridgeless_risk",
    "rows_for",
    "sample_schedule",
    "schedule_for",
    "schedule_kept",
    "time_to_one_type",
    "type_survival",
    "types_drawn",
    "types_expected",
    "variance_kept",
    "variance_limit",
    "variance_of_log_variance",
]

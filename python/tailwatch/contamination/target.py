"""From the counts of a target to its share of synthetic rows, with all that qualifies it.

Cost O(B) for B bins, whatever the number of rows, but for audit labels, whose rows are scored.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.audit import audited
from tailwatch.contamination.cross_checks import cross_checks
from tailwatch.contamination.likelihood import Counts, fit_templates
from tailwatch.contamination.prevalence import Prevalence
from tailwatch.contamination.rows import mixture_probabilities, tail_probabilities
from tailwatch.contamination.template_fit import bounded, fitted
from tailwatch.exceptions import TailwatchWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.contamination.cross_checks import CrossChecks
    from tailwatch.contamination.estimate import Interval
    from tailwatch.contamination.histogram import Histogram
    from tailwatch.contamination.prevalence import NullFloor
    from tailwatch.contamination.state import ModelState

__all__ = ["bin_probabilities", "estimated"]


def estimated(
    state: ModelState,
    counted: Histogram,
    floor: NullFloor,
    confidence: float,
    labelled: tuple[NDArray[np.float64], NDArray[np.float32]] | None,
) -> Prevalence:
    """Estimate the share of synthetic rows.

    Parameters
    ----------
    state
        What the model knows.
    counted
        The scores of the target, of at least one row.
    floor
        The same estimator on held-out human rows.
    confidence
        Of all intervals.
    labelled
        Labels of some rows and their scores; where given, they decide.

    Warns
    -----
    TailwatchWarning
        Other estimators disagree; it points at the caller of the caller.
    """
    bins = counted.bins
    human = state.human.sum(axis=0)
    profile = drift = checks = agreement = labels = None
    if state.human_only:
        found, method = bounded(state, human, bins, confidence), "lower bound"
    else:
        found, profile, drift = fitted(
            state.human,
            state.synthetic,
            bins,
            stratified=bool(state.strata),
            confidence=confidence,
        )
        method = "template fit" if drift is None else "template fit, drift"
        checks = cross_checks(Counts.of(human, state.synthetic, bins), confidence)
        agreement = checks.agree_with(found)
        if not agreement:
            warnings.warn(_disagreement(found, checks), TailwatchWarning, stacklevel=3)
    if labelled is not None:
        by_bin = bin_probabilities(state, bins, found.value)
        given, scores = labelled
        predicted = by_bin[np.searchsorted(state.edges, scores, side="right")]
        labels = audited(given, predicted, bins, by_bin, confidence)
        found, method = labels.interval, "audit"
    return Prevalence(
        found.value,
        found.low,
        found.high,
        confidence,
        method,
        counted.rows,
        state.rows[0],
        0 if state.human_only else state.rows[1],
        len(state.calibration),
        floor,
        profile,
        drift,
        checks,
        agreement,
        labels,
        counted,
    )


def bin_probabilities(
    state: ModelState, bins: NDArray[np.int64], value: float
) -> NDArray[np.float64]:
    """Give the probability of each bin, whose mean over the target is the share `value`."""
    human, synthetic = state.human.sum(axis=0), state.synthetic
    if state.human_only:
        return tail_probabilities(human, bins, value)
    templates = fit_templates(Counts.of(human, synthetic, bins), np.array([value]))
    return mixture_probabilities(
        templates.human[0] / human.sum(), templates.synthetic[0] / synthetic.sum(), bins, value
    )


def _disagreement(found: Interval, checks: CrossChecks) -> str:
    return (
        f"target: the references do not explain it: template fit {found.value:.4f} "
        f"[{found.low:.4f}, {found.high:.4f}], ACC {checks.acc:.4f}, DyS {checks.dys:.4f}, median "
        f"sweep {checks.median_sweep:.4f}"
    )

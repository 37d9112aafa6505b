"""From the counts of a target to its share of synthetic rows, with all that qualifies it.

The share is that of the template fit, or of the lower bound where there is no synthetic reference.
The null floor holds out one part of the human reference at a time and takes it for a target: its
share of synthetic rows is 0. Strata beyond `LARGEST_PARTS` are held out together.

Cost O(B) for B bins, whatever the number of rows, but for audit labels, whose rows are scored.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.audit import audit_share
from tailwatch.contamination.cross_checks import cross_checks
from tailwatch.contamination.drift import drift_between, widen
from tailwatch.contamination.likelihood import BinCounts, fit_templates, profile_interval
from tailwatch.contamination.lower_bound import lower_bound
from tailwatch.contamination.prevalence import NullFloor, Prevalence
from tailwatch.contamination.rows import mixture_probabilities, tail_probabilities
from tailwatch.exceptions import TailwatchWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.contamination.audit import LabelledScores
    from tailwatch.contamination.cross_checks import CrossChecks
    from tailwatch.contamination.drift import Drift
    from tailwatch.contamination.histogram import Histogram
    from tailwatch.contamination.likelihood import Interval
    from tailwatch.contamination.model_file import ModelState

__all__ = ["bin_probabilities", "estimate_share", "fit_share", "null_floor"]

LARGEST_PARTS = 32
"""Parts that are held out one at a time."""


def estimate_share(
    state: ModelState,
    counted: Histogram,
    floor: NullFloor,
    confidence: float,
    labelled: LabelledScores | None,
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
        Labels of some rows, which decide where they are given.

    Warns
    -----
    TailwatchWarning
        Other estimators disagree; it points at the caller of the caller.
    """
    bins = counted.bins
    human = state.human.sum(axis=0)
    profile = drift = checks = agreement = audit = None
    if state.human_only:
        found, method = _bound_share(state, human, bins, confidence), "lower bound"
    else:
        found, profile, drift = fit_share(
            state.human,
            state.synthetic,
            bins,
            stratified=bool(state.strata),
            confidence=confidence,
        )
        method = "template fit" if drift is None else "template fit, drift"
        checks = cross_checks(BinCounts.of(human, state.synthetic, bins), confidence)
        agreement = checks.agree_with(found)
        if not agreement:
            warnings.warn(_disagreement(found, checks), TailwatchWarning, stacklevel=3)
    if labelled is not None:
        by_bin = bin_probabilities(state, bins, found.value)
        predicted = by_bin[np.searchsorted(state.edges, labelled.scores, side="right")]
        audit = audit_share(labelled.labels, predicted, bins, by_bin, confidence)
        found, method = audit.interval, "audit"
    return Prevalence(
        value=found.value,
        low=found.low,
        high=found.high,
        confidence=confidence,
        method=method,
        n=counted.rows,
        n_human=state.rows[0],
        n_synthetic=0 if state.human_only else state.rows[1],
        n_calibration=len(state.calibration),
        null_floor=floor,
        profile=profile,
        drift=drift,
        checks=checks,
        agreement=agreement,
        audit=audit,
        histogram=counted,
    )


def bin_probabilities(
    state: ModelState, bins: NDArray[np.int64], value: float
) -> NDArray[np.float64]:
    """Return the probability of each bin, whose mean over the target is the share `value`."""
    human, synthetic = state.human.sum(axis=0), state.synthetic
    if state.human_only:
        return tail_probabilities(human, bins, value)
    templates = fit_templates(BinCounts.of(human, synthetic, bins), np.array([value]))
    return mixture_probabilities(
        templates.human[0] / human.sum(), templates.synthetic[0] / synthetic.sum(), bins, value
    )


def fit_share(
    human: NDArray[np.int64],
    synthetic: NDArray[np.int64],
    target: NDArray[np.int64],
    *,
    stratified: bool,
    confidence: float,
) -> tuple[Interval, Interval, Drift | None]:
    """Fit the share of synthetic rows.

    Parameters
    ----------
    human
        Counts, parts × bins.
    synthetic, target
        Counts in each bin.
    stratified
        Whether the parts are strata, of which there are two at least, and drift is to be seen.
    confidence
        Of the interval.

    Returns
    -------
    Interval
        With the drift.
    Interval
        Without.
    Drift or None
        What the strata tell.
    """
    plain = profile_interval(BinCounts.of(human.sum(axis=0), synthetic, target), confidence)
    if not stratified or len(human) < 2 or np.isnan(plain.value):
        return plain, plain, None
    drift = drift_between(human, synthetic, target, plain.value, confidence)
    return widen(plain, drift.half_width), plain, drift


def null_floor(state: ModelState, confidence: float) -> NullFloor:
    """Estimate the share in parts of the human reference that are held out."""
    parts = state.human
    groups = np.arange(len(parts)) % LARGEST_PARTS
    found = []
    for group in range(int(groups.max()) + 1):
        rest, target = parts[groups != group], parts[groups == group].sum(axis=0)
        if state.human_only:
            found.append(_bound_share(state, rest.sum(axis=0), target, confidence))
        else:
            interval, _, _ = fit_share(
                rest,
                state.synthetic,
                target,
                stratified=bool(state.strata),
                confidence=confidence,
            )
            found.append(interval)
    return NullFloor(
        value=float(np.mean([each.value for each in found])),
        low=min(each.low for each in found),
        high=max(each.high for each in found),
        source="strata" if state.strata else "rows",
        parts=len(found),
    )


def _bound_share(
    state: ModelState, human: NDArray[np.int64], target: NDArray[np.int64], confidence: float
) -> Interval:
    """Bound the share from below, with a human reference only."""
    preset = np.isin(state.edges, state.thresholds)
    return lower_bound(human, target, preset, confidence)


def _disagreement(found: Interval, checks: CrossChecks) -> str:
    return (
        f"target: the references do not explain it: template fit {found.value:.4f} "
        f"[{found.low:.4f}, {found.high:.4f}], ACC {checks.acc:.4f}, DyS {checks.dys:.4f}, median "
        f"sweep {checks.median_sweep:.4f}"
    )

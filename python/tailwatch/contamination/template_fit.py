"""Estimates from counts: the template fit or the lower bound, and what they say of human rows.

The null floor holds out one part of the human reference at a time and takes it for a target: its
share of synthetic rows is 0. Strata beyond `LARGEST_PARTS` are held out together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.drift import Drift, drift_between, widened
from tailwatch.contamination.estimate import Interval, profile_interval
from tailwatch.contamination.likelihood import Counts
from tailwatch.contamination.lower_bound import lower_bound
from tailwatch.contamination.prevalence import NullFloor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.contamination.state import ModelState

__all__ = ["bounded", "fitted", "null_floor"]

LARGEST_PARTS = 32
"""Parts that are held out one at a time."""


def fitted(
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
    plain = profile_interval(Counts.of(human.sum(axis=0), synthetic, target), confidence)
    if not stratified or len(human) < 2 or np.isnan(plain.value):
        return plain, plain, None
    drift = drift_between(human, synthetic, target, plain.value, confidence)
    return widened(plain, drift.half_width), plain, drift


def bounded(
    state: ModelState, human: NDArray[np.int64], target: NDArray[np.int64], confidence: float
) -> Interval:
    """Bound the share from below, with a human reference only."""
    preset = np.isin(state.edges, state.thresholds)
    return lower_bound(human, target, preset, confidence)


def null_floor(state: ModelState, confidence: float) -> NullFloor:
    """Estimate the share in parts of the human reference that are held out."""
    parts = state.human
    groups = np.arange(len(parts)) % LARGEST_PARTS
    found = []
    for group in range(int(groups.max()) + 1):
        rest, target = parts[groups != group], parts[groups == group].sum(axis=0)
        if state.human_only:
            found.append(bounded(state, rest.sum(axis=0), target, confidence))
        else:
            stratified = bool(state.strata)
            found.append(
                fitted(rest, state.synthetic, target, stratified=stratified, confidence=confidence)[
                    0
                ]
            )
    return NullFloor(
        value=float(np.mean([each.value for each in found])),
        low=min(each.low for each in found),
        high=max(each.high for each in found),
        source="strata" if state.strata else "rows",
        parts=len(found),
    )

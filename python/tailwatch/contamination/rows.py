"""From the score of a row to its probability, p-value and q-value.

- Probability: with the templates p₀, p₁ fitted to the target, θ p₁/((1−θ)p₀ + θ p₁) for each bin,
  made monotone in the score by pooling adjacent violators with the target's counts as weights. θ is
  such that the mean over the target is the share that was asked for; where that is the most likely
  share, θ is the share itself, and pooling leaves the mean as it is. Bins without a target row take
  the probability of the next lower bin that has one.
- Human reference only: 1 − κ q_H/q_T, not below 0, with κ chosen alike.
- p-value: conformal and one-sided, (1 + #{calibration ≥ s})/(n + 1) for the n human calibration
  scores.
- q-value: Benjamini & Hochberg over the whole target, from its counts by rank.

Cost O(B + n), and a search for each row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tailwatch.contamination.histogram import calibration_ranks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


__all__ = [
    "RowTable",
    "least_calibration",
    "mixture_probabilities",
    "q_values",
    "tail_probabilities",
]

_ODDS = 80.0
"""Log odds that stand for certainty."""


@dataclass(frozen=True, slots=True)
class RowTable:
    """What each score means, given a target; made by :meth:`ContaminationModel.row_table`.

    Attributes
    ----------
    edges
        Inner edges of the bins of the score.
    calibration
        Human calibration scores, ascending.
    probabilities
        Of each bin.
    q_values
        Of each rank, the number of calibration scores that are no less.
    """

    edges: NDArray[np.float32]
    calibration: NDArray[np.float32]
    probabilities: NDArray[np.float64]
    q_values: NDArray[np.float64]

    def rows(self, scores: NDArray[np.float32]) -> pl.DataFrame:
        """Look scores up, in any batches.

        Parameters
        ----------
        scores
            As :meth:`ContaminationModel.score` gives them.

        Returns
        -------
        polars.DataFrame
            ``probability``, ``p_value`` and ``q_value`` of each row.
        """
        ranks = calibration_ranks(scores, self.calibration)
        return pl.DataFrame(
            {
                "probability": self.probability(scores),
                "p_value": (1 + ranks) / (len(self.calibration) + 1),
                "q_value": self.q_values[ranks],
            }
        )

    def probability(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probabilities alone."""
        return self.probabilities[np.searchsorted(self.edges, scores, side="right")]


def mixture_probabilities(
    human: NDArray[np.float64],
    synthetic: NDArray[np.float64],
    target: NDArray[np.int64],
    share: float,
) -> NDArray[np.float64]:
    """Return each bin's probability, given shares of the templates in the bins."""
    least = np.finfo(np.float64).tiny
    odds = np.log(np.maximum(synthetic, least)) - np.log(np.maximum(human, least))
    odds = np.clip(odds, -_ODDS, _ODDS)

    def at(shift: float) -> NDArray[np.float64]:
        return np.asarray(1 / (1 + np.exp(-(odds + shift))))

    return _monotone(_matched(at, target, share, 2 * _ODDS), target)


def tail_probabilities(
    human: NDArray[np.int64], target: NDArray[np.int64], share: float
) -> NDArray[np.float64]:
    """Return each bin's probability where only the human template is known."""
    expected = human / human.sum() * target.sum()
    ratio = np.divide(expected, target, out=np.full(len(human), np.inf), where=target > 0)

    def at(shift: float) -> NDArray[np.float64]:
        return np.asarray(np.maximum(0, 1 - math.exp(-shift) * np.minimum(ratio, 1e200)))

    return _monotone(_matched(at, target, share, 2 * _ODDS), target)


def q_values(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the q-value of each rank from the target's counts by rank."""
    upto = np.cumsum(ranks)
    p_values = np.arange(1, len(ranks) + 1) / len(ranks)
    expected = p_values * upto[-1]
    ratios = np.divide(expected, upto, out=np.ones(len(ranks)), where=upto > 0)
    return np.minimum(np.minimum.accumulate(ratios[::-1])[::-1], 1.0)


def least_calibration(q: float, share: float) -> int | None:
    """Return the calibration rows needed before any row can have a q-value of `q`.

    Parameters
    ----------
    q
        The q-value.
    share
        Share of the target that scores above all calibration rows at best.

    Returns
    -------
    int or None
        1/(q·share), rounded up, less the one that the p-value adds; None for a share of 0.
    """
    return math.ceil(1 / (q * share) - 1e-9) - 1 if share > 0 else None


def _matched(
    at: Callable[[float], NDArray[np.float64]],
    target: NDArray[np.int64],
    share: float,
    reach: float,
) -> NDArray[np.float64]:
    """Shift the probabilities until their mean over the target is `share`."""
    from scipy.optimize import brentq

    if share <= 0 or share >= 1:
        return np.full(len(target), float(share >= 1))
    weights = target / target.sum()

    def excess(shift: float) -> float:
        return float(weights @ at(shift)) - share

    for end in (-reach, reach):
        # A share next to 0 or 1, which certainty as it is counted here does not tell from either.
        if excess(end) * end <= 0:
            return at(end)
    return at(float(brentq(excess, -reach, reach, xtol=1e-14, rtol=1e-14)))


def _monotone(probabilities: NDArray[np.float64], target: NDArray[np.int64]) -> NDArray[np.float64]:
    """Pool adjacent violators among the bins that have rows, and fill the others from below."""
    from scipy.optimize import isotonic_regression

    filled = np.flatnonzero(target)
    pooled = isotonic_regression(probabilities[filled], weights=target[filled].astype(np.float64))
    source = np.searchsorted(filled, np.arange(len(target)), side="right") - 1
    return np.clip(pooled.x[np.maximum(source, 0)], 0, 1)

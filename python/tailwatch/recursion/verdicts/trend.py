"""Changes of a risk from generation to generation, with intervals that know their noise.

What changes at random from one generation to the next is noise, what adds up is signal. So noise is
taken from successive differences (von Neumann 1941): their variance about their mean is 2s² where
values err independently about a straight line, and a drift, however steep, adds nothing to it.

To this comes the error of each value, as the frame gives it. The held-out rows are the same ones in
all generations, so errors of different generations are added as if they were one error, which is
the most they can do.

Slopes are weighted by the frame's errors, and their own errors allow for residuals that follow each
other: with the lag-one correlation r of the residuals, corrected for its bias, the variance is
(1 + r)/(1 − r) times that of independent ones, and so many fewer residuals count. Where so few are
left that no line is honest, values are taken for a random walk: its steps are independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.recursion.verdicts.evidence import stretch, window_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["FEWEST", "Change", "change", "drift", "slope"]

FEWEST = 4
"""Values below which successive differences say nothing about noise."""


@dataclass(frozen=True, slots=True)
class Change:
    """A difference or a slope with its interval."""

    value: float
    low: float
    high: float


def change(
    values: Array, below: Array, above: Array, *, confidence: float, error: float
) -> Change | None:
    """Compare the last third of the values with the first value.

    Parameters
    ----------
    values, below, above
        One per generation, and how far their intervals reach; 0 where there are none.
    confidence
        Of these intervals.
    error
        Probability that the new interval misses on one side.

    Returns
    -------
    Change or None
        ``None`` for fewer than four values.
    """
    from scipy.stats import t

    count = len(values)
    if count < FEWEST:
        return None
    last = slice(count - min(window_length(count), count - 1), None)
    length = count - int(last.start)
    differences = np.diff(values)
    noise = float(differences.var(ddof=1)) / 2
    # Successive differences share their values: two thirds of them are worth counting.
    freedom = max(2 * (count - 2) / 3, 1.0)
    of_noise = float(t.isf(error, freedom)) * np.sqrt(noise * (1 + 1 / length))
    reach = stretch(confidence, error)
    moved = float(values[last].mean() - values[0])
    down = reach * np.hypot(below[last].mean(), above[0])
    up = reach * np.hypot(above[last].mean(), below[0])
    return Change(
        moved, moved - float(np.hypot(of_noise, down)), moved + float(np.hypot(of_noise, up))
    )


def slope(x: Array, y: Array, weights: Array, *, error: float) -> Change | None:
    """Fit a straight line, weighted, with an error that allows for autocorrelation.

    Parameters
    ----------
    x, y, weights
        Points in their order.
    error
        Probability that the interval misses on one side.

    Returns
    -------
    Change or None
        Of y per unit of x; ``None`` for fewer than four points, or too few that count.
    """
    from scipy.stats import t

    count = len(x)
    if count < FEWEST:
        return None
    w = weights / weights.sum()
    centred = x - w @ x
    spread = float(w @ centred**2)
    value = float((w * centred) @ y) / spread
    residuals = np.sqrt(w * count) * (y - w @ y - value * centred)
    squares = float((residuals**2).sum())
    follows = 0.0
    if squares > 0:
        lagged = float((residuals[1:] * residuals[:-1]).sum()) / squares
        # Residuals of a line seem less correlated than they are, by about (1 + 4r)/n.
        follows = float(np.clip(lagged + (1 + 4 * lagged) / count, 0.0, 0.99))
    inflation = (1 + follows) / (1 - follows)
    freedom = count / inflation - 2
    if freedom < 1:
        return None
    variance = squares / (count - 2) / (count * spread) * inflation
    reach = float(t.isf(error, freedom)) * np.sqrt(variance)
    return Change(value, value - float(reach), value + float(reach))


def drift(y: Array, *, error: float) -> Change | None:
    """Sum up the steps of a random walk, with an error from their spread.

    Parameters
    ----------
    y
        Values in their order.
    error
        Probability that the interval misses on one side.

    Returns
    -------
    Change or None
        From the first to the last value; ``None`` for fewer than four values.
    """
    from scipy.stats import t

    if len(y) < FEWEST:
        return None
    steps = np.diff(y)
    count = len(steps)
    reach = float(t.isf(error, count - 1)) * float(steps.std(ddof=1)) * count**0.5
    value = float(y[-1] - y[0])
    return Change(value, value - reach, value + reach)

"""Labels of a few target rows: the one estimate that holds under any drift.

PPI++ (Angelopoulos, Duchi & Zrnic 2023), for a random sample L of n labelled target rows and a
prediction f of every target row:

    value = λ·mean f(T) + mean(Y − λ f(L)),   SE² = λ² var f(T)/N + var(Y − λ f(L))/n,
    λ = cov(Y, f(L)) / ((1 + n/N) var f(L)),  within [0, 1].

Wrong predictions cost length, not validity. With few labels of one kind the normal limit is not
reached: below `LEAST_OF_EACH` the labels are taken alone, with the exact interval of Clopper and
Pearson.

Cost: the labelled rows are scored; mean and variance of f(T) come from the histogram.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.likelihood import Interval
from tailwatch.distributions import clopper_pearson_interval, normal_quantile
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Audit", "LabelledScores", "audit_share", "check_labels"]

LEAST_OF_EACH = 10
"""Labels of each kind from which on the normal limit is used."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The share of synthetic rows by verified labels.

    Attributes
    ----------
    value, low, high
        Estimate and interval.
    rows
        Labelled rows n.
    positive
        Those that are synthetic.
    weight
        λ, how much the predictions count; 0 where the labels are taken alone.
    """

    value: float
    low: float
    high: float
    rows: int
    positive: int
    weight: float

    @property
    def interval(self) -> Interval:
        """The estimate with its bounds."""
        return Interval(self.value, self.low, self.high)


@dataclass(frozen=True, slots=True)
class LabelledScores:
    """Verified labels of a random sample of the target's rows, and the scores of these.

    Attributes
    ----------
    labels
        1 for synthetic, else 0.
    scores
        Of the model.
    """

    labels: NDArray[np.float64]
    scores: NDArray[np.float32]


def check_labels(labels: ArrayLike, rows: int) -> NDArray[np.float64]:
    """Check labels: a bool, 0 or 1 for each of `rows` rows."""
    given = np.asarray(labels)
    if given.shape != (rows,) or given.dtype.kind not in "buif":
        raise InputError(
            argument="audit",
            expected=f"a label, 0 or 1, for each of {rows} rows",
            got=f"{given.dtype} of shape {given.shape}",
        )
    values = given.astype(np.float64)
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        row = int(wrong.argmax())
        message = f"label of row {row}: expected 0 or 1, got {given[row]}"
        raise InputError(
            message,
            argument="audit",
            expected="0 or 1",
            got=f"{given[row]}",
            where=f"row {row}",
        )
    return values


def audit_share(
    labels: NDArray[np.float64],
    predicted: NDArray[np.float64],
    target: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    confidence: float,
) -> Audit:
    """Estimate the share from labels.

    Parameters
    ----------
    labels, predicted
        Y and f(L) of the labelled rows.
    target, probabilities
        Counts of the target in each bin and f of each bin.
    confidence
        Of the interval.
    """
    n, rows, positive = len(labels), int(target.sum()), int(labels.sum())
    if min(positive, n - positive) < LEAST_OF_EACH:
        low, high = clopper_pearson_interval(positive, n, confidence)
        return Audit(positive / n, low, high, n, positive, 0.0)
    spread = float(predicted.var(ddof=1))
    together = float(np.cov(labels, predicted)[0, 1])
    weight = float(np.clip(together / ((1 + n / rows) * spread), 0, 1)) if spread > 0 else 0.0
    mean = float(target @ probabilities) / rows
    variance = float(target @ (probabilities - mean) ** 2) / rows
    rest = labels - weight * predicted
    value = weight * mean + float(rest.mean())
    error = (weight**2 * variance / rows + float(rest.var(ddof=1)) / n) ** 0.5
    reach = normal_quantile((1 + confidence) / 2) * error
    value, low, high = (float(np.clip(x, 0, 1)) for x in (value, value - reach, value + reach))
    return Audit(value, low, high, n, positive, weight)

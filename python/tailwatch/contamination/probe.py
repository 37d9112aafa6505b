"""The probe: cross-fitted logistic regression on standardised embeddings.

For each fold, scikit-learn fits an L2-regularised logistic regression to the rows of the other
folds, both classes weighing the same. Mean and standard deviation of each column come from the same
rows, in blocks, as sums that add up over folds; a column that does not vary is left out. The prior
of the weights is N(0, 10/d), under which the log odds of a row have a standard deviation of about
√10 whatever the number of columns d. Standardisation is then put into the weights, so that a score
is one dot product.

Cost: at most `LARGEST_FIT` rows enter, drawn at random under the seed; some hundred passes over
them for each fold. Deterministic for a seed on one machine; to rounding on another.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.scoring import Probe
from tailwatch.exceptions import InputError, TailwatchWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.io.part import Matrix
    from tailwatch.progress import ProgressReport

__all__ = ["LARGEST_FIT", "Sample", "fit_probe"]

LARGEST_FIT = 200_000
"""Rows of both classes that the probe is fitted on at most."""

_LOGIT_VARIANCE = 10.0
_BLOCK = 8192
_ITERATIONS = 2000


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of one class that the probe may learn from.

    Attributes
    ----------
    rows
        The embeddings.
    folds
        The fold of each, whose model must not see it.
    argument
        Name of the class, for the text of an error.
    """

    rows: Matrix
    folds: NDArray[np.uint8]
    argument: str


def fit_probe(
    human: Sample, other: Sample, bounds: NDArray[np.uint64], report: ProgressReport
) -> Probe:
    """Fit a model for each fold.

    Parameters
    ----------
    human, other
        Rows of both classes; the score is larger for the other one.
    bounds
        Upper ends of each fold's hashes.
    report
        Takes ``(stage, done, total)``.

    Returns
    -------
    Probe
        Weights for rows as they come.

    Raises
    ------
    InputError
        If all rows of a class fall in one fold.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    count = len(bounds)
    rows = np.concatenate([human.rows, other.rows])
    if rows.dtype != np.float64:
        rows = rows.astype(np.float32)
    folds = np.concatenate([human.folds, other.folds])
    labels = np.repeat([0, 1], [len(human.rows), len(other.rows)])
    sums = [_sums(rows[folds == fold]) for fold in range(count)]
    weights, intercepts = np.zeros((count, rows.shape[1])), np.zeros(count)
    for fold in range(count):
        report("probe", fold, count)
        used = folds != fold
        for sample in (human, other):
            if not (sample.folds != fold).any():
                message = (
                    f"expected rows in at least two folds, but all {len(sample.rows)} are in one: "
                    "too few differ"
                )
                raise InputError(
                    message,
                    argument=sample.argument,
                    expected="rows in at least two folds",
                    got=f"all {len(sample.rows)} in one",
                )
        mean, scale = _standard(sums, fold)
        inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
        standardised = (rows[used] - mean.astype(rows.dtype)) * inverse.astype(rows.dtype)
        # Both classes weigh as much as the mean of their sizes, so that C means the same for each.
        model = LogisticRegression(
            C=_LOGIT_VARIANCE / rows.shape[1], class_weight="balanced", max_iter=_ITERATIONS
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(standardised, labels[used])
        if model.n_iter_[0] >= _ITERATIONS:
            warnings.warn(
                f"probe: not converged after {_ITERATIONS} iterations; it may tell less than it "
                "could",
                TailwatchWarning,
                stacklevel=3,
            )
        weights[fold] = model.coef_[0].astype(np.float64) * inverse
        intercepts[fold] = float(model.intercept_[0]) - weights[fold] @ mean
    report("probe", count, count)
    return Probe(weights, intercepts, bounds)


def _sums(rows: Matrix) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Count rows, and sum values and squares in blocks."""
    total, squares = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK].astype(np.float64)
        total += block.sum(axis=0)
        squares += (block * block).sum(axis=0)
    return len(rows), total, squares


def _standard(
    sums: list[tuple[int, NDArray[np.float64], NDArray[np.float64]]], left_out: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give mean and standard deviation over all folds but one."""
    kept = [each for fold, each in enumerate(sums) if fold != left_out]
    rows = sum(each[0] for each in kept)
    mean = np.sum([each[1] for each in kept], axis=0) / rows
    square = np.sum([each[2] for each in kept], axis=0) / rows
    variance = square - mean**2
    # What is left of a constant column is the rounding of its square.
    variance[variance <= 1e-12 * square] = 0
    return mean, np.sqrt(variance)

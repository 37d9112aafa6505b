"""The probe: cross-fitted logistic regression on standardised embeddings, and its scores.

For each fold, scikit-learn fits an L2-regularised logistic regression to the rows of the other
folds, both classes weighing the same. Mean and standard deviation of each column come from the same
rows, in blocks, as sums that add up over folds; a column that does not vary is left out. The prior
of the weights is N(0, 10/d), under which the log odds of a row have a standard deviation of about
√10 whatever the number of columns d. Standardisation is then put into the weights, so that a score
is one dot product: the log odds that the probe gives, float32, larger for rows that look synthetic.
Its sums run in float64 in one fixed order, so that a score depends on its row alone.

A row's fold is a hash of its values, so whoever scores the row later, in whatever batch, comes to
the same model, which was fitted without the rows of that fold: reference rows are scored by a model
that did not see them, copies of reference rows inside the target as well, and so is the part of the
target that a human-only probe was fitted on. The target's rows spread over the models as the
references did, so that both sides of a histogram are draws of the same score; one model for the
target and the held-out ones for the references would not be, and the estimate would inherit the
difference.

Whole human strata may go to a fold instead, so that near-duplicates within one do not flatter the
probe. All other rows then spread in the proportions of those folds. That is not the default: a
target's rows of a stratum that the reference has would be scored by models that have seen it, while
the reference's were not; and where the synthetic rows imitate the strata, a model without one of
them is shown its imitation alone, and takes the stratum itself for synthetic.

Cost: at most `LARGEST_FIT` rows enter, drawn at random under the seed; some hundred passes over
them for each fold. Deterministic for a seed on one machine; to rounding on another. Scores and
folds take a multiplication and an addition for each value.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.exceptions import InputError, NonFiniteError, TailwatchWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.io.part import Matrix
    from tailwatch.progress import ProgressReport

__all__ = [
    "HASHES",
    "LARGEST_FIT",
    "LARGEST_MAGNITUDE",
    "Probe",
    "TrainingRows",
    "check_finite",
    "content_folds",
    "even_bounds",
    "fit_probe",
    "fold_bounds",
    "stratum_folds",
]

HASHES = 2**32
"""Values of the hash; fold k takes those from ``bounds[k - 1]`` up to ``bounds[k]``."""

LARGEST_FIT = 200_000
"""Rows of both classes that the probe is fitted on at most."""

LARGEST_MAGNITUDE = 1e150
"""Beyond it squares overflow."""

_LOGIT_VARIANCE = 10.0
_BLOCK = 8192
_ITERATIONS = 2000


@dataclass(frozen=True, slots=True)
class Probe:
    """A linear model for each fold.

    Attributes
    ----------
    weights
        Folds × columns, float64; the standardisation is inside.
    intercepts
        One for each fold.
    bounds
        Upper ends of each fold's hashes.
    """

    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    bounds: NDArray[np.uint64]

    @property
    def columns(self) -> int:
        """Numbers in a row."""
        return int(self.weights.shape[1])

    def score(
        self,
        batch: Matrix,
        argument: str,
        *,
        first_row: int = 0,
        folds: NDArray[np.uint8] | None = None,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """Score the rows of an array.

        Parameters
        ----------
        batch
            The rows, with as many columns as the probe has.
        argument, first_row
            Whose rows they are, and the number of the first one, for the text of an error.
        folds
            The fold of each row, where it is not that of its content.
        threads
            Threads to use; all cores by default.

        Raises
        ------
        NonFiniteError
            If a score is not finite, since a value is not, or is too large.
        """
        rows = _core.Rows.from_numpy([batch], argument)
        scores = _core.probe_scores(
            rows,
            self.weights,
            self.intercepts,
            self.bounds,
            folds,
            {"threads": threads, "progress": None},
        )
        bad = ~np.isfinite(scores)
        if bad.any():
            row = int(bad.argmax())
            raise _not_finite(batch, row, first_row + row, argument)
        return scores


@dataclass(frozen=True, slots=True)
class TrainingRows:
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
    human: TrainingRows, other: TrainingRows, bounds: NDArray[np.uint64], report: ProgressReport
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


def content_folds(
    rows: Matrix, bounds: NDArray[np.uint64], threads: int | None = None
) -> NDArray[np.uint8]:
    """Return the fold of each row, from its values as float64."""
    handle = _core.Rows.from_numpy([rows], "rows")
    return _core.content_folds(handle, bounds, {"threads": threads, "progress": None})


def even_bounds(folds: int) -> NDArray[np.uint64]:
    """Divide the hashes equally."""
    return fold_bounds(np.ones(folds, np.int64))


def fold_bounds(sizes: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Divide the hashes in proportion to `sizes`."""
    upto, total = 0, int(sizes.sum())
    bounds = []
    for size in sizes.tolist():
        upto += size
        bounds.append(upto * HASHES // total)
    return np.array(bounds, np.uint64)


def stratum_folds(sizes: NDArray[np.int64], folds: int) -> NDArray[np.uint8]:
    """Deal strata to folds of about equal size: the largest first, each to the smallest fold."""
    filled = [0] * min(folds, len(sizes))
    chosen = np.zeros(len(sizes), np.uint8)
    for stratum in np.argsort(-sizes, kind="stable"):
        fold = filled.index(min(filled))
        chosen[stratum] = fold
        filled[fold] += int(sizes[stratum])
    return chosen


def check_finite(rows: Matrix, numbers: NDArray[np.int64], argument: str) -> None:
    """Raise an error at the first row that holds NaN, an infinity or too large a value.

    Parameters
    ----------
    rows
        The values.
    numbers
        Number of each row in the argument.
    argument
        Its name.

    Raises
    ------
    NonFiniteError
        If there is such a row.
    """
    finite = np.isfinite(rows)
    if rows.dtype == np.float64:
        finite &= np.abs(rows) <= LARGEST_MAGNITUDE
    good = finite.all(axis=1)
    if not good.all():
        row = int((~good).argmax())
        raise _not_finite(rows, row, int(numbers[row]), argument)


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
    """Return mean and standard deviation over all folds but one."""
    kept = [each for fold, each in enumerate(sums) if fold != left_out]
    rows = sum(each[0] for each in kept)
    mean = np.sum([each[1] for each in kept], axis=0) / rows
    square = np.sum([each[2] for each in kept], axis=0) / rows
    variance = square - mean**2
    # What is left of a constant column is the rounding of its square.
    variance[variance <= 1e-12 * square] = 0
    return mean, np.sqrt(variance)


def _not_finite(rows: Matrix, row: int, number: int, argument: str) -> NonFiniteError:
    """Make the error that says what is wrong with a row."""
    values = rows[row].astype(np.float64)
    bad = ~(np.abs(values) <= LARGEST_MAGNITUDE)
    if not bad.any():
        return NonFiniteError(
            f"row {number} is so large that its score overflows",
            argument=argument,
            expected="values whose score float32 can hold",
            got="larger ones",
            where=f"row {number}",
        )
    column = int(bad.argmax())
    value = values[column]
    if np.isnan(value):
        kind = "NaN"
    elif np.isinf(value):
        kind = "an infinity" if value > 0 else "a negative infinity"
    else:
        kind = f"{value:g}, whose square would overflow (magnitudes up to 1e150 are taken)"
    return NonFiniteError(
        f"row {number}, column {column} holds {kind}",
        argument=argument,
        expected=f"finite values of magnitudes up to {LARGEST_MAGNITUDE:g}",
        got=f"{value:g}",
        where=f"row {number}, column {column}",
    )

"""Counts of scores: all that is kept of a target, however many rows it has.

Two integer histograms: over the bins of the template fit, and over the ranks among the human
calibration scores, from which p- and q-values follow. Integers add up to the same whatever the
order, so shards may be absorbed and merged in any order and split anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch.contamination.bins import bin_counts
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Histogram", "calibration_ranks"]


class Histogram:
    """Counts of the scores of a target; made by :meth:`ContaminationModel.histogram`.

    Parameters
    ----------
    fingerprint
        Of the model whose scores are counted.
    edges
        Inner edges of its bins.
    calibration
        Its human calibration scores, ascending.
    counts
        Bins and ranks to begin with, as :meth:`finish` gave them; none by default.

    Raises
    ------
    InputError
        If `counts` are not over the bins and ranks of the model.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.contamination import Histogram
    >>> edges, calibration = np.float32([0.0, 1.0]), np.float32([-1.0, 0.5])
    >>> first = Histogram("model", edges, calibration).absorb(np.float32([0.2, 3.0]))
    >>> first.merge(Histogram("model", edges, calibration).absorb(np.float32([-2.0])))
    Histogram(3 rows in 3 bins)
    >>> first.bins.tolist(), first.ranks.tolist()
    ([1, 1, 1], [1, 1, 1])
    """

    def __init__(
        self,
        fingerprint: str,
        edges: NDArray[np.float32],
        calibration: NDArray[np.float32],
        counts: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
    ) -> None:
        self._fingerprint = fingerprint
        self._edges = edges
        self._calibration = calibration
        self._bins = np.zeros(len(edges) + 1, np.int64)
        self._ranks = np.zeros(len(calibration) + 1, np.int64)
        if counts is not None:
            self._bins += _counts(counts[0], "bins", len(self._bins))
            self._ranks += _counts(counts[1], "ranks", len(self._ranks))
            if counts[0].sum() != counts[1].sum():
                message = (
                    f"ranks: expected {counts[0].sum()} rows as in bins, got {counts[1].sum()}"
                )
                raise InputError(message)

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the model whose scores are counted."""
        return self._fingerprint

    @property
    def rows(self) -> int:
        """Rows counted."""
        return int(self._bins.sum())

    @property
    def bins(self) -> NDArray[np.int64]:
        """Rows in each bin of the score, a copy."""
        return self._bins.copy()

    @property
    def ranks(self) -> NDArray[np.int64]:
        """Rows for each number of calibration scores that reach theirs, a copy."""
        return self._ranks.copy()

    def absorb(self, scores: NDArray[np.float32]) -> Histogram:
        """Count scores of the model.

        Parameters
        ----------
        scores
            One-dimensional float32, as :meth:`ContaminationModel.score` gives them.

        Returns
        -------
        Histogram
            This one.

        Raises
        ------
        InputError
            If they are anything else, or not finite.
        """
        checked = _scores(scores)
        self._bins += bin_counts(checked, self._edges)
        self._ranks += np.bincount(
            calibration_ranks(checked, self._calibration), minlength=len(self._ranks)
        )
        return self

    def merge(self, other: Histogram) -> Histogram:
        """Add the counts of another one of the same model.

        Returns
        -------
        Histogram
            This one.

        Raises
        ------
        InputError
            If the other one counts scores of another model.
        """
        if other.fingerprint != self._fingerprint:
            message = (
                f"histogram: counts scores of model {other.fingerprint[:12]}, expected those of "
                f"{self._fingerprint[:12]}"
            )
            raise InputError(message)
        self._bins += other.bins
        self._ranks += other.ranks
        return self

    def finish(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give :attr:`bins` and :attr:`ranks`."""
        return self.bins, self.ranks

    def __repr__(self) -> str:
        return f"Histogram({self.rows:,} rows in {len(self._bins)} bins)"


def calibration_ranks(
    scores: NDArray[np.float32], calibration: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Count for each score the calibration scores that are no less."""
    return len(calibration) - np.searchsorted(calibration, scores, side="left")


def _scores(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    checked = np.asarray(scores)
    if checked.ndim != 1 or checked.dtype != np.float32:
        message = (
            "scores: expected a 1-D float32 array as score() gives it, got "
            f"{checked.dtype} of shape {checked.shape}"
        )
        raise InputError(message)
    if not np.isfinite(checked).all():
        message = f"scores: row {int((~np.isfinite(checked)).argmax())} is not finite"
        raise InputError(message)
    return checked


def _counts(counts: NDArray[np.int64], name: str, length: int) -> NDArray[np.int64]:
    if counts.shape != (length,) or counts.dtype != np.int64 or (counts < 0).any():
        message = f"{name}: expected {length} counts of int64, got {counts.dtype} {counts.shape}"
        raise InputError(message)
    return counts

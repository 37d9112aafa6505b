"""Counts of scores: all that is kept of a target, however many rows it has.

Two integer histograms: over the bins of the template fit, and over the ranks among the human
calibration scores, from which p- and q-values follow. Integers add up to the same whatever the
order, so shards may be absorbed and merged in any order and split anywhere.

The bins are quantiles of the pooled references, merged until each is seen in each. A bin holds
``edges[b - 1] <= score < edges[b]``; the outer ones are open. The likelihood's χ² limit needs a few
counts of both references in every bin, so neighbours are merged until each has `LEAST_COUNT`.
Pseudo-counts would fill the bins too, but pull the templates together and destroy the coverage of
the interval. Where the references hardly overlap no two bins can hold `LEAST_COUNT` of both. Then
two bins remain, cut where they are told apart best: the likelihood knows that a count of 0 is not a
share of 0.

Cost: a sort of the references, and a search for each row of the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.sealed import Another, Damaged, Invalid, Portable, content_of, open_sealed, seal

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

__all__ = [
    "BINS",
    "LEAST_COUNT",
    "Histogram",
    "bin_counts",
    "calibration_ranks",
    "human_edges",
    "shared_edges",
]

_MAGIC: Final = b"tailwatch-counts1"
_DTYPES: Final = {"bins": "<i8", "ranks": "<i8", "edges": "<f4", "calibration": "<f4"}

BINS = 30
"""Quantile bins before merging: more buy less than 1 % of the interval's length."""

LEAST_COUNT = 3
"""Counts of each reference in each bin."""


class Histogram(Portable):
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
                raise InputError(
                    argument="ranks",
                    expected=f"{counts[0].sum()} rows as in bins",
                    got=f"{counts[1].sum()}",
                )

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
        ordered = np.sort(_scores(scores))
        self._bins += _counts_between(ordered, self._edges, "left")
        # As many calibration scores are no less as stand from the first that is no less on.
        self._ranks += _counts_between(ordered, self._calibration, "right")[::-1]
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
                f"counts scores of model {other.fingerprint[:12]}, expected those of "
                f"{self._fingerprint[:12]}"
            )
            raise InputError(
                message,
                argument="histogram",
                expected=f"counts of model {self._fingerprint[:12]}",
                got=f"those of {other.fingerprint[:12]}",
            )
        self._bins += other.bins
        self._ranks += other.ranks
        return self

    def finish(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return :attr:`bins` and :attr:`ranks`."""
        return self.bins, self.ranks

    def to_bytes(self) -> bytes:
        """Return the counts, and what they are counted by, as bytes that :meth:`from_bytes` checks.

        Returns
        -------
        bytes
            ``tailwatch-counts1``, SHA-256 of all that follows, length and JSON of a header, and
            bins, ranks, edges and calibration in little-endian order.
        """
        header = {
            "fingerprint": self._fingerprint,
            "bins": len(self._bins),
            "ranks": len(self._ranks),
        }
        arrays = (self._bins, self._ranks, self._edges, self._calibration)
        return seal(_MAGIC, content_of(header, zip(arrays, _DTYPES.values(), strict=True)))

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        try:
            header, found = open_sealed(data, _MAGIC, _shapes)
            counts = (found["bins"], found["ranks"])
            return cls(str(header["fingerprint"]), found["edges"], found["calibration"], counts)
        except Another as error:
            raise _damaged(expected="those of a histogram", got="others") from error
        except Damaged as error:
            raise _damaged(expected="those that were given", got="others") from error
        except (Invalid, InputError) as error:
            raise _damaged(expected="counts of a model", got=f"{error}"[:200]) from error

    def __repr__(self) -> str:
        return f"Histogram({self.rows:,} rows in {len(self._bins)} bins)"


def calibration_ranks(
    scores: NDArray[np.float32], calibration: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Count for each score the calibration scores that are no less."""
    return len(calibration) - np.searchsorted(calibration, scores, side="left")


def shared_edges(
    human: NDArray[np.float32], synthetic: NDArray[np.float32], bins: int = BINS
) -> NDArray[np.float32]:
    """Cut the scores of both references into bins.

    Parameters
    ----------
    human, synthetic
        Scores of the references, at least one each.
    bins
        Bins before merging.

    Returns
    -------
    numpy.ndarray
        Ascending inner edges, one fewer than there are bins. None where all scores are equal.
    """
    edges = _quantile_edges(np.concatenate([human, synthetic]), np.arange(1, bins) / bins)
    if not len(edges):
        return edges
    of_human, of_synthetic = bin_counts(human, edges), bin_counts(synthetic, edges)
    merged = edges[_kept(of_human, of_synthetic)]
    if len(merged):
        return merged
    above = [1 - np.cumsum(counts)[:-1] / counts.sum() for counts in (of_human, of_synthetic)]
    best = int(np.abs(above[1] - above[0]).argmax())
    return edges[best : best + 1]


def human_edges(
    human: NDArray[np.float32],
    target: NDArray[np.float32],
    thresholds: NDArray[np.float32],
    bins: int = BINS,
) -> NDArray[np.float32]:
    """Cut the scores into quantile bins of both, with an edge at each of `thresholds`."""
    quantiles = _quantile_edges(np.concatenate([human, target]), np.arange(1, bins) / bins)
    return np.unique(np.concatenate([quantiles, thresholds]))


def bin_counts(scores: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.int64]:
    """Count the scores in each bin, which holds its lower edge."""
    return _counts_between(np.sort(scores), edges, "left")


def _counts_between(
    ordered: NDArray[np.float32], bounds: NDArray[np.float32], side: Literal["left", "right"]
) -> NDArray[np.int64]:
    """Count ascending numbers between ascending bounds, up to each: without it if `side` is left.

    Bounds are looked up among the numbers, and not these among those: that is fewer look-ups.
    """
    ends = np.searchsorted(ordered, bounds, side=side)
    return np.diff(ends, prepend=0, append=len(ordered))


def _shapes(header: Any) -> list[tuple[str, str, tuple[int]]]:  # noqa: ANN401  (of JSON)
    """Return the arrays that a header tells of, if it is that of a histogram."""
    if sorted(header) != ["bins", "fingerprint", "ranks"]:
        raise InputError(argument="header", expected="bins, ranks and a fingerprint")
    bins, ranks = header["bins"], header["ranks"]
    if type(bins) is not int or type(ranks) is not int or min(bins, ranks) < 1:
        raise InputError(argument="header", expected="a bin and a rank at least", got="others")
    lengths = (bins, ranks, bins - 1, ranks - 1)
    return [
        (name, dtype, (length,))
        for (name, dtype), length in zip(_DTYPES.items(), lengths, strict=True)
    ]


def _damaged(*, expected: str, got: str) -> SourceError:
    return SourceError(argument="histogram", expected=f"bytes: {expected}", got=got)


def _scores(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    checked = np.asarray(scores)
    if checked.ndim != 1 or checked.dtype != np.float32:
        raise InputError(
            argument="scores",
            expected="a 1-D float32 array as score() gives it",
            got=f"{checked.dtype} of shape {checked.shape}",
        )
    if not np.isfinite(checked).all():
        row = int((~np.isfinite(checked)).argmax())
        message = f"row {row} is not finite"
        raise InputError(
            message,
            argument="scores",
            expected="finite scores",
            got=f"{checked[row]}",
            where=f"row {row}",
        )
    return checked


def _counts(counts: NDArray[np.int64], name: str, length: int) -> NDArray[np.int64]:
    if counts.shape != (length,) or counts.dtype != np.int64 or (counts < 0).any():
        raise InputError(
            argument=name,
            expected=f"{length} counts of int64",
            got=f"{counts.dtype} {counts.shape}",
        )
    return counts


def _quantile_edges(
    scores: NDArray[np.float32], levels: NDArray[np.float64]
) -> NDArray[np.float32]:
    edges = np.unique(np.quantile(scores, levels, method="inverted_cdf")).astype(np.float32)
    # An edge at the least score would open an empty bin below it.
    inner: NDArray[np.float32] = edges[edges > scores.min()]
    return inner


def _kept(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the edges, such that both have enough counts between any two."""
    kept: list[int] = []
    in_first = in_second = 0
    for edge, (one, other) in enumerate(zip(first, second, strict=True)):
        in_first += int(one)
        in_second += int(other)
        if min(in_first, in_second) >= LEAST_COUNT:
            kept.append(edge)
            in_first = in_second = 0
    # What is left over at the end joins the last bin; so does the last bin's own outer end.
    return np.array(kept[:-1], dtype=np.int64)

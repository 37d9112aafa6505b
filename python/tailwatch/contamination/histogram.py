"""Counts of scores: all that is kept of a target, however many rows it has.

Two integer histograms: over the bins of the template fit, and over the ranks among the human
calibration scores, from which p- and q-values follow. Integers add up to the same whatever the
order, so shards may be absorbed and merged in any order and split anywhere.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

import numpy as np

from tailwatch.contamination.bins import bin_counts
from tailwatch.contamination.portable import Portable
from tailwatch.exceptions import InputError, SourceError

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

__all__ = ["Histogram", "calibration_ranks"]

_MAGIC: Final = b"tailwatch-counts1"
_KINDS: Final = ("<i8", "<i8", "<f4", "<f4")


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
        """Give :attr:`bins` and :attr:`ranks`."""
        return self.bins, self.ranks

    def to_bytes(self) -> bytes:
        """Give the counts, and what they are counted by, as bytes that :meth:`from_bytes` checks.

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
        text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode("ascii")
        arrays = zip((self._bins, self._ranks, self._edges, self._calibration), _KINDS, strict=True)
        lying = [np.ascontiguousarray(array, kind).tobytes() for array, kind in arrays]
        content = b"".join([len(text).to_bytes(4, "little"), text, *lying])
        return _MAGIC + hashlib.sha256(content).digest() + content

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        start = len(_MAGIC) + 32
        try:
            if not data.startswith(_MAGIC):
                raise _damaged(expected="those of a histogram", got="others")
            if hashlib.sha256(data[start:]).digest() != data[len(_MAGIC) : start]:
                raise _damaged(expected="those that were given", got="others")
            return cls._parsed(data[start:])
        except InputError as error:
            if isinstance(error, SourceError):
                raise
            raise _damaged(expected="counts of a model", got=f"{error}") from error
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
            raise _damaged(expected="those that to_bytes gives", got=f"{error}"[:200]) from error

    @classmethod
    def _parsed(cls, content: bytes) -> Self:
        end = 4 + int.from_bytes(content[:4], "little")
        header = json.loads(content[4:end].decode("ascii"))
        bins, ranks = int(header["bins"]), int(header["ranks"])
        lengths, found = (bins, ranks, bins - 1, ranks - 1), []
        if min(lengths) < 0 or end + 12 * (bins + ranks) - 8 != len(content):
            raise _damaged(expected="bytes of so many counts", got=f"{len(content)} bytes")
        for length, kind in zip(lengths, _KINDS, strict=True):
            stop = end + length * np.dtype(kind).itemsize
            # A copy, which is aligned and native.
            own = np.dtype(kind).newbyteorder("=")
            found.append(np.frombuffer(content[end:stop], kind).astype(own))
            end = stop
        counts = (found[0], found[1])
        return cls(str(header["fingerprint"]), found[2], found[3], counts)

    def __repr__(self) -> str:
        return f"Histogram({self.rows:,} rows in {len(self._bins)} bins)"


def _damaged(*, expected: str, got: str) -> SourceError:
    return SourceError(argument="histogram", expected=f"bytes: {expected}", got=got)


def calibration_ranks(
    scores: NDArray[np.float32], calibration: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Count for each score the calibration scores that are no less."""
    return len(calibration) - np.searchsorted(calibration, scores, side="left")


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

"""Arrays of any length as batches of one length, as one array, or as a selection of rows."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch.io.part import Matrix

__all__ = ["gather", "join", "regroup"]

AHEAD_BYTES = 1 << 26
"""Memory that is taken before there are rows for it."""


def regroup(pieces: Iterator[Matrix], rows: int, dtype: np.dtype[Any]) -> Iterator[Matrix]:
    """Cut pieces into batches of `rows` rows, the last one shorter.

    A batch that lies within one piece of the right type is a view of it; only a batch that spans
    several is copied.
    """
    held: list[Matrix] = []
    missing = rows
    for piece in pieces:
        start = 0
        while start < len(piece):
            held.append(piece[start : start + missing])
            start += len(held[-1])
            missing -= len(held[-1])
            if not missing:
                yield _merge(held, dtype)
                held, missing = [], rows
    if held:
        yield _merge(held, dtype)


def join(pieces: Iterator[Matrix], shape: tuple[int, int], dtype: np.dtype[Any]) -> Matrix:
    """Give all rows as one array: the first piece itself where that is all, or else a copy."""
    first = next(pieces)
    if len(first) == shape[0]:
        return first.astype(dtype, copy=False)
    rows, columns = shape
    ahead = AHEAD_BYTES // (dtype.itemsize * columns)
    # Memory grows with what is read: a damaged file may say that it has any number of rows.
    whole = np.empty((min(rows, len(first) + ahead), columns), dtype)
    start = 0
    for piece in chain([first], pieces):
        stop = start + len(piece)
        if stop > len(whole):
            whole.resize((min(rows, 2 * stop + ahead), columns), refcheck=False)
        whole[start:stop] = piece
        start = stop
    return whole


def gather(pieces: Iterator[Matrix], rows: NDArray[np.int64], into: Matrix) -> None:
    """Copy the chosen rows, in the order chosen, in one pass over the pieces.

    Parameters
    ----------
    pieces
        All rows, in order.
    rows
        Row numbers within range, in any order, with or without repetition.
    into
        Array with as many rows as are chosen.
    """
    order = np.argsort(rows, kind="stable")
    ascending = rows[order]
    start = 0
    for piece in pieces:
        low, high = np.searchsorted(ascending, (start, start + len(piece)))
        into[order[low:high]] = piece[ascending[low:high] - start]
        start += len(piece)


def _merge(held: list[Matrix], dtype: np.dtype[Any]) -> Matrix:
    if len(held) == 1:
        return held[0].astype(dtype, copy=False)
    return np.concatenate(held, dtype=dtype)

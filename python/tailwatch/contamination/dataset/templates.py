"""Rows whose copies are looked for: those of a synthetic reference, as a rule.

A row of the target is a copy of the nearest of these rows if it lies within a distance ε of it;
exact if the distance is 0. Distances are exact, so a copy that was stored in another type is near.
By default ε is a tenth of the root mean square distance √(2 Σⱼ var xⱼ) between two of the rows.

Cost: that of the nearest of m rows for each row of the target, O(m·d); a byte for each of their
values besides them.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.contamination.finite import check_finite
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import DimensionError, InputError
from tailwatch.metrics.embeddings.neighbors import nearest_neighbors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.embeddings import Embeddings, EmbeddingsLike
    from tailwatch.io.part import Matrix

__all__ = ["Templates", "row_hashes", "templates_of"]

SHARE_OF_SPREAD = 0.1


@dataclass(frozen=True, slots=True)
class Templates:
    """The rows, and how near a copy is.

    Attributes
    ----------
    rows
        At least one, finite.
    distance
        The largest distance of a copy.
    digest
        32 hexadecimal digits over the rows.
    """

    rows: Embeddings
    distance: float
    digest: str

    def nearest(self, batch: Matrix, threads: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Give number and distance of the row that each row copies; −1 and NaN where it does not.

        Parameters
        ----------
        batch
            Finite rows with as many columns.
        threads
            Threads to use.
        """
        distances, rows = nearest_neighbors(batch, self.rows, k=1, threads=threads)
        near = distances[:, 0] <= self.distance
        return np.where(near, rows[:, 0], -1), np.where(near, distances[:, 0], np.nan)


def templates_of(
    source: EmbeddingsLike, distance: float | None, columns: int, threads: int
) -> Templates:
    """Read and check the rows.

    Parameters
    ----------
    source
        The rows.
    distance
        The largest distance of a copy, at least 0; None for the default.
    columns
        Numbers that a row must have.
    threads
        Threads to use.

    Raises
    ------
    InputError
        Bad data, a distance below 0, or a single row without one.
    """
    rows = as_embeddings(source, "copies_of")
    if rows.columns != columns:
        raise DimensionError(
            argument="copies_of",
            expected=f"{columns} columns as the references have",
            got=f"{rows.columns}",
        )
    digest, total, done = hashlib.sha256(), np.zeros(columns), 0
    for batch in rows.batches():
        check_finite(batch, np.arange(done, done + len(batch)), "copies_of")
        digest.update(row_hashes(batch, threads).astype("<u8").tobytes())
        total += batch.sum(axis=0, dtype=np.float64)
        done += len(batch)
    if distance is None:
        if done < 2:
            message = "a single row does not tell how near a copy is"
            raise InputError(
                message,
                argument="copies_of",
                expected="at least two rows",
                got=f"{done}",
                hint="give copy_distance",
            )
        centre = total / done
        squares = sum(float(np.square(batch - centre).sum()) for batch in rows.batches())
        distance = SHARE_OF_SPREAD * math.sqrt(2 * squares / (done - 1))
    return Templates(rows, distance, digest.hexdigest()[:32])


def row_hashes(batch: Matrix, threads: int) -> NDArray[np.uint64]:
    """Give XXH3-64 of each row's bytes: equal for rows of one type that are equal in every bit."""
    lying = np.ascontiguousarray(batch).view(np.uint8)
    return _core.row_hashes(lying, {"threads": threads, "progress": None})

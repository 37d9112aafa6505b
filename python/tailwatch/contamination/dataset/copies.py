"""How many rows are copies: of each other, and of given rows, their originals.

Copies of each other are told by a 64-bit hash. Hashes are dealt to files by their leading bits, so
that a file's worth is in memory at a time; each is sorted, and runs of equal hashes are counted.

Originals are rows of a synthetic reference, as a rule. A row of the target is a copy of the nearest
of them if it lies within a distance ε of it; exact if the distance is 0. Distances are exact, so a
copy that was stored in another type is near. By default ε is a tenth of the root mean square
distance √(2 Σⱼ var xⱼ) between two of the originals.

An interval takes rows as independent. Rows in groups of copies of m₁, m₂, … tell no more than
N²/Σmᵢ² independent ones do (Kish's effective size), if whatever is copied is drawn at random.

Cost O(N log N), and that of the nearest of m originals for each row, O(m·d); some tens of MB in
memory up to 10⁹ rows, 8 bytes for each row on disk meanwhile, and a byte for each value of the
originals besides them.
"""

from __future__ import annotations

import hashlib
import math
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.background import wait_for
from tailwatch.contamination.dataset.tables import COPY, HASH, read_table
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import DimensionError, InputError
from tailwatch.metrics.embeddings.neighbors import nearest_neighbors
from tailwatch.metrics.embeddings.probe import check_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.embeddings import Embeddings, EmbeddingsLike
    from tailwatch.io.part import Matrix

__all__ = [
    "CopiesOfOriginals",
    "CopyCounts",
    "Originals",
    "copies_note",
    "count_copies",
    "read_originals",
    "row_hashes",
]

ROWS_IN_MEMORY = 1 << 22
"""Hashes that are sorted at a time."""

SHARE_OF_SPREAD = 0.1
"""Largest distance of a copy by default, in root mean square distances between originals."""

# No more files than a process may open by default.
_MOST_FILES = 256
# √1.21: an interval that should be a tenth longer is worth a word.
_NOTED = 1.21


@dataclass(frozen=True, slots=True)
class Originals:
    """Rows whose copies are looked for, and how near a copy is.

    Attributes
    ----------
    rows
        At least one row, all finite.
    distance
        The largest distance of a copy.
    digest
        32 hexadecimal digits over the rows.
    """

    rows: Embeddings
    distance: float
    digest: str

    def nearest(self, batch: Matrix, threads: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return number and distance of the row that each row copies; −1 and NaN where it does not.

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


@dataclass(frozen=True, slots=True)
class CopiesOfOriginals:
    """Rows of the target that are copies of originals.

    Attributes
    ----------
    rows
        Number of the originals.
    distance
        The largest distance of a copy.
    exact, near
        Rows of the target at distance 0 from one of them, and at a greater one up to `distance`.
    """

    rows: int
    distance: float
    exact: int
    near: int


@dataclass(frozen=True, slots=True)
class CopyCounts:
    """Rows of the target that occur more than once.

    Attributes
    ----------
    rows
        Of the target.
    different
        Those left if each is kept once.
    repeated
        Rows of which there is another copy, each counted.
    most
        The largest number of copies of one row.
    effective
        Independent rows that tell as much.
    of
        Copies of originals, if these were looked for.
    """

    rows: int
    different: int
    repeated: int
    most: int
    effective: float
    of: CopiesOfOriginals | None


def read_originals(
    source: EmbeddingsLike, distance: float | None, columns: int, threads: int
) -> Originals:
    """Read and check originals.

    Parameters
    ----------
    source
        Their rows.
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
    return Originals(rows, distance, digest.hexdigest()[:32])


def row_hashes(batch: Matrix, threads: int) -> NDArray[np.uint64]:
    """Return XXH3-64 of each row's bytes, equal for rows of one type that are equal in each bit."""
    lying = np.ascontiguousarray(batch).view(np.uint8)
    return _core.row_hashes(lying, {"threads": threads, "progress": None})


def count_copies(
    tables: Sequence[Path],
    rows: int,
    originals: Originals | None,
    folder: Folder,
    report: Callable[[int], object],
) -> CopyCounts:
    """Count the copies in tables of rows.

    Parameters
    ----------
    tables
        They have a ``content_hash``, and with `originals` ``copy_of`` and ``copy_distance``.
    rows
        Rows of all tables.
    originals
        Rows whose copies were looked for.
    folder
        Where there is room for files that are removed again.
    report
        Called with the rows that were read.

    Raises
    ------
    OSError
        A file cannot be written.
    """
    bits = min(max(0, -(-rows // ROWS_IN_MEMORY) - 1).bit_length(), _MOST_FILES.bit_length() - 1)
    columns = [*HASH, *(() if originals is None else COPY)]
    done = exact = near = 0
    with ExitStack() as attempts:
        files = [attempts.enter_context(folder.attempt()) for _ in range(1 << bits)]
        with ExitStack() as stack:
            dealt = [stack.enter_context(file.open("xb")) for file in files]
            for table in tables:
                for batch in read_table(table, columns):
                    for heap, some in zip(dealt, _dealt(batch, bits), strict=True):
                        heap.write(some.data)
                    if originals is not None:
                        exact += int((batch["copy_distance"] == 0).sum())
                        near += int((batch["copy_distance"] > 0).sum())
                    done += len(batch)
                    report(done)
        different = repeated = most = squares = 0
        for file in files:
            # Sorting holds off signals.
            groups = wait_for(partial(_group_sizes, file))
            different += len(groups)
            repeated += int(groups[groups > 1].sum())
            most = max(most, int(groups.max(initial=0)))
            # A square of 10⁹ rows fits an int64; a sum of some of them does too.
            squares += int(np.square(groups).sum())
    of = None
    if originals is not None:
        of = CopiesOfOriginals(len(originals.rows), originals.distance, exact, near)
    return CopyCounts(done, different, repeated, most, done * done / squares, of)


def copies_note(copies: CopyCounts) -> str | None:
    """Return a note where copies make the interval too short, else None."""
    if copies.rows < _NOTED * copies.effective:
        return None
    return (
        f"copies: {copies.rows:,} rows tell no more than {copies.effective:,.0f} independent ones, "
        "since some are copies of each other; the interval, the p- and the q-values take them as "
        "independent, and are too optimistic"
    )


def _dealt(batch: pl.DataFrame, bits: int) -> list[NDArray[np.uint64]]:
    """Part hashes by their leading bits."""
    hashes = batch["content_hash"].to_numpy()
    if bits == 0:
        return [np.ascontiguousarray(hashes)]
    files = hashes >> np.uint64(64 - bits)
    order = np.argsort(files, kind="stable")
    ends = np.searchsorted(files[order], np.arange(1, 1 << bits, dtype=np.uint64))
    return np.split(hashes[order], ends)


def _group_sizes(file: Path) -> NDArray[np.int64]:
    hashes = np.fromfile(file, np.uint64)
    hashes.sort()
    starts = np.flatnonzero(np.diff(hashes, prepend=~hashes[:1]))
    return np.diff(starts, append=len(hashes))

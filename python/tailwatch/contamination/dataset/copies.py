"""How many rows are copies: of each other, and of given rows.

Copies of each other are told by a 64-bit hash. Hashes are dealt to files by their leading bits, so
that a file's worth is in memory at a time; each is sorted, and runs of equal hashes are counted.

An interval takes rows as independent. Rows in groups of copies of m₁, m₂, … tell no more than
N²/Σmᵢ² independent ones do (Kish's effective size), if whatever is copied is drawn at random.

Cost O(N log N); some tens of MB in memory up to 10⁹ rows, 8 bytes for each row on disk meanwhile.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.background import apart
from tailwatch.contamination.dataset.records import COPY, HASH
from tailwatch.contamination.dataset.tables import kept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.contamination.dataset.templates import Templates

__all__ = ["Copies", "CopiesOf", "copies_note", "count_copies"]

ROWS_IN_MEMORY = 1 << 22
# No more files than a process may open by default.
_MOST_FILES = 256
# √1.21: an interval that should be a tenth longer is worth a word.
_NOTED = 1.21


@dataclass(frozen=True, slots=True)
class CopiesOf:
    """Rows of the target that are copies of given rows.

    Attributes
    ----------
    rows
        The given rows.
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
class Copies:
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
        Copies of given rows, if these were looked for.
    """

    rows: int
    different: int
    repeated: int
    most: int
    effective: float
    of: CopiesOf | None


def count_copies(
    tables: Sequence[Path],
    rows: int,
    templates: Templates | None,
    folder: Folder,
    report: Callable[[int], object],
) -> Copies:
    """Count the copies in tables of rows.

    Parameters
    ----------
    tables
        They have a ``content_hash``, and with `templates` ``copy_of`` and ``copy_distance``.
    rows
        Rows of all tables.
    templates
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
    columns = [*HASH, *(() if templates is None else COPY)]
    done = exact = near = 0
    with ExitStack() as attempts:
        files = [attempts.enter_context(folder.attempt()) for _ in range(1 << bits)]
        with ExitStack() as stack:
            dealt = [stack.enter_context(file.open("xb")) for file in files]
            for table in tables:
                for batch in kept(table, columns):
                    for heap, some in zip(dealt, _dealt(batch, bits), strict=True):
                        heap.write(some.data)
                    if templates is not None:
                        exact += int((batch["copy_distance"] == 0).sum())
                        near += int((batch["copy_distance"] > 0).sum())
                    done += len(batch)
                    report(done)
        different = repeated = most = squares = 0
        for file in files:
            # Sorting holds off signals.
            groups = apart(partial(_group_sizes, file))
            different += len(groups)
            repeated += int(groups[groups > 1].sum())
            most = max(most, int(groups.max(initial=0)))
            # A square of 10⁹ rows fits an int64; a sum of some of them does too.
            squares += int(np.square(groups).sum())
    of = None
    if templates is not None:
        of = CopiesOf(len(templates.rows), templates.distance, exact, near)
    return Copies(done, different, repeated, most, done * done / squares, of)


def copies_note(copies: Copies) -> str | None:
    """Say where copies make the interval too short, else None."""
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

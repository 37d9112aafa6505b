"""What the first pass keeps of each row beside its identifiers.

=================  =======  ====================================================================
column             type     content
=================  =======  ====================================================================
``score``          Float32  log odds of the probe
``content_hash``   UInt64   XXH3-64 of the row's bytes, by which copies of each other are found
``copy_of``        Int64    the row that it copies, where copies of given rows are looked for
``copy_distance``  Float64  its distance from that
=================  =======  ====================================================================

They are written to a file as they come, as records of fixed length, since a table of Parquet can
only be written once all of its rows are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.contamination.dataset.templates import row_hashes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.contamination.dataset.templates import Templates
    from tailwatch.contamination.scoring import Probe
    from tailwatch.io.part import Matrix

__all__ = ["COPY", "HASH", "Recorder", "as_frame"]

HASH = {"content_hash": pl.UInt64}
COPY = {"copy_of": pl.Int64, "copy_distance": pl.Float64}

# Half a second or so, but enough rows that preparing the templates for each batch is no matter.
_PAIRS, _LEAST_ROWS = 1 << 29, 4096

_PLAIN = np.dtype([("score", np.float32), ("content_hash", np.uint64)])
_COPIES = np.dtype([*_PLAIN.descr, ("copy_of", np.int64), ("copy_distance", np.float64)])


@dataclass(frozen=True, slots=True)
class Recorder:
    """Makes a record of each row.

    Attributes
    ----------
    probe
        Scores the rows.
    templates
        Rows whose copies are looked for, if any.
    threads
        Threads that work on a batch.
    """

    probe: Probe
    templates: Templates | None
    threads: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """The fields of a record."""
        return _PLAIN if self.templates is None else _COPIES

    @property
    def most_rows(self) -> int | None:
        """Rows of a batch that is not long in the making, where copies take time."""
        if self.templates is None:
            return None
        return max(_LEAST_ROWS, _PAIRS // len(self.templates.rows))

    @property
    def schema(self) -> dict[str, Any]:
        """The columns of the table that records become."""
        return {"score": pl.Float32, **HASH, **({} if self.templates is None else COPY)}

    def records(self, batch: Matrix, argument: str, first_row: int) -> NDArray[np.void]:
        """Make the records of a batch.

        Parameters
        ----------
        batch
            The rows.
        argument, first_row
            Whose rows they are, and the number of the first one, for the text of an error.

        Raises
        ------
        NonFiniteError
            If a score is not finite, since a value is not, or is too large.
        """
        found = np.empty(len(batch), self.dtype)
        found["score"] = self.probe.score(
            batch, argument, first_row=first_row, threads=self.threads
        )
        found["content_hash"] = row_hashes(batch, self.threads)
        if self.templates is not None:
            found["copy_of"], found["copy_distance"] = self.templates.nearest(batch, self.threads)
        return found


def as_frame(records: NDArray[np.void]) -> pl.DataFrame:
    """Give records as columns; a row that copies none has nulls."""
    names = records.dtype.names or ()
    frame = pl.DataFrame({name: np.ascontiguousarray(records[name]) for name in names})
    if "copy_of" not in names:
        return frame
    copies = pl.col("copy_of") >= 0
    return frame.with_columns(pl.when(copies).then(name).alias(name) for name in COPY)

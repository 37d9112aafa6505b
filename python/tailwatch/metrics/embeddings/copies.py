"""Copies: candidate rows that are reference rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.embeddings import as_embeddings
from tailwatch.progress import running

if TYPE_CHECKING:
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["Copies", "copies"]


@dataclass(frozen=True, slots=True)
class Copies:
    """Candidate rows that are copies of reference rows.

    Attributes
    ----------
    rows
        All candidate rows.
    exact
        Rows at distance 0 from a reference row.
    normalised
        Rows at distance 0, but for rounding, from a reference row when both are divided by their
        lengths; exact copies are among them.
    """

    rows: int
    exact: int
    normalised: int

    @property
    def exact_share(self) -> float:
        """Exact copies as a share of all candidate rows, in [0, 1]."""
        return self.exact / self.rows

    @property
    def normalised_share(self) -> float:
        """Normalised copies as a share of all candidate rows, in [0, 1]."""
        return self.normalised / self.rows


def copies(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> Copies:
    """Count the candidate rows that are rows of the reference.

    A row is an *exact* copy if its values equal those of a reference row, whatever type they are
    stored as; −0 is 0. It is a *normalised* copy if both, divided by their lengths, are within
    t = 4u + (d + 8)·2⁻⁵² of each other, with u = 2⁻¹¹ if either side holds float16, else u = 2⁻²⁴,
    the roundoff of float32, which wider values mostly were once. So copies are found that were
    normalised on one side only, in whatever type.

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data; all of them are looked through.
    candidate
        Embeddings Y, m rows, with as many columns.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    Copies
        Counts of rows and of both kinds, with their shares.

    Raises
    ------
    InputError
        Bad data, or different numbers of columns.

    See Also
    --------
    authenticity : Rows that are nearer to a reference row than that is to others.

    Notes
    -----
    Human data may hold duplicates, and then a fresh human sample holds copies too: read the share
    beside that of one half of the human rows in the other, which :func:`tailwatch.compare` gives as
    the null. In one column all rows of one sign, in two columns of float16 many rows, have one
    direction and are normalised copies. A row of zeros has no direction and copies rows of zeros
    alone. A row that is nearly a copy is none: one bit of one value is enough.

    O((n + m)·(d + log n)) time and 32 bytes for each reference row; exact copies are looked up by a
    hash and then compared, normalised ones along one direction and then measured. Rows that share
    their place along it without being copies, which only rows made for it do, cost a distance each.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, fresh = rng.normal(size=(500, 8)), rng.normal(size=(300, 8))
    >>> fresh[:30], fresh[30:90] = human[:30], 2.5 * human[100:160]
    >>> found = tw.metrics.copies(human, fresh)
    >>> found
    Copies(rows=300, exact=30, normalised=90)
    >>> found.exact_share
    0.1
    """
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        return Copies(y.shape[0], *_core.copies(x, y, settings))

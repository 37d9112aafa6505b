"""The human side of comparisons, prepared once.

A comparison splits the human rows into halves A and B and holds each candidate, cut to C of as many
rows, against A. What A and B are to each other (three of five searches for neighbours, two of three
and a half products of kernels, decompositions of covariances, modes, quantiles, every null) is the
same for every candidate of that size: a :class:`Reference` finds it when it is first needed, and
keeps it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tailwatch.comparison.human import HumanRows, HumanSummary
from tailwatch.comparison.reference_file import (
    SUFFIX,
    fingerprint_of_side,
    read_reference,
    write_reference,
)
from tailwatch.comparison.request import Request
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tailwatch.text_form import shown

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from tailwatch.comparison.human import HumanSide
    from tailwatch.embeddings import Embeddings, EmbeddingsLike

__all__ = ["Reference", "side_of"]


class Reference:
    """Human data, prepared once for comparisons with any number of candidates.

    ``tw.compare(reference, candidate)`` gives the same numbers as ``tw.compare(human, candidate)``
    with the arguments that the reference was made with, to the bit. For the second candidate of a
    size, what is of the human halves alone is there: of five searches for neighbours three, of five
    squares of kernel products three, and every null. Values on all rows are computed each time.

    Parameters
    ----------
    human
        Embeddings of human data, at least 128 rows.
    metrics, k, tail_levels, max_rows, seed
        As :func:`tailwatch.compare` takes them.

    Raises
    ------
    InputError
        Bad data, too few rows, or an argument out of range.

    Notes
    -----
    Nothing is computed before the first comparison. Rows in memory are borrowed, so **do not write
    to them** as long as the reference is in use. What is kept besides the embeddings is about
    1 KB a row and 31·8·d² bytes for d columns, for each of the last two sizes of candidates. Of
    comparisons class by class the same is kept of each class, up to 1 GB in all, the least recently
    used going first.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> reference = tw.Reference(rng.normal(size=(1000, 16)), metrics="fast")
    >>> frames = [tw.compare(reference, s * rng.normal(size=(500, 16))).frame for s in (0.9, 0.8)]
    >>> frames[0]["null"].equals(frames[1]["null"])
    True
    """

    def __init__(
        self,
        human: EmbeddingsLike,
        *,
        metrics: str | Sequence[str] = "standard",
        k: int = 5,
        tail_levels: Sequence[float] = (0.10, 0.05, 0.01),
        max_rows: int | None = None,
        seed: int = 0,
    ) -> None:
        request = Request.of(
            metrics=metrics, k=k, tail_levels=tail_levels, max_rows=max_rows, seed=seed
        )
        self._side: HumanSide = HumanRows(as_embeddings(human, "reference"), request)

    @property
    def embeddings(self) -> Embeddings:
        """The human data.

        Raises
        ------
        InputError
            The reference comes from a file without rows.
        """
        return self._side.require_rows("embeddings").embeddings

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self._side.source.columns

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits over rows, name and arguments; all rows are read for it.

        Without rows, over what is there in their place.
        """
        return fingerprint_of_side(self._side)

    def save(self, path: str | os.PathLike[str], *, rows: bool = True) -> Path:
        """Write the reference to a file, which :meth:`load` and :func:`tailwatch.compare` read.

        Parameters
        ----------
        path
            A name ending in ``.tailwatch``. The file appears whole or not at all.
        rows
            Whether the file holds the rows: n·d values of the widest of their types. Without them
            it holds numbers that candidates of at least n // 2 rows need, whose size does not grow
            with n, see the notes.

        Returns
        -------
        pathlib.Path
            The path that was written.

        Raises
        ------
        InputError
            Another suffix; without rows, metrics that need them; with rows, a reference that has
            none.
        OSError
            The file cannot be written.

        Notes
        -----
        Without rows, a metric is kept if numbers that are no rows do for it, and are fewer bytes
        than the rows:

        - total variance, effective rank, participation ratio and Vendi score: 1 KB each;
        - the Fréchet distance: means and covariances of A, 30 halves of it and all rows, 128·d² +
          384·d bytes; the extrapolated one 248·d² + 744·d;
        - directional tails: directions and thresholds, 4,096·d bytes and 0.26 MB, of at least 4,032
          rows, so that five rows lie beyond each threshold in each half-sample.

        All of ``metrics="fast"`` is among them: 100,000 rows of 256 float32 columns are 102 MB, and
        9.8 MB without rows. Metrics of neighbours, kernels and clusters need the rows, and so does
        the sliced Wasserstein distance: the projections of a row on 256 directions are as many
        equations as tell all of up to 256 columns, and more numbers than the row. What is left are
        statistics of the rows: no row is in them, but whoever knows all rows but one can find that
        one, so the file is no anonymous one.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import tailwatch as tw
        >>> rng = np.random.default_rng(0)
        >>> human, new = rng.normal(size=(5000, 8)), rng.normal(size=(2500, 8))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "human.tailwatch"
        ...     reference = tw.Reference(human, metrics=["total_variance"])
        ...     path = reference.save(path, rows=False)
        ...     size, loaded = path.stat().st_size, tw.Reference.load(path)
        >>> loaded, size < 2000
        (Reference(5000 rows of 8 columns, which it does not hold, 1 metric), True)
        >>> tw.compare(loaded, new).frame.equals(tw.compare(reference, new).frame)
        True
        """
        file = Path(path)
        if file.suffix.lower() != SUFFIX:
            expected = f"a name ending in {SUFFIX}"
            raise InputError(argument="path", expected=expected, got=shown(file.name))
        return write_reference(self._side, file, rows=rows)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Reference:
        """Read what :meth:`save` wrote; nothing in the file is executed.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        Reference
            A comparison with it gives the same numbers, to the bit. Without rows it takes
            candidates of n // 2 rows and more, and none class by class.

        Raises
        ------
        SourceError
            The file cannot be read, is none of a reference, or is not as it was written.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import tailwatch as tw
        >>> human = np.random.default_rng(0).normal(size=(500, 8))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = tw.Reference(human, metrics="fast").save(Path(folder) / "human.tailwatch")
        ...     tw.Reference.load(path)
        Reference(500 rows of 8 columns, 5 metrics)
        """
        made = cls.__new__(cls)
        made._side = read_reference(Path(path), "reference")  # noqa: SLF001  (its own)
        return made

    def __len__(self) -> int:
        """Return the number of human rows."""
        return self._side.source.rows

    def __repr__(self) -> str:
        """Say what is prepared."""
        count = len(self._side.request.names)
        metrics = f"{count} metric{'s' if count > 1 else ''}"
        held = ", which it does not hold" if isinstance(self._side, HumanSummary) else ""
        return f"Reference({len(self)} rows of {self.columns} columns{held}, {metrics})"


def side_of(reference: Reference) -> HumanSide:
    """Return what a reference is made of, which the package compares with."""
    return reference._side  # noqa: SLF001  (of this module's own class)

"""The human side of comparisons, prepared once.

A comparison splits the human rows into halves A and B and holds each candidate, cut to C of as many
rows, against A. What A and B are to each other (three of five searches for neighbours, two of three
and a half products of kernels, decompositions of covariances, modes, quantiles, every null) is the
same for every candidate of that size: a :class:`Reference` finds it when it is first needed, and
keeps it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tailwatch.comparison.halves import Candidate, Human
from tailwatch.comparison.reference_file import (
    SUFFIX,
    fingerprint_of,
    read_reference,
    write_reference,
)
from tailwatch.comparison.registry import METRICS
from tailwatch.comparison.request import Request
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import DimensionError, InputError
from tailwatch.text_form import shown

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from tailwatch._core import Rows
    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.halves import Halves
    from tailwatch.comparison.metrics.family import Family, Panel, Whole
    from tailwatch.embeddings import Embeddings, EmbeddingsLike
    from tailwatch.progress import Settings

__all__ = ["Meeting", "Preparation", "Prepared", "Reference"]

MOST_SIZES = 2
"""Sizes of halves that are kept: candidates of a loop have one, and its last may be smaller."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Halves of one size, and what each family of metrics has made of them.

    Attributes
    ----------
    halves
        A and B.
    panel
        What is computed.
    """

    halves: Halves
    panel: Panel
    _families: dict[type[Family], Family] = field(default_factory=dict)
    # Two threads that compare at once would make the same twice.
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def families(self, settings: Settings) -> Iterator[Family]:
        """Yield what each family asked for has made of the halves, made now if not before."""
        names = self.panel.names
        chosen = (metric.family for metric in METRICS.values() if metric.name in names)
        for kind in dict.fromkeys(chosen):
            with self._lock:
                if kind not in self._families:
                    self._families[kind] = kind(self.halves, self.panel, settings)
                family = self._families[kind]
            yield family


@dataclass(frozen=True, slots=True)
class Meeting:
    """A candidate beside a prepared reference.

    Attributes
    ----------
    human
        All human rows.
    prepared
        Their halves, of the size of C.
    candidate
        C, and all candidate rows.
    """

    human: Human
    prepared: Prepared
    candidate: Candidate

    def estimates(self, settings: Settings) -> dict[str, list[Estimate]]:
        """Compute the estimates of each metric, one per level."""
        found: dict[str, list[Estimate]] = {}
        for family in self.prepared.families(settings):
            for estimate in family.estimates(self.candidate, settings):
                found.setdefault(estimate.metric, []).append(estimate)
        return found

    def wholes(self, settings: Settings) -> list[Whole]:
        """Compute the values on all rows."""
        return [
            whole
            for family in self.prepared.families(settings)
            for whole in family.wholes(self.human, self.candidate, settings)
        ]


class Preparation:
    """Human rows under one panel, prepared for candidates of one size or two.

    Parameters
    ----------
    rows
        All human rows.
    panel
        What is computed.
    max_rows
        Bound of the rows that enter what is quadratic.
    """

    def __init__(self, rows: Rows, panel: Panel, max_rows: int | None) -> None:
        self._human = Human.draw(rows, max_rows=max_rows, seed=panel.seed)
        self._panel = panel
        self._sizes: dict[int, Prepared] = {}
        self._lock = threading.Lock()

    def meet(self, rows: Rows) -> Meeting:
        """Put a candidate, cut to the size of the halves, beside them.

        Halves are as large as the human rows allow, or as the candidate if that is smaller.
        """
        size = self._human.size_with(rows)
        max_rows, seed = self._human.max_rows, self._panel.seed
        candidate = Candidate.draw(rows, size, max_rows=max_rows, seed=seed)
        return Meeting(self._human, self._prepared(size), candidate)

    def _prepared(self, size: int) -> Prepared:
        with self._lock:
            if size not in self._sizes:
                while len(self._sizes) >= MOST_SIZES:
                    self._sizes.pop(next(iter(self._sizes)))
                self._sizes[size] = Prepared(self._human.halves(size), self._panel)
            return self._sizes[size]


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
    1 KB a row and 31·8·d² bytes for d columns, for each of the last two sizes of candidates.

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
        self._set(as_embeddings(human, "reference"), request)

    @classmethod
    def of(cls, embeddings: Embeddings, request: Request) -> Reference:
        """Return the reference of some embeddings under a request."""
        made = cls.__new__(cls)
        made._set(embeddings, request)  # noqa: SLF001  (its own)
        return made

    def _set(self, embeddings: Embeddings, request: Request) -> None:
        self._embeddings, self._request = embeddings, request
        self._preparation = self.of_rows(embeddings.handle(), request.panel.seed)

    @property
    def embeddings(self) -> Embeddings:
        """The human data."""
        return self._embeddings

    @property
    def request(self) -> Request:
        """What is prepared."""
        return self._request

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits over rows, name and arguments; all rows are read for it."""
        return fingerprint_of(self._embeddings, self._request)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the reference to a file, which :meth:`load` and :func:`tailwatch.compare` read.

        Parameters
        ----------
        path
            A name ending in ``.tailwatch``. The file holds the rows, n·d values of the widest of
            their types, and appears whole or not at all.

        Returns
        -------
        pathlib.Path
            The path that was written.

        Raises
        ------
        InputError
            Another suffix.
        OSError
            The file cannot be written.
        """
        file = Path(path)
        if file.suffix.lower() != SUFFIX:
            expected = f"a name ending in {SUFFIX}"
            raise InputError(argument="path", expected=expected, got=shown(file.name))
        return write_reference(self._embeddings, self._request, file)

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
            A comparison with it gives the same numbers, to the bit.

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
        return cls.of(*read_reference(Path(path), "reference"))

    def require_columns(self, candidate: Embeddings) -> Embeddings:
        """Return a candidate that has as many columns."""
        if self.embeddings.columns != candidate.columns:
            raise DimensionError(
                argument="candidate",
                expected=f"{self.embeddings.columns} columns as in reference",
                got=f"{candidate.columns}",
            )
        return candidate

    def meet(self, rows: Rows) -> Meeting:
        """Put the rows of a candidate beside the human ones."""
        return self._preparation.meet(rows)

    def of_rows(self, rows: Rows, seed: int) -> Preparation:
        """Prepare some of the rows in the same way, under a seed of their own."""
        return Preparation(rows, self._request.with_seed(seed).panel, self._request.max_rows)

    def __len__(self) -> int:
        """Return the number of human rows."""
        return len(self.embeddings)

    def __repr__(self) -> str:
        """Say what is prepared."""
        rows, columns = len(self), self.embeddings.columns
        return f"Reference({rows} rows of {columns} columns, {len(self.request.names)} metrics)"

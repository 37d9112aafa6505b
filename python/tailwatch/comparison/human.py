"""The human side of comparisons: rows that are prepared once, or numbers in their place.

:class:`HumanRows` has the rows and takes any candidate, as a whole or class by class.
:class:`HumanSummary` has what some metrics need of them, for halves of one size: it takes
candidates of at least that size, for those metrics alone.
"""

from __future__ import annotations

import hashlib
import math
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tailwatch.comparison.halves import Candidate, Sizes, size_of_halves
from tailwatch.comparison.metrics.family import Summary
from tailwatch.comparison.preparation import Meeting, Pairing, Preparation, Prepared
from tailwatch.comparison.registry import METRICS
from tailwatch.exceptions import DimensionError, InputError, TailwatchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch._core import Rows
    from tailwatch.comparison.metrics.family import Family, Shapes, State
    from tailwatch.comparison.request import Request
    from tailwatch.embeddings import Embeddings
    from tailwatch.progress import Settings

__all__ = ["HumanRows", "HumanSide", "HumanSummary", "Source", "summary_shapes"]

MOST_BYTES: Final = 1 << 30
"""About so much is kept of classes: the least recently used go first."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the human rows are.

    Attributes
    ----------
    name
        In tables and reports.
    rows, columns
        Their numbers.
    dtype
        The widest of their types.
    """

    name: str
    rows: int
    columns: int
    dtype: str

    @classmethod
    def of(cls, embeddings: Embeddings) -> Source:
        """Return what a set of embeddings is."""
        rows, columns = embeddings.shape
        return cls(embeddings.name, rows, columns, str(embeddings.dtype))

    @property
    def bytes(self) -> int:
        """Of the rows."""
        return self.rows * self.columns * np.dtype(self.dtype).itemsize


class HumanSide(ABC):
    """Human data under one request.

    Parameters
    ----------
    source
        What they are.
    request
        What is prepared.

    Attributes
    ----------
    source, request
        As given.
    """

    def __init__(self, source: Source, request: Request) -> None:
        self.source, self.request = source, request

    @abstractmethod
    def meet(self, rows: Rows) -> Meeting:
        """Put the rows of a candidate beside the human side."""

    @abstractmethod
    def meet_both(self, new: Rows, old: Rows, settings: Settings) -> Pairing:
        """Put a candidate and its baseline beside the same halves."""

    @abstractmethod
    def require_rows(self, argument: str) -> HumanRows:
        """Return the human side if it has rows, which `argument` asks for.

        Raises
        ------
        InputError
            It has none.
        """

    @abstractmethod
    def summary(self, settings: Settings) -> dict[str, State]:
        """Return what candidates of the size of the halves need, by the names of families.

        Raises
        ------
        InputError
            Some metrics need the rows, see :func:`summary_shapes`.
        """

    def require_columns(self, candidate: Embeddings, argument: str = "candidate") -> Embeddings:
        """Return a candidate that has as many columns.

        Raises
        ------
        DimensionError
            It has others.
        """
        if self.source.columns != candidate.columns:
            raise DimensionError(
                argument=argument,
                expected=f"{self.source.columns} columns as in reference",
                got=f"{candidate.columns}",
            )
        return candidate


class HumanRows(HumanSide):
    """Human rows, prepared once.

    Parameters
    ----------
    embeddings
        The rows, which are borrowed.
    request
        What is prepared.

    Attributes
    ----------
    embeddings
        As given.
    """

    def __init__(self, embeddings: Embeddings, request: Request) -> None:
        super().__init__(Source.of(embeddings), request)
        self.embeddings, self._rows = embeddings, embeddings.handle()
        self._preparation = self._prepare(self._rows, request.panel.seed)
        self._classes: dict[tuple[int, bytes], Preparation] = {}
        self._lock = threading.Lock()

    def meet(self, rows: Rows) -> Meeting:
        """Put the rows of a candidate beside the human ones."""
        return self._preparation.meet(rows)

    def meet_both(self, new: Rows, old: Rows, settings: Settings) -> Pairing:
        """Put a candidate and its baseline beside the same halves."""
        return self._preparation.meet_both(new, old, settings)

    def require_rows(self, argument: str) -> HumanRows:
        """Return this."""
        del argument
        return self

    def halves_of(self, meeting: Meeting) -> tuple[Rows, Rows]:
        """Return A and B of a meeting, within ``max_rows``."""
        return self._preparation.halves(meeting.prepared.sizes.half).bounded

    def of_class(self, numbers: NDArray[np.int64], seed: int) -> Preparation:
        """Prepare some of the rows under a seed of their own, or return what was prepared before.

        What is kept of classes is bounded, see :data:`MOST_BYTES`.
        """
        key = (seed, hashlib.sha256(numbers.tobytes()).digest())
        with self._lock:
            found = self._classes.pop(key, None)
            if found is None:
                found = self._prepare(self._rows.take(numbers), seed)
            self._classes[key] = found
            kept = sum(each.bytes for each in self._classes.values())
            while kept > MOST_BYTES and len(self._classes) > 1:
                kept -= self._classes.pop(next(iter(self._classes))).bytes
        return found

    def summary(self, settings: Settings) -> dict[str, State]:
        """Return what candidates of the size of the halves need, by the names of families."""
        summary_shapes(self.source, self.request)
        half = size_of_halves(self.source.rows, self.source.rows)
        families = self._preparation.prepared(half).families(settings)
        return {each.NAME: each.state(settings) for each in families if isinstance(each, Summary)}

    def _prepare(self, rows: Rows, seed: int) -> Preparation:
        return Preparation(rows, self.request.with_seed(seed).panel, self.request.max_rows)


class HumanSummary(HumanSide):
    """What some metrics need of human rows, for halves of n // 2 of them.

    Parameters
    ----------
    source
        What the rows were.
    request
        What is prepared: metrics that need no rows.
    states
        Numbers of each family, by its name.
    """

    def __init__(self, source: Source, request: Request, states: dict[str, State]) -> None:
        super().__init__(source, request)
        self._states = states
        self._sizes = Sizes.of(source.rows, source.rows // 2, request.max_rows)
        self._prepared = Prepared(self._sizes, request.panel, self._restore)

    def _restore(self, kind: type[Family], settings: Settings) -> Family:
        if not issubclass(kind, Summary):
            # A file with such metrics in it is refused when it is read.
            raise TailwatchError(argument="reference", expected="rows", got="none")
        state, panel = self._states[kind.NAME], self.request.panel
        return kind.restore(state, panel, self.source.columns, settings)

    def meet(self, rows: Rows) -> Meeting:
        """Put the rows of a candidate beside what is left of the human ones."""
        half = self._require_half(rows, "candidate")
        max_rows, seed = self.request.max_rows, self.request.panel.seed
        candidate = Candidate.draw(rows, half, max_rows=max_rows, seed=seed)
        return Meeting(self._prepared, candidate)

    def meet_both(self, new: Rows, old: Rows, settings: Settings) -> Pairing:
        """Put a candidate and its baseline beside what is left of the human rows."""
        self._require_half(new, "candidate")
        half = self._require_half(old, "baseline")
        # Metrics that need no rows of the reference count no neighbours.
        return Pairing.of(
            self._prepared,
            (new, old),
            half,
            max_rows=self.request.max_rows,
            counted=None,
            settings=settings,
        )

    def _require_half(self, rows: Rows, argument: str) -> int:
        """Return the rows of a half, which a candidate has to have."""
        half, candidate_rows = self._sizes.half, rows.shape[0]
        if candidate_rows < half:
            raise InputError(
                argument=argument,
                expected=f"at least {half} rows, as many as a half of this reference, which was "
                "saved without its rows",
                got=f"{candidate_rows}",
                hint="save the reference with its rows for smaller candidates",
            )
        return half

    def require_rows(self, argument: str) -> HumanRows:
        """Refuse what needs the rows."""
        raise InputError(
            argument=argument,
            expected="a reference that holds its rows",
            got="one that was saved without them",
            hint="Reference.save(path) keeps them",
        )

    def summary(self, settings: Settings) -> dict[str, State]:
        """Return the numbers."""
        del settings
        return self._states


def summary_shapes(source: Source, request: Request) -> dict[str, Shapes]:
    """Return the shapes of what is kept in place of the rows, by the names of families.

    Raises
    ------
    InputError
        Some metrics need the rows, or there are too few of them: the numbers in their place would
        be no fewer bytes, or would be those of single rows.
    """
    size_of_halves(source.rows, source.rows)
    reasons = {
        name: reason for name in request.names if (reason := _why_rows(name, source)) is not None
    }
    if reasons:
        raise _needing(reasons, source, request)
    names = request.panel.names
    families = dict.fromkeys(METRICS[name].family for name in request.names)
    shapes = {
        family.NAME: family.shapes(names, source.columns)
        for family in families
        if issubclass(family, Summary)
    }
    together = sum(_bytes(each) for each in shapes.values())
    if together >= source.bytes:
        raise InputError(
            argument="rows",
            expected=f"True where the rows are fewer bytes: {source.bytes} for {together} of what "
            "these metrics need in their place",
            got="False",
            hint="prepare the reference with fewer metrics, or save it with rows=True",
        )
    return shapes


def _needing(reasons: dict[str, str], source: Source, request: Request) -> InputError:
    left = [name for name in request.names if name not in reasons] or [
        name for name in METRICS if _why_rows(name, source) is None
    ]
    needing = ", ".join(f"{name}{reason}" for name, reason in reasons.items())
    return InputError(
        argument="rows",
        expected=f"True for metrics that need the rows: {needing}",
        got="False",
        hint=f"prepare the reference with metrics={left}, or save it with rows=True",
    )


def _why_rows(name: str, source: Source) -> str | None:
    """Say why a metric needs the rows, behind its name; None if it does not."""
    family = METRICS[name].family
    if not issubclass(family, Summary):
        return ""
    of_row = source.bytes // source.rows
    needed = _bytes(family.shapes(frozenset({name}), source.columns)) // of_row + 1
    least = max(family.LEAST_ROWS, needed)
    return f" (of fewer than {least} rows)" if source.rows < least else None


def _bytes(shapes: Shapes) -> int:
    return 8 * sum(math.prod(shape) for shape in shapes.values())

"""Human rows under one panel, prepared for candidates: halves, and what families make of them.

What A and B are to each other is the same for every candidate of a size. It is made when it is
first needed, once, and kept for two sizes: candidates of a loop have one, and its last may be
smaller.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tailwatch.comparison.halves import (
    Candidate,
    Halves,
    Human,
    Sizes,
    paired_orders,
    size_of_halves,
)
from tailwatch.comparison.metrics.neighbors import Authenticity, KnnDivergence, Neighborhoods
from tailwatch.comparison.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tailwatch._core import Rows
    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.metrics.family import Family, Panel, Whole
    from tailwatch.progress import Settings

__all__ = ["COUNTED", "Meeting", "Pairing", "Preparation", "Prepared"]

COUNTED: Final = frozenset({Neighborhoods, Authenticity, KnnDivergence})
"""Families whose changes need parts of their own: complementary halves."""

MOST_SIZES: Final = 2
"""Sizes of halves that are kept."""

BYTES_PER_ROW: Final = 1024
"""Neighbour lists of a row in every half-sample, codes, and its places in random orders."""

_PARTS: Final = 31


class Prepared:
    """What each family of metrics has made of halves of one size.

    Parameters
    ----------
    sizes
        Human rows that enter.
    panel
        What is computed.
    make
        Makes a family.

    Attributes
    ----------
    sizes, panel
        As given.
    """

    def __init__(
        self, sizes: Sizes, panel: Panel, make: Callable[[type[Family], Settings], Family]
    ) -> None:
        self.sizes, self.panel = sizes, panel
        self._make = make
        self._families: dict[type[Family], Family] = {}
        # Two threads that compare at once would make the same twice.
        self._lock = threading.RLock()

    def families(self, settings: Settings) -> Iterator[Family]:
        """Yield each family asked for, made now if not before."""
        names = self.panel.names
        chosen = (metric.family for metric in METRICS.values() if metric.name in names)
        for kind in dict.fromkeys(chosen):
            with self._lock:
                if kind not in self._families:
                    self._families[kind] = self._make(kind, settings)
                family = self._families[kind]
            yield family


@dataclass(frozen=True, slots=True)
class Meeting:
    """A candidate beside a prepared reference.

    Attributes
    ----------
    prepared
        Halves of the size of C, and what was made of them.
    candidate
        C, and all candidate rows.
    """

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
            for whole in family.wholes(self.candidate, settings)
        ]


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two candidates beside one human reference.

    Attributes
    ----------
    new, old
        The candidate and its baseline beside the same halves; rows that both have in C stand at the
        same places.
    counted
        The same halves in complementary parts, for families in :data:`COUNTED`; none where there
        are no such families.
    """

    new: Meeting
    old: Meeting
    counted: Prepared | None

    @classmethod
    def of(
        cls,
        prepared: Prepared,
        rows: tuple[Rows, Rows],
        size: int,
        *,
        max_rows: int | None,
        counted: Prepared | None,
        settings: Settings,
    ) -> Pairing:
        """Cut both to `size` rows, with as many in common as can be."""
        orders = paired_orders(*rows, size, prepared.panel.seed, settings)
        new, old = (
            Meeting(prepared, Candidate.in_order(each, order, size, max_rows=max_rows))
            for each, order in zip(rows, orders, strict=True)
        )
        return cls(new, old, counted)


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
        self._sizes: dict[int, tuple[Halves, Prepared, Prepared | None]] = {}
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        """About what is kept besides the rows, once a candidate of each size was met."""
        rows, columns = self._human.whole.shape
        # Of few rows in a half the rows themselves are kept, not decompositions of 31 parts.
        moments = 8 * columns * min(rows // 2, _PARTS * columns)
        return max(len(self._sizes), 1) * (rows * BYTES_PER_ROW + moments)

    def meet(self, rows: Rows) -> Meeting:
        """Put a candidate, cut to the size of the halves, beside them.

        Halves are as large as the human rows allow, or as the candidate if that is smaller.
        """
        size = size_of_halves(self._human.whole.shape[0], rows.shape[0])
        max_rows, seed = self._human.max_rows, self._panel.seed
        candidate = Candidate.draw(rows, size, max_rows=max_rows, seed=seed)
        return Meeting(self.prepared(size), candidate)

    def meet_both(self, new: Rows, old: Rows, settings: Settings) -> Pairing:
        """Put a candidate and its baseline, cut to one size, beside the same halves."""
        human = self._human.whole.shape[0]
        size = size_of_halves(human, new.shape[0])
        size = min(size, size_of_halves(human, old.shape[0], "baseline"))
        _, prepared, counted = self._of_size(size)
        return Pairing.of(
            prepared,
            (new, old),
            size,
            max_rows=self._human.max_rows,
            counted=counted,
            settings=settings,
        )

    def halves(self, size: int) -> Halves:
        """Return A and B of so many rows."""
        return self._of_size(size)[0]

    def prepared(self, size: int) -> Prepared:
        """Return what is made of halves of so many rows."""
        return self._of_size(size)[1]

    def _of_size(self, size: int) -> tuple[Halves, Prepared, Prepared | None]:
        with self._lock:
            if size not in self._sizes:
                while len(self._sizes) >= MOST_SIZES:
                    self._sizes.pop(next(iter(self._sizes)))
                self._sizes[size] = self._make(size)
            return self._sizes[size]

    def _make(self, size: int) -> tuple[Halves, Prepared, Prepared | None]:
        halves, panel = self._human.halves(size), self._panel
        sizes = Sizes.of(self._human.whole.shape[0], size, self._human.max_rows)

        def under(panel: Panel) -> Prepared:
            def make(kind: type[Family], settings: Settings) -> Family:
                return kind(halves, panel, settings)

            return Prepared(sizes, panel, make)

        names = frozenset(name for name in panel.names if METRICS[name].family in COUNTED)
        counted = replace(panel, names=names, complementary=True)
        return halves, under(panel), under(counted) if names - {"density"} else None

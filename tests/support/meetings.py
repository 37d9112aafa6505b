"""Samples as a comparison splits them, and what families of metrics make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.comparison.metrics.family import Panel, paired
from tailwatch.comparison.preparation import Preparation
from tailwatch.embeddings import as_embeddings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailwatch._core import NoValue, PreparedMetrics, PreparedSummary, Rows, Settings
    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.halves import Halves
    from tailwatch.comparison.metrics.family import Family, Whole
    from tailwatch.comparison.preparation import Meeting

__all__ = ["Split", "found_of", "kernel_estimates", "split"]

SETTINGS: Settings = {"threads": 2, "progress": None}


@dataclass(frozen=True)
class Split:
    """Halves A and B of a reference, and C of a candidate."""

    meeting: Meeting
    human: Halves

    @property
    def halves(self) -> tuple[Rows, Rows, Rows]:
        """A, B, C."""
        return (*self.human.rows, self.meeting.candidate.rows)

    @property
    def bounded(self) -> tuple[Rows, Rows, Rows]:
        """Prefixes of A, B, C within ``max_rows``."""
        return (*self.human.bounded, self.meeting.candidate.bounded)

    @property
    def wholes(self) -> tuple[Rows, Rows]:
        """All rows."""
        return self.human.whole, self.meeting.candidate.whole

    @property
    def bounded_wholes(self) -> tuple[Rows, Rows]:
        """Up to ``max_rows`` of all rows."""
        return self.human.bounded_whole, self.meeting.candidate.bounded_whole

    def estimates(
        self, family: type[Family], panel: Panel, settings: Settings = SETTINGS
    ) -> list[Estimate]:
        """Prepare a family and let it meet the candidate."""
        made = family(self.human, panel, settings)
        return list(made.estimates(self.meeting.candidate, settings))

    def on_all(self, family: type[Family], panel: Panel) -> list[Whole]:
        """Return what the family finds on all rows."""
        made = family(self.human, panel, SETTINGS)
        return list(made.wholes(self.meeting.candidate, SETTINGS))


def split(x: object, y: object, *, seed: int, max_rows: int | None = None) -> Split:
    """Split a reference and cut a candidate."""
    reference, candidate = (as_embeddings(rows, "rows").handle() for rows in (x, y))
    panel = Panel(frozenset(), 5, (0.05,), seed)
    preparation = Preparation(reference, panel, max_rows)
    meeting = preparation.meet(candidate)
    return Split(meeting, preparation.halves(meeting.prepared.sizes.half))


def found_of(
    prepared: PreparedMetrics | PreparedSummary, a: Rows, c: Rows, settings: Settings = SETTINGS
) -> dict[tuple[str, float | None], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return values and nulls by metric and level."""
    rows = (c,) if isinstance(prepared, _core.PreparedSummary) else (a, c)
    found: list | NoValue = paired(prepared, rows, settings)
    assert isinstance(found, list)
    return {(metric, level): (values, nulls) for metric, level, values, nulls in found}


def kernel_estimates(
    trio: tuple[Rows, Rows, Rows], kernels: list[tuple[str, list[float]]]
) -> list[tuple[float, ...]]:
    """Value, null, three variances and slope of each kernel, all of which have values."""
    a, b, c = trio
    found = _core.prepare_kernels((a, b), kernels, SETTINGS).estimates(a, c, SETTINGS)
    assert not any(isinstance(numbers, _core.NoValue) for numbers in found)
    # Last is how far rows are apart.
    return [numbers[:-1] for numbers in found]

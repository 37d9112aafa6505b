"""Metrics along directions: tails, optimal transport, and the direction that tells most.

Of the directional tails a file can keep directions and thresholds: 256 unit vectors and, for A and
30 halves of it, two quantiles along each, with the share that lies on them. A threshold lies
between the projections of two rows. :data:`BEYOND` rows at least lie beyond each, so that no row
which is alone far out, and as such the outermost one along as many directions as there are columns,
can be told from them. Optimal transport needs the projections of all rows: 256 numbers a row, from
which a row of up to 256 columns follows.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.comparison.estimates import Estimate, HalfSamples, NoInterval, tail_index, too_heavy
from tailwatch.comparison.halves import GROUPS, REPLICATES
from tailwatch.comparison.metrics.family import (
    Summary,
    estimate_from,
    null_of,
    over,
    paired,
    required,
)
from tailwatch.exceptions import InputError
from tailwatch.metrics.embeddings.directions import Area, area_between

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch._core import PreparedSummary, Rows
    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.comparison.metrics.family import Panel, Shapes, State, Whole
    from tailwatch.progress import Settings

__all__ = ["BEYOND", "DirectionalTails", "LinearProbe", "SlicedWasserstein"]

DIRECTIONS = 256

BEYOND = 5
"""Rows of the smallest half-sample beyond each threshold that a file keeps."""


def _least_rows(level: float) -> int:
    """Return how many rows have so many beyond each threshold of every half-sample."""
    # Quantiles are at (s - 1)·level/2 of s rows, and a half-sample has half of the groups.
    of_half_sample = BEYOND / (level / 2) + 1
    return 2 * GROUPS * math.ceil(of_half_sample / (GROUPS // 2))


class DirectionalTails(Summary):
    """The share of a sample beyond the quantiles of A along each direction."""

    NAME = "directional tails"
    LEVEL = 0.01
    LEAST_ROWS = _least_rows(LEVEL)

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        prepared = _core.prepare_directions(
            halves.rows, panel.replicates(), self.LEVEL, DIRECTIONS, settings
        )
        self._set(panel, prepared, halves)

    def _set(self, panel: Panel, prepared: PreparedSummary, human: Halves | State) -> None:
        self._panel, self._prepared, self._human = panel, prepared, human

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null and what its error is known from."""
        found = required(paired(self._prepared, (candidate.rows,), settings))
        # A row counts in every direction, but only as many directions as columns are independent.
        rows, columns = candidate.rows.shape
        total = rows * min(columns, DIRECTIONS)
        present = partial(over, level=self.LEVEL)
        for metric, level, values, nulls in found:
            shares = (values * self.LEVEL, nulls * self.LEVEL)
            error = HalfSamples(*shares, "share", total, present=present)
            yield estimate_from(metric, level, error)

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        human, y = self._human, candidate.whole
        if isinstance(human, dict):
            kept = human["whole_directions"], human["whole_quantiles"]
            ratios = _core.directional_tails_beyond(*kept, self.LEVEL, y, settings)
        else:
            x, seed = human.whole, self._panel.seed
            directions = _core.directions(x, DIRECTIONS, seed, settings)
            ratios = _core.directional_tails(x, y, directions, self.LEVEL, settings)
        yield "directional_tails", self.LEVEL, float(ratios.mean()), None

    @classmethod
    def shapes(cls, names: frozenset[str], columns: int) -> Shapes:
        """Return the shapes of the state."""
        del names
        parts = 1 + REPLICATES
        return {
            "null": (1, parts),
            "directions": (DIRECTIONS, columns),
            "quantiles": (DIRECTIONS, parts, 2, 2),
            "whole_directions": (DIRECTIONS, columns),
            "whole_quantiles": (DIRECTIONS, 1, 2, 2),
        }

    def state(self, settings: Settings) -> State:
        """Return directions and thresholds, those of A and those of all rows."""
        human = self._human
        if isinstance(human, dict):
            return human
        directions = _core.directions(human.whole, DIRECTIONS, self._panel.seed, settings)
        quantiles = _core.directional_thresholds(human.whole, directions, self.LEVEL, settings)
        return {
            "null": null_of(self._prepared),
            **dict(self._prepared.state()),
            "whole_directions": directions,
            "whole_quantiles": quantiles,
        }

    @classmethod
    def restore(
        cls, state: State, panel: Panel, columns: int, settings: Settings
    ) -> DirectionalTails:
        """Make the family of a state."""
        del columns, settings
        kept = state["directions"], state["quantiles"], state["null"]
        made = cls.__new__(cls)
        prepared = _core.restore_directions(panel.replicates(), cls.LEVEL, *kept)
        made._set(panel, prepared, state)  # noqa: SLF001  (its own)
        return made


class SlicedWasserstein:
    """Optimal transport along random directions."""

    EXPONENT = 2.0

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._a, self._human, self._seed = halves.rows[0], halves.whole, panel.seed
        replicates = panel.replicates("complementary halves")
        self._prepared = _core.prepare_projections(
            halves.rows, replicates, self.EXPONENT, DIRECTIONS, settings
        )
        # Squares of the farthest rows decide, as they do for covariances.
        self._tail = tail_index(halves.rows, settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null and what its error is known from."""
        found = required(paired(self._prepared, (self._a, candidate.rows), settings))
        heavy = too_heavy(self._tail, tail_index([candidate.rows], settings))
        for metric, level, values, nulls in found:
            # The square has errors of first and second order, which complementary halves tell
            # apart; its root has one that falls as 1/√n, and would get too short an interval.
            error = HalfSamples(values, nulls, "real", complementary=True, present=np.sqrt)
            estimate = estimate_from(metric, level, error)
            yield replace(estimate, error=heavy) if heavy else estimate

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        x, y = self._human, candidate.whole
        directions = _core.projections(x.shape[1], DIRECTIONS, self._seed, settings)
        value = _core.sliced_wasserstein(x, y, directions, self.EXPONENT, settings)
        yield "sliced_wasserstein", None, value, None


class LinearProbe:
    """How well a linear classifier tells a sample from A, by rows that it has not seen."""

    NAME = "probe_auc"
    NULL = 0.5
    REASON = "too few rows differ for folds of them"

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        del settings
        self._a, self._human, self._seed = halves.rows[0], halves.whole, panel.seed

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null, which is known, and its error."""
        found = self._between(self._a, candidate.rows, settings)
        if found is None:
            yield Estimate(self.NAME, None, math.nan, self.NULL, NoInterval(self.REASON))
        else:
            yield Estimate(self.NAME, None, found.value, self.NULL, found, p_value=found.p_value)

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows, with its error."""
        found = self._between(self._human, candidate.whole, settings)
        if found is None:
            yield self.NAME, None, None, None
        else:
            yield self.NAME, None, found.value, found

    def _between(self, x: Rows, y: Rows, settings: Settings) -> Area | None:
        def report(stage: str, done: int, total: int) -> None:
            if settings["progress"] is not None:
                settings["progress"](stage, done, total)

        try:
            return area_between(x, y, seed=self._seed, threads=settings["threads"], report=report)
        except InputError:
            # No fold can be left out where all rows are in one.
            return None

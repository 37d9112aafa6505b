"""Metrics along directions: tails, and optimal transport."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.comparison.estimates import HalfSamples
from tailwatch.comparison.heaviness import tail_index, too_heavy
from tailwatch.comparison.metrics.family import estimate_from, over, paired, required

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.halves import Candidate, Halves, Human
    from tailwatch.comparison.metrics.family import Panel, Whole
    from tailwatch.progress import Settings

__all__ = ["DirectionalTails", "SlicedWasserstein"]

DIRECTIONS = 256


class DirectionalTails:
    """The share of a sample beyond the quantiles of A along each direction."""

    LEVEL = 0.01

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._a, self._seed = halves.rows[0], panel.seed
        self._prepared = _core.prepare_directions(
            halves.rows, panel.replicates(), self.LEVEL, DIRECTIONS, settings
        )

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null and what its error is known from."""
        found = required(paired(self._prepared, self._a, candidate.rows, settings))
        # A row counts in every direction, but only as many directions as columns are independent.
        rows, columns = self._a.shape
        total = rows * min(columns, DIRECTIONS)
        present = partial(over, level=self.LEVEL)
        for metric, level, values, nulls in found:
            shares = (values * self.LEVEL, nulls * self.LEVEL)
            error = HalfSamples(*shares, "share", total, present=present)
            yield estimate_from(metric, level, error)

    def wholes(self, human: Human, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        x, y = human.whole, candidate.whole
        directions = _core.directions(x, DIRECTIONS, self._seed, settings)
        ratios = _core.directional_tails(x, y, directions, self.LEVEL, settings)
        yield "directional_tails", self.LEVEL, float(ratios.mean()), None


class SlicedWasserstein:
    """Optimal transport along random directions."""

    EXPONENT = 2.0

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._a, self._seed = halves.rows[0], panel.seed
        replicates = panel.replicates("complementary halves")
        self._prepared = _core.prepare_projections(
            halves.rows, replicates, self.EXPONENT, DIRECTIONS, settings
        )
        # Squares of the farthest rows decide, as they do for covariances.
        self._tail = tail_index(halves.rows, settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null and what its error is known from."""
        found = required(paired(self._prepared, self._a, candidate.rows, settings))
        heavy = too_heavy(self._tail, tail_index([candidate.rows], settings))
        for metric, level, values, nulls in found:
            # The square has errors of first and second order, which complementary halves tell
            # apart; its root has one that falls as 1/√n, and would get too short an interval.
            error = HalfSamples(values, nulls, "real", complementary=True, present=np.sqrt)
            estimate = estimate_from(metric, level, error)
            yield replace(estimate, error=heavy) if heavy else estimate

    def wholes(self, human: Human, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        x, y = human.whole, candidate.whole
        directions = _core.projections(x.shape[1], DIRECTIONS, self._seed, settings)
        value = _core.sliced_wasserstein(x, y, directions, self.EXPONENT, settings)
        yield "sliced_wasserstein", None, value, None

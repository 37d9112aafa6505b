"""Metrics of means and covariances, and of the spectrum of cosines.

Total variance, effective rank, participation ratio and Vendi score describe one sample. Without the
rows of the reference their nulls are all that is kept, and 31 total variances, which fix the units
of spectra. The Fréchet distance needs the mean and the covariance of A, of 30 halves of it and of
all rows, the extrapolated one those of 31 parts of all rows too: d + d(d+1)/2 numbers each.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch._core import NoValue
from tailwatch.comparison.estimates import Estimate, HalfSamples, TailIndex, tail_index, too_heavy
from tailwatch.comparison.halves import REPLICATES
from tailwatch.comparison.metrics.family import (
    Summary,
    estimate_from,
    null_of,
    paired,
    required,
    without_value,
)
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch._core import PreparedSummary, Rows
    from tailwatch.comparison.estimates import Scale
    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.comparison.metrics.family import Panel, Shapes, State, Whole
    from tailwatch.progress import Settings

__all__ = ["MomentMetrics", "Vendi"]

PARTS = 1 + REPLICATES
"""The whole of a sample, and its halves."""

HALVES = "complementary halves"

DISTANCE, EXTRAPOLATED = "frechet_distance", "frechet_distance_extrapolated"
OF_ONE = ("total_variance", "effective_rank", "participation_ratio")

POINTS = 2
CUTS = 31
"""Parts of the cuts that the line through :data:`POINTS` points is drawn from: the whole, and both
halves of 15."""


class MomentMetrics(Summary):
    """Fréchet distance, and the spectrum of the covariance."""

    NAME = "moments"

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        replicates = panel.replicates(HALVES)
        distance = _has_distance(panel.names)
        prepared = _core.prepare_moments(halves.rows, replicates, distance, settings)
        self._set(panel, prepared, tail_index(halves.rows, settings), halves)

    def _set(
        self, panel: Panel, prepared: PreparedSummary, tail: TailIndex, human: Halves | State
    ) -> None:
        self._panel, self._prepared, self._human = panel, prepared, human
        # Squares of the farthest rows decide whether there is an interval.
        self._tail = tail

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield each metric with its null and what its error is known from."""
        found = required(paired(self._prepared, (candidate.rows,), settings))
        heavy = too_heavy(self._tail, tail_index([candidate.rows], settings))
        for metric, level, values, nulls in found:
            scale: Scale = "real" if metric == DISTANCE else "ratio"
            made = [(metric, HalfSamples(values, nulls, scale, complementary=True))]
            if metric == DISTANCE:
                ends = _extrapolated(values), _extrapolated(nulls)
                made.append((EXTRAPOLATED, HalfSamples(*ends, "signed", complementary=True)))
            for name, error in made:
                estimate = estimate_from(name, level, error)
                yield replace(estimate, error=heavy) if heavy else estimate

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield each metric on all rows."""
        y, names = candidate.whole, self._panel.names
        if DISTANCE in names:
            yield DISTANCE, None, self._distance(y, settings), None
        if EXTRAPOLATED in names:
            yield EXTRAPOLATED, None, self._extrapolated(y, settings), None
        if names.intersection(OF_ONE):
            _, trace, _, effective_rank, participation_ratio = _core.spectrum(y, settings)
            values = (trace, effective_rank, participation_ratio)
            yield from (
                (name, None, value, None) for name, value in zip(OF_ONE, values, strict=True)
            )

    def _distance(self, y: Rows, settings: Settings) -> float:
        human = self._human
        if isinstance(human, dict):
            kept = human["whole_means"], human["whole_covariances"]
            return _core.frechet_distance_to(*kept, y, settings)
        return _core.frechet_distance(human.whole, y, settings)

    def _extrapolated(self, y: Rows, settings: Settings) -> float:
        human, seed = self._human, self._panel.seed
        if isinstance(human, dict):
            kept = human["cut_means"], human["cut_covariances"]
            return _core.frechet_distance_extrapolated_to(*kept, y, POINTS, seed, settings)
        return _core.frechet_distance_extrapolated(human.whole, y, POINTS, seed, settings)[0]

    @classmethod
    def shapes(cls, names: frozenset[str], columns: int) -> Shapes:
        """Return the shapes of the state."""
        distance, triangle = _has_distance(names), columns * (columns + 1) // 2

        def of_samples(kind: str, count: int) -> Shapes:
            return {f"{kind}means": (count, columns), f"{kind}covariances": (count, triangle)}

        shapes: Shapes = {
            "null": (len(OF_ONE) + distance, PARTS),
            "tail": (len(TailIndex._fields),),
        }
        shapes |= of_samples("", PARTS) if distance else {"traces": (PARTS,)}
        shapes |= of_samples("whole_", 1) if DISTANCE in names else {}
        return shapes | (of_samples("cut_", CUTS) if EXTRAPOLATED in names else {})

    def state(self, settings: Settings) -> State:
        """Return what is needed of the rows."""
        human, names = self._human, self._panel.names
        if isinstance(human, dict):
            return human
        state: State = {"null": null_of(self._prepared), "tail": np.array(self._tail, np.float64)}
        state |= dict(self._prepared.state())
        kept: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        if _has_distance(names):
            replicates = self._panel.replicates(HALVES)
            kept[""] = _core.gaussians_of_halves(human.rows[0], replicates, settings)
        if DISTANCE in names:
            kept["whole_"] = _core.gaussian(human.whole, settings)
        if EXTRAPOLATED in names:
            seed = self._panel.seed
            kept["cut_"] = _core.gaussians_of_cuts(human.whole, POINTS, seed, settings)
        for kind, (means, covariances) in kept.items():
            state |= {f"{kind}means": means, f"{kind}covariances": covariances}
        return state

    @classmethod
    def restore(cls, state: State, panel: Panel, columns: int, settings: Settings) -> MomentMetrics:
        """Make the family of a state."""
        replicates, null = panel.replicates(HALVES), state["null"]
        if _has_distance(panel.names):
            kept = state["means"], state["covariances"]
            prepared = _core.restore_moments(replicates, *kept, null, settings)
        else:
            prepared = _core.restore_spectra(replicates, columns, state["traces"], null)
        of_distance, heavy, of_excess = state["tail"].tolist()
        tail = TailIndex(of_distance, bool(heavy), of_excess)
        made = cls.__new__(cls)
        made._set(panel, prepared, tail, state)  # noqa: SLF001  (its own)
        return made


def _has_distance(names: frozenset[str]) -> bool:
    return DISTANCE in names or EXTRAPOLATED in names


def _extrapolated(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put the end of the line through whole and halves, at 1/N = 0, in place of the whole.

    The halves are both halves of 15 cuts: what is linear in the rows is as it was, and what is not
    has 16/15 of its variance. So the halves show the error of the end as they do that of the whole.
    """
    end = 2 * distances[0] - distances[1:].mean()
    return np.concatenate([[end], distances[1:]])


class Vendi(Summary):
    """How many different rows a sample amounts to."""

    NAME = "vendi"
    METRIC = "vendi_score"
    ORDER = 1.0

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        replicates = panel.replicates(HALVES)
        self._prepared = _core.prepare_vendi(halves.rows, replicates, self.ORDER, settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null and what its error is known from."""
        found = paired(self._prepared, (candidate.rows,), settings)
        if isinstance(found, NoValue):
            yield without_value(self.METRIC, self._prepared, found)
            return
        for metric, level, values, nulls in found:
            error = HalfSamples(values, nulls, "ratio", complementary=True)
            yield estimate_from(metric, level, error)

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        try:
            value = _core.vendi_score(candidate.whole, self.ORDER, None, settings)
        except InputError:
            # A row of zeros has no cosine.
            yield self.METRIC, None, None, None
        else:
            yield self.METRIC, None, value, None

    @classmethod
    def shapes(cls, names: frozenset[str], columns: int) -> Shapes:
        """Return the shapes of the state."""
        del names, columns
        return {"null": (1, PARTS)}

    def state(self, settings: Settings) -> State:
        """Return the null; NaN where there is none."""
        del settings
        null = null_of(self._prepared)
        return {"null": null if len(null) else np.full((1, PARTS), np.nan)}

    @classmethod
    def restore(cls, state: State, panel: Panel, columns: int, settings: Settings) -> Vendi:
        """Make the family of a state."""
        del settings
        null = None if np.isnan(state["null"]).all() else state["null"]
        prepared = _core.restore_vendi(panel.replicates(HALVES), columns, cls.ORDER, null)
        made = cls.__new__(cls)
        made._prepared = prepared  # noqa: SLF001  (its own)
        return made

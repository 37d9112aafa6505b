"""Metrics of means and covariances, and of the spectrum of cosines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch._core import NoValue
from tailwatch.comparison.estimates import Estimate, HalfSamples
from tailwatch.comparison.heaviness import tail_index, too_heavy
from tailwatch.comparison.metrics.family import estimate_from, paired, required, without_value
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch.comparison.estimates import Scale
    from tailwatch.comparison.halves import Candidate, Halves, Human
    from tailwatch.comparison.metrics.family import Panel, Whole
    from tailwatch.progress import Settings

__all__ = ["Moments", "Vendi"]


class Moments:
    """Fréchet distance, and the spectrum of the covariance."""

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._a, self._panel = halves.rows[0], panel
        replicates = panel.replicates("complementary halves")
        self._prepared = _core.prepare_moments(halves.rows, replicates, settings)
        self._tail = tail_index(halves.rows, settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield each metric with its null and what its error is known from."""
        found = required(paired(self._prepared, self._a, candidate.rows, settings))
        heavy = too_heavy(self._tail, tail_index([candidate.rows], settings))
        for metric, level, values, nulls in found:
            scale: Scale = "real" if metric == "frechet_distance" else "ratio"
            made = [(metric, HalfSamples(values, nulls, scale, complementary=True))]
            if metric == "frechet_distance":
                ends = _extrapolated(values), _extrapolated(nulls)
                name = "frechet_distance_extrapolated"
                made.append((name, HalfSamples(*ends, "signed", complementary=True)))
            for name, error in made:
                estimate = estimate_from(name, level, error)
                yield replace(estimate, error=heavy) if heavy else estimate

    def wholes(self, human: Human, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield each metric on all rows."""
        x, y, names = human.whole, candidate.whole, self._panel.names
        if "frechet_distance" in names:
            yield "frechet_distance", None, _core.frechet_distance(x, y, settings), None
        if "frechet_distance_extrapolated" in names:
            found = _core.frechet_distance_extrapolated(x, y, 2, self._panel.seed, settings)
            yield "frechet_distance_extrapolated", None, found[0], None
        of_one = ("total_variance", "effective_rank", "participation_ratio")
        if names.intersection(of_one):
            _, trace, _, effective_rank, participation_ratio = _core.spectrum(y, settings)
            values = (trace, effective_rank, participation_ratio)
            yield from (
                (name, None, value, None) for name, value in zip(of_one, values, strict=True)
            )


def _extrapolated(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put the end of the line through whole and halves, at 1/N = 0, in place of the whole.

    The halves are both halves of 15 cuts: what is linear in the rows is as it was, and what is not
    has 16/15 of its variance. So the halves show the error of the end as they do that of the whole.
    """
    end = 2 * distances[0] - distances[1:].mean()
    return np.concatenate([[end], distances[1:]])


class Vendi:
    """How many different rows a sample amounts to."""

    NAME = "vendi_score"
    ORDER = 1.0

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._a = halves.rows[0]
        replicates = panel.replicates("complementary halves")
        self._prepared = _core.prepare_vendi(halves.rows, replicates, self.ORDER, settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null and what its error is known from."""
        found = paired(self._prepared, self._a, candidate.rows, settings)
        if isinstance(found, NoValue):
            yield without_value(self.NAME, self._prepared, found)
            return
        for metric, level, values, nulls in found:
            error = HalfSamples(values, nulls, "ratio", complementary=True)
            yield estimate_from(metric, level, error)

    def wholes(self, human: Human, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        del human
        try:
            value = _core.vendi_score(candidate.whole, self.ORDER, settings)
        except InputError:
            # A row of zeros has no cosine.
            yield self.NAME, None, None, None
        else:
            yield self.NAME, None, value, None

"""Metrics of means and covariances, and of the spectrum of cosines; what differs in them.

Total variance, effective rank, participation ratio and Vendi score describe one sample. Without the
rows of the reference their nulls are all that is kept, and 31 total variances, which fix the units
of spectra. The Fréchet distance needs the mean and the covariance of A, of 30 halves of it and of
all rows, the extrapolated one those of 31 parts of all rows too: d + d(d+1)/2 numbers each.

What one row adds to a metric of one sample is known in closed form: a function f of the eigenvalues
λᵢ of the covariance changes by ∂f/∂λᵢ · (zᵢ² − λᵢ) with z the row along the eigenvectors, less the
mean (the infinitesimal jackknife, Jaeckel 1972). Two candidates with rows in common differ by the
sum of the differences of these.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, TypedDict

import numpy as np

from tailwatch import _core
from tailwatch._core import NoValue
from tailwatch.comparison.estimates import Estimate, HalfSamples, TailIndex, tail_index, too_heavy
from tailwatch.comparison.halves import REPLICATES, matrix_of
from tailwatch.comparison.metrics.family import (
    Summary,
    estimate_from,
    null_of,
    paired,
    required,
    without_value,
)
from tailwatch.distributions import normal_quantile
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch._core import PreparedSummary, Rows

    Matrix = NDArray[np.float64]
    from tailwatch.comparison.estimates import Scale
    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.comparison.metrics.family import Panel, Shapes, State, Whole
    from tailwatch.progress import Settings

__all__ = ["Difference", "MomentMetrics", "Vendi", "difference_of_place", "direction_of_shift"]

PARTS = 1 + REPLICATES
"""The whole of a sample, and its halves."""

HALVES = "complementary halves"

DISTANCE, EXTRAPOLATED = "frechet_distance", "frechet_distance_extrapolated"
OF_ONE = ("total_variance", "effective_rank", "participation_ratio")

BLOCK = 1 << 13
"""Rows that are put along the eigenvectors at a time."""

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

    def influences(
        self, candidate: Candidate, settings: Settings
    ) -> dict[str, NDArray[np.float64]]:
        """Return what each row of C adds to each metric of C alone; nothing if it overflows."""
        n, mean, covariance = _core.moments(candidate.rows, settings)
        if not np.isfinite(covariance).all():
            return {}
        values, vectors = np.linalg.eigh(covariance)
        values = np.maximum(values, 0.0)
        total, squares = float(values.sum()), float((values**2).sum())
        if not 0 < squares < np.inf:
            return {}
        shares = values / total
        # Nothing lies along a direction without variance.
        logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
        entropy = -float(shares @ logs)
        slopes = np.stack(
            [
                np.ones_like(values),
                np.where(shares > 0, -np.exp(entropy) * (logs + entropy) / total, 0.0),
                2 * total / squares - 2 * values * (total / squares) ** 2,
            ]
        )
        added = np.empty((len(OF_ONE), n))
        for first in range(0, n, BLOCK):
            some = np.arange(first, min(first + BLOCK, n))
            along = (matrix_of(candidate.rows.take(some)) - mean) @ vectors
            added[:, some] = slopes @ (along**2 - values).T
        return dict(zip(OF_ONE, added, strict=True))

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


class Difference(TypedDict):
    """What differs most between a candidate and the human rows.

    Attributes
    ----------
    kind
        ``"length"``: all rows of one side have one length; ``"offset"``, ``"spectrum"``: other
        shares of the variance; ``"axes"``: the same along other axes; ``"scale"``; of what has
        moved, ``"column"`` or principal ``"direction"``.
    size
        Mean length of candidate rows; distance of the means over the human spread; ratio of the
        spreads; shift in standard deviations.
    beside
        Mean length of human rows; number of the column from 0, of the direction from 1; else 0.
    """

    kind: Literal["length", "offset", "spectrum", "axes", "scale", "column", "direction"]
    size: float
    beside: float


TINY: Final = 1e-300
CONSTANT, SPREAD_OUT = 1e-3, 1e-2
"""Coefficients of variation of lengths that are all one, and of those that are not."""
FAR: Final = 1.0
"""Distance of the means over the human spread from which on it is named before all else."""
SCALED: Final = 1.1
"""Ratio of spreads that is another scale."""
CARRIED: Final = 0.8
"""Share of a shift, but for chance, that is in one column where it is named."""


def difference_of_place(a: Matrix, b: Matrix, c: Matrix) -> Difference | None:
    """Return what sets a candidate C apart, beside what sets human halves A and B apart."""
    covariances = [np.atleast_2d(np.cov(rows.T)) for rows in (a, b, c)]
    traces = [float(np.trace(each)) for each in covariances]
    if not min(traces) > 0:
        return None
    lengths = [np.linalg.norm(rows, axis=1) for rows in (a, c)]
    human, own = (float(each.mean()) for each in lengths)
    varied = [float(each.std()) / max(float(each.mean()), TINY) for each in lengths]
    if min(varied) < CONSTANT and max(varied) > SPREAD_OUT:
        return {"kind": "length", "size": own, "beside": human}
    shapes = [
        (each / trace, np.linalg.eigvalsh(each).clip(0) / trace)
        for each, trace in zip(covariances, traces, strict=True)
    ]
    chance, found = (1 - float(np.sqrt(shapes[0][1] * each).sum()) for _, each in shapes[1:])
    alike, shared = (_shared_axes(shapes[0], each) for each in shapes[1:])
    spread, scale = traces[0] ** 0.5, (traces[2] / traces[0]) ** 0.5
    # Another scale, and other axes, move the mean too, unless it is their centre.
    of_a, of_c = (float(np.linalg.norm(rows.mean(axis=0))) for rows in (a, c))
    farther = min(abs(of_c - scale * of_a), abs(of_c - of_a)) / (max(scale, 1.0) * spread)
    offset = float(np.linalg.norm(c.mean(axis=0) - a.mean(axis=0))) / spread
    kinds: list[tuple[bool, Difference]] = [
        (farther > FAR, {"kind": "offset", "size": offset, "beside": 0.0}),
        (found > 4 * chance + 0.005, {"kind": "spectrum", "size": scale, "beside": 0.0}),
        (shared < alike / 2 > 0.1, {"kind": "axes", "size": scale, "beside": 0.0}),
        (max(scale, 1 / scale) > SCALED, {"kind": "scale", "size": scale, "beside": 0.0}),
        (offset > FAR / 2, {"kind": "offset", "size": offset, "beside": 0.0}),
    ]
    return next((difference for is_it, difference in kinds if is_it), None)


def _shared_axes(one: tuple[Matrix, Matrix], other: tuple[Matrix, Matrix]) -> float:
    """Return how far two covariances of trace 1 share their axes: 1 if they do, 0 on average."""
    (first, of_first), (second, of_second) = one, other
    by_chance = 1 / len(first)
    most = float(of_first @ of_second) - by_chance
    return (float((first * second).sum()) - by_chance) / max(most, TINY)


def direction_of_shift(a: Matrix, b: Matrix, c: Matrix, confidence: float) -> Difference | None:
    """Return along what the mean of C is farthest from that of B, in standard deviations of B.

    A column, if it has nearly all of the shift, or a principal direction of A; none if the shift is
    within what chance makes along the largest of as many.
    """
    shift = c.mean(axis=0) - b.mean(axis=0)
    by_chance = (b.var(axis=0) / len(b) + c.var(axis=0) / len(c)).sum()
    column = int(np.argmax(shift**2))
    clear = normal_quantile(1 - (1 - confidence) / (2 * len(shift)))
    if shift[column] ** 2 > CARRIED * (float(shift @ shift) - by_chance):
        size, z = _shift_along(np.eye(len(shift))[:, [column]], b, c)
        if z[0] > clear:
            return {"kind": "column", "size": float(size[0]), "beside": float(column)}
    _, axes = np.linalg.eigh(np.atleast_2d(np.cov(a.T)))
    size, z = _shift_along(axes[:, ::-1], b, c)
    most = int(np.argmax(z))
    if z[most] <= clear:
        return None
    return {"kind": "direction", "size": float(size[most]), "beside": float(most + 1)}


def _shift_along(axes: Matrix, b: Matrix, c: Matrix) -> tuple[Matrix, Matrix]:
    """Return shifts along axes in standard deviations of B, and in standard errors."""
    (of_b, of_c), means = (
        [(rows @ axes).var(axis=0, ddof=1) for rows in (b, c)],
        np.abs((c.mean(axis=0) - b.mean(axis=0)) @ axes),
    )
    return (
        means / np.sqrt(np.maximum(of_b, TINY)),
        means / np.sqrt(np.maximum(of_b / len(b) + of_c / len(c), TINY)),
    )

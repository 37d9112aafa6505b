"""Mean discrepancies of kernels: one pass over the pairs for all of them.

The difference of two candidates' distances from A is a U-statistic of the rows of A, of both
candidates and of what they have in common: D = Σ c k(x, y) over pairs, in which pairs within A and
within the common rows cancel. What each row adds to it has squares whose sum is the first-order
variance V₁ and twice the second-order one, V₂ = Σ c² k̃² with k̃ the doubly centred kernel, which is
known by itself; so the variance is V₁ + V₂, and V₂ at least (Hoeffding 1948; Efron and Stein 1981).
Cost: four more products of h × h pairs for each kernel, in blocks of :data:`PAIRS`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from tailwatch import _core
from tailwatch._core import NoValue
from tailwatch.comparison.estimates import (
    ClosedVariance,
    Estimate,
    NoInterval,
    tail_index,
    too_heavy,
)
from tailwatch.comparison.halves import matrix_of
from tailwatch.metrics.embeddings.divergence import median_distance, polynomial_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from tailwatch._core import Rows
    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.comparison.metrics.family import Panel, Whole
    from tailwatch.progress import Settings

__all__ = ["Kernels"]

COEFFICIENT = "energy_coefficient"

PAIRS = 1 << 21
"""Pairs of rows that are looked at together, 16 MB for each number of a pair."""


class Kernels:
    """Squared MMD and energy distance."""

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._a, self._human, self._seed = halves.bounded[0], halves.bounded_whole, panel.seed
        self._kernels = _kernels_of(halves.bounded, panel)
        kernels = list(self._kernels.values())
        self._prepared = _core.prepare_kernels(halves.bounded, kernels, settings)
        self._asks_for_coefficient = COEFFICIENT in panel.names
        # The polynomial kernel is unbounded and takes moments of the rows with it.
        unbounded = "mmd_polynomial" in self._kernels
        self._tail = tail_index(halves.bounded, settings) if unbounded else None

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield each metric with its null and what its error is known from."""
        rows = candidate.bounded
        found = self._prepared.estimates(self._a, rows, settings)
        for name, numbers, human in zip(self._kernels, found, self._prepared.nulls, strict=True):
            if isinstance(numbers, NoValue):
                null = math.nan if human is None else human
                yield Estimate(name, None, math.nan, null, numbers)
                if name == "energy_distance" and self._asks_for_coefficient:
                    yield Estimate(COEFFICIENT, None, math.nan, math.nan, numbers)
                continue
            value, null, *variances, apart = numbers
            heavy = None
            if name == "mmd_polynomial" and self._tail is not None:
                heavy = too_heavy(self._tail, tail_index([rows], settings))
            yield Estimate(name, None, value, null, heavy or ClosedVariance(*variances))
            if name == "energy_distance" and self._asks_for_coefficient:
                yield self._coefficient(value, null, variances, apart)

    def _coefficient(
        self, value: float, null: float, variances: Sequence[float], apart: float
    ) -> Estimate:
        """Return the energy distance in units of twice the mean distance of the samples.

        The unit is an average over all pairs, whose error is far below that of the distance.
        """
        place = list(self._kernels).index("energy_distance")
        unit, human = 2 * apart, 2 * self._prepared.apart[place]
        if not min(unit, human) > 0:
            return Estimate(COEFFICIENT, None, 0.0, 0.0, NoInterval("all rows are equal"))
        of_value, of_null, of_difference, slope = variances
        scaled = ClosedVariance(
            of_value / unit**2, of_null / human**2, of_difference / unit**2, slope / unit
        )
        return Estimate(COEFFICIENT, None, value / unit, null / human, scaled)

    def changes(self, new: Candidate, old: Candidate) -> Iterator[tuple[str, float, float]]:
        """Yield the change of each metric from `old` to `new`, and its variance.

        A row that is at one place in both counts as common to them. The change takes all rows for
        draws: of copies within a sample it is another one than that of the values.
        """
        a, x, y = (matrix_of(rows) for rows in (self._a, new.bounded, old.bounded))
        is_common = (x == y).all(axis=1)
        parts = Samples(a, x[~is_common], y[~is_common], x[is_common])
        for name, kernel in self._kernels.items():
            asks = name == "energy_distance" and self._asks_for_coefficient
            with np.errstate(over="ignore", invalid="ignore"):
                sums = _Sums(_kernel(kernel, a.mean(axis=0)), parts, whole=asks)
                yield name, *sums.change((1.0, 1.0))
                units = sums.units()
                if asks and min(units) > 0:
                    yield COEFFICIENT, *sums.change(units)

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield each metric on all rows."""
        x, y = self._human, candidate.bounded_whole
        # The bandwidth is the comparison's: a kernel that changed would be another metric.
        found = _core.whole_kernel_metrics(x, y, list(self._kernels.values()), settings)
        for name, numbers in zip(self._kernels, found, strict=True):
            asks = name == "energy_distance" and self._asks_for_coefficient
            if isinstance(numbers, NoValue):
                yield name, None, None, None
                continue
            value, variance, slope, apart = numbers
            yield name, None, value, ClosedVariance(variance, math.nan, math.nan, slope)
            if asks and apart > 0:
                unit = 2 * apart
                error = ClosedVariance(variance / unit**2, math.nan, math.nan, slope / unit)
                yield COEFFICIENT, None, value / unit, error


def _kernels_of(human: Sequence[Rows], panel: Panel) -> dict[str, tuple[str, list[float]]]:
    """Return the kernel of each metric asked for; all of them share one pass over the pairs."""
    kernels: dict[str, tuple[str, list[float]]] = {}
    if "mmd_polynomial" in panel.names:
        kernels["mmd_polynomial"] = ("polynomial", polynomial_parameters(human[0].shape[1]))
    if "mmd_gaussian" in panel.names:
        # Of A and B alone: with C, the kernel and so the null would change with the candidate.
        kernels["mmd_gaussian"] = ("gaussian", [median_distance(human)])
    if {"energy_distance", COEFFICIENT} & panel.names:
        kernels["energy_distance"] = ("distance", [])
    return kernels


Kernel: TypeAlias = "Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]"


def _kernel(kernel: tuple[str, list[float]], centre: NDArray[np.float64]) -> Kernel:
    """Return a kernel as a function of two samples."""
    kind, parameters = kernel

    def of(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        if kind == "polynomial":
            degree, gamma, origin = parameters
            base = gamma * (x @ y.T) + origin
            return np.asarray(np.prod([base] * int(degree), axis=0))
        # About the centre, so that rows far from 0 lose no digits.
        x, y = x - centre, y - centre
        squares = (x**2).sum(axis=1)[:, np.newaxis] + (y**2).sum(axis=1) - 2 * (x @ y.T)
        squares = np.maximum(squares, 0.0)
        if kind == "distance":
            return np.asarray(-np.sqrt(squares))
        return np.asarray(np.exp(squares / (-2 * parameters[0] ** 2)))

    return of


class Samples(NamedTuple):
    """A, and the rows of C of the candidate alone, of the baseline alone, and of both."""

    a: NDArray[np.float64]
    new: NDArray[np.float64]
    old: NDArray[np.float64]
    common: NDArray[np.float64]


class _Block(NamedTuple):
    """Sums of a kernel over the pairs of two samples, or of different rows of one.

    Attributes
    ----------
    rows, columns
        Sums over the rows of the other sample.
    squares
        Unbiased mean square of the kernel less what depends on one row alone.
    """

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    squares: float


def _block(of: Kernel, x: NDArray[np.float64], y: NDArray[np.float64] | None = None) -> _Block:
    """Sum a kernel over the pairs of two samples, or, without `y`, of different rows of one."""
    other = x if y is None else y
    n, m = len(x), len(other)
    rows, columns, squares = np.zeros(n), np.zeros(m), 0.0
    step = max(PAIRS // max(m, 1), 1)
    for start in range(0, n, step):
        block = of(x[start : start + step], other)
        if y is None:
            some = np.arange(len(block))
            block[some, start + some] = 0.0
        rows[start : start + step] = block.sum(axis=1)
        columns += block.sum(axis=0)
        squares += float((block**2).sum())
    total = float(rows.sum())
    if y is None:
        if n < LEAST_WITHIN:
            return _Block(rows, rows, 0.0)
        # U-centring (Székely and Rizzo 2014), as in the core.
        left = squares - 2 / (n - 2) * float((rows**2).sum()) + total**2 / ((n - 1) * (n - 2))
        return _Block(rows, rows, max(left, 0.0) / (n * (n - 3)))
    if min(n, m) < LEAST_ACROSS:
        return _Block(rows, columns, 0.0)
    left = squares - float((rows**2).sum()) / m - float((columns**2).sum()) / n
    left += total**2 / (n * m)
    return _Block(rows, columns, max(left, 0.0) / ((n - 1) * (m - 1)))


LEAST_WITHIN, LEAST_ACROSS = 4, 2
"""Rows without which nothing is left of a kernel but what depends on one row alone."""


class _Sums:
    """Sums of a kernel over all pairs that two distances from A are made of."""

    def __init__(self, of: Kernel, parts: Samples, *, whole: bool) -> None:
        a, new, old, common = parts
        self._parts = parts
        self._alone = [_block(of, rows) for rows in (new, old)]
        self._beside = [_block(of, rows, common) for rows in (new, old)]
        self._from_a = [_block(of, a, rows) for rows in (new, old)]
        # What is of A and of common rows alone cancels, unless the distances have units.
        self._of_a, self._of_common, self._across = np.zeros(len(a)), np.zeros(len(common)), None
        if whole:
            self._of_a, self._of_common = _block(of, a).rows, _block(of, common).rows
            self._across = _block(of, a, common)

    def units(self) -> tuple[float, float]:
        """Return twice the mean distance between A and each C."""
        common = 0.0 if self._across is None else float(self._across.rows.sum())
        h = len(self._parts.a)
        new, old = (-2 * (common + float(each.rows.sum())) / h**2 for each in self._from_a)
        return new, old

    def change(self, units: tuple[float, float]) -> tuple[float, float]:
        """Return the difference of the distances, each in its unit, and its variance."""
        h = len(self._parts.a)
        within, across = 2 / (h * (h - 1)), 2 / h**2
        # What a row adds to each distance: twice its mean with its own sample less with the other.
        of_a, of_common, alone = [], [], []
        for own, beside, from_a in zip(self._alone, self._beside, self._from_a, strict=True):
            rest = 0.0 if self._across is None else self._across.rows
            of_a.append(within * self._of_a - across * (from_a.rows + rest))
            rest = 0.0 if self._across is None else self._across.columns
            of_common.append(within * (beside.columns + self._of_common) - across * rest)
            alone.append(within * (own.rows + beside.rows) - across * from_a.columns)
        influences = [each / unit for each, unit in zip(alone, units, strict=True)]
        influences += [each[0] / units[0] - each[1] / units[1] for each in (of_a, of_common)]
        both = sum(_squares(each) for each in influences)
        second = 0.0
        for own, beside, from_a, unit in zip(
            self._alone, self._beside, self._from_a, units, strict=True
        ):
            count, common = len(own.rows), len(beside.columns)
            pairs = count * (count - 1) / 2 * own.squares + count * common * beside.squares
            second += (within**2 * pairs + across**2 * count * h * from_a.squares) / unit**2
        # Every pair is of two rows: their sum is the difference twice.
        new, old = (
            float(each.sum() + of.sum() + a.sum()) / 2
            for each, of, a in zip(alone, of_common, of_a, strict=True)
        )
        # The sum of squares has the second-order variance twice for the same reason.
        return new / units[0] - old / units[1], max(both - second, second)


def _squares(influence: NDArray[np.float64]) -> float:
    """Return the sum of squares about the mean, unbiased for independent rows."""
    n = len(influence)
    return float(influence.var(ddof=1)) * n if n > 1 else float((influence**2).sum())

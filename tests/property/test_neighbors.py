"""Neighbours and counts against a double loop that sums in another order than the package.

Both square the same differences, so two squared distances differ by what the order of a sum of
positive terms allows. Within that, what must hold is a range: a list is sorted alike, a ball holds
at least what is surely inside and at most what may be. On small integers every order gives the same
sum, and results must be equal.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tailwatch as tw
from tests.support import oracle, strategies
from tests.support.trials import LEVELS, Trial, in_pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]

metrics = tw.metrics


def unit(kind: str, columns: int) -> float:
    """Largest relative difference of one squared distance between the two orders of summation.

    A value goes through at most ⌈d/8⌉ + 3 additions in the package's lanes, and d in SciPy's loop;
    each costs at most 2⁻⁵³ of the sum, as does a square on either side.
    """
    return 0.0 if kind == "lattice" else (9 * columns / 8 + 6) * 2.0**-53


def check_lists(
    found: tuple[Array, Index], expected: tuple[Array, Index], squared: Array, rel: float
) -> None:
    distances, indices = found
    k = distances.shape[1]
    if rel == 0.0:
        np.testing.assert_array_equal(indices, expected[1])
        np.testing.assert_array_equal(distances, expected[0])
        return
    # A root halves the relative difference and adds a rounding on each side.
    tolerance = rel / 2 + 2.0**-52
    np.testing.assert_allclose(distances, expected[0], rtol=tolerance, atol=0)
    # The row named is at the distance given, and no row is named twice.
    measured = np.sqrt(np.take_along_axis(squared, indices, axis=1))
    np.testing.assert_allclose(distances, measured, rtol=tolerance, atol=0)
    assert (np.diff(np.sort(indices, axis=1), axis=1) > 0).all()
    assert (np.diff(distances, axis=1) >= 0).all()
    same = np.diff(distances, axis=1) == 0
    assert (np.diff(indices, axis=1)[same] > 0).all()
    # Where rounding cannot exchange a neighbour with the one before or after, it is that one.
    order = np.sort(squared, axis=1)[:, : k + 1]
    apart = np.diff(order, axis=1) > 2 * rel * order[:, 1:]
    after = np.pad(apart, ((0, 0), (0, k - apart.shape[1])), constant_values=True)
    before = np.pad(after[:, :-1], ((0, 0), (1, 0)), constant_values=True)
    clear = after & before
    np.testing.assert_array_equal(indices[clear], expected[1][clear])


def check_copies(indices: Index, base: NDArray[np.floating], *, exclude_self: bool) -> None:
    """Copies of a base row tie in every order of summation: the list ends with the lower ones."""
    labels = np.unique(base, axis=0, return_inverse=True)[1].ravel()
    if labels.max() + 1 == len(base):
        return
    for row, named in enumerate(indices):
        copies = np.flatnonzero(labels == labels[named[-1]])
        unnamed = np.setdiff1d(copies, [*named, row] if exclude_self else named)
        assert (unnamed > named[-1]).all()


def inside(between: Array, radii: Array, rel: float) -> list[NDArray[np.bool_]]:
    """Pairs that are surely in a closed ball, and those that may be."""
    return [between <= radii * (1 + sign * 2 * rel) for sign in (-1, 1)]


def check_range(found: float, low: float, high: float) -> None:
    # The bounds are counts divided as the package divides them.
    assert low <= found <= high


def among_tail(inside_x: NDArray[np.bool_], radii: Array, rows: int, rel: float, side: int) -> int:
    """Fewest (side 0) or most (1) rows of the tail for which `inside_x` holds, as radii tie."""
    cut = np.sort(radii)[::-1][rows - 1]
    sure, maybe = radii > cut * (1 + 2 * rel), np.abs(radii - cut) <= 2 * rel * cut
    open_, holding = rows - int(sure.sum()), int(inside_x[maybe].sum())
    others = int(maybe.sum()) - holding
    return int(inside_x[sure].sum()) + (min(open_, holding) if side else max(0, open_ - others))


def check(trial: Trial, *, threads: int | None = None, pieces: tuple[int, int] = (1, 1)) -> None:
    x, y = trial.samples()
    k, n, m, rel = trial.k, trial.rows, trial.others, unit(trial.kind, trial.columns)
    of_x, of_y = (in_pieces(rows, count) for rows, count in zip((x, y), pieces, strict=True))
    within, within_y = oracle.squared_distances(x, x), oracle.squared_distances(y, y)
    between = oracle.squared_distances(x, y)
    np.fill_diagonal(within, np.inf)
    np.fill_diagonal(within_y, np.inf)

    for squared, found in (
        (
            within,
            metrics.nearest_neighbors(of_x, of_x, k=k, exclude_self=True, threads=threads),
        ),
        (between.T, metrics.nearest_neighbors(of_y, of_x, k=k, threads=threads)),
    ):
        order = np.argsort(squared, axis=1, kind="stable")[:, :k]
        expected = np.sqrt(np.take_along_axis(squared, order, axis=1)), order
        check_lists(found, expected, squared, rel)
        check_copies(found[1], x, exclude_self=squared is within)

    prdc = metrics.precision_recall_density_coverage(of_x, of_y, k=k, threads=threads)
    tails = metrics.tail_coverage(of_x, of_y, levels=LEVELS, k=k, threads=threads)
    if rel == 0.0:
        assert dataclasses.astuple(prdc) == dataclasses.astuple(oracle.prdc(x, y, k))
        rows = [dataclasses.astuple(row) for row in oracle.tail_coverage(x, y, LEVELS, k)]
        names = [field.name for field in dataclasses.fields(oracle.TailRow)]
        for found_row, row in zip(tails.select(names).rows(), rows, strict=True):
            assert found_row == pytest.approx(row, rel=1e-13)
        return
    radii_x, radii_y = (np.sort(squared, axis=1)[:, k - 1] for squared in (within, within_y))
    in_x, in_y = inside(between, radii_x[:, None], rel), inside(between, radii_y[None, :], rel)
    check_range(prdc.precision, *(int(ball.any(axis=0).sum()) / m for ball in in_x))
    check_range(prdc.recall, *(int(ball.any(axis=1).sum()) / n for ball in in_y))
    check_range(prdc.density, *(int(ball.sum()) / (k * m) for ball in in_x))
    check_range(prdc.coverage, *(int(ball.any(axis=1).sum()) / n for ball in in_x))
    rarity = np.sort(between, axis=0)[k - 1]
    for row in tails.iter_rows(named=True):
        size = oracle.tail_size(row["level"], n)
        assert row["rows"] == size
        for name, balls in (("coverage", in_x), ("recall", in_y)):
            counts = (
                among_tail(ball.any(axis=1), radii_x, size, rel, side)
                for side, ball in enumerate(balls)
            )
            check_range(row[name], *(count / size for count in counts))
        threshold = np.sort(radii_x)[::-1][size - 1]
        # Rows tied at the edge count between not at all and whole.
        rare = [rarity > threshold * (1 + 2 * rel), rarity >= threshold * (1 - 2 * rel)]
        check_range(row["mass"], *(int(some.sum()) / m for some in rare))
        both = (some & ball.any(axis=0) for some, ball in zip(rare, in_x, strict=True))
        check_range(row["supported_mass"], *(int(some.sum()) / m for some in both))


@given(
    strategies.trials(),
    st.integers(1, 4),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
)
def test_any_trial(trial: Trial, threads: int, pieces: tuple[int, int]) -> None:
    check(trial, threads=threads, pieces=pieces)

"""Equal rows, and rows that tie, are found as others are, at no more than a small multiple."""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import pytest

import tailwatch as tw
from tailwatch import _core

ROWS, COLUMNS = 300, 20
GENERATOR = np.random.default_rng(5)
DISTINCT = GENERATOR.standard_normal((ROWS, COLUMNS))


def repeated(times: int) -> np.ndarray:
    """Rows of which each stands as often, in random order."""
    rows = np.repeat(DISTINCT[: ROWS // times], times, axis=0)
    return rows[np.random.default_rng(times).permutation(len(rows))]


SETS = {
    "half": np.where(np.arange(ROWS)[:, None] % 2 == 0, DISTINCT[0], DISTINCT),
    "all": np.tile(DISTINCT[0], (ROWS, 1)),
    "all but one": np.concatenate([np.tile(DISTINCT[0], (ROWS - 1, 1)), DISTINCT[1:2]]),
    "twice": repeated(2),
    "ten times": repeated(10),
    "signed zeros": np.where(np.arange(ROWS * COLUMNS).reshape(ROWS, -1) % 3 == 0, -0.0, 0.0),
    "one-hot": np.eye(COLUMNS)[GENERATOR.integers(COLUMNS, size=ROWS)],
    "identity": np.eye(ROWS),
    "binary": (DISTINCT > 0).astype(float),
    "integers": GENERATOR.integers(1, 6, (ROWS, COLUMNS)).astype(float),
    "within 1e-12": DISTINCT[0] + 1e-12 * DISTINCT,
    "few columns": np.round(DISTINCT[:, :3]),
}


def brute(
    queries: np.ndarray, base: np.ndarray, k: int, *, same: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Sort all distances, then by index; exact for values whose squares are."""
    distances = np.sqrt(((queries[:, None] - base) ** 2).sum(axis=2))
    if same:
        np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, axis=1), order


@pytest.mark.parametrize("name", list(SETS))
@pytest.mark.parametrize("k", [1, 5, 61, 199])
def test_neighbours_are_those_of_all_pairs(name: str, k: int) -> None:
    rows = SETS[name]
    for queries, base, same in (
        (rows, rows, True),
        (rows[:60], rows[60:], False),
        (rows[:2], rows, False),
    ):
        distances, indices = tw.metrics.nearest_neighbors(queries, base, k=k, exclude_self=same)
        expected, order = brute(queries, base, k, same=same)
        np.testing.assert_allclose(distances, expected, rtol=1e-12)
        if name in {"twice", "ten times", "half", "within 1e-12"}:
            # Sums in another order round otherwise: the order is that of what is reported.
            steps = np.diff(distances, axis=1)
            assert (steps >= 0).all()
            assert (np.diff(indices, axis=1)[steps == 0] > 0).all()
        else:
            np.testing.assert_array_equal(indices, order)


@pytest.mark.parametrize("name", ["half", "all but one", "ten times", "one-hot", "integers"])
def test_the_same_bits_on_any_threads_and_in_any_chunks(name: str) -> None:
    rows = SETS[name]
    found = tw.metrics.nearest_neighbors(rows, rows, k=7, exclude_self=True, threads=1)
    pieces = _core.Rows.from_numpy(np.array_split(rows, 7), "rows")
    again = _core.nearest_neighbors(pieces, pieces, 7, True, {"threads": 3, "progress": None})
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("k", [3, 8])
@pytest.mark.parametrize("name", ["half", "twice", "one-hot", "integers"])
def test_balls_hold_what_all_pairs_say(name: str, k: int) -> None:
    # Integers of one size, so that every distance is exact whatever the order of its sum.
    rows = np.round(4 * SETS[name])
    x, y = rows[: ROWS // 2], rows[ROWS // 2 :]
    found = tw.metrics.precision_recall_density_coverage(x, y, k=k)
    of_x = brute(x, x, k, same=True)[0][:, -1]
    of_y = brute(y, y, k, same=True)[0][:, -1]
    between = np.sqrt(((y[:, None] - x) ** 2).sum(axis=2))
    held, holding = between <= of_x, between <= of_y[:, None]
    assert found.precision == pytest.approx(held.any(axis=1).mean())
    assert found.recall == pytest.approx(holding.any(axis=0).mean())
    assert found.density == pytest.approx(held.sum() / (k * len(y)))
    assert found.coverage == pytest.approx(held.any(axis=0).mean())


def test_equal_rows_take_no_longer_than_three_times_as_long() -> None:
    generator = np.random.default_rng(0)
    distinct = generator.standard_normal((3000, 64), dtype=np.float32)
    half, every = distinct.copy(), np.tile(distinct[0], (3000, 1))
    half[generator.permutation(3000)[:1500]] = distinct[0]
    taken: list[list[float]] = []
    for _ in range(5):
        round_ = []
        for rows in (distinct, half, every):
            before = time.process_time()
            tw.metrics.nearest_neighbors(rows, rows, k=5, exclude_self=True, threads=1)
            round_.append(time.process_time() - before)
        taken.append(round_)
    of_distinct, of_half, of_every = (median(column) for column in zip(*taken, strict=True))
    assert of_half <= 3 * of_distinct
    assert of_every <= 3 * of_distinct

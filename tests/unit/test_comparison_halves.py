"""How a comparison splits the reference and cuts the candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tailwatch.comparison.halves import LEAST_ROWS
from tailwatch.exceptions import InputError
from tests.support.errors import fields, refused
from tests.support.meetings import Split, split

if TYPE_CHECKING:
    from tailwatch._core import Rows


def numbered(rows: int) -> np.ndarray:
    return np.arange(rows, dtype=np.float64)[:, np.newaxis]


def draw(n: int, m: int, *, max_rows: int | None = None, seed: int = 0) -> Split:
    return split(numbered(n), numbered(m), max_rows=max_rows, seed=seed)


def rows(handles: tuple[Rows, ...]) -> list[list[float]]:
    return [handle.to_numpy()[:, 0].tolist() for handle in handles]


@pytest.mark.parametrize(("n", "m", "half"), [(400, 200, 200), (401, 300, 200), (1000, 64, 64)])
def test_halves_are_disjoint_and_of_one_size(n: int, m: int, half: int) -> None:
    a, b, c = rows(draw(n, m).halves)
    assert len(a) == len(b) == len(c) == half
    assert len({*a, *b}) == 2 * half
    assert len(set(c)) == half
    assert {*a, *b} <= set(range(n))
    assert set(c) <= set(range(m))


def test_rows_come_in_random_order_under_the_seed() -> None:
    first, again, other = (rows(draw(400, 400, seed=seed).halves) for seed in (1, 1, 2))
    assert first == again
    for mine, others in zip(first, other, strict=True):
        assert mine != sorted(mine)
        assert set(mine) != set(others)
    # The candidate is not cut as the reference is split, though both have as many rows.
    assert first[2] != first[0]


def test_every_row_is_as_likely_to_be_in_each_half() -> None:
    # 400 splits of 128 rows, seeds 0–399: counts of each row in A are binomial(400, ½); the largest
    # of 128 deviations stays within 4.5 standard errors, and χ² within 4 of its mean.
    counts = np.zeros(128)
    for seed in range(400):
        counts[np.array(rows(draw(128, 64, seed=seed).halves)[0], dtype=int)] += 1
    z = (counts - 200) / 10
    assert np.abs(z).max() < 4.5
    assert abs((z**2).sum() - 128) < 4 * np.sqrt(2 * 128)


@pytest.mark.parametrize(
    ("max_rows", "half", "n", "m"),
    [(None, 200, 400, 250), (128, 64, 128, 128), (301, 150, 301, 250), (400, 200, 400, 250)],
)
def test_bounded_samples_are_prefixes(max_rows: int | None, half: int, n: int, m: int) -> None:
    drawn = draw(400, 250, max_rows=max_rows)
    for bounded, whole in zip(rows(drawn.bounded), rows(drawn.halves), strict=True):
        assert len(bounded) == half
        assert bounded == whole[:half]
    x, y = rows(drawn.bounded_wholes)
    assert (len(set(x)), len(set(y))) == (n, m)
    assert rows(drawn.wholes) == [numbered(400)[:, 0].tolist(), numbered(250)[:, 0].tolist()]


@pytest.mark.parametrize(
    ("n", "m", "said"),
    [
        (127, 500, fields("reference", "at least 128 rows to compare", "127")),
        (500, 63, fields("candidate", "at least 64 rows to compare", "63")),
        (2, 1, fields("candidate", "at least 64 rows to compare", "1")),
    ],
)
def test_too_few_rows(n: int, m: int, said: dict[str, str]) -> None:
    with refused(InputError, **said):
        draw(n, m)


def test_the_fewest_rows() -> None:
    assert [len(half) for half in rows(draw(128, 64).halves)] == [LEAST_ROWS] * 3

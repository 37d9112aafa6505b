"""Copies: equal to their definition, whatever the type, the sign of zero and the length of rows."""

from __future__ import annotations

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.comparison.estimates import Binomial
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.metrics.family import Panel
from tailwatch.comparison.metrics.neighbors import Copies as Family
from tailwatch.exceptions import InputError
from tests.support import oracle, samples
from tests.support.errors import refused
from tests.support.meetings import split

copies = tw.metrics.copies

PANEL = Panel(frozenset({"copies", "normalised_copies"}), 5, (0.1,), 7)


def counts(x: np.ndarray, y: np.ndarray) -> tuple[int, int]:
    found = copies(x, y)
    assert found.rows == len(y)
    assert found.exact_share == found.exact / len(y)
    assert found.normalised_share == found.normalised / len(y)
    return found.exact, found.normalised


@pytest.mark.parametrize("columns", [2, 7, 40])
def test_counts_equal_the_definition(columns: int) -> None:
    rng = np.random.default_rng(columns)
    x = samples.gaussian(1, 3000, columns)
    y = np.concatenate([x[::7], 1.3 * x[1::11], -x[:50], x[5:9], samples.gaussian(2, 500, columns)])
    y = rng.permutation(y)
    assert counts(x, y) == oracle.copies(x, y)
    # Most rows are there many times, and many others have the same direction.
    x, y = samples.lattice(3, 400, columns, side=3), samples.lattice(4, 500, columns, side=4)
    assert counts(x, y) == oracle.copies(x, y)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("columns", [24, 768])
def test_rows_normalised_in_any_type_are_normalised_copies(columns: int, dtype: type) -> None:
    x = 3.0 * samples.gaussian(5, 1500, columns).astype(np.float32)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    y = (x[:400] / lengths[:400]).astype(dtype)
    fresh = samples.gaussian(6, 300, columns).astype(dtype)
    for reference, candidate in ((x, y), (y, x[:400])):
        assert counts(reference, np.concatenate([candidate, fresh])) == (0, 400)
    # Nearly the same direction is another one: far more than rounding moves it.
    near = y.astype(np.float64) + 0.05 * samples.gaussian(7, 400, columns) / np.sqrt(columns)
    assert counts(x, near.astype(dtype)) == (0, 0)


def test_values_count_and_not_their_bits() -> None:
    x = np.array([[0.0, 1.0], [0.1, 0.5], [0.0, 0.0]], dtype=np.float32)
    y = np.array([[-0.0, 1.0], [0.1, 0.5], [0.0, -0.0], [0.0, 2.0], [0.0, -1.0]])
    # The float64 nearest to 0.1 is no float32, but has nearly the same direction.
    assert counts(x, y) == (2, 4)
    assert counts(y, x) == (2, 3)
    assert counts(x.astype(np.float16).astype(np.float32), x.astype(np.float16)) == (3, 3)


def test_zeros_copy_zeros_alone_and_lengths_may_be_extreme() -> None:
    x, zero = samples.gaussian(8, 30, 5), np.zeros((2, 5))
    assert counts(x, zero) == (0, 0)
    assert counts(zero, x) == (0, 0)
    assert counts(np.concatenate([x, zero]), zero[:1]) == (1, 1)
    for scale in (2.0**-1000, 1e149):
        assert counts(x, scale * x) == (0, 30)
    # In one column there are two directions.
    assert counts(np.array([[1.0]]), np.array([[2.0], [-3.0], [1.0]])) == (1, 2)


def test_order_and_threads_change_nothing() -> None:
    x = samples.gaussian(9, 5000, 6)
    y = np.concatenate([x[:700], 2.0 * x[700:1500], samples.gaussian(10, 2500, 6)])
    expected = copies(x, y, threads=1)
    assert expected == tw.metrics.Copies(4000, 700, 1500)
    assert copies(x[::-1], y, threads=3) == expected
    assert copies(np.asfortranarray(x), np.asfortranarray(y), threads=2) == expected


def test_a_comparison_counts_beside_human_duplicates_and_against_all_human_rows() -> None:
    rng = np.random.default_rng(11)
    human = rng.normal(size=(600, 5))
    human = np.concatenate([human, human[:200]])
    y = np.concatenate([human[::4], rng.normal(size=(200, 5))])
    drawn = split(human, y, seed=7)
    a, b, c = (rows.to_numpy() for rows in drawn.halves)
    exact, normalised = drawn.estimates(Family, PANEL)
    for position, estimate in enumerate((exact, normalised)):
        assert estimate.value == oracle.copies(a, c)[position] / len(c)
        assert estimate.null == oracle.copies(a, b)[position] / len(b)
        assert estimate.error == Binomial(len(a))
        made = intervals_of(estimate, "match", 0.95)
        assert made.method == "binomial"
        assert made.retention == pytest.approx(estimate.value / estimate.null)
        for number, (low, high) in (
            (estimate.value, made.value),
            (estimate.null, made.null),
            (made.retention, made.retained),
        ):
            assert low is not None
            assert high is not None
            assert low < number < high
    assert exact.null > 0.05
    whole = {name: value for name, _, value, _ in drawn.on_all(Family, PANEL)}
    assert whole == {"copies": 0.5, "normalised_copies": 0.5}


def test_without_human_duplicates_nothing_is_divided() -> None:
    x, y = samples.gaussian(12, 400, 4), samples.gaussian(13, 200, 4)
    (row, _) = tw.compare(x, y, metrics=["copies", "normalised_copies"]).frame.to_dicts()
    assert row["value"] == row["null"] == row["value_all"] == row["low"] == row["null_low"] == 0.0
    # Mid-P of none of 200 rows: half of (1 − p)²⁰⁰ is 2.5 %.
    assert row["high"] == row["null_high"] == pytest.approx(1 - 0.05 ** (1 / 200), rel=1e-9)
    assert row["retention"] is row["retention_low"] is row["retention_high"] is None
    every = tw.compare(x, x.copy(), metrics=["copies"]).frame.row(0, named=True)
    assert every["value_all"] == 1.0
    assert 0.3 < every["value"] < 0.7  # of C, about half are in A


def test_what_cannot_be_compared_is_refused() -> None:
    x = samples.gaussian(14, 10, 3)
    with refused(InputError, "candidate", "3 columns …", "2"):
        copies(x, x[:, :2])
    with refused(InputError, "candidate"):
        copies(x, x[:0])
    with refused(InputError, "reference", where="row 2…"):
        copies(np.where(np.arange(10)[:, None] == 2, np.inf, x), x)

"""Copies and duplicates: equal to their definition, whatever type, sign of zero and length."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

import tailwatch as tw
from tailwatch.comparison.estimates import Binomial, CountedRows
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.metrics.family import Panel
from tailwatch.comparison.metrics.neighbors import Copies as Family
from tailwatch.comparison.metrics.neighbors import Duplicates, Repetition
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
        assert estimate.error == Binomial(len(a), len(a))
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


DUPLICATES = Panel(frozenset({"duplicates"}), 5, (0.1,), 7)


def repeating(seed: int, rows: int, repeats: int) -> np.ndarray:
    """Rows of which the first so many are there again."""
    fresh = samples.gaussian(seed, rows - repeats, 6)
    return np.concatenate([fresh, fresh[:repeats]]).astype(np.float32)


def test_duplicates_are_counted_beside_those_of_all_human_rows() -> None:
    x, y = repeating(1, 300, 30), repeating(2, 200, 50)
    (found,) = split(x, y, seed=7).estimates(Duplicates, DUPLICATES)
    c = split(x, y, seed=7).halves[2].to_numpy()
    _, where, times = np.unique(c, axis=0, return_inverse=True, return_counts=True)
    assert found.value == (times[where] > 1).mean()
    assert found.null == 60 / 300
    ((_, _, value, known),) = split(x, y, seed=7).on_all(Duplicates, DUPLICATES)
    assert value == 0.5
    assert isinstance(known, CountedRows)
    # 50 pairs of 200 rows tell as much as 50 of 100 rows.
    assert (known.rows, known.total) == (200, 100.0)
    # Of a candidate no more rows enter than there are human ones.
    ((_, _, _, cut),) = split(x, repeating(3, 900, 9), seed=7).on_all(Duplicates, DUPLICATES)
    assert isinstance(cut, CountedRows)
    assert cut.rows == 300


def test_the_p_value_of_repeated_rows_is_that_of_every_way_to_deal_out_groups() -> None:
    # Groups of human and candidate rows: of each pair of sizes the larger falls to the candidate
    # with probability m/(n + m), and 20 equal rows one by one.
    groups = [(2, 0), (0, 3), (3, 2), (1, 4), (0, 2), (6, 14)]
    human, candidate = (
        np.concatenate([np.repeat(g, group[side]) for g, group in enumerate(groups)])
        for side in (0, 1)
    )
    fresh = np.arange(100, 100 + 100 - len(human)), np.arange(300, 300 + 50 - len(candidate))
    found = Repetition.of(
        *(
            np.concatenate(parts).astype(np.uint64)
            for parts in zip((human, candidate), fresh, strict=True)
        )
    )
    share, more, total = 1 / 3, [2, 3, 1, 4, 2], 0.0
    observed = 0 + 3 + 0 + 4 + 2 + 14
    for dealt in np.ndindex(*[2] * 5):
        chance = np.prod([share if here else 1 - share for here in dealt])
        left = observed - int(np.dot(dealt, more))
        total += chance * float(binom.sf(left - 1, 20, share))
    assert found.p_value() == pytest.approx(total, rel=1e-9)


def test_repeated_rows_that_both_samples_have_are_not_found() -> None:
    # 60 pairs of 200 rows each; p ≤ 0.05 is 3 ± 1.7 times expected of an exact test, z ≤ 4.
    laws = {
        "copies": lambda rng: rng.integers(1 << 60, size=150)[np.r_[:150, :50]],
        "bits": lambda rng: rng.integers(64, size=200),
        "rare values": lambda rng: rng.integers(400, size=200),
    }
    for draw in laws.values():
        rng = np.random.default_rng(9)
        pairs = [[draw(rng).astype(np.uint64) for _ in range(2)] for _ in range(60)]
        assert sum(Repetition.of(*pair).p_value() <= 0.05 for pair in pairs) <= 9
    # More of them, one value alone among them, are.
    rng = np.random.default_rng(10)
    human = rng.integers(1 << 60, size=200)
    for candidate in (laws["copies"](rng), np.append(rng.integers(1 << 60, size=170), [1] * 30)):
        assert Repetition.of(human.astype(np.uint64), candidate.astype(np.uint64)).p_value() < 1e-6

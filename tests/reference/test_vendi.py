"""Vendi score: all cosines, closed forms of any order, what it does not see."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

import tailwatch as tw
from tailwatch.exceptions import InputError
from tests.support import oracle, samples
from tests.support.errors import fields, refused

ORDERS = [0.0, 0.5, 0.999999, 1.0, 1.5, 2.0, 7.0, math.inf]

CASES = {
    "gaussian": samples.gaussian(1, 500, 20),
    "student": samples.student(2, 300, 7) + 5.0,
    "clusters": samples.clusters(3, 400, 65),
    "line": samples.gaussian(4, 60, 1),
    "short": samples.gaussian(5, 20, 50),
    "many pieces": samples.gaussian(6, 300, 400),
    "square": samples.gaussian(7, 40, 40),
    "one row": samples.gaussian(8, 1, 5),
}


@pytest.mark.parametrize("q", ORDERS)
@pytest.mark.parametrize("name", CASES)
def test_equals_the_singular_values(name: str, q: float) -> None:
    x = CASES[name]
    found = tw.metrics.vendi_score(x, q=q)
    assert found == pytest.approx(oracle.vendi_score(x, q), rel=1e-9)


@pytest.mark.parametrize("q", ORDERS)
@pytest.mark.parametrize(("groups", "each", "columns"), [(4, 25, 9), (7, 2, 30), (1, 50, 3)])
def test_equal_orthogonal_groups_count_one_each(
    groups: int, each: int, columns: int, q: float
) -> None:
    directions = scipy.stats.ortho_group.rvs(columns, random_state=groups)[:groups]
    lengths = np.random.default_rng(groups).uniform(0.1, 10.0, size=(groups * each, 1))
    rows = np.repeat(directions, each, axis=0) * lengths
    assert tw.metrics.vendi_score(rows, q=q) == pytest.approx(groups, rel=1e-12)


@pytest.mark.parametrize("q", ORDERS)
def test_unequal_orthogonal_groups_are_hill_numbers(q: float) -> None:
    counts = np.array([50, 30, 15, 4, 1])
    share = counts / counts.sum()
    rows = np.repeat(np.eye(5), counts, axis=0)
    if q == 1.0:
        expected = math.exp(-(share * np.log(share)).sum())
    elif q == math.inf:
        expected = 1 / share.max()
    else:
        expected = (share**q).sum() ** (1 / (1 - q))
    # The exponent 1/(1 − q) multiplies roundings of the expected number by a million at 0.999999.
    assert tw.metrics.vendi_score(rows, q=q) == pytest.approx(expected, rel=1e-9)


def test_larger_orders_count_no_more() -> None:
    for name in ("clusters", "short"):
        found = [tw.metrics.vendi_score(CASES[name], q=q) for q in ORDERS]
        assert found == sorted(found, reverse=True)
        assert found[0] == min(CASES[name].shape)
        assert found[-1] >= 1.0


@pytest.mark.parametrize("rank", [1, 3, 6])
@pytest.mark.parametrize("rows", [4, 7, 200])
def test_order_zero_is_the_rank(rows: int, rank: int) -> None:
    x = samples.gaussian(rows, rows, rank) @ samples.gaussian(9, rank, 30)
    assert tw.metrics.vendi_score(x, q=0.0) == min(rows, rank)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_values_count_as_they_are_stored(dtype: type) -> None:
    x = CASES["gaussian"].astype(dtype)
    assert tw.metrics.vendi_score(x) == pytest.approx(
        oracle.vendi_score(x.astype(np.float64), 1.0), rel=1e-9
    )


@pytest.mark.parametrize("shape", [(9, 3), (3, 9)])
def test_a_row_of_zeros_is_named(shape: tuple[int, int]) -> None:
    x = samples.gaussian(10, *shape)
    x[2] = 0.0
    with refused(InputError, "embeddings", "rows with a direction", "a row of zeros", "row 2"):
        tw.metrics.vendi_score(x)


@pytest.mark.parametrize(
    ("q", "said"),
    [
        (-1.0, fields("q", "a number of at least 0", "-1.0")),
        (math.nan, fields("q", "a number", "nan")),
        ("inf", fields("q", "a number", "'inf'")),
        (True, fields("q", "a number", "True")),
    ],
    ids=str,
)
def test_orders_that_there_are_not(q: object, said: dict[str, str]) -> None:
    with refused(InputError, **said):
        tw.metrics.vendi_score(CASES["gaussian"], q=q)


@pytest.mark.parametrize("q", ORDERS)
@pytest.mark.parametrize("name", ["gaussian", "clusters", "short", "one row"])
def test_truncation_spreads_the_mass_of_small_eigenvalues_over_the_large(
    name: str, q: float
) -> None:
    x = CASES[name]
    units = x / np.linalg.norm(x, axis=1, keepdims=True)
    shares = np.linalg.svd(units, compute_uv=False) ** 2 / len(x)
    for kept in (1, 4, 12):
        if kept >= len(shares):
            plain = tw.metrics.vendi_score(x, q=q)
            truncated = tw.metrics.vendi_score(x, q=q, truncation=kept)
            assert truncated == pytest.approx(plain, rel=1e-12)
            continue
        largest = shares[:kept] + shares[kept:].sum() / kept
        # Renyi entropies of shares that add up to 1, as the whole score has.
        if q == 1.0:
            expected = math.exp(-(largest * np.log(largest)).sum())
        elif q == math.inf:
            expected = 1 / largest.max()
        else:
            expected = (largest**q).sum() ** (1 / (1 - q))
        found = tw.metrics.vendi_score(x, q=q, truncation=kept)
        assert found == pytest.approx(expected, rel=1e-8)
        assert found <= kept * (1 + 1e-9)


def test_a_truncated_score_does_not_grow_with_the_rows() -> None:
    # Two directions of 64 have most of the mass: the others' grows with the rows, theirs does not.
    def scores(rows: int) -> list[float]:
        x = samples.gaussian(rows, rows, 64) * np.where(np.arange(64) < 2, 8.0, 1.0)
        return [tw.metrics.vendi_score(x, truncation=kept) for kept in (4, None)]  # type: ignore[list-item]

    (few, small), (many, large) = scores(60), scores(6000)
    assert large > 1.15 * small
    assert abs(many / few - 1) < 0.05


def test_a_truncation_is_a_number_of_eigenvalues() -> None:
    for truncation in (0, -3, 2.5):
        with refused(InputError, "truncation"):
            tw.metrics.vendi_score(CASES["short"], truncation=truncation)  # type: ignore[arg-type]

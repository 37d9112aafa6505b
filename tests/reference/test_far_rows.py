"""Kernel distances of samples with one far row, against exact arithmetic.

The far row makes kernel values that are large and add up to little. Data are float64 and taken as
the fractions that they are; roots are decimals of 60 digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

import tailwatch as tw
from tailwatch import _core
from tests.support.anchored import SETTINGS, rows_of
from tests.support.meetings import kernel_estimates

Rows = list[list[Fraction]]
Kernel = Callable[[list[Fraction], list[Fraction]], Fraction]

ROWS, OTHERS, COLUMNS = 17, 13, 3
SCALES = [1.0, 1e2, 1e4, 1e6, 1e7, 1e8]
FAR = {"reference": (True, False), "candidate": (False, True), "both": (True, True)}


def drawn(seed: int, rows: int, scale: float = 1.0, shift: float = 0.3) -> np.ndarray:
    """Rows about a mean, the second of which is scaled."""
    values = np.random.default_rng(seed).normal(size=(rows, COLUMNS)) + shift
    values[1] *= scale
    return values


def pair(scale: float, far: tuple[bool, bool]) -> tuple[np.ndarray, np.ndarray]:
    of_x, of_y = (scale if one else 1.0 for one in far)
    return drawn(1, ROWS, of_x), drawn(2, OTHERS, of_y, shift=0.1)


def fractions(rows: np.ndarray) -> Rows:
    return [[Fraction(float(value)) for value in row] for row in rows]


def polynomial(degree: int, gamma: Fraction, constant: Fraction) -> Kernel:
    def kernel(a: list[Fraction], b: list[Fraction]) -> Fraction:
        product = sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
        return (gamma * product + constant) ** degree

    return kernel


def minus_distance(a: list[Fraction], b: list[Fraction]) -> Fraction:
    squared = sum(((x - y) ** 2 for x, y in zip(a, b, strict=True)), Fraction(0))
    with localcontext() as context:
        context.prec = 60
        ratio = Decimal(squared.numerator) / Decimal(squared.denominator)
        return -Fraction(ratio.sqrt())


def mean_across(kernel: Kernel, x: Rows, y: Rows) -> Fraction:
    return sum((kernel(a, b) for a in x for b in y), Fraction(0)) / (len(x) * len(y))


def mean_within(kernel: Kernel, x: Rows, *, unbiased: bool) -> Fraction:
    terms = [
        kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j or not unbiased
    ]
    return sum(terms, Fraction(0)) / len(terms)


def exact(kernel: Kernel, x: np.ndarray, y: np.ndarray, *, unbiased: bool = True) -> float:
    first, second = fractions(x), fractions(y)
    within = (mean_within(kernel, rows, unbiased=unbiased) for rows in (first, second))
    return float(sum(within) - 2 * mean_across(kernel, first, second))


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("degree", [1, 2, 3, 5])
@pytest.mark.parametrize("far", FAR)
def test_polynomial(far: str, degree: int, unbiased: bool) -> None:
    kernel = polynomial(degree, Fraction(0.25), Fraction(1))
    for scale in SCALES:
        x, y = pair(scale, FAR[far])
        found = tw.metrics.mmd(x, y, degree=degree, gamma=0.25, unbiased=unbiased)
        expected = exact(kernel, x, y, unbiased=unbiased)
        assert found == pytest.approx(expected, rel=1e-9), scale


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("far", FAR)
def test_energy(far: str, unbiased: bool) -> None:
    for scale in SCALES:
        x, y = pair(scale, FAR[far])
        found = tw.metrics.energy_distance(x, y, unbiased=unbiased)
        expected = exact(minus_distance, x, y, unbiased=unbiased)
        assert found == pytest.approx(expected, rel=1e-9), scale


def test_swapped_samples_have_the_same_distance() -> None:
    for scale in SCALES:
        x, y = pair(scale, (True, False))
        for metric in (tw.metrics.mmd, tw.metrics.energy_distance):
            assert metric(y, x) == pytest.approx(metric(x, y), rel=1e-9), scale


def test_one_entry_at_the_largest_float16() -> None:
    # A set of unit rows in float16 and one entry of 65,504, against long doubles.
    rng = np.random.default_rng(3)
    x, y = (rng.normal(size=(rows, 64)) for rows in (700, 500))
    x, y = (
        (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16) for rows in (x, y)
    )
    x[5, 7] = 65504.0

    def within(values: np.ndarray) -> np.longdouble:
        # The diagonal would take the digits of the rest with it.
        kept = np.where(np.eye(len(values), dtype=bool), 0, values)
        return kept.sum() / (len(values) * (len(values) - 1))

    wide = [rows.astype(np.longdouble) for rows in (x, y)]
    of_x, of_y, across = ((a @ b.T / 64 + 1) ** 3 for a, b in (wide[:1] * 2, wide[1:] * 2, wide))
    expected = float(within(of_x) + within(of_y) - 2 * across.mean())
    double = (rows.astype(np.float64) for rows in (x, y))
    assert tw.metrics.mmd(*double) == pytest.approx(expected, rel=1e-9)
    # Rows of float16 are multiplied as float32: two factors are rounded by at most 2^-24 each, and
    # their product goes into the third power. What is rounded are values that add up to little.
    size = float(within(np.abs(of_x)) + within(np.abs(of_y)) + 2 * np.abs(across).mean())
    rounded = 6 * 2**-24 * size
    assert rounded < 1e-5 * abs(expected)
    assert tw.metrics.mmd(x, y) == pytest.approx(expected, abs=rounded)


def halves_of(rows: np.ndarray, seed: int, purpose: str) -> list[np.ndarray]:
    order = np.asarray(_core.sample(len(rows), len(rows), seed, purpose))
    return [rows[np.sort(half)] for half in np.split(order, [len(rows) // 2])]


@pytest.mark.parametrize("far", FAR)
def test_cross_mmd(far: str) -> None:
    kernel = polynomial(3, Fraction(0.25), Fraction(1))
    for scale in SCALES:
        x, y = pair(scale, FAR[far])
        found = tw.metrics.mmd_test(x, y, kernel="polynomial", gamma=0.25, seed=4)
        x1, x2 = map(fractions, halves_of(x, 4, "cross-MMD reference"))
        y1, y2 = map(fractions, halves_of(y, 4, "cross-MMD candidate"))
        witness = [
            [mean_across(kernel, [row], x2) - mean_across(kernel, [row], y2) for row in rows]
            for rows in (x1, y1)
        ]
        means = [sum(values, Fraction(0)) / len(values) for values in witness]
        squares = sum(
            (sum(((v - mean) ** 2 for v in values), Fraction(0)) / len(values) ** 2)
            for values, mean in zip(witness, means, strict=True)
        )
        assert found.squared_mmd == pytest.approx(float(means[0] - means[1]), rel=1e-9), scale
        assert found.standard_error == pytest.approx(math.sqrt(squares), rel=1e-9), scale


def centred_squares(values: list[list[Fraction]], *, within: bool) -> Fraction:
    """Mean square of a doubly centred kernel, element by element.

    Within a sample by U-centring (Székely and Rizzo, Annals of Statistics 42, 2014, definition 2),
    which leaves the diagonal out.
    """
    n, m = len(values), len(values[0])
    if within:
        values = [
            [Fraction(0) if i == j else value for j, value in enumerate(row)]
            for i, row in enumerate(values)
        ]
    of_rows = [sum(row, Fraction(0)) for row in values]
    of_columns = [sum(column, Fraction(0)) for column in zip(*values, strict=True)]
    total = sum(of_rows, Fraction(0))
    # What is taken off: n - 2 and (n - 1)(n - 2) without the diagonal, m, n and nm with all pairs.
    by_row, by_column, by_all = (n - 2, n - 2, (n - 1) * (n - 2)) if within else (m, n, n * m)
    squares = [
        (value - of_rows[i] / by_row - of_columns[j] / by_column + total / by_all) ** 2
        for i, row in enumerate(values)
        for j, value in enumerate(row)
        if not (within and i == j)
    ]
    return sum(squares, Fraction(0)) / (n * (n - 3) if within else (n - 1) * (m - 1))


@pytest.mark.parametrize("name", ["polynomial", "distance"])
def test_estimates_of_a_comparison(name: str) -> None:
    parameters = [3.0, 0.25, 1.0] if name == "polynomial" else []
    kernel = polynomial(3, Fraction(0.25), Fraction(1)) if name == "polynomial" else minus_distance
    for scale in SCALES:
        samples = drawn(1, 16, scale), drawn(2, 16), drawn(3, 16, shift=0.0)
        a, b, c = samples
        a_rows, b_rows, c_rows = map(rows_of, samples)
        [found] = kernel_estimates((a_rows, b_rows, c_rows), [(name, parameters)])
        value, null, of_value, of_null, of_difference, slope = found
        assert value == pytest.approx(exact(kernel, a, c), rel=1e-9), scale
        assert null == pytest.approx(exact(kernel, a, b), rel=1e-9), scale
        assert slope >= 0

        def second_order(x: np.ndarray, y: np.ndarray, *, within: bool) -> Fraction:
            values = [[kernel(i, j) for j in fractions(y)] for i in fractions(x)]
            pairs = len(x) * (len(x) - 1) if within else len(x) * len(y)
            return (2 if within else 4) * centred_squares(values, within=within) / pairs

        of_a, of_b, of_c = (second_order(rows, rows, within=True) for rows in samples)
        with_b, with_c = (second_order(a, rows, within=False) for rows in (b, c))
        for variance, expected in (
            (of_value, of_a + of_c + with_c),
            (of_null, of_a + of_b + with_b),
            (of_difference, of_b + of_c + with_b + with_c),
        ):
            assert variance == pytest.approx(float(expected), rel=1e-6), scale


@pytest.mark.parametrize("p", [1, 2, 3.5])
def test_sliced_wasserstein_keeps_the_digits_of_near_rows(p: float) -> None:
    # Along one axis: all rows but the far one are those of the candidate, moved by 1e-9.
    x = drawn(1, 40, 1e8)
    y = x + 1e-3
    found = tw.metrics.sliced_wasserstein(x, y, p=p, projections=64)
    directions = np.asarray(_core.projections(COLUMNS, 64, 0, SETTINGS))
    expected = 1e-3 * (np.abs(directions.sum(axis=1)) ** p).mean() ** (1 / p)
    assert found == pytest.approx(expected, rel=1e-6)

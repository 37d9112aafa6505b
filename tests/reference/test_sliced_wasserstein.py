"""Sliced Wasserstein distance: brute force along the same directions, Gaussian closed form."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import tailwatch as tw
from tailwatch import _core
from tailwatch.exceptions import DimensionError, InputError
from tests.support import samples
from tests.support.errors import fields, refused

Rows = np.ndarray
SETTINGS = {"threads": 2, "progress": None}


def along(x: Rows, y: Rows, directions: Rows, p: float) -> float:
    """Our distance along directions that are given."""
    handles = [tw.open(rows).handle() for rows in (x, y)]
    return _core.sliced_wasserstein(*handles, np.ascontiguousarray(directions), p, SETTINGS)


def brute(x: Rows, y: Rows, directions: Rows, p: float) -> float:
    """Quantile functions on every interval between i/n and j/m."""
    n, m = len(x), len(y)
    ends = sorted({Fraction(i, n) for i in range(n + 1)} | {Fraction(j, m) for j in range(m + 1)})
    i = [math.floor(low * n) for low in ends[:-1]]
    j = [math.floor(low * m) for low in ends[:-1]]
    widths = np.diff(np.array(ends, dtype=object)).astype(float)
    x, y = (rows.astype(np.float64) for rows in (x, y))
    total = 0.0
    for u in directions:
        a, b = np.sort(x @ u), np.sort(y @ u)
        total += float(widths @ np.abs(a[i] - b[j]) ** p)
    return (total / len(directions)) ** (1 / p)


CASES = {
    "gaussian": (samples.gaussian(1, 300, 12), samples.gaussian(2, 300, 12, scale=0.8)),
    "sizes": (samples.gaussian(3, 201, 5), samples.clusters(4, 77, 5)),
    "multiples": (samples.student(5, 40, 3), samples.student(6, 120, 3)),
    "line": (samples.gaussian(7, 30, 1), samples.gaussian(8, 20, 1)),
    "wide": (samples.gaussian(9, 60, 700), samples.gaussian(10, 70, 700)),
    "ties": (samples.lattice(11, 90, 2), samples.lattice(12, 50, 2)),
    "one row": (samples.gaussian(13, 1, 4), samples.gaussian(14, 9, 4)),
    "offset": (samples.gaussian(15, 80, 6) + 1e4, samples.gaussian(16, 70, 6) + 1e4),
}


@pytest.mark.parametrize("p", [1.0, 2.0, 3.5])
@pytest.mark.parametrize("name", CASES)
def test_brute_force_along_the_same_directions(name: str, p: float) -> None:
    x, y = CASES[name]
    directions = _core.projections(x.shape[1], 37, 3, SETTINGS)
    # The brute force projects the offset itself, which leaves it fewer digits.
    tolerance = 1e-9 if name == "offset" else 1e-12
    found = along(x, y, directions, p)
    assert found == pytest.approx(brute(x, y, directions, p), rel=tolerance)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_types_are_projected_in_float64(dtype: type) -> None:
    x, y = (rows.astype(dtype) for rows in CASES["sizes"])
    directions = _core.projections(5, 20, 1, SETTINGS)
    assert along(x, y, directions, 2.0) == pytest.approx(brute(x, y, directions, 2.0), rel=1e-12)


def test_the_public_call_takes_directions_of_the_seed() -> None:
    x, y = CASES["gaussian"]
    found = tw.metrics.sliced_wasserstein(x, y, p=2, projections=50, seed=9)
    assert found == along(x, y, _core.projections(12, 50, 9, SETTINGS), 2.0)
    assert found != tw.metrics.sliced_wasserstein(x, y, p=2, projections=50, seed=10)


def test_directions_are_uniform_on_the_sphere() -> None:
    # Mean 0 and second moments δᵢⱼ/3: 3,000 directions, seed 5. Components have variance 1/3, their
    # products at most 4/45; z ≤ 4.
    directions = _core.projections(3, 3000, 5, SETTINGS)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0, rtol=1e-14)
    assert np.abs(directions.mean(axis=0)).max() <= 4 * math.sqrt(1 / 3 / 3000)
    second = directions.T @ directions / 3000
    assert np.abs(second - np.eye(3) / 3).max() <= 4 * math.sqrt(4 / 45 / 3000)


def test_more_directions_begin_with_the_same() -> None:
    np.testing.assert_array_equal(
        _core.projections(4, 9, 2, SETTINGS)[:5], _core.projections(4, 5, 2, SETTINGS)
    )


@pytest.mark.parametrize("sigma", [0.5, 0.8, 1.25])
def test_closed_form_of_isotropic_gaussians(sigma: float) -> None:
    # W₂² along u of N(0, 1) and N(u·μ, σ²) is (u·μ)² + (1 − σ)². n = 20,000 and m = 15,000 rows,
    # seeds 400 to 419. The samples' own spread adds (1/n + σ²/m) ln ln n times a constant about
    # 1.5, below 4e-4; the rest is the error of the mean over the seeds, z ≤ 4.
    columns, repetitions = 4, 20
    mean = np.array([0.5, 0.0, -0.25, 0.1])
    directions = _core.projections(columns, 32, 0, SETTINGS)
    expected = float(((directions @ mean) ** 2).mean() + (1 - sigma) ** 2)
    found = [
        along(
            samples.gaussian(400 + seed, 20_000, columns),
            samples.gaussian(800 + seed, 15_000, columns, scale=sigma) + mean,
            directions,
            2.0,
        )
        ** 2
        for seed in range(repetitions)
    ]
    error = np.std(found, ddof=1) / math.sqrt(repetitions)
    assert abs(np.mean(found) - expected) <= 4e-4 + 4 * error


def test_unequal_sizes_of_the_same_steps_are_zero_apart() -> None:
    # Repeating every row changes no distribution: what interpolated quantiles get wrong.
    x = samples.gaussian(17, 90, 7)
    assert tw.metrics.sliced_wasserstein(x, np.repeat(x, 3, axis=0)) == 0.0


@pytest.mark.parametrize("exponent", [-25, 25])
def test_scales(exponent: int) -> None:
    x, y = CASES["gaussian"]
    usual = tw.metrics.sliced_wasserstein(x, y)
    scale = 10.0**exponent
    assert tw.metrics.sliced_wasserstein(x * scale, y * scale) / scale == pytest.approx(
        usual, rel=1e-12
    )


@pytest.mark.parametrize("sizes", [(40, 40), (40, 25)])
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e140])
def test_large_exponents(scale: float, sizes: tuple[int, int]) -> None:
    # W_p^p of sorted numbers in fractions of the largest difference, by its logarithm.
    x, y = (samples.gaussian(60 + which, rows, 3) for which, rows in enumerate(sizes))
    directions = _core.projections(3, 8, 2, SETTINGS)
    common = math.lcm(*sizes)
    gaps = np.stack(
        [
            np.abs(
                np.repeat(np.sort(x @ u), common // sizes[0])
                - np.repeat(np.sort(y @ u), common // sizes[1])
            )
            for u in directions
        ]
    )
    for p in (3.5, 50.0, 700.0, 5000.0, 1e6, 1e300):
        logs = p * np.log(np.maximum(gaps, 1e-300) / gaps.max())
        expected = gaps.max() * math.exp(math.log(np.exp(logs).mean()) / p)
        found = along(x * scale, y * scale, directions, p) / scale
        # A p-th root of a sum whose terms are off by p roundings each.
        assert found == pytest.approx(expected, rel=1e-12), p


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Rows, Rows]:
    columns, seed = draw(st.integers(1, 20)), draw(st.integers(0, 2**31))
    x = samples.gaussian(seed, draw(st.integers(1, 60)), columns)
    y = samples.gaussian(seed + 1, draw(st.integers(1, 60)), columns)
    return x, draw(st.floats(0.1, 3.0)) * y + draw(st.floats(-2.0, 2.0))


exponents = st.sampled_from([1.0, 2.0, 3.0])


@given(pairs(), exponents, st.integers(0, 2**31), st.floats(-50.0, 50.0), st.floats(1e-6, 1e6))
def test_moves(pair: tuple[Rows, Rows], p: float, seed: int, shift: float, scale: float) -> None:
    x, y = pair
    d = x.shape[1]
    directions = _core.projections(d, 10, seed, SETTINGS)
    usual = along(x, y, directions, p)
    # Roundings of projections, which are as large as the rows and their shift.
    near = pytest.approx(usual, rel=1e-10, abs=1e-12)
    rng = np.random.default_rng(seed)
    assert along(rng.permutation(x), rng.permutation(y), directions, p) == near
    assert along(x + shift, y + shift, directions, p) == pytest.approx(usual, rel=1e-9, abs=1e-11)
    assert along(x * scale, y * scale, directions, p) / scale == near
    rotation = scipy.stats.ortho_group.rvs(d, random_state=seed) if d > 1 else -np.eye(1)
    assert along(x @ rotation, y @ rotation, directions @ rotation, p) == near
    assert along(y, x, directions, p) == near
    assert along(x, x, directions, p) == 0.0


@given(pairs(), st.integers(0, 2**31))
def test_it_grows_with_the_exponent(pair: tuple[Rows, Rows], seed: int) -> None:
    directions = _core.projections(pair[0].shape[1], 10, seed, SETTINGS)
    one, two, three = (along(*pair, directions, p) for p in (1.0, 2.0, 3.0))
    assert one <= two * (1 + 1e-12)
    assert two <= three * (1 + 1e-12)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"p": 0.5}, fields("p", "a finite number of at least 1", "0.5")),
        ({"p": math.inf}, fields("p", "a finite number of at least 1", "inf")),
        ({"p": math.nan}, fields("p", "a number", "nan")),
        ({"p": "2"}, fields("p", "a number", "'2'")),
        ({"projections": 0}, fields("projections", "an integer of at least 1", "0")),
        ({"seed": -1}, fields("seed", "an integer of at least 0", "-1")),
    ],
    ids=str,
)
def test_bad_options(options: dict[str, float], said: dict[str, str]) -> None:
    with refused(InputError, **said):
        tw.metrics.sliced_wasserstein(np.ones((3, 2)), np.ones((3, 2)), **options)


def test_bad_data() -> None:
    with refused(DimensionError, "candidate", "2 columns as in reference", "3"):
        tw.metrics.sliced_wasserstein(np.ones((3, 2)), np.ones((3, 3)))
    with refused(InputError, "candidate", "finite numbers", "NaN", "row 1, column 0"):
        tw.metrics.sliced_wasserstein(np.ones((3, 1)), np.array([[0.0], [np.nan]]))

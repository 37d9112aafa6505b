"""Laws of MAUVE, of the cross-MMD test and of the extrapolated Fréchet distance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import tailwatch as tw
from tailwatch import _core
from tests.support import oracle, samples

SETTINGS = {"threads": 1, "progress": None}

metrics = tw.metrics
Rows = np.ndarray
seeds = st.integers(0, 2**31)


@st.composite
def lattice_pairs(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Two samples of small integers: few columns, many ties and copies."""
    columns = draw(st.integers(1, 5))
    return tuple(
        draw(
            arrays(np.int8, (draw(st.integers(4, 40)), columns), elements=st.integers(-4, 4))
        ).astype(np.float64)
        for _ in range(2)
    )


@st.composite
def continuous_pairs(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Two Gaussian samples of many shapes, the second one moved and scaled."""
    columns, seed = draw(st.integers(1, 40)), draw(seeds)
    x = samples.gaussian(seed, draw(st.integers(64, 150)), columns)
    y = samples.gaussian(seed + 1, draw(st.integers(64, 150)), columns)
    return x, draw(st.floats(0.1, 3.0)) * y + draw(st.floats(-2.0, 2.0))


counts = arrays(np.int64, st.shared(st.integers(1, 30), key="bins"), elements=st.integers(0, 50))


# --- MAUVE


@given(counts, counts, st.floats(0.1, 20.0), st.integers(2, 60))
def test_frontier_of_any_histograms(p: Rows, q: Rows, scaling: float, points: int) -> None:
    p[0] += 1
    q[-1] += 1
    found = _core.mauve_of_counts(p.tolist(), q.tolist(), (scaling, points, 0.0), SETTINGS)
    expected = oracle.mauve(p, q, scaling=scaling, points=points)
    assert found == pytest.approx(expected, rel=1e-11, abs=1e-13)
    # Symmetric, within (0, 1], and blind to the order of bins and to the sizes of samples.
    turned = _core.mauve_of_counts(
        q[::-1].tolist(), (3 * p[::-1]).tolist(), (scaling, points, 0.0), SETTINGS
    )
    assert turned == pytest.approx(found, rel=1e-11, abs=1e-13)
    assert 0.0 <= found <= 1.0
    # More scaling lowers every point of the curve, and pooling bins raises it.
    assert (
        _core.mauve_of_counts(p.tolist(), q.tolist(), (2 * scaling, points, 0.0), SETTINGS)
        <= found + 1e-12
    )
    whole = [int(p.sum())], [int(q.sum())]
    assert _core.mauve_of_counts(*whole, (scaling, points, 0.0), SETTINGS) == pytest.approx(
        1.0, abs=1e-12
    )


@given(lattice_pairs(), seeds, st.integers(-10_000, 10_000), st.integers(-60, 60))
def test_mauve_is_blind_to_a_change_of_unit(
    pair: tuple[Rows, Rows], seed: int, shift: int, exponent: int
) -> None:
    x, y = pair
    clusters = min(3, len(x))
    found = metrics.mauve(x, y, clusters=clusters, seed=seed)
    assert 0.0 <= found <= 1.0
    unit = 2.0**exponent
    assert metrics.mauve(x * unit, y * unit, clusters=clusters, seed=seed) == found
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=x.shape[1])
    assert metrics.mauve(x * signs, y * signs, clusters=clusters, seed=seed) == found
    # Of one cluster there is nothing to tell apart, of a sample and its copy neither.
    assert metrics.mauve(x + shift, y + shift, clusters=1, seed=seed) == pytest.approx(1.0)
    assert metrics.mauve(x, x.copy(), seed=seed) == pytest.approx(1.0)


# --- cross-MMD


@given(continuous_pairs(), seeds, st.sampled_from(["gaussian", "polynomial"]))
def test_cross_mmd_of_any_samples(pair: tuple[Rows, Rows], seed: int, kernel: str) -> None:
    x, y = pair
    found = metrics.mmd_test(x, y, kernel=kernel, seed=seed)
    assert 0.0 <= found.p_value <= 1.0
    assert found.standard_error > 0.0
    assert found.statistic == pytest.approx(found.squared_mmd / found.standard_error)
    if kernel == "gaussian":
        # The bandwidth follows the unit, and the kernel only knows distances.
        moved = metrics.mmd_test(1000.0 * (x + 3.0), 1000.0 * (y + 3.0), seed=seed)
        assert moved.statistic == pytest.approx(found.statistic, rel=1e-7, abs=1e-7)
        assert moved.bandwidth == pytest.approx(1000.0 * found.bandwidth, rel=1e-9)
    else:
        # Another unit with another γ is the same kernel.
        scaled = metrics.mmd_test(
            4.0 * x, 4.0 * y, kernel=kernel, gamma=1 / (16.0 * x.shape[1]), seed=seed
        )
        assert scaled.statistic == pytest.approx(found.statistic, rel=1e-7, abs=1e-7)


# --- extrapolated Fréchet distance


@given(continuous_pairs(), seeds, st.floats(1e-6, 1e6), st.floats(-50.0, 50.0))
@settings(max_examples=40)
def test_extrapolation_follows_the_unit(
    pair: tuple[Rows, Rows], seed: int, scale: float, shift: float
) -> None:
    x, y = pair
    found = metrics.frechet_distance_extrapolated(x, y, seed=seed)
    moved = metrics.frechet_distance_extrapolated(
        scale * (x + shift), scale * (y + shift), seed=seed
    )
    size = 1e-10 * (1.0 + y.var(axis=0).sum())
    for name in ("value", "low", "high", "standard_error", "slope", "distances"):
        expected = np.array(getattr(found, name))
        np.testing.assert_allclose(
            np.array(getattr(moved, name)) / scale**2, expected, rtol=1e-6, atol=1e3 * size
        )
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(found.distances[0] - found.slope, rel=1e-9, abs=size)

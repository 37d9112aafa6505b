"""Laws that every sample must obey: invariances, identities, symmetries, bounds.

Integer rows make moves of the data exact (permutations, integer shifts, powers of two, exchanged
and negated axes), so neighbour-based results must not change by one bit, ties included. Smooth
metrics are compared after general rotations and scalings to a few roundings.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import tailwatch as tw
from tests.support import oracle, samples

metrics = tw.metrics
Rows = np.ndarray


@st.composite
def lattice_pairs(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Two samples of small integers: few columns, many ties."""
    columns = draw(st.integers(1, 5))
    return tuple(
        draw(
            arrays(np.int8, (draw(st.integers(6, 24)), columns), elements=st.integers(-4, 4))
        ).astype(np.float64)
        for _ in range(2)
    )


@st.composite
def continuous_pairs(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Two Gaussian samples of any small shape, the second one moved and scaled."""
    columns = draw(st.integers(1, 40))
    seed = draw(st.integers(0, 2**31))
    x = samples.gaussian(seed, draw(st.integers(8, 70)), columns)
    y = samples.gaussian(seed + 1, draw(st.integers(8, 70)), columns)
    return x, draw(st.floats(0.1, 3.0)) * y + draw(st.floats(-2.0, 2.0))


seeds = st.integers(0, 2**31)
ks = st.integers(1, 5)


def neighbour_numbers(x: Rows, y: Rows, k: int) -> list[object]:
    """Every neighbour-based number that no tie-break can change."""
    frame = metrics.tail_coverage(x, y, levels=(0.5, 0.1), k=k)
    return [
        dataclasses.astuple(metrics.precision_recall_density_coverage(x, y, k=k)),
        frame.select("rows", "mass", "supported_mass").rows(),
    ]


def smooth_numbers(x: Rows, y: Rows) -> list[float]:
    return [
        metrics.energy_distance(x, y),
        metrics.energy_distance(x, y, unbiased=False),
        metrics.mmd(x, y, kernel="gaussian", bandwidth=2.0),
        metrics.frechet_distance(x, y),
        metrics.knn_jensen_shannon(x, y, k=3),
    ]


def near(values: list[float], *, like: Rows) -> list[object]:
    """Roundings of differences of sums as large as the data, not of the small differences."""
    size = 1.0 + like.var(axis=0).sum()
    return [pytest.approx(value, rel=1e-10, abs=1e-12 * size) for value in values]


# --- exact moves


@given(lattice_pairs(), ks, seeds)
def test_order_of_rows_and_columns_does_not_matter(
    pair: tuple[Rows, Rows], k: int, seed: int
) -> None:
    x, y = pair
    rng = np.random.default_rng(seed)
    columns = rng.permutation(x.shape[1])
    moved = [rng.permutation(rows)[:, columns] for rows in pair]
    assert neighbour_numbers(*moved, k) == neighbour_numbers(x, y, k)


@given(lattice_pairs(), ks, st.integers(-10_000, 10_000), st.integers(-60, 60))
def test_shift_and_power_of_two_change_no_bit(
    pair: tuple[Rows, Rows], k: int, shift: int, exponent: int
) -> None:
    x, y = pair
    moved = [(rows + shift) * 2.0**exponent for rows in pair]
    assert neighbour_numbers(*moved, k) == neighbour_numbers(x, y, k)
    assert metrics.tail_coverage(*moved, k=k).equals(metrics.tail_coverage(x, y, k=k))
    assert metrics.tail_test(*moved, k=k) == metrics.tail_test(x, y, k=k)
    assert metrics.authenticity(*moved) == metrics.authenticity(x, y)
    assert metrics.knn_jensen_shannon(*moved, k=k) == metrics.knn_jensen_shannon(x, y, k=k)


@given(lattice_pairs(), ks, seeds)
def test_mirrored_axes_change_no_bit(pair: tuple[Rows, Rows], k: int, seed: int) -> None:
    x, y = pair
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=x.shape[1])
    assert metrics.tail_coverage(x * signs, y * signs, k=k).equals(metrics.tail_coverage(x, y, k=k))
    assert neighbour_numbers(x * signs, y * signs, k) == neighbour_numbers(x, y, k)


@given(continuous_pairs(), seeds)
def test_rigid_moves_and_scale_leave_divergence_authenticity_and_dimension(
    pair: tuple[Rows, Rows], seed: int
) -> None:
    x, y = pair
    rng = np.random.default_rng(seed)
    d = x.shape[1]
    rotation = scipy.stats.ortho_group.rvs(d, random_state=seed) if d > 1 else -np.eye(1)
    moved = [rng.permutation(rows @ rotation * 3.0) + 1.0 for rows in pair]
    assert metrics.authenticity(*moved) == metrics.authenticity(x, y)
    # Roundings of d · ln(ν/ρ).
    assert metrics.knn_divergence(*moved, k=3) == pytest.approx(
        metrics.knn_divergence(x, y, k=3), rel=1e-10, abs=1e-11 * d
    )
    before, after = metrics.intrinsic_dimension(x), metrics.intrinsic_dimension(moved[0])
    assert after.value == pytest.approx(before.value, rel=1e-9)
    assert after.standard_error == pytest.approx(before.standard_error, rel=1e-9)


@given(continuous_pairs(), seeds, st.sampled_from([0.5, 1.0, 2.0, 3.0]))
def test_vendi_score_sees_directions_alone(pair: tuple[Rows, Rows], seed: int, q: float) -> None:
    _, y = pair
    d = y.shape[1]
    rotation = scipy.stats.ortho_group.rvs(d, random_state=seed) if d > 1 else -np.eye(1)
    rng = np.random.default_rng(seed)
    moved = rng.permutation(y @ rotation) * rng.uniform(0.1, 10.0, size=(len(y), 1))
    score = metrics.vendi_score(y, q=q)
    # At q = 1/2 small eigenvalues, known to a fraction of the largest, count with their roots.
    assert metrics.vendi_score(moved, q=q) == pytest.approx(score, rel=1e-6 if q < 1 else 1e-11)
    assert 1.0 - 1e-12 <= score <= min(y.shape) * (1 + 1e-12)
    # Rows that are there twice change no share.
    assert metrics.vendi_score(np.concatenate([y, y]), q=2.0) == pytest.approx(
        metrics.vendi_score(y, q=2.0), rel=1e-12
    )


@given(lattice_pairs(), ks)
def test_ties_and_copies(pair: tuple[Rows, Rows], k: int) -> None:
    x, y = pair
    assert metrics.authenticity(x, y) == oracle.authenticity(x, y)
    assert metrics.knn_jensen_shannon(x, y, k=k) == pytest.approx(
        oracle.knn_jensen_shannon(x, y, k), rel=1e-12, abs=4e-14
    )


@given(lattice_pairs(), ks)
def test_oracle_on_ties(pair: tuple[Rows, Rows], k: int) -> None:
    x, y = pair
    found = metrics.precision_recall_density_coverage(x, y, k=k)
    assert dataclasses.astuple(found) == pytest.approx(
        dataclasses.astuple(oracle.prdc(x, y, k)), rel=1e-15
    )
    levels = (0.5, 0.2)
    tails = metrics.tail_coverage(x, y, levels=levels, k=k).rows(named=True)
    for tail, row in zip(tails, oracle.tail_coverage(x, y, levels, k), strict=True):
        # Rows tied at the edge count by a quotient.
        assert tail == pytest.approx(vars(row), rel=1e-13)
    distances, indices = metrics.nearest_neighbors(y, x, k=k)
    expected = oracle.nearest_neighbors(y, x, k)
    np.testing.assert_array_equal(distances, expected[0])
    np.testing.assert_array_equal(indices, expected[1])


# --- smooth moves


@given(continuous_pairs(), seeds, st.floats(-50.0, 50.0))
def test_rigid_moves(pair: tuple[Rows, Rows], seed: int, shift: float) -> None:
    x, y = pair
    d = x.shape[1]
    rotation = scipy.stats.ortho_group.rvs(d, random_state=seed) if d > 1 else -np.eye(1)
    moved = [rows @ rotation + shift for rows in pair]
    assert smooth_numbers(*moved) == near(smooth_numbers(x, y), like=y)
    assert neighbour_numbers(*moved, 3) == neighbour_numbers(x, y, 3)
    spectrum, turned = metrics.spectrum(x), metrics.spectrum(moved[0])
    np.testing.assert_allclose(
        turned.eigenvalues, spectrum.eigenvalues, rtol=1e-9, atol=1e-12 * spectrum.trace
    )


@given(continuous_pairs(), seeds)
def test_order_of_rows_moves_smooth_metrics_by_roundings_only(
    pair: tuple[Rows, Rows], seed: int
) -> None:
    x, y = pair
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(rows) for rows in pair]
    assert smooth_numbers(*shuffled) == near(smooth_numbers(x, y), like=y)


@given(continuous_pairs(), st.floats(1e-6, 1e6))
def test_scale(pair: tuple[Rows, Rows], scale: float) -> None:
    x, y = pair
    big = [rows * scale for rows in pair]
    assert neighbour_numbers(*big, 3) == neighbour_numbers(x, y, 3)
    energy, squared = metrics.energy_distance(*big) / scale, metrics.frechet_distance(*big)
    assert [energy] == near([metrics.energy_distance(x, y)], like=y)
    assert [squared / scale**2] == near([metrics.frechet_distance(x, y)], like=y)
    # The bandwidth follows the median distance, so the kernel does not see the scale.
    assert [metrics.mmd(*big, kernel="gaussian")] == near(
        [metrics.mmd(x, y, kernel="gaussian")], like=y
    )
    before, after = metrics.spectrum(x), metrics.spectrum(big[0])
    assert after.effective_rank == pytest.approx(before.effective_rank, rel=1e-9)
    assert after.participation_ratio == pytest.approx(before.participation_ratio, rel=1e-9)


# --- identities, symmetries


@given(continuous_pairs(), ks)
def test_a_sample_against_itself(pair: tuple[Rows, Rows], k: int) -> None:
    x, _ = pair
    found = metrics.precision_recall_density_coverage(x, x, k=k)
    assert (found.precision, found.recall, found.coverage) == (1.0, 1.0, 1.0)
    # Without ties a ball holds its centre and k others.
    assert found.density == pytest.approx((k + 1) / k, rel=1e-15)
    frame = metrics.tail_coverage(x, x, k=k)
    assert frame.select((pl.col("coverage", "recall") == 1.0).all()).row(0) == (True, True)
    assert frame["mass"].to_list() == frame["supported_mass"].to_list()
    trace = metrics.spectrum(x).trace
    assert 0.0 <= metrics.frechet_distance(x, x) <= 1e-12 * trace
    assert metrics.energy_distance(x, x, unbiased=False) == pytest.approx(0.0, abs=1e-12)
    for kernel in ("gaussian", "polynomial"):
        found = metrics.mmd(x, x, kernel=kernel, degree=2, unbiased=False)
        assert found == pytest.approx(0.0, abs=1e-12 * (1.0 + trace) ** 2)


@given(continuous_pairs())
def test_symmetry(pair: tuple[Rows, Rows]) -> None:
    x, y = pair
    assert smooth_numbers(y, x) == near(smooth_numbers(x, y), like=y)
    largest = max((rows**2).sum(axis=1).max() for rows in pair) / x.shape[1] + 1.0
    for kernel, size in (("gaussian", 1.0), ("polynomial", largest**3)):
        there, back = (metrics.mmd(a, b, kernel=kernel) for a, b in ((x, y), (y, x)))
        assert back == pytest.approx(there, rel=1e-10, abs=1e-14 * size)


@given(lattice_pairs(), ks)
def test_precision_one_way_is_recall_the_other(pair: tuple[Rows, Rows], k: int) -> None:
    x, y = pair
    there = metrics.precision_recall_density_coverage(x, y, k=k)
    back = metrics.precision_recall_density_coverage(y, x, k=k)
    assert (there.precision, there.recall) == (back.recall, back.precision)


@given(continuous_pairs() | lattice_pairs(), ks)
def test_odds_turn_over_with_the_samples(pair: tuple[Rows, Rows], k: int) -> None:
    x, y = pair
    there = metrics.tail_test(x, y, level=0.2, k=k)
    back = metrics.tail_test(y, x, level=0.2, k=k)

    def inverse(value: float) -> float:
        return np.inf if value == 0.0 else 1.0 / value

    assert inverse(there.odds_ratio) == pytest.approx(back.odds_ratio, rel=1e-12)
    assert inverse(there.low) == pytest.approx(back.high, rel=1e-12)
    assert inverse(there.high) == pytest.approx(back.low, rel=1e-12)
    assert there.p_value == back.p_value


# --- bounds


@given(lattice_pairs(), ks)
def test_bounds(pair: tuple[Rows, Rows], k: int) -> None:
    x, y = pair
    found = metrics.precision_recall_density_coverage(x, y, k=k)
    assert min(found.precision, found.recall, found.coverage) >= 0.0
    assert max(found.precision, found.recall, found.coverage) <= 1.0
    assert 0.0 <= found.density <= len(x) / k
    frame = metrics.tail_coverage(x, y, levels=(0.5, 0.2), k=k)
    assert (frame["supported_mass"] <= frame["mass"]).all()
    # A larger level lowers the threshold of rarity, so it can only add mass.
    assert frame["mass"][0] >= frame["mass"][1]
    assert metrics.energy_distance(x, y, unbiased=False) >= -1e-13
    assert metrics.mmd(x, y, kernel="gaussian", bandwidth=1.0, unbiased=False) >= -1e-15
    assert metrics.frechet_distance(x, y) >= 0.0


@given(continuous_pairs(), ks, seeds)
def test_more_candidates_cover_no_less(pair: tuple[Rows, Rows], k: int, seed: int) -> None:
    x, y = pair
    more = np.concatenate([y, samples.gaussian(seed, 10, x.shape[1])])
    few, many = (
        metrics.precision_recall_density_coverage(x, rows, k=k).coverage for rows in (y, more)
    )
    assert many >= few


@given(continuous_pairs())
def test_spectrum_bounds(pair: tuple[Rows, Rows]) -> None:
    _, y = pair
    found = metrics.spectrum(y)
    rank = min(y.shape[1], len(y) - 1)
    # Participation ratio and effective rank are Rényi counts of orders 2 and 1.
    assert 1.0 - 1e-12 <= found.participation_ratio <= found.effective_rank * (1 + 1e-12)
    assert found.effective_rank <= rank * (1 + 1e-9)
    assert found.eigenvalues.sum() == pytest.approx(found.trace, rel=1e-12)

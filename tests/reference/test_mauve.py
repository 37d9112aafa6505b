"""MAUVE: the frontier by brute force, on clusters that are known and on those that are found."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.integrate

import tailwatch as tw
from tailwatch import _core
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tests.support import oracle, samples
from tests.support.errors import fields, refused

SETTINGS = {"threads": 2, "progress": None}


def modes(sizes: list[int], *, seed: int) -> np.ndarray:
    """Tight balls of the given sizes far apart on the axes, rows shuffled."""
    rows = np.repeat(100.0 * np.eye(len(sizes)), sizes, axis=0)
    rng = np.random.default_rng(seed)
    return rng.permutation(rows + rng.normal(scale=0.01, size=rows.shape))


def handles(*rows: np.ndarray) -> list[_core.Rows]:
    return [as_embeddings(one, "reference").handle() for one in rows]


SIZES = {
    "apart": ([30, 20, 50], [10, 60, 40]),
    "empty in one": ([30, 0, 20, 50], [10, 60, 0, 40]),
    "other sizes": ([300, 200, 100, 7], [3, 2, 1, 9]),
    "nearly equal": ([40, 41, 42], [42, 40, 41]),
}


@pytest.mark.parametrize("points", [2, 25, 101])
@pytest.mark.parametrize("scaling", [0.5, 5.0, 20.0])
@pytest.mark.parametrize("name", SIZES)
def test_frontier_of_known_clusters(name: str, scaling: float, points: int) -> None:
    p, q = SIZES[name]
    found = tw.metrics.mauve(
        modes(p, seed=1), modes(q, seed=2), clusters=len(p), scaling=scaling, points=points
    )
    expected = oracle.mauve(np.array(p), np.array(q), scaling=scaling, points=points)
    # 25 logarithms of 4 bins, each of a few roundings.
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_more_points_come_to_the_integral() -> None:
    p, q = (np.array(sizes) / sum(sizes) for sizes in SIZES["apart"])

    def place(w: float) -> tuple[float, float]:
        mixed = w * p + (1 - w) * q
        return tuple(math.exp(-5 * (one * np.log(one / mixed)).sum()) for one in (q, p))

    def integrand(w: float) -> float:
        # −dx/dw, with d KL(Q‖R_w)/dw = −Σ q(p − q)/R_w.
        x, y = place(w)
        return y * 5 * x * -(q * (p - q) / (w * p + (1 - w) * q)).sum()

    # The integral ends where w = 1; what is left is the last trapezium, from there to (0, 1).
    area, _ = scipy.integrate.quad(integrand, 0, 1, epsabs=1e-12)
    area += place(1.0)[0] * (1 + place(1.0)[1]) / 2
    x, y = modes(SIZES["apart"][0], seed=1), modes(SIZES["apart"][1], seed=2)
    found = tw.metrics.mauve(x, y, clusters=3, points=20_001)
    # Trapezia of width 5e-5 and ends that stop 1e-6 short.
    assert found == pytest.approx(area, abs=1e-7)


@pytest.mark.parametrize("columns", [3, 40])
def test_frontier_of_found_clusters(columns: int) -> None:
    x, y = samples.clusters(1, 700, columns), samples.clusters(2, 500, columns, centres=5)
    counts = _core.cluster_counts(*handles(x, y), 50, 7, SETTINGS)
    assert [sum(of_sample) for of_sample in counts] == [700, 500]
    found = tw.metrics.mauve(x, y, seed=7)
    assert found == pytest.approx(oracle.mauve(*map(np.array, counts)), rel=1e-12)
    smoothed = tw.metrics.mauve(x, y, seed=7, smoothing=0.5)
    expected = oracle.mauve(*(np.array(of_sample) + 0.5 for of_sample in counts))
    assert smoothed == pytest.approx(expected, rel=1e-12)


def test_a_cluster_is_the_nearest_centre_and_a_centre_the_mean() -> None:
    # At the fixed point no row is nearer to the mean of another cluster.
    x = samples.gaussian(3, 600, 6)
    (rows,) = handles(x)
    labels = _core.k_means(rows, "rows", 20, 1, SETTINGS).assign(rows, SETTINGS)
    means = np.stack([x[labels == cluster].mean(axis=0) for cluster in range(20)])
    distances = oracle.squared_distances(x, means)
    assert (np.argmin(distances, axis=1) == labels).all()


def test_default_number_of_clusters() -> None:
    x, y = samples.gaussian(4, 266, 3), samples.gaussian(5, 254, 3)
    assert tw.metrics.mauve(x, y) == tw.metrics.mauve(x, y, clusters=25)
    assert tw.metrics.mauve(x[:7], y) == tw.metrics.mauve(x[:7], y, clusters=2)


def test_a_sample_against_itself_and_against_what_it_never_meets() -> None:
    x = samples.gaussian(6, 300, 5)
    # Copies are as near to a centre as the rows they copy.
    assert tw.metrics.mauve(x, x) == pytest.approx(1.0, abs=1e-14)
    found = tw.metrics.mauve(x, x + 1000.0, clusters=2, points=4001)
    # Nothing in common: c·B(c + 1, c), trapezia of width 2.5e-4.
    assert found == pytest.approx(5 * math.gamma(6) * math.gamma(5) / math.gamma(11), abs=1e-7)


def test_a_null_is_higher_than_a_shift() -> None:
    x, y = samples.gaussian(7, 1000, 8), samples.gaussian(8, 1000, 8)
    null, near, far = (tw.metrics.mauve(x, y + shift) for shift in (0.0, 0.5, 1.0))
    assert null > near > far


def test_seed_decides_the_clusters() -> None:
    x, y = samples.gaussian(9, 400, 6), samples.gaussian(10, 400, 6)
    first, again, other = (tw.metrics.mauve(x, y, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


BAD = {
    "no clusters": ({"clusters": 0}, fields("clusters", "an integer of at least 1", "0")),
    "more clusters than rows": (
        {"clusters": 141},
        fields("clusters", "1 to 140 (the rows of the pooled sample)", "141"),
    ),
    "no scaling": ({"scaling": 0.0}, fields("scaling", "a positive number", "0.0")),
    "one point": ({"points": 1}, fields("points", "an integer of at least 2", "1")),
    "negative smoothing": ({"smoothing": -0.5}, fields("smoothing", "a positive number", "-0.5")),
    "seed": ({"seed": -1}, fields("seed", "an integer of at least 0", "-1")),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name: str) -> None:
    arguments, said = BAD[name]
    x = samples.gaussian(20, 70, 3)
    with refused(InputError, **said):
        tw.metrics.mauve(x, x, **arguments)

"""Divergences from nearest neighbours: the definitions, closed forms by n, copies."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special
import scipy.stats

import tailwatch as tw
from tailwatch.exceptions import InputError
from tests.support import oracle, samples
from tests.support.errors import fields, refused

metrics = tw.metrics

CASES = {
    "gaussian": (samples.gaussian(1, 300, 12), samples.gaussian(2, 250, 12, scale=0.8)),
    "student": (samples.student(3, 200, 5), samples.student(4, 330, 5)),
    "clusters": (samples.clusters(5, 260, 40), samples.clusters(6, 240, 40, centres=5)),
    "line": (samples.gaussian(7, 120, 1), samples.gaussian(8, 90, 1)),
    "wide": (samples.gaussian(9, 60, 200), samples.gaussian(10, 70, 200)),
    "far origin": (samples.dyadic(11, 90, 20) + 2.0**20, samples.dyadic(12, 80, 20) + 2.0**20),
    "small": (samples.gaussian(13, 90, 3, scale=1e-120), samples.gaussian(14, 80, 3, scale=1e-120)),
    "three rows": (samples.gaussian(15, 3, 2), samples.gaussian(16, 3, 2)),
}


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("name", CASES)
def test_divergence_is_its_definition(name: str, k: int) -> None:
    x, y = CASES[name]
    k = min(k, len(x) - 1)
    columns = x.shape[1]
    for given, d in ((None, columns), ("ambient", columns), (3.5, 3.5)):
        found = metrics.knn_divergence(x, y, k=k, dimension=given)
        # Terms as large as ln(ν/ρ) ~ 1, times d.
        expected = oracle.knn_divergence(x, y, k, d)
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-13 * d)


def test_intrinsic_dimension_is_that_of_the_reference() -> None:
    plane = samples.gaussian(17, 2, 30)
    x, y = samples.gaussian(18, 200, 2) @ plane, 0.7 * samples.gaussian(19, 150, 2) @ plane
    dimension = metrics.intrinsic_dimension(x).value
    assert 1.5 < dimension < 2.5
    assert metrics.knn_divergence(x, y, dimension="intrinsic") == metrics.knn_divergence(
        x, y, dimension=dimension
    )


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("name", CASES)
def test_jensen_shannon_is_its_definition(name: str, k: int) -> None:
    x, y = CASES[name]
    k = min(k, len(x) - 1)
    # Roundings of ln and ψ, each below 4e-15.
    expected = oracle.knn_jensen_shannon(x, y, k)
    assert metrics.knn_jensen_shannon(x, y, k=k) == pytest.approx(expected, rel=1e-12, abs=2e-14)


@pytest.mark.parametrize("k", [1, 3])
def test_jensen_shannon_counts_ties_and_copies(k: int) -> None:
    x, y = samples.lattice(20, 150, 3), samples.lattice(21, 110, 3)
    expected = oracle.knn_jensen_shannon(x, y, k)
    assert metrics.knn_jensen_shannon(x, y, k=k) == pytest.approx(expected, rel=1e-12, abs=2e-14)


def test_jensen_shannon_is_that_of_ross_at_equal_sizes() -> None:
    # Mutual information is ψ(N) − ψ(n) + ψ(k) − mean ψ(k + c). A row does not count itself: where m
    # is n − 1, that is ln 2 + ψ(k) − mean ψ(k + c) for the rows of X.
    x, y, k = samples.gaussian(22, 201, 4), samples.gaussian(23, 200, 4) + 0.5, 4
    held = (oracle.distances(x, y) <= oracle.radii(x, k)[:, None]).sum(axis=1)
    digamma = scipy.special.digamma
    of_x = math.log(2) + digamma(k) - digamma(k + held).mean()
    assert oracle.to_mixture(x, y, k) == pytest.approx(of_x, rel=1e-12)
    # What is taken off for chance is of order 1/n.
    whole = (of_x + oracle.to_mixture(y, x, k)) / 2
    assert metrics.knn_jensen_shannon(x, y, k=k) == pytest.approx(whole, abs=1 / 200)


def test_jensen_shannon_is_symmetric_and_bounded() -> None:
    x, y = CASES["student"]
    assert metrics.knn_jensen_shannon(x, y) == metrics.knn_jensen_shannon(y, x)
    far = metrics.knn_jensen_shannon(x, y + 1e6)
    assert far == pytest.approx(math.log(2), rel=1e-15)


# --- copies


def test_a_row_repeated_more_than_k_times_is_infinitely_far() -> None:
    x, y = CASES["line"]
    y = np.concatenate([y, np.repeat(y[:1], 5, axis=0)])
    assert metrics.knn_divergence(x, y, k=5) == math.inf
    assert math.isfinite(metrics.knn_divergence(x, y, k=6))
    assert math.isfinite(metrics.knn_jensen_shannon(x, y, k=5))
    # One row of the reference among the copies does not make an atom of it.
    assert metrics.knn_divergence(np.concatenate([x, y[:1]]), y, k=5) == math.inf


def test_a_row_that_the_reference_repeats_has_no_estimate() -> None:
    x, y = CASES["gaussian"]
    x = np.concatenate([x, np.repeat(y[7:8], 3, axis=0)])
    for k in (1, 2, 3):
        expected = f"fewer than k = {k} rows of reference equal to a row"
        with refused(InputError, "candidate", expected, where="row 7"):
            metrics.knn_divergence(x, y, k=k)
    assert math.isfinite(metrics.knn_divergence(x, y, k=4))


@pytest.mark.parametrize("k", [2, 5])
def test_a_sample_against_itself(k: int) -> None:
    # A row is its own nearest row in the other copy, so ν_k = ρ_{k−1}.
    x, _ = CASES["gaussian"]
    n, d = x.shape
    ratio = oracle.radii(x, k - 1) / oracle.radii(x, k)
    expected = d * np.log(ratio).mean() + math.log(n / (n - 1))
    assert expected < 0.0
    assert metrics.knn_divergence(x, x, k=k) == pytest.approx(expected, rel=1e-12)
    with refused(
        InputError, "candidate", "fewer than k = 1 rows of reference equal to a row", where="row 0"
    ):
        metrics.knn_divergence(x, x, k=1)


# --- bad arguments


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"k": 0}, fields("k", "an integer of at least 1", "0")),
        ({"k": 70}, fields("k", "at most the 60 rows of reference", "k = 70 with 60 rows")),
        ({"k": 60}, None),
        ({"dimension": 0}, fields("dimension", "a positive number", "0")),
        ({"dimension": math.inf}, fields("dimension", "a positive number", "inf")),
        (
            {"dimension": "fractal"},
            fields("dimension", "'ambient', 'intrinsic' or a number", "'fractal'"),
        ),
    ],
    ids=str,
)
def test_arguments_out_of_range(arguments: dict[str, object], said: dict[str, str] | None) -> None:
    x, y = CASES["wide"]
    if said is None:
        assert math.isfinite(metrics.knn_divergence(x, y, **arguments))
        return
    with refused(InputError, **said):
        metrics.knn_divergence(x, y, **arguments)


def test_k_of_the_candidate_leaves_the_row_itself_out() -> None:
    x, y = CASES["wide"]
    with refused(InputError, "k", "at most the 59 other rows of candidate", "k = 60 with 60 rows"):
        metrics.knn_divergence(y, x, k=60)
    with refused(InputError, "k", "at most the 59 other rows of reference", "k = 60 with 60 rows"):
        metrics.knn_jensen_shannon(x, y, k=60)


# --- closed forms


@pytest.mark.parametrize(("rows", "repetitions"), [(250, 40), (1000, 20), (2000, 10)])
@pytest.mark.parametrize(
    ("shift", "scale", "truth"), [(1.0, 1.0, 0.5), (0.0, 0.8, 0.64 - 1 - 2 * math.log(0.8))]
)
def test_divergence_of_gaussians_comes_near_with_the_rows(
    rows: int, repetitions: int, shift: float, scale: float, truth: float
) -> None:
    # KL(N(μ, σ²I) ‖ N(0, I)) = (‖μ‖² + d(σ² − 1 − 2 ln σ))/2 with d = 2. The bias is stated to be
    # within 2/√n: measured −0.12, −0.04 and −0.015 of the shift. Seeds 5000 and on, z ≤ 4.
    found = []
    for seed in range(5000, 5000 + repetitions):
        x, y = samples.gaussian(seed, rows, 2), samples.gaussian(seed + 500, rows, 2, scale=scale)
        found.append(metrics.knn_divergence(x, y + np.array([shift, 0.0])))
    error = np.std(found, ddof=1) / math.sqrt(repetitions)
    assert np.mean(found) == pytest.approx(truth, abs=4 * error + 2 / math.sqrt(rows))


@pytest.mark.parametrize(("rows", "repetitions"), [(250, 40), (1000, 20), (2000, 10)])
def test_jensen_shannon_of_gaussians_comes_near_with_the_rows(rows: int, repetitions: int) -> None:
    # Of N(0, I) and N((1, 0), I): ln 2 − E ln(1 + e^{−t}) with t ~ N(1/2, 1), the logarithm of the
    # ratio of the densities. Bias within 0.3/√n; seeds 6000 and on, z ≤ 4.
    grid = np.linspace(-12.0, 12.0, 20_001)
    weight = scipy.stats.norm.pdf(grid, loc=0.5) * (grid[1] - grid[0])
    truth = math.log(2) - float((np.logaddexp(0.0, -grid) * weight).sum())
    found = []
    for seed in range(6000, 6000 + repetitions):
        x, y = samples.gaussian(seed, rows, 2), samples.gaussian(seed + 500, rows, 2)
        found.append(metrics.knn_jensen_shannon(x, y + np.array([1.0, 0.0])))
    error = np.std(found, ddof=1) / math.sqrt(repetitions)
    assert np.mean(found) == pytest.approx(truth, abs=4 * error + 0.3 / math.sqrt(rows))


@pytest.mark.parametrize(("n", "m"), [(400, 400), (600, 200), (100, 700)])
@pytest.mark.parametrize("columns", [1, 4, 40])
def test_jensen_shannon_of_equal_distributions_is_zero_at_any_sizes(
    columns: int, n: int, m: int
) -> None:
    # No bias is left; 60 repetitions, seeds 7000 to 7059, z ≤ 4.
    found = [
        metrics.knn_jensen_shannon(
            samples.gaussian(seed, n, columns), samples.gaussian(seed + 500, m, columns)
        )
        for seed in range(7000, 7060)
    ]
    error = np.std(found, ddof=1) / math.sqrt(len(found))
    assert np.mean(found) == pytest.approx(0.0, abs=4 * error)

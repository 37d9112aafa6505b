"""The extrapolated Fréchet distance: its line, its cuts, and the closed form of Gaussians."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError
from tests.support import oracle, samples
from tests.support.errors import fields, refused


@pytest.mark.parametrize("points", [2, 3, 4])
@pytest.mark.parametrize("shape", [(400, 6), (100, 120)])
def test_line_through_the_distances(shape: tuple[int, int], points: int) -> None:
    x, y = samples.gaussian(1, *shape), samples.gaussian(2, *shape, scale=0.8)
    found = tw.metrics.frechet_distance_extrapolated(x, y, points=points, seed=4)
    assert found.shares == pytest.approx([1 / parts for parts in range(1, points + 1)])
    assert found.distances[0] == pytest.approx(oracle.frechet_by_rows(x, y), rel=1e-10)
    slope, end = np.polyfit(np.arange(1, points + 1), found.distances, 1)
    assert (found.value, found.slope) == (
        pytest.approx(end, rel=1e-9, abs=1e-10),
        pytest.approx(slope, rel=1e-9),
    )
    assert found.high - found.value == pytest.approx(found.value - found.low, rel=1e-9)


def test_distances_of_cuts_have_the_mean_of_random_parts() -> None:
    # 400 random halves and quarters, z ≤ 4 with the error of both means (theirs at most that of as
    # many random parts).
    x, y = samples.gaussian(3, 640, 4), samples.gaussian(4, 640, 4, scale=0.7)
    found = tw.metrics.frechet_distance_extrapolated(x, y, points=4)
    rng = np.random.default_rng(5)
    for parts, cuts in ((2, 30), (4, 16)):
        some = [
            oracle.frechet_by_eigenvalues(
                *(rows[rng.permutation(640)[: 640 // parts]] for rows in (x, y))
            )
            for _ in range(400)
        ]
        error = np.std(some, ddof=1) * math.sqrt(1 / 400 + 1 / cuts)
        assert abs(found.distances[parts - 1] - np.mean(some)) <= 4 * error


CLOSED = {
    "equal": (1.0, 0.0),
    "shrunk": (0.8, 0.0),
    "moved": (1.0, 0.5),
}


@pytest.mark.parametrize("points", [4, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CLOSED)
def test_closed_form_of_gaussians(name: str, points: int) -> None:
    # d(1 − σ)² + dδ². 400 + 300 rows, 8 columns, 80 pairs of seeds: the plain distance is seen to
    # be too large (z > 8), the extrapolated one is not (z ≤ 4).
    scale, shift = CLOSED[name]
    columns, repetitions = 8, 80
    truth = columns * ((1 - scale) ** 2 + shift**2)
    found = [
        tw.metrics.frechet_distance_extrapolated(
            samples.gaussian(1000 + 2 * seed, 400, columns),
            shift + samples.gaussian(1001 + 2 * seed, 300, columns, scale=scale),
            points=points,
            seed=seed,
            threads=1,
        )
        for seed in range(repetitions)
    ]

    def z(values: list[float]) -> float:
        error = np.std(values, ddof=1) / math.sqrt(repetitions)
        return float((np.mean(values) - truth) / error)

    # A shift makes the distance vary more than it is biased.
    assert z([one.distances[0] for one in found]) > (8 if name != "moved" else 3)
    assert abs(z([one.value for one in found])) <= 4
    # 95 % intervals: no fewer hold the truth than binomial chance has it, z ≤ 4.
    held = np.mean([one.low <= truth <= one.high for one in found])
    assert held >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / repetitions)
    # And they are not wide for nothing: twice the standard deviation at most.
    spread = np.std([one.value for one in found], ddof=1)
    assert np.mean([one.standard_error for one in found]) <= 2 * spread


def test_seed_decides_the_cuts_and_confidence_the_interval() -> None:
    x, y = samples.gaussian(6, 200, 5), samples.gaussian(7, 200, 5)
    first, again, other = (
        tw.metrics.frechet_distance_extrapolated(x, y, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.value != other.value
    narrow = tw.metrics.frechet_distance_extrapolated(x, y, seed=1, confidence=0.5)
    assert first.low < narrow.low < narrow.value < narrow.high < first.high


def test_scale_and_copies() -> None:
    x = samples.gaussian(8, 300, 4)
    small, large = (
        tw.metrics.frechet_distance_extrapolated(x * unit, x[::-1] * unit * 0.9)
        for unit in (1.0, 1e100)
    )
    assert large.value / 1e200 == pytest.approx(small.value, rel=1e-9)
    assert large.standard_error / 1e200 == pytest.approx(small.standard_error, rel=1e-9)
    same = tw.metrics.frechet_distance_extrapolated(np.ones((70, 2)), np.ones((80, 2)))
    assert (same.value, same.standard_error) == (0.0, 0.0)


BAD = {
    "one point": ({"points": 1}, fields("points", "an integer of at least 2", "1")),
    "too many points": ({"points": 5}, fields("points", "an integer of at most 4", "5")),
    "confidence": ({"confidence": 1.0}, fields("confidence", "a number between 0 and 1", "1.0")),
    "seed": ({"seed": -1}, fields("seed", "an integer of at least 0", "-1")),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name: str) -> None:
    arguments, said = BAD[name]
    x = samples.gaussian(20, 70, 3)
    with refused(InputError, **said):
        tw.metrics.frechet_distance_extrapolated(x, x, **arguments)


def test_too_few_rows() -> None:
    x = samples.gaussian(21, 70, 3)
    for name, pair in (("reference", (x[:63], x)), ("candidate", (x, x[:63]))):
        with refused(InputError, name, "at least 64 rows", "63"):
            tw.metrics.frechet_distance_extrapolated(*pair)

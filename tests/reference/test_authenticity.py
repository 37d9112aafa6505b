"""Authenticity: the definition, ties, and its null in one, two and three dimensions."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError
from tests.support import oracle, samples
from tests.support.errors import refused

CASES = {
    "gaussian": (samples.gaussian(1, 300, 12), samples.gaussian(2, 250, 12, scale=0.8)),
    "student": (samples.student(3, 200, 5), samples.student(4, 330, 5)),
    "clusters": (samples.clusters(5, 260, 40), samples.clusters(6, 240, 40, centres=5)),
    "line": (samples.gaussian(7, 120, 1), samples.gaussian(8, 90, 1)),
    "lattice": (samples.lattice(9, 150, 3), samples.lattice(10, 110, 3)),
    "sparse lattice": (samples.lattice(11, 60, 2, side=9), samples.lattice(12, 50, 2, side=9)),
    "one row": (samples.gaussian(13, 2, 20), samples.gaussian(14, 1, 20)),
}


@pytest.mark.parametrize("name", CASES)
def test_equals_the_definition(name: str) -> None:
    training, candidate = CASES[name]
    expected = oracle.authenticity(training, candidate)
    assert tw.metrics.authenticity(training, candidate) == expected


def test_the_share_of_copies_is_what_is_missing() -> None:
    training, far = samples.gaussian(15, 200, 8), samples.gaussian(16, 60, 8) + 50.0
    candidate = np.concatenate([far, training[:40]])
    assert tw.metrics.authenticity(training, candidate) == 0.6


def test_a_sample_is_no_more_authentic_than_itself() -> None:
    for training, _ in CASES.values():
        assert tw.metrics.authenticity(training, training) == 0.0


def test_near_copies_are_found_out_until_the_row_is_there_twice() -> None:
    training = samples.gaussian(17, 100, 6)
    near = training + 1e-9
    assert tw.metrics.authenticity(training, near) == 0.0
    assert tw.metrics.authenticity(np.concatenate([training, training]), near) == 1.0


@pytest.mark.parametrize(
    ("columns", "mutual"),
    [(1, 2 / 3), (2, 6 * math.pi / (8 * math.pi + 3 * math.sqrt(3))), (3, 16 / 27)],
)
def test_null_is_the_chance_that_a_nearest_neighbour_has_a_nearer_one(
    columns: int, mutual: float
) -> None:
    # The chance that a row is the nearest of its own nearest is the volume of a ball over that of
    # two of them with centres on each other's sphere (Clark & Evans 1955; Cox 1981): 2/3, 0.6215,
    # 16/27. 60 samples of 1,000 rows each on a torus, so that there is no edge: seeds 400 to 459.
    found = []
    for seed in range(400, 460):
        angles = np.random.default_rng(seed).uniform(0, 2 * math.pi, size=(2000, columns))
        rows = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
        found.append(tw.metrics.authenticity(rows[:1000], rows[1000:]))
    error = np.std(found, ddof=1) / math.sqrt(len(found))
    assert np.mean(found) == pytest.approx(1 - mutual, abs=4 * error)


def test_one_training_row_has_no_other() -> None:
    with refused(InputError, "training", "at least 2 rows", "1"):
        tw.metrics.authenticity(np.ones((1, 2)), np.ones((3, 2)))
    with refused(InputError, "candidate", "2 columns as in training", "5"):
        tw.metrics.authenticity(np.ones((4, 2)), np.ones((3, 5)))

"""The kernel of a comparison is that of the human rows: no candidate changes the null."""

from __future__ import annotations

import numpy as np
import pytest

import tailwatch as tw
from tests.support import oracle, samples
from tests.support.meetings import split

HUMAN = samples.gaussian(1, 400, 4)
CANDIDATES = {
    "fresh": samples.gaussian(2, 200, 4),
    "shrunk": samples.gaussian(3, 200, 4, scale=0.1),
    "far": samples.gaussian(4, 200, 4) + 50.0,
    "few values": np.ones((200, 4)),
}


def gaussian_row(candidate: np.ndarray) -> dict[str, float]:
    frame = tw.compare(HUMAN, candidate, metrics=["mmd_gaussian"], seed=3).frame
    return frame.to_dicts()[0]


def test_the_null_is_the_same_for_every_candidate() -> None:
    nulls = {name: gaussian_row(candidate)["null"] for name, candidate in CANDIDATES.items()}
    assert nulls == dict.fromkeys(CANDIDATES, nulls["fresh"])


@pytest.mark.parametrize("name", CANDIDATES)
def test_value_and_null_are_those_of_the_bandwidth_within_both_halves(name: str) -> None:
    drawn = split(HUMAN, CANDIDATES[name], seed=3)
    a, b, c = (rows.to_numpy() for rows in drawn.bounded)
    bandwidth = oracle.median_distance(a, b)

    def squared(x: np.ndarray, y: np.ndarray) -> float:
        kernels = (oracle.gaussian_kernel(p, q, bandwidth) for p, q in ((x, x), (y, y), (x, y)))
        return float(oracle.mmd(*kernels, unbiased=True))

    found = gaussian_row(CANDIDATES[name])
    assert found["value"] == pytest.approx(squared(a, c), rel=1e-9)
    assert found["null"] == pytest.approx(squared(a, b), rel=1e-9)

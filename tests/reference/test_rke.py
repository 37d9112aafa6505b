"""Order-2 Rényi kernel entropy: its definition, the modes it counts, and what it does not take."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError
from tests.support import oracle, samples
from tests.support.errors import refused

rke = tw.metrics.rke

CASES = {
    "gaussian": samples.gaussian(1, 500, 20),
    "student": samples.student(2, 301, 3),
    "clusters": samples.clusters(3, 400, 65),
    "line": samples.gaussian(4, 60, 1),
    "offset": samples.dyadic(5, 200, 9) + 2.0**20,
    "many rows": samples.gaussian(6, 2300, 4),
}


@pytest.mark.parametrize("bandwidth", [0.5, 4.0, None])
@pytest.mark.parametrize("name", CASES)
def test_equals_the_definition(name: str, bandwidth: float | None) -> None:
    x = CASES[name]
    # The default is of 2,000 rows where there are more.
    scale = bandwidth or oracle.median_distance(x[:-1], x[-1:])
    if bandwidth is None and len(x) > 2000:
        return
    assert rke(x, bandwidth=bandwidth) == pytest.approx(oracle.rke(x, scale), rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_floats_mean_the_numbers_they_hold(dtype: type) -> None:
    x = samples.gaussian(7, 700, 30).astype(dtype)
    expected = oracle.rke(x.astype(np.float64), 6.0)
    assert rke(x, bandwidth=6.0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("counts", [(30, 30, 30), (50, 30, 15, 4, 1), (17,)])
def test_modes_far_apart_are_a_hill_number(counts: tuple[int, ...]) -> None:
    modes = np.repeat(1e4 * np.eye(6)[: len(counts)], counts, axis=0)
    rows = modes + 1e-4 * samples.gaussian(8, len(modes), 6)
    shares = np.array(counts) / sum(counts)
    assert rke(rows, bandwidth=10.0) == pytest.approx(1 / (shares**2).sum(), rel=1e-8)


def test_the_ends() -> None:
    x = samples.gaussian(9, 40, 3)
    assert rke(x, bandwidth=1e-6) == pytest.approx(40.0)
    assert rke(x, bandwidth=1e9) == pytest.approx(1.0)
    assert rke(x[:1], bandwidth=1.0) == 1.0
    assert rke(np.ones((9, 2)), bandwidth=1.0) == rke(np.ones((9, 2))) == 1.0


def test_what_it_does_not_take() -> None:
    x = samples.gaussian(10, 6, 2)
    for bandwidth in (0.0, -1.0, math.inf, math.nan):
        with refused(InputError, "bandwidth"):
            rke(x, bandwidth=bandwidth)
    with refused(InputError, "embeddings"):
        rke(x[:0])

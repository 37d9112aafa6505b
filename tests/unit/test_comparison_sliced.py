"""The sliced Wasserstein distance as a family of a comparison."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tailwatch as tw
from tailwatch import _core
from tailwatch.comparison.estimates import Estimate, HalfSamples, NoInterval
from tailwatch.comparison.families import sliced
from tailwatch.comparison.families.panel import Panel
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.samples import Samples
from tests.support import samples

if TYPE_CHECKING:
    from tailwatch.progress import Settings

SETTINGS: Settings = {"threads": 2, "progress": None}
PANEL = Panel(frozenset({"sliced_wasserstein"}), 5, (0.05,), 3)


def drawn(reference: np.ndarray, candidate: np.ndarray) -> Samples:
    x, y = (tw.open(rows).handle() for rows in (reference, candidate))
    return Samples.draw(x, y, max_rows=None, seed=3)


SAMPLES = drawn(samples.gaussian(1, 501, 6), samples.gaussian(2, 240, 6, scale=0.7))


def estimate(of: Samples) -> Estimate:
    (found,) = sliced.estimates(of, PANEL, SETTINGS)
    return found


def test_value_and_null_are_distances_of_the_halves() -> None:
    found = estimate(SAMPLES)
    a, b, c = (rows.to_numpy() for rows in SAMPLES.halves)
    assert (found.metric, found.level) == ("sliced_wasserstein", None)
    # The root of a mean of squares, taken in another order.
    for value, other in ((found.value, c), (found.null, b)):
        expected = tw.metrics.sliced_wasserstein(a, other, projections=256, seed=3)
        assert value == pytest.approx(expected, rel=1e-12)


def test_full_is_the_metric_of_all_rows() -> None:
    reference, candidate = (rows.to_numpy() for rows in SAMPLES.wholes)
    expected = tw.metrics.sliced_wasserstein(reference, candidate, projections=256, seed=3)
    assert list(sliced.full(SAMPLES, PANEL, SETTINGS)) == [("sliced_wasserstein", None, expected)]


def test_errors_are_those_of_the_square() -> None:
    found = estimate(SAMPLES)
    error = found.error
    assert isinstance(error, HalfSamples)
    assert (error.scale, error.complementary, len(error.values)) == ("real", True, 31)
    assert math.sqrt(error.values[0]) == found.value
    made = intervals_of(found, "lower", 0.95)
    low, high = made.value
    assert low is not None
    assert high is not None
    # As far down as up in the square.
    assert found.value**2 - low**2 == pytest.approx(high**2 - found.value**2, rel=1e-9)
    assert made.retention is not None
    assert made.retention > 4


def test_a_lower_bound_below_zero_is_zero() -> None:
    halves = np.concatenate([[1e-4], np.tile([0.5, 0.1], 15)])
    error = HalfSamples(halves, halves, "real", complementary=True, present=np.sqrt)
    made = intervals_of(Estimate("sliced_wasserstein", None, 0.01, 0.01, error), "lower", 0.95)
    assert made.value[0] == 0.0


def test_threads_change_no_bit() -> None:
    halves = PANEL.halves(complementary=True)
    first, second = (
        _core.sliced_metrics(SAMPLES.halves, halves, 2.0, 64, {"threads": n, "progress": None})[0]
        for n in (1, 3)
    )
    assert first[2].tobytes() + first[3].tobytes() == second[2].tobytes() + second[3].tobytes()


def test_tails_without_fourth_moments_get_no_interval() -> None:
    rng = np.random.default_rng(5)
    heavy = drawn(rng.standard_cauchy((400, 6)), rng.standard_cauchy((200, 6)))
    error = estimate(heavy).error
    assert isinstance(error, NoInterval)
    assert error.reason.startswith("tails too heavy")

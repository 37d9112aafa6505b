"""The sliced Wasserstein distance as a family of a comparison."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tailwatch as tw
from tailwatch import _core
from tailwatch.comparison.estimates import Estimate, HalfSamples, NoInterval
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.metrics.directions import SlicedWasserstein
from tailwatch.comparison.metrics.family import Panel
from tests.support import samples
from tests.support.meetings import Split, found_of, split

PANEL = Panel(frozenset({"sliced_wasserstein"}), 5, (0.05,), 3)


SAMPLES = split(samples.gaussian(1, 501, 6), samples.gaussian(2, 240, 6, scale=0.7), seed=3)


def estimate(of: Split) -> Estimate:
    (found,) = of.estimates(SlicedWasserstein, PANEL)
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
    found = SAMPLES.on_all(SlicedWasserstein, PANEL)
    assert found == [("sliced_wasserstein", None, expected, None)]


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
    a, b, c = SAMPLES.halves
    replicates = PANEL.replicates("complementary halves")

    def on(threads: int) -> bytes:
        settings: _core.Settings = {"threads": threads, "progress": None}
        prepared = _core.prepare_projections((a, b), replicates, 2.0, 64, settings)
        (found,) = found_of(prepared, a, c, settings).values()
        return b"".join(array.tobytes() for array in found)

    assert on(1) == on(3)


def test_tails_without_fourth_moments_get_no_interval() -> None:
    rng = np.random.default_rng(5)
    heavy = split(rng.standard_cauchy((400, 6)), rng.standard_cauchy((200, 6)), seed=3)
    error = estimate(heavy).error
    assert isinstance(error, NoInterval)
    assert error.reason.startswith("tails too heavy")

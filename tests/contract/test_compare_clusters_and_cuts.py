"""MAUVE and the extrapolated Fréchet distance as a comparison takes them."""

from __future__ import annotations

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.comparison.estimates import HalfSamples, NoInterval
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.metrics.clusters import Mauve
from tailwatch.comparison.metrics.family import Panel
from tailwatch.comparison.metrics.moments import MomentMetrics
from tests.support import samples
from tests.support.meetings import Split, split

NAMES = frozenset({"mauve", "frechet_distance_extrapolated", "frechet_distance"})
PANEL = Panel(NAMES, 5, (0.05,), 3)


def drawn(max_rows: int | None = None) -> Split:
    x, y = samples.gaussian(1, 640, 9), samples.gaussian(2, 400, 9, scale=0.7)
    return split(x, y, max_rows=max_rows, seed=3)


def test_mauve_and_its_null_are_the_metric_on_the_halves() -> None:
    parts = drawn(max_rows=400)
    (found,) = parts.estimates(Mauve, PANEL)
    a, b, c = (rows.to_numpy() for rows in parts.bounded)
    assert len(a) == len(b) == len(c) == 200
    assert (found.metric, found.level) == ("mauve", None)
    assert found.value == tw.metrics.mauve(a, c, seed=3)
    assert found.null == tw.metrics.mauve(a, b, seed=3)
    made = intervals_of(found, "higher", 0.95)
    assert isinstance(found.error, NoInterval)
    assert (made.value, made.null, made.retained) == ((None, None),) * 3
    assert made.retention == pytest.approx(found.value / found.null)
    assert made.method is None
    assert made.reason is not None
    assert made.reason.startswith("clusters are fitted")
    whole = [rows.to_numpy() for rows in parts.bounded_wholes]
    assert parts.on_all(Mauve, PANEL) == [("mauve", None, tw.metrics.mauve(*whole, seed=3), None)]


def test_the_extrapolated_distance_is_read_from_the_halves_of_the_distance() -> None:
    parts = drawn()
    found = {one.metric: one for one in parts.estimates(MomentMetrics, PANEL)}
    plain, extrapolated = (
        found[name].error for name in ("frechet_distance", "frechet_distance_extrapolated")
    )
    assert isinstance(plain, HalfSamples)
    assert isinstance(extrapolated, HalfSamples)
    for distances, ends in (
        (plain.values, extrapolated.values),
        (plain.nulls, extrapolated.nulls),
    ):
        assert ends[0] == pytest.approx(2 * distances[0] - distances[1:].mean(), rel=1e-12)
        np.testing.assert_array_equal(ends[1:], distances[1:])
    # The null is without bias, and lies on both sides of zero; the plain one is too large.
    estimate = found["frechet_distance_extrapolated"]
    made = intervals_of(estimate, "lower", 0.95)
    low, high = made.null
    assert low < 0.0 < high < found["frechet_distance"].null
    assert made.value[0] > 0.0
    # In standard errors of the null, as the plain one is: those of the halves, which they share.
    before = found["frechet_distance"]
    unit = (before.value - before.null) / intervals_of(before, "lower", 0.95).retention
    assert made.retention == pytest.approx((estimate.value - estimate.null) / unit, rel=1e-9)
    whole = {name: value for name, _, value, _ in parts.on_all(MomentMetrics, PANEL)}
    x, y = (rows.to_numpy() for rows in parts.wholes)
    expected = tw.metrics.frechet_distance_extrapolated(x, y, seed=3).value
    assert whole["frechet_distance_extrapolated"] == expected

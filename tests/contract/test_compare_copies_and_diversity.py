"""Divergence, authenticity and Vendi score as families of a comparison: values, halves, none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tailwatch as tw
from tailwatch import _core
from tailwatch._core import NoValue
from tailwatch.comparison.estimates import HalfSamples, NoInterval
from tailwatch.comparison.halves import REPLICATES
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.metrics.family import Family, Panel
from tailwatch.comparison.metrics.moments import Vendi
from tailwatch.comparison.metrics.neighbors import Authenticity, KnnDivergence
from tests.support import samples
from tests.support.errors import refused
from tests.support.meetings import SETTINGS, Split, split

if TYPE_CHECKING:
    from tailwatch.comparison.estimates import Estimate

PANEL = Panel(frozenset({"knn_divergence", "authenticity", "vendi_score"}), 5, (0.1,), 7)


def drawn(x: np.ndarray, y: np.ndarray, *, max_rows: int | None = None) -> Split:
    return split(x, y, max_rows=max_rows, seed=7)


def only(family: type[Family], drawn: Split) -> Estimate:
    (estimate,) = drawn.estimates(family, PANEL)
    return estimate


def whole(family: type[Family], drawn: Split) -> float | None:
    ((_, level, value, _),) = drawn.on_all(family, PANEL)
    assert level is None
    return value


# 18 columns are coded in 8 bits, 3 are measured; few rows for many columns make another matrix.
PAIRS = {
    "coded": (samples.gaussian(1, 700, 18), samples.gaussian(2, 400, 18, scale=0.8)),
    "measured": (samples.student(3, 500, 3), samples.student(4, 600, 3) + 0.5),
    "wide": (samples.gaussian(5, 300, 200) + 1.0, samples.gaussian(6, 150, 200)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_values_are_those_of_the_metrics(name: str) -> None:
    x, y = PAIRS[name]
    samples_ = drawn(x, y)
    a, b, c = (rows.to_numpy() for rows in samples_.halves)
    for family, metric in (
        (KnnDivergence, tw.metrics.knn_divergence),
        (Authenticity, tw.metrics.authenticity),
        (Vendi, lambda _, rows: tw.metrics.vendi_score(rows)),
    ):
        estimate = only(family, samples_)
        assert isinstance(estimate.error, HalfSamples)
        assert len(estimate.error.values) == len(estimate.error.nulls) == 1 + REPLICATES
        assert estimate.value == pytest.approx(metric(a, c), rel=1e-11)
        assert estimate.null == pytest.approx(metric(a, b), rel=1e-11)
        assert whole(family, samples_) == pytest.approx(metric(x, y), rel=1e-12)


def test_halves_differ_from_the_whole_and_from_each_other() -> None:
    samples_ = drawn(*PAIRS["coded"])
    for family in (KnnDivergence, Authenticity, Vendi):
        error = only(family, samples_).error
        assert isinstance(error, HalfSamples)
        for counted in (error.values, error.nulls):
            assert len(np.unique(counted)) > REPLICATES / 2
            # No half is far from the whole: five times the spread of halves.
            assert np.abs(counted[1:] - counted[1:].mean()).max() < 5 * counted[1:].std()


def test_quadratic_families_keep_to_the_rows_allowed() -> None:
    x, y = PAIRS["coded"]
    samples_ = drawn(x, y, max_rows=200)
    a, _, c = (rows.to_numpy() for rows in samples_.bounded)
    assert len(a) == 100
    assert only(Authenticity, samples_).value == tw.metrics.authenticity(a, c)
    divergence = only(KnnDivergence, samples_).value
    assert divergence == pytest.approx(tw.metrics.knn_divergence(a, c), rel=1e-12)


def test_a_candidate_of_copies_is_seen_by_all_three() -> None:
    x, _ = PAIRS["coded"]
    samples_ = drawn(x, x + 1e-6)
    copied = only(Authenticity, samples_)
    assert copied.value < copied.null
    few = drawn(x, np.repeat(x[:5], 100, axis=0) + samples.gaussian(8, 500, 18, scale=1e-3))
    narrow = only(Vendi, few)
    assert narrow.value < 5.01 < narrow.null
    low, _high = intervals_of(narrow, "match", 0.95).retained
    assert low is not None
    assert low < 5.01 / narrow.null


def test_a_repeating_candidate_is_infinitely_far_and_has_no_interval() -> None:
    x, y = PAIRS["coded"]
    samples_ = drawn(x, np.concatenate([y[:10]] * 40))
    estimate = only(KnnDivergence, samples_)
    assert estimate.value == math.inf
    assert math.isfinite(estimate.null)
    assert isinstance(estimate.error, NoInterval)
    found = intervals_of(estimate, "lower", 0.95)
    assert found.value == (None, None)
    assert found.retention is None
    assert whole(KnnDivergence, samples_) == math.inf
    assert math.isfinite(only(Authenticity, samples_).value)


def test_a_repeating_reference_has_no_divergence() -> None:
    x, y = PAIRS["coded"]
    x = np.concatenate([x[:500], np.repeat(y[:1], 200, axis=0)])
    samples_ = drawn(x, y)
    estimate = only(KnnDivergence, samples_)
    assert math.isnan(estimate.value)
    assert isinstance(estimate.error, NoValue)
    assert estimate.error.reason.startswith("reference: a row equals 5 or more rows of the")
    assert intervals_of(estimate, "lower", 0.95).reason == estimate.error.reason
    assert whole(KnnDivergence, samples_) is None


@pytest.mark.parametrize("columns", [18, 200])
def test_a_row_of_zeros_leaves_no_vendi_score(columns: int) -> None:
    x, y = samples.gaussian(9, 300, columns), samples.gaussian(10, 150, columns)
    for spoilt, name in ((x, "reference"), (y, "candidate")):
        whole_ones = spoilt.copy()
        # Half of the reference is A, which takes no part, so that more than half must be zeros.
        spoilt[: len(spoilt) * 2 // 3] = 0.0
        samples_ = drawn(x, y)
        estimate = only(Vendi, samples_)
        assert isinstance(estimate.error, NoValue)
        assert estimate.error.reason == (
            f"{name}: a row is zero and has no direction, so no cosine either"
        )
        assert (whole(Vendi, samples_) is None) == (name == "candidate")
        spoilt[:] = whole_ones


def test_threads_change_no_bit() -> None:
    samples_ = drawn(*PAIRS["coded"])
    for family in (KnnDivergence, Authenticity, Vendi):
        found = [
            samples_.estimates(family, PANEL, {"threads": threads, "progress": None})[0]
            for threads in (1, 3)
        ]
        for one, other in zip(*((e.error.values, e.error.nulls) for e in found), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_k_of_more_rows_than_a_half_has_is_refused() -> None:
    samples_ = drawn(*PAIRS["wide"])
    with refused(tw.exceptions.InputError, "k", "1 to 71 (half-samples have 72 rows)", "100"):
        _core.prepare_knn_divergence(samples_.bounded[:2], (30, 0, "halves"), 1.0, 100, SETTINGS)

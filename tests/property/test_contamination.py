"""What must hold for any histograms: means of probabilities, orders of merging, q-values, gates."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from sklearn.isotonic import IsotonicRegression

from tailwatch.contamination import Audit, Prevalence, share_from_scores
from tailwatch.contamination.dataset.report import sentence_of
from tailwatch.contamination.histogram import (
    LEAST_COUNT,
    Histogram,
    bin_counts,
    calibration_ranks,
    shared_edges,
)
from tailwatch.contamination.likelihood import BinCounts, fit_templates, profile_interval
from tailwatch.contamination.rows import (
    RowTable,
    mixture_probabilities,
    q_values,
    tail_probabilities,
)
from tailwatch.exceptions import TailwatchWarning

COUNT = st.integers(0, 10) | st.integers(0, 10**7)


@st.composite
def histograms(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three histograms over the same bins, each with a row; any bin may be empty in any of them."""
    bins = draw(st.integers(2, 12))
    found = []
    for _ in range(3):
        counts = np.array(draw(st.lists(COUNT, min_size=bins, max_size=bins)), np.int64)
        counts[draw(st.integers(0, bins - 1))] += 1
        found.append(counts)
    return found[0], found[1], found[2]


def scores(least: int = 0) -> st.SearchStrategy[np.ndarray]:
    values = st.integers(-6, 6).map(lambda value: value / 2) | st.floats(-3, 3, width=32)
    return st.lists(values, min_size=least, max_size=60).map(
        lambda list_: np.array(list_, np.float32)
    )


@given(histograms())
def test_the_mean_probability_is_the_estimate(counts: tuple[np.ndarray, ...]) -> None:
    human, synthetic, target = counts
    found = profile_interval(BinCounts.of(*counts), 0.95)
    fitted = fit_templates(BinCounts.of(*counts), np.array([found.value]))
    probabilities = mixture_probabilities(
        fitted.human[0] / human.sum(), fitted.synthetic[0] / synthetic.sum(), target, found.value
    )
    assert target @ probabilities / target.sum() == pytest.approx(found.value, abs=1e-6)
    assert (np.diff(probabilities) >= 0).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


@given(histograms(), st.floats(0, 1))
def test_the_mean_probability_is_the_share_asked_for(
    counts: tuple[np.ndarray, ...], share: float
) -> None:
    human, synthetic, target = counts
    for probabilities in (
        mixture_probabilities(human / human.sum(), synthetic / synthetic.sum(), target, share),
        tail_probabilities(human + 1, target, share),
    ):
        assert target @ probabilities / target.sum() == pytest.approx(share, abs=1e-6)
        assert (np.diff(probabilities) >= 0).all()


@given(histograms())
def test_fitted_templates_keep_their_rows(counts: tuple[np.ndarray, ...]) -> None:
    # At an inner maximum the templates' expected counts add up to the rows that were seen.
    found = profile_interval(BinCounts.of(*counts), 0.95)
    if not 1e-9 < found.value < 1 - 1e-9:
        return
    fitted = fit_templates(BinCounts.of(*counts), np.array([found.value]))
    for expected, seen in zip((fitted.human, fitted.synthetic, fitted.target), counts, strict=True):
        assert expected.sum() == pytest.approx(seen.sum(), rel=1e-6)


@given(scores(1), scores(1))
def test_bins_hold_enough_of_both(human: np.ndarray, synthetic: np.ndarray) -> None:
    edges = shared_edges(human, synthetic)
    assert (np.diff(edges) > 0).all()
    both = np.minimum(bin_counts(human, edges), bin_counts(synthetic, edges))
    assert len(edges) <= 1 or both.min() >= LEAST_COUNT
    # There is a cut unless all scores are equal.
    assert (len(edges) == 0) == (len(np.unique(np.concatenate([human, synthetic]))) == 1)


@given(scores(1), st.lists(scores(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_histograms_do_not_depend_on_order_or_split(
    calibration: np.ndarray, shards: list[np.ndarray], random: object
) -> None:
    edges, calibration = np.float32([-1, 0, 0.5]), np.sort(calibration)

    def empty() -> Histogram:
        return Histogram("model", edges, calibration)

    whole = empty().absorb(np.concatenate(shards)).finish()
    parts = [empty().absorb(shard) for shard in shards]
    random.shuffle(parts)  # type: ignore[attr-defined]
    while len(parts) > 1:
        parts.append(parts.pop(0).merge(parts.pop(0)))
    again = parts[0].finish()
    kept = Histogram("model", edges, calibration, again).finish()
    for one, other, third in zip(whole, again, kept, strict=True):
        assert one.tobytes() == other.tobytes() == third.tobytes()


HALVES = st.floats(-4, 4, width=16)


@given(
    st.lists(HALVES, max_size=60),
    st.sets(HALVES, max_size=9),
    st.lists(HALVES, min_size=1, max_size=20),
)
def test_a_histogram_counts_by_the_definition_of_its_bins_and_ranks(
    of: list[float], edges: set[float], calibration: list[float]
) -> None:
    bounds, known = sorted(edges), sorted(calibration)
    histogram = Histogram("model", np.float32(bounds), np.float32(known)).absorb(np.float32(of))
    bins, ranks = [0] * (len(bounds) + 1), [0] * (len(known) + 1)
    for score in of:
        bins[sum(edge <= score for edge in bounds)] += 1
        ranks[sum(other >= score for other in known)] += 1
    assert histogram.bins.tolist() == bins
    assert histogram.ranks.tolist() == ranks


@given(scores(1), scores(1))
def test_p_and_q_values_are_those_of_their_definitions(
    calibration: np.ndarray, target: np.ndarray
) -> None:
    calibration = np.sort(calibration)
    edges = np.float32([0])
    ranks = np.bincount(calibration_ranks(target, calibration), minlength=len(calibration) + 1)
    table = RowTable(edges, calibration, np.array([0.1, 0.9]), q_values(ranks))
    found = table.rows(target)
    expected = [(1 + (calibration >= score).sum()) / (len(calibration) + 1) for score in target]
    np.testing.assert_array_equal(found["p_value"].to_numpy(), expected)
    np.testing.assert_allclose(
        found["q_value"].to_numpy(), false_discovery_control(expected), rtol=1e-12
    )
    np.testing.assert_array_equal(found["probability"].to_numpy(), np.where(target >= 0, 0.9, 0.1))


@given(histograms())
def test_probabilities_are_pooled_as_scikit_learn_does(counts: tuple[np.ndarray, ...]) -> None:
    human, synthetic, target = (each + 1 for each in counts)
    p0, p1 = human / human.sum(), synthetic / synthetic.sum()
    # The share of the templates' own mixture in the target's bins, which leaves the prior as it is.
    raw = 0.3 * p1 / (0.7 * p0 + 0.3 * p1)
    share = float(target @ raw / target.sum())
    pooled = IsotonicRegression().fit(np.arange(len(raw)), raw, sample_weight=target)
    found = mixture_probabilities(p0, p1, target, share)
    np.testing.assert_allclose(found, pooled.predict(np.arange(len(raw))), rtol=1e-9, atol=1e-12)


def drawn_share(
    seed: int, *, strata: int, drift: float, share: float, synthetic: bool, months: int
) -> Prevalence:
    """Estimate a share by normal scores, whose mean drifts between strata and to the target."""
    rng = np.random.default_rng(seed)
    stratum = np.arange(240) % max(strata, 1)
    human = rng.normal(size=240) + (drift * rng.normal(size=max(strata, 1)))[stratum]
    target = rng.normal(size=600) + drift * rng.normal()
    # The first groups have the most, so that a group may be above where the whole is not.
    target[: round(share * 600)] += 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TailwatchWarning)
        return share_from_scores(
            target,
            human,
            2 + rng.normal(size=240) if synthetic else None,
            strata=stratum if strata else None,
            by=np.arange(600) * months // 600 if months else None,
        )


NONE = ("cannot be told from none", "othing shows that any")


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10**6),
    strata=st.sampled_from([0, 2, 8]),
    drift=st.sampled_from([0.0, 0.1, 0.5]),
    share=st.sampled_from([0.0, 0.01, 0.05, 0.15, 0.6]),
    synthetic=st.booleans(),
    months=st.sampled_from([0, 0, 1, 3]),
    limit=st.floats(0, 0.6),
    positive=st.none() | st.integers(0, 3),
)
# The whole, and a group, whose intervals lie above the limit but are held by the floor.
@example(0, 8, 0.5, 0.15, True, 4, 0.01, None)
@example(3, 8, 0.5, 0.05, False, 4, 0.01, None)
# A group above in a whole that cannot be told from none.
@example(3, 8, 0.1, 0.15, True, 4, 0.01, None)
def test_sentence_and_gate_agree(
    seed: int,
    strata: int,
    drift: float,
    share: float,
    synthetic: bool,
    months: int,
    limit: float,
    positive: int | None,
) -> None:
    found = drawn_share(
        seed, strata=strata, drift=drift, share=share, synthetic=synthetic, months=months
    )
    if positive is not None:
        low = positive / 100 if positive > 1 else 0.0
        audit = Audit(positive / 50, low, 0.2, 50, positive, 0.0)
        labelled = {"value": audit.value, "low": low, "high": 0.2, "method": "audit"}
        found = replace(found, audit=audit, **labelled)
    is_none = any(words in sentence_of(found) for words in NONE)
    assert is_none == (found.finding == "not found")
    below = float(np.nextafter(found.low, 0))
    limits = sorted({0.0, limit, below, *(end for end in (found.low, found.high) if end < 1)})
    states = []
    for each in limits:
        standing = found.against(each)
        states.append(standing.state)
        # Whatever fails the gate is said to be there: the whole, or groups that are named.
        if standing.state == "exceeded":
            assert not is_none or len(standing.groups)
        assert (standing.whole == "above") == (found.low > each and not is_none)
        any_above = standing.whole == "above" or len(standing.groups) > 0
        assert (standing.state == "exceeded") == any_above
        if standing.state == "kept":
            assert found.high <= each
        if found.groups is not None:
            said = found.groups.frame.filter("above")["group"].to_list()
            assert set(standing.groups["group"]) <= set(said)
            assert not set(standing.groups_held["group"]) & set(said)
            both = {*standing.groups["group"], *standing.groups_held["group"]}
            assert both == set(found.groups.above(each).filter("above")["group"])
    # A larger limit is never a harder one.
    order = [("exceeded", "open", "kept").index(state) for state in states]
    assert order == sorted(order)

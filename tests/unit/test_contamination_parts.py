"""Parts of `contamination` on cases whose answer is known."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import beta

import tailwatch as tw
import tailwatch.contamination.dataset
from tailwatch.contamination.audit import audit_share
from tailwatch.contamination.estimators import (
    THRESHOLD_LEVELS,
    CrossChecks,
    best_bin,
    cross_checks,
    lower_bound,
)
from tailwatch.contamination.histogram import bin_counts, shared_edges
from tailwatch.contamination.likelihood import BinCounts, Interval
from tailwatch.contamination.rows import least_calibration
from tailwatch.metrics.embeddings.probe import (
    HASHES,
    content_folds,
    even_bounds,
    fold_bounds,
    stratum_folds,
)

if TYPE_CHECKING:
    from types import ModuleType


def test_bins_are_cut_where_values_are() -> None:
    scores = np.arange(300, dtype=np.float32)
    edges = shared_edges(scores, scores, bins=3)
    assert edges.tolist() == [99, 199]
    # An edge belongs to the bin above it.
    assert bin_counts(np.float32([98, 99, 199, 1e9]), edges).tolist() == [1, 1, 2]


def test_references_apart_are_cut_between() -> None:
    human, synthetic = np.arange(50, dtype=np.float32), np.arange(50, 90, dtype=np.float32)
    edges = shared_edges(human, synthetic)
    assert len(edges) == 1
    # The best of 30 quantiles, up to one of them off.
    assert abs(edges[0] - 50) <= 3


def test_bounds_of_folds_divide_the_hashes() -> None:
    assert even_bounds(4).tolist() == [HASHES // 4, HASHES // 2, 3 * HASHES // 4, HASHES]
    assert fold_bounds(np.array([1, 3])).tolist() == [HASHES // 4, HASHES]


def test_strata_are_dealt_evenly() -> None:
    assert stratum_folds(np.array([5, 100, 40, 55]), 2).tolist() == [1, 0, 1, 1]
    # Fewer strata than folds: a fold each.
    assert sorted(stratum_folds(np.array([5, 100]), 5).tolist()) == [0, 1]


def test_a_fold_depends_on_the_values_alone() -> None:
    rows = np.random.default_rng(0).normal(size=(4000, 7)).astype(np.float16)
    bounds = even_bounds(5)
    folds = content_folds(rows, bounds)
    for other in (rows.astype(np.float32), rows.astype(np.float64), np.asfortranarray(rows)):
        np.testing.assert_array_equal(content_folds(other, bounds), folds)
    np.testing.assert_array_equal(content_folds(rows[::-1], bounds), folds[::-1])
    # Four standard deviations of a count.
    assert np.abs(np.bincount(folds) - 800).max() <= 4 * math.sqrt(4000 * 0.16)


def test_folds_of_whole_numbers_are_even_too() -> None:
    rows = np.stack(np.meshgrid(*[np.arange(16.0)] * 3), axis=-1).reshape(-1, 3)
    counts = np.bincount(content_folds(rows, even_bounds(4)), minlength=4)
    assert np.abs(counts - 1024).max() <= 4 * math.sqrt(4096 * 3 / 16)


def test_a_row_is_scored_by_the_model_of_its_fold() -> None:
    rng = np.random.default_rng(1)
    human, synthetic = rng.normal(size=(400, 5)), 1 + rng.normal(size=(300, 5))
    model = tw.contamination.fit(human, synthetic)
    probe = model.state.probe
    folds = content_folds(human, probe.bounds)
    expected = (human * probe.weights[folds]).sum(axis=1) + probe.intercepts[folds]
    np.testing.assert_allclose(model.score(human), expected, rtol=1e-6, atol=1e-6)
    # So the templates are counts of what anyone gets who scores the references.
    edges = model.state.edges
    np.testing.assert_array_equal(
        bin_counts(model.score(human), edges), model.state.human.sum(axis=0)
    )
    np.testing.assert_array_equal(bin_counts(model.score(synthetic), edges), model.state.synthetic)


def test_a_probe_did_not_see_what_it_scores() -> None:
    # Labels that mean nothing: whoever had seen the rows would tell them apart, in 200 columns.
    rng = np.random.default_rng(2)
    human, synthetic = rng.normal(size=(300, 200)), rng.normal(size=(300, 200))
    model = tw.contamination.fit(human, synthetic)
    difference = model.score(synthetic).mean() - model.score(human).mean()
    spread = np.concatenate([model.score(synthetic), model.score(human)]).std()
    assert abs(difference) <= 4 * spread * math.sqrt(2 / 300)
    # As a probe that was fitted on them does: the mean of the models has seen every row.
    probe = model.state.probe
    weights = probe.weights.mean(axis=0)
    assert (synthetic @ weights).mean() - (human @ weights).mean() > 8 * spread * math.sqrt(2 / 300)


def test_strata_are_held_out_whole() -> None:
    # Each stratum's rows are copies of one row: only a model without the stratum cannot know it.
    rng = np.random.default_rng(3)
    centres = 3 * rng.normal(size=(40, 60))
    names = np.repeat(np.arange(40), 10)
    human = centres[names] + 1e-3 * rng.normal(size=(400, 60))
    synthetic = 3 * rng.normal(size=(400, 60))
    by_row = tw.contamination.fit(human, synthetic).state
    by_stratum = tw.contamination.fit(human, synthetic, strata=names, hold_out="strata").state
    middle = [float(np.median(state.calibration)) for state in (by_row, by_stratum)]
    assert middle[1] > middle[0] + 0.5


def test_a_target_of_the_references_strata_is_estimated_without_bias() -> None:
    # Synthetic rows imitate the strata, of which each has a place of its own: a probe without one
    # would take it for synthetic. 12 splits, seed 6; four standard errors of the mean.
    rng, share, errors = np.random.default_rng(6), 0.3, []
    centres = 3 * rng.normal(size=(6, 20))
    names = np.arange(1200) % 6
    for _ in range(12):
        human, target = (centres[names] + rng.normal(size=(1200, 20)) for _ in range(2))
        synthetic, other = (centres[names] + 0.4 + rng.normal(size=(1200, 20)) for _ in range(2))
        model = tw.contamination.fit(human, synthetic, strata=names)
        mixed = np.concatenate([target[: int(1200 * (1 - share))], other[: int(1200 * share)]])
        errors.append(model.prevalence(mixed).value - share)
    assert abs(np.mean(errors)) <= 4 * np.std(errors, ddof=1) / math.sqrt(12)


def test_cross_checks_find_an_exact_mixture() -> None:
    human, synthetic = np.array([600.0, 300, 100]), np.array([100.0, 300, 600])
    counts = BinCounts(human, synthetic, 10 * (0.8 * human + 0.2 * synthetic))
    found = cross_checks(counts, 0.95)
    assert (found.acc, found.median_sweep) == pytest.approx((0.2, 0.2), abs=1e-12)
    assert found.dys == pytest.approx(0.2, abs=1e-6)
    # Delta interval: q = 0.5 above the lower of two equal thresholds, FPR 0.4, TPR 0.9.
    variance = (0.5 * 0.5 / 1e4 + 0.64 * 0.4 * 0.6 / 1e3 + 0.04 * 0.9 * 0.1 / 1e3) / 0.25
    assert found.acc_high - found.acc == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-6)


def test_cross_checks_disagree_beyond_their_own_error() -> None:
    interval = Interval(0.1, 0.08, 0.12)

    def agrees(value: float) -> bool:
        return CrossChecks(0.1, 0.09, 0.11, value, math.nan).agree_with(interval)

    assert [agrees(value) for value in (0.0699, 0.0701, 0.1299, 0.1301)] == [
        False,
        True,
        True,
        False,
    ]


def test_the_lower_bound_is_that_of_clopper_and_pearson() -> None:
    human, target = np.array([500, 500]), np.array([300, 700])
    level = 0.05 / (2 * len(THRESHOLD_LEVELS))
    least, most = beta.ppf(level, 500, 501), beta.ppf(1 - level, 301, 700)
    found = lower_bound(human, target, np.array([True]), 0.95)
    assert found.low == pytest.approx(1 - most / least, rel=1e-12)
    assert found.value == best_bin(human, target) == pytest.approx(0.4)
    assert found.high == 1
    # All of either side, or none.
    assert lower_bound(np.array([0, 9]), target, np.array([True]), 0.95).low == 0
    assert lower_bound(human, np.array([1000, 0]), np.array([True]), 0.95).low == 0


def test_few_labels_stand_alone() -> None:
    labels = np.array([1.0] * 3 + [0.0] * 97)
    found = audit_share(labels, labels, np.array([50, 50]), np.array([0.0, 1.0]), 0.95)
    assert (found.value, found.weight, found.positive) == (0.03, 0, 3)
    assert found.low == pytest.approx(beta.ppf(0.025, 3, 98))
    assert found.high == pytest.approx(beta.ppf(0.975, 4, 97))


def test_perfect_predictions_carry_the_labels_to_all_rows() -> None:
    labels = np.repeat([0.0, 1.0], 50)
    target = np.array([700_000, 300_000])
    found = audit_share(labels, labels, target, np.array([0.0, 1.0]), 0.95)
    weight = 1 / (1 + 100 / 1_000_000)
    assert found.weight == pytest.approx(weight, rel=1e-12)
    assert found.value == pytest.approx(0.3 * weight + 0.5 * (1 - weight), rel=1e-9)


def test_calibration_rows_that_a_q_value_needs() -> None:
    # 1/(n + 1)/0.01 ≤ 0.05 from n = 1999 on.
    assert least_calibration(0.05, 0.01) == 1999
    assert least_calibration(0.05, 0) is None


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_model_from_end_to_end(share: float) -> None:
    rng = np.random.default_rng(4)
    human, synthetic = rng.normal(size=(3000, 8)), 0.8 + rng.normal(size=(3000, 8))
    count = int(share * 20_000)
    target = rng.normal(size=(20_000, 8))
    target[:count] += 0.8
    months = np.arange(3000) % 6
    model = tw.contamination.fit(human, synthetic, strata=months)
    found = model.prevalence(target)
    assert found.low <= share <= found.high
    assert (found.method, found.n, found.n_human) == ("template fit, drift", 20_000, 3000)
    assert found.null_floor.low == 0
    assert found.null_floor.high < 0.1
    assert (found.null_floor.source, found.null_floor.parts) == ("strata", 6)
    assert found.drift is not None
    assert found.profile is not None
    assert found.low <= found.profile.low <= found.profile.high <= found.high
    rows = model.rows(target, found)
    assert rows["probability"].mean() == pytest.approx(found.value, abs=1e-6)
    assert rows.columns == ["probability", "p_value", "q_value"]
    if share:
        chosen = rows["q_value"] <= 0.1
        assert chosen.sum() > 50
        # One false discovery in ten is what is promised on average; four deviations above.
        false = (chosen.to_numpy()[count:]).sum() / chosen.sum()
        assert false <= 0.1 + 4 * math.sqrt(0.09 / chosen.sum())
    # Scores that are kept, in batches, give the same.
    scores = np.split(model.score(target), [5, 9000])
    again = model.prevalence(
        model.empty_histogram().absorb(scores[2]).absorb(scores[0]).absorb(scores[1])
    )
    assert again == found
    parts = [model.rows_from(part, found) for part in scores]
    assert np.concatenate(parts).tobytes() == rows.to_numpy().tobytes()


def test_human_only_gives_a_lower_bound() -> None:
    rng = np.random.default_rng(5)
    human, target = rng.normal(size=(3000, 6)), rng.normal(size=(20_000, 6))
    target[:6000] += 1.5
    model = tw.contamination.fit(human, target=target)
    found = model.prevalence(target)
    assert (found.method, found.high, found.profile, found.agreement) == (
        "lower bound",
        1,
        None,
        None,
    )
    assert 0.2 < found.low <= 0.3
    assert found.null_floor.low == 0
    assert found.null_floor.source == "rows"
    rows = model.rows(target, found)
    assert rows["probability"].mean() == pytest.approx(found.value, abs=1e-6)
    assert rows["probability"][:6000].mean() > 0.6
    assert rows["probability"][6000:].mean() < 0.2


def test_labels_decide_where_there_are_some() -> None:
    rng = np.random.default_rng(6)
    human, synthetic = rng.normal(size=(1000, 4)), 1 + rng.normal(size=(1000, 4))
    # All human rows have moved, so that the references mislead; labels do not.
    labels = (rng.random(5000) < 0.2).astype(int)
    target = 0.3 + rng.normal(size=(5000, 4)) + 0.7 * labels[:, np.newaxis]
    model = tw.contamination.fit(human, synthetic)
    chosen = rng.permutation(5000)[:500]
    found = model.prevalence(target, audit=(target[chosen], labels[chosen]))
    assert found.method == "audit"
    assert found.low <= labels.mean() <= found.high
    assert found.audit is not None
    assert (found.audit.rows, found.value) == (500, found.audit.value)
    assert found.profile is not None
    assert found.profile.low > labels.mean()
    rows = model.rows(target, found)
    assert rows["probability"].mean() == pytest.approx(found.value, abs=1e-6)


def test_a_share_may_be_given() -> None:
    rng = np.random.default_rng(7)
    human, synthetic = rng.normal(size=(1000, 4)), 1 + rng.normal(size=(1000, 4))
    model = tw.contamination.fit(human, synthetic)
    for share in (0, 0.37, 1):
        rows = model.rows(human, share)
        assert rows["probability"].mean() == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("package", [tw.contamination, tw.contamination.dataset])
def test_the_map_of_a_package_lists_its_files_from_above_to_below(package: ModuleType) -> None:
    assert package.__doc__ is not None
    listed = re.findall(r"^``(\w+)``  ", package.__doc__, re.MULTILINE)
    files = [path for path in Path(str(package.__file__)).parent.iterdir() if path.stem[0] != "_"]
    assert sorted(listed) == sorted(path.stem for path in files)
    for path in files:
        if path.suffix == ".py":
            used = re.findall(rf"\bfrom {package.__name__}\.(\w+)", path.read_text("utf-8"))
            assert all(listed.index(each) > listed.index(path.stem) for each in used), path.stem

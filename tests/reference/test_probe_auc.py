"""The area of a linear probe: scikit-learn's pipeline by folds, and pairs counted one by one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tailwatch as tw
from tailwatch.comparison.questions import READ
from tailwatch.metrics.embeddings.directions import Area
from tailwatch.metrics.embeddings.probe import content_folds, even_bounds
from tests.support import samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

CASES = {
    "moved": (samples.gaussian(1, 400, 6), samples.gaussian(2, 300, 6) + 0.3),
    "equal": (samples.gaussian(3, 300, 20), samples.gaussian(4, 300, 20)),
    "tied": (samples.lattice(5, 250, 3, side=3), samples.lattice(6, 350, 3, side=3)),
    "scaled": (
        samples.gaussian(7, 200, 4) * [1, 1e6, 1e-6, 1],
        (samples.gaussian(8, 200, 4) + 0.5) * [1, 1e6, 1e-6, 1],
    ),
}


def folds_of(x: Matrix, y: Matrix) -> list[tuple[Matrix, Matrix]]:
    """Held-out scores of both samples, fold by fold."""
    bounds = even_bounds(5)
    of_x, of_y = content_folds(x, bounds), content_folds(y, bounds)
    rows, folds = np.concatenate([x, y]), np.concatenate([of_x, of_y])
    labels = np.repeat([0, 1], [len(x), len(y)])
    scores = []
    for fold in range(5):
        held = folds == fold
        model = make_pipeline(
            StandardScaler(),
            LogisticRegression(C=10 / x.shape[1], class_weight="balanced", tol=1e-8, max_iter=5000),
        )
        model.fit(rows[~held], labels[~held])
        found = model.decision_function(rows)
        scores.append((found[held & (labels == 0)], found[held & (labels == 1)]))
    return [pair for pair in scores if min(map(len, pair))]


@pytest.mark.parametrize("name", ["moved", "equal", "scaled"])
def test_is_the_mean_area_of_the_folds_over_their_pairs(name: str) -> None:
    x, y = CASES[name]
    areas, pairs, counted = [], [], 0.0
    for a, b in folds_of(x, y):
        labels = np.repeat([0, 1], [len(a), len(b)])
        areas.append(roc_auc_score(labels, np.concatenate([a, b])))
        pairs.append(len(a) * len(b))
        above = b[:, None] - a
        counted += float((above > 0).sum() + 0.5 * (above == 0).sum())
    found = tw.metrics.probe_auc(x, y)
    # The optimum is found to some digits: a few pairs of equal scores may change places.
    assert found.value == pytest.approx(np.average(areas, weights=pairs), abs=2e-3)
    assert found.value == pytest.approx(counted / sum(pairs), abs=2e-3)
    assert found.low <= found.value <= found.high


def test_the_null_variance_is_that_of_all_ways_to_label_the_rows() -> None:
    from tailwatch.metrics.embeddings.directions import _area, _null_variance

    scores = np.array([0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 3.0, 5.0])
    areas = []
    for chosen in itertools.combinations(range(8), 3):
        is_y = np.isin(np.arange(8), chosen)
        areas.append(_area(scores[~is_y], scores[is_y])[0])
    assert np.mean(areas) == pytest.approx(0.5)
    assert _null_variance(scores[:5], scores[5:]) == pytest.approx(np.var(areas))


def test_delongs_variance_is_that_of_placements() -> None:
    from tailwatch.metrics.embeddings.directions import _area

    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 9, 40).astype(float), rng.integers(3, 12, 30).astype(float)
    above = (y[:, None] > x) + 0.5 * (y[:, None] == x)
    area, variance = _area(x, y)
    assert area == pytest.approx(above.mean())
    assert area == pytest.approx(roc_auc_score(np.repeat([0, 1], [40, 30]), np.r_[x, y]))
    expected = above.mean(axis=1).var(ddof=1) / 30 + above.mean(axis=0).var(ddof=1) / 40
    assert variance == pytest.approx(expected)


def test_samples_that_change_places_have_the_same_area() -> None:
    x, y = CASES["moved"]
    there, back = tw.metrics.probe_auc(x, y), tw.metrics.probe_auc(y, x)
    assert back.value == pytest.approx(there.value, abs=2e-3)


def test_what_is_told_apart_altogether_has_an_area_of_one() -> None:
    x, y = samples.gaussian(1, 200, 4), samples.gaussian(2, 200, 4) + 50
    found = tw.metrics.probe_auc(x, y)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.96 < found.low < 1
    assert found.p_value < 1e-6


def test_rows_of_a_constant_tell_nothing() -> None:
    rows = np.ones((200, 2))
    rows[:100] = 2
    rng = np.random.default_rng(0)
    found = tw.compare(rng.permutation(rows), rng.permutation(rows), metrics=["probe_auc"])
    (row,) = found.frame.to_dicts()
    assert row["null"] == 0.5
    assert row["p_value"] is None or row["p_value"] > 0.05


def test_copies_of_reference_rows_are_not_told_apart_by_a_probe_that_has_seen_them() -> None:
    x = samples.gaussian(9, 400, 30)
    found = tw.metrics.probe_auc(x, x)
    # Each row stands beside itself in its fold.
    assert found.value == pytest.approx(0.5, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [1, 8, 64])
def test_equal_samples_are_told_apart_as_often_as_is_said(columns: int) -> None:
    # Pairs of 150 rows, z ≤ 4 of a standard deviation and of a share.
    pairs = 300 if columns < 64 else 100
    found = []
    for seed in range(pairs):
        rng = np.random.default_rng([seed, columns, 77])
        found.append(tw.metrics.probe_auc(*rng.normal(size=(2, 150, columns))))
    away = np.array([(one.value - 0.5) / one.null_error for one in found])
    assert abs(away.mean()) < 4 * away.std() / pairs**0.5
    assert abs(away.std() - 1) < 4 / (2 * pairs) ** 0.5
    share = np.mean([one.p_value <= 0.05 for one in found])
    assert share < 0.05 + 4 * (0.05 * 0.95 / pairs) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "shift"), [(8, 0.3), (8, 1.0), (64, 2.0)])
def test_intervals_hold_the_area_of_the_probes(columns: int, shift: float) -> None:
    # The area of a direction w of normal rows that are moved by δ is Φ(w·δ/√2|w|). Of pairs of
    # 200 rows, z ≤ 4.
    from tailwatch.metrics.embeddings.probe import TrainingRows, fit_probe

    pairs, held = 200 if columns < 64 else 60, 0
    bounds = even_bounds(5)
    for seed in range(pairs):
        rng = np.random.default_rng([seed, columns, 78])
        x, y = rng.normal(size=(2, 200, columns))
        y[:, 0] += shift
        sides = [TrainingRows(rows, content_folds(rows, bounds), "rows") for rows in (x, y)]
        weights = fit_probe(sides[0], sides[1], bounds, lambda *_: None).weights
        cosines = weights[:, 0] / np.linalg.norm(weights, axis=1)
        expected = norm.cdf(cosines * shift / 2**0.5).mean()
        found = tw.metrics.probe_auc(x, y)
        held += found.low <= expected <= found.high
    assert held / pairs > 0.95 - 4 * (0.05 * 0.95 / pairs) ** 0.5


def test_an_area_beside_moved_decides_nothing() -> None:
    x, y = samples.gaussian(1, 600, 8), samples.gaussian(2, 600, 8)
    y[:, 0] += 0.5
    without = tw.compare(x, y, metrics=READ, threads=1)
    found = tw.compare(x, y, metrics=[*READ, "probe_auc"], threads=1)
    moved = next(one for one in found.findings if one.name == "moved")
    assert moved.auc is not None
    alone = tw.metrics.probe_auc(x, y)
    assert moved.auc == pytest.approx((alone.value, alone.low, alone.high))
    states = [
        [(one.name, one.state, one.q_value) for one in each.findings] for each in (without, found)
    ]
    assert states[0] == states[1]
    assert f"A classifier tells them apart with AUC {alone.value:.2f} [" in found.sentence
    assert "AUC" not in without.sentence
    assert "AUC" in found.to_html()


def test_an_area_has_bounds_that_are_areas() -> None:
    for value in (0.5, 0.9, 0.999, 1.0):
        low, high = Area(value, 0.03, 0.03, 100).interval(0.95)
        assert 0 < low < value <= high <= 1

"""Rows between modes: found where modes are, counted where they are entangled."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_score

from tailwatch.metrics.embeddings.modes import silhouette
from tailwatch.recursion.measure.vectors import Modes

CENTRES = 8 * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


def clusters(seed: int, rows: int = 600, spread: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return CENTRES[rng.integers(3, size=rows)] + spread * rng.normal(size=(rows, 2))


def of(a: np.ndarray, b: np.ndarray) -> Modes | None:
    return Modes.of(a, b, seed=0, settings={"threads": 1, "progress": None})


def row(a: np.ndarray, b: np.ndarray, samples: np.ndarray) -> dict[str, float]:
    modes = of(a, b)
    assert modes is not None
    return modes.row(samples, 0.95)


def test_modes_are_found() -> None:
    modes = of(clusters(0), clusters(1))
    assert modes is not None
    found = modes.centres[np.lexsort(modes.centres.round().T)]
    expected = CENTRES[np.lexsort(CENTRES.T)]
    assert np.abs(found - expected).max() < 0.3


def test_one_cloud_has_no_modes() -> None:
    cloud = np.random.default_rng(0).normal(size=(600, 4))
    assert of(cloud, cloud) is None
    assert of(np.ones((200, 2)), np.ones((200, 2))) is None


def test_fresh_rows_are_between_as_often_as_the_level_says() -> None:
    found = row(*(clusters(seed) for seed in (1, 2, 3)))
    # 5 % of A by definition; of B and C within four standard errors of that, A's own error too.
    for share in (found["value"], found["null"]):
        assert abs(share - 0.05) < 4 * np.sqrt(2 * 0.05 * 0.95 / 600)
    assert found["low"] < found["value"] < found["high"]
    assert found["retention_low"] < 1 < found["retention_high"]


def test_entangled_modes_have_more() -> None:
    a, b = clusters(1), clusters(2)
    wide = row(a, b, clusters(3, spread=2.5))
    assert wide["retention_low"] > 2
    assert row(a, b, clusters(3, spread=0.3))["value"] == 0.0


def test_the_middle_of_two_centres_is_between() -> None:
    middle = np.tile((CENTRES[0] + CENTRES[1]) / 2, (600, 1))
    assert row(clusters(1), clusters(2), middle)["value"] == 1.0


def test_the_silhouette_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    for rows, k in ((40, 2), (60, 5), (30, 29)):
        data, labels = rng.normal(size=(rows, 3)), rng.integers(k, size=rows)
        labels[:k] = np.arange(k)
        expected = silhouette_score(data, labels)
        assert abs(silhouette(cdist(data, data), labels) - expected) < 1e-12

"""Rows between modes: found where modes are, counted where they are entangled."""

from __future__ import annotations

import numpy as np

from tailwatch.recursion.panels.modes import compare_modes, human_modes

CENTRES = 8 * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


def clusters(seed: int, rows: int = 600, spread: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return CENTRES[rng.integers(3, size=rows)] + spread * rng.normal(size=(rows, 2))


def test_modes_are_found() -> None:
    modes = human_modes(clusters(0), 0)
    assert modes is not None
    found = modes.centres[np.lexsort(modes.centres.round().T)]
    expected = CENTRES[np.lexsort(CENTRES.T)]
    assert np.abs(found - expected).max() < 0.3


def test_one_cloud_has_no_modes() -> None:
    assert human_modes(np.random.default_rng(0).normal(size=(600, 4)), 0) is None
    assert human_modes(np.ones((200, 2)), 0) is None


def test_fresh_rows_are_between_as_often_as_the_level_says() -> None:
    a, b, c = (clusters(seed) for seed in (1, 2, 3))
    (row,) = compare_modes((a, b, c), seed=0, confidence=0.95)
    # 5 % of A by definition; of B and C within four standard errors of that, A's own error too.
    for share in (row["value"], row["null"]):
        assert abs(share - 0.05) < 4 * np.sqrt(2 * 0.05 * 0.95 / 600)
    assert row["low"] < row["value"] < row["high"]
    assert row["retention_low"] < 1 < row["retention_high"]


def test_entangled_modes_have_more() -> None:
    a, b = clusters(1), clusters(2)
    (wide,) = compare_modes((a, b, clusters(3, spread=2.5)), seed=0, confidence=0.95)
    assert wide["retention_low"] > 2
    (narrow,) = compare_modes((a, b, clusters(3, spread=0.3)), seed=0, confidence=0.95)
    assert narrow["value"] == 0.0


def test_the_middle_of_two_centres_is_between() -> None:
    a, b = clusters(1), clusters(2)
    middle = np.tile((CENTRES[0] + CENTRES[1]) / 2, (600, 1))
    (row,) = compare_modes((a, b, middle), seed=0, confidence=0.95)
    assert row["value"] == 1.0


def test_without_modes_there_is_no_row() -> None:
    clouds = np.random.default_rng(0).normal(size=(3, 600, 4))
    assert compare_modes((clouds[0], clouds[1], clouds[2]), seed=0, confidence=0.95) == []

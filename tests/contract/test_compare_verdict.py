"""What is said first of candidates whose fate is known, over sizes, columns and seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.comparison.questions import READ

if TYPE_CHECKING:
    from collections.abc import Callable

    Rows = np.ndarray
    Change = Callable[[np.random.Generator, Rows, Rows], Rows]


def stretched(rng: np.random.Generator, _human: Rows, fresh: Rows) -> Rows:
    """As another encoder would have them: rotated, and stretched along its axes."""
    columns = fresh.shape[1]
    rotation, _ = np.linalg.qr(rng.normal(size=(columns, columns)))
    return (fresh * np.linspace(0.5, 6, columns)) @ rotation


def with_junk(rng: np.random.Generator, _human: Rows, fresh: Rows) -> Rows:
    fresh[: int(0.3 * len(fresh))] = 12 * rng.normal(size=(int(0.3 * len(fresh)), fresh.shape[1]))
    return fresh


def half_copied(rng: np.random.Generator, human: Rows, fresh: Rows) -> Rows:
    fresh[: len(fresh) // 2] = human[rng.permutation(len(human))[: len(fresh) // 2]]
    return fresh


def one_column_moved(_rng: np.random.Generator, _human: Rows, fresh: Rows) -> Rows:
    fresh[:, 0] += 1
    return fresh


ELSEWHERE = "The candidate is not in the same place as the human data"
CHANGES: dict[str, tuple[Change, str]] = {
    "moved away": (lambda _rng, _human, fresh: fresh + 20, ELSEWHERE),
    "another encoder": (stretched, ELSEWHERE),
    "30 % junk": (with_junk, "About "),
    "one column moved": (one_column_moved, "The candidate has moved"),
    "exact copies": (lambda _rng, human, _fresh: human.copy(), "All candidate rows are copies"),
    "half copies": (half_copied, "50 % ["),
    "half the deviation": (lambda _rng, _human, fresh: 0.5 * fresh, "Tails were lost"),
}
SEEDS = 20
CELLS = [
    pytest.param(n, d, marks=[] if (n, d) == (300, 8) else pytest.mark.slow)
    for n in (300, 1_000, 10_000)
    for d in (8, 64, 768)
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("n", "d"), CELLS)
def test_what_happened_is_said_first(n: int, d: int, change: str) -> None:
    act, start = CHANGES[change]
    seeds = 5 if (n, d) == (300, 8) else SEEDS
    wrong = []
    for seed in range(seeds):
        rng = np.random.default_rng([seed, n, d])
        human, fresh = rng.normal(size=(2, n, d)).astype(np.float32)
        found = tw.compare(human, act(rng, human, fresh).astype(np.float32), metrics=READ)
        if not found.sentence.startswith(start):
            wrong.append((seed, found.sentence))
    assert wrong == []


def test_human_outliers_hide_nothing() -> None:
    # 5 % of the human rows are far out, and the candidate is junk altogether.
    rng = np.random.default_rng(1)
    human, fresh = rng.normal(size=(2, 1000, 32))
    human[:50] *= 10
    found = tw.compare(human, 30 + fresh, metrics=READ)
    assert found.sentence.startswith(ELSEWHERE)

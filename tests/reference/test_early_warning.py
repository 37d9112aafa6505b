"""The alarm on whole loops: silent where a learner is sound, early where a loop loses its spread.

A small version of `benches/early_warning.py`, whose numbers docs/calibration/early-warning.md has.
"""

from __future__ import annotations

from functools import partial

import pytest

from benches.early_warning import fresh, human_only, replace, rounded, verdict_since
from tailwatch.recursion.verdicts import first_alarm, late_collapse

FIRST_SEED = 50_000


@pytest.mark.parametrize("learner", [fresh, partial(fresh, draw=rounded), human_only])
def test_sound_learners_do_not_ring(learner: partial[object]) -> None:
    # 3 runs of 12 generations of 100 rows, at 5 % of all runs: one may ring, two do with 0.7 %.
    frames = [learner(FIRST_SEED + run, rows=100, length=12) for run in range(3)]
    assert sum(first_alarm(frame) is not None for frame in frames) <= 1  # type: ignore[arg-type]


def test_a_loop_that_loses_its_spread_rings_before_it_is_judged() -> None:
    # 300 rows, 16 generations, 3 runs: the verdict is asked after each generation, without paying.
    frames = [replace(FIRST_SEED + run, rows=300, length=16) for run in range(3)]
    rang = [first_alarm(frame) for frame in frames]
    assert all(found is not None for found in rang)
    at = [found.generation for found in rang if found is not None]
    judged = [verdict_since(frame) or 17 for frame in frames]
    assert sum(at) < sum(judged)
    for frame, generation in zip(frames, at, strict=True):
        onset = late_collapse(frame)
        assert onset is None or onset.generation > generation


@pytest.mark.slow
def test_two_hundred_sound_runs_of_fifty_generations() -> None:
    # 5 % of 200 runs are 10; on seeds on which nothing was chosen.
    rang = sum(first_alarm(fresh(FIRST_SEED + run)) is not None for run in range(200))
    assert rang <= 10

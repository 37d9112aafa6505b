"""Verdicts on whole loops: silent where nothing happened, certain where a loop collapses.

Minutes long; `benches/verdict_calibration.py` has more scenarios and writes
docs/calibration/verdicts.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benches import simulated_runs as scenarios
from tailwatch.recursion.verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

pytestmark = pytest.mark.slow

FIRST_SEED = 50_000


def holding(scenario: Callable[[int], pl.DataFrame], runs: int) -> list[set[str]]:
    """Definitions that hold in each of so many runs."""
    verdicts = [judge(scenario(FIRST_SEED + number)) for number in range(runs)]
    return [set(found.filter(status="holds")["definition"]) for found in verdicts]


def test_fresh_human_rows_show_no_collapse() -> None:
    # 200 runs of four kinds, seeds from 50,000: at most 5 % of them, 10, may show any definition.
    kinds = (
        scenarios.fresh_gaussian,
        scenarios.fresh_few_rows,
        scenarios.fresh_types,
        scenarios.fresh_clusters,
    )
    found = [held for kind in kinds for held in holding(kind, 50)]
    assert len(found) == 200
    assert sum(map(bool, found)) <= 10


def test_a_hundred_rows_for_fifty_generations_collapse() -> None:
    # A Gaussian under replace, M = 100, 50 generations, 40 runs, seeds from 50,000: 95 % are 38.
    found = holding(scenarios.replace_gaussian, 40)
    both = {"collapsing variance", "disappearance of real tails"}
    assert sum(both <= held for held in found) >= 38

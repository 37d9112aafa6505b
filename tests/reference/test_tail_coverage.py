"""Tail coverage: the four columns, exactly as the definition reads."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tests.support import oracle, samples

LEVELS = (0.10, 0.05, 0.01)

CASES = {
    "gaussian": (samples.gaussian(1, 400, 8), samples.gaussian(2, 300, 8)),
    "shrunk": (samples.gaussian(3, 500, 16), samples.gaussian(4, 500, 16, scale=0.8)),
    "student": (samples.student(5, 333, 4), samples.student(6, 401, 4)),
    "clusters": (samples.clusters(7, 600, 24), samples.clusters(8, 450, 24, centres=5)),
    "many rows": (samples.clusters(20, 2300, 10), samples.clusters(21, 1700, 10, centres=7)),
    "copies": (samples.gaussian(9, 300, 6), samples.gaussian(9, 300, 6)[:60].repeat(5, axis=0)),
    "far away": (samples.gaussian(10, 150, 3), samples.gaussian(11, 120, 3) + 100.0),
    "ties": (samples.lattice(12, 260, 3, side=4), samples.lattice(13, 240, 3, side=4) + 1.0),
    "ties on a line": (samples.lattice(14, 100, 1, side=30), samples.lattice(15, 90, 1, side=40)),
}


@pytest.mark.parametrize("k", [1, 5, 12])
@pytest.mark.parametrize("name", CASES)
def test_equals_the_definition(name: str, k: int) -> None:
    x, y = CASES[name]
    frame = tw.metrics.tail_coverage(x, y, levels=LEVELS, k=k)
    expected = oracle.tail_coverage(x, y, LEVELS, k)
    assert frame.select("level", "rows").rows() == [(row.level, row.rows) for row in expected]
    for found, row in zip(frame.rows(named=True), expected, strict=True):
        # Rows tied at the edge count by a quotient, which sums round.
        assert found == pytest.approx(vars(row), rel=1e-13)


def test_defaults_and_schema() -> None:
    x, y = CASES["gaussian"]
    frame = tw.metrics.tail_coverage(x, y)
    assert frame.equals(tw.metrics.tail_coverage(x, y, levels=LEVELS, k=5))
    shares = dict.fromkeys(("coverage", "recall", "mass", "supported_mass"), pl.Float64)
    assert dict(frame.schema) == {"level": pl.Float64, "rows": pl.Int64, **shares}


@pytest.mark.parametrize(
    ("level", "rows", "size"), [(0.05, 1000, 50), (0.07, 100, 7), (0.29, 100, 29), (0.01, 250, 3)]
)
def test_size_of_the_tail_is_not_pushed_up_by_rounding(level: float, rows: int, size: int) -> None:
    x, y = samples.gaussian(16, rows, 2), samples.gaussian(17, 50, 2)
    frame = tw.metrics.tail_coverage(x, y, levels=(level,), k=3)
    assert frame["rows"].to_list() == [size]


def test_a_level_does_not_depend_on_the_others() -> None:
    x, y = CASES["student"]
    together = tw.metrics.tail_coverage(x, y, levels=LEVELS)
    alone = pl.concat([tw.metrics.tail_coverage(x, y, levels=(level,)) for level in LEVELS])
    assert together.equals(alone)


def test_lost_tails_show_although_coverage_rises() -> None:
    # The reason for four columns, in isotropic 64-d: all rows near the centre are near everything.
    # n = m = 1,000; the fresh sample and the shrunk one share seed 19.
    x = samples.gaussian(18, 1000, 64)
    fresh = tw.metrics.tail_coverage(x, samples.gaussian(19, 1000, 64), levels=(0.05,))
    shrunk = tw.metrics.tail_coverage(x, samples.gaussian(19, 1000, 64, scale=0.8), levels=(0.05,))
    assert shrunk["coverage"].item() >= fresh["coverage"].item()
    assert shrunk["mass"].item() == 0.0
    # Four binomial errors of 1,000 rows at 5 %, and the reference's own error beside it.
    assert fresh["mass"].item() == pytest.approx(0.05, abs=4.0 * np.sqrt(2 * 0.05 * 0.95 / 1000))

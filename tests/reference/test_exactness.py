"""Neighbours and counts equal brute force to the bit, on data that try the filter."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.trials import COLUMNS, KINDS, Trial, mismatches

# What a width changes is the same for all kinds: these meet every width, each of the others one in
# three of the narrow ones, and test_anything draws from all.
EVERY_WIDTH = ("gaussian", "lattice")
CASES = [
    (kind, columns)
    for number, kind in enumerate(KINDS)
    for place, columns in enumerate(COLUMNS)
    if kind in EVERY_WIDTH or (columns < 500 and place % 3 == number % 3)
]


@pytest.mark.parametrize(("kind", "columns"), CASES)
def test_kinds_and_widths(kind: str, columns: int) -> None:
    # Two blocks of 192 rows and a bit; fewer where brute force takes long.
    rows, others = (401, 205) if columns < 500 else (131, 41)
    trial = Trial(kind, rows, others, columns, 5, "float64", seed=columns)
    assert mismatches(trial) == []


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("kind", ["gaussian", "sparse", "copies", "lattice"])
def test_narrow_types(kind: str, dtype: str) -> None:
    assert mismatches(Trial(kind, 390, 211, 48, 5, dtype, seed=1)) == []


@pytest.mark.parametrize("kind", ["gaussian", "clusters", "copies", "lattice"])
@pytest.mark.parametrize("k", [1, 60, 200])
def test_lists_of_any_length(kind: str, k: int) -> None:
    assert mismatches(Trial(kind, 260, 201, 33, k, "float64", seed=2)) == []


@settings(max_examples=25)
@given(
    kind=st.sampled_from(list(KINDS)),
    rows=st.integers(2, 420),
    others=st.integers(2, 420),
    columns=st.integers(1, 80),
    k=st.integers(1, 200),
    threads=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_anything(
    kind: str, rows: int, others: int, columns: int, k: int, threads: int, seed: int
) -> None:
    trial = Trial(kind, rows, others, columns, min(k, rows - 1, others - 1), "float64", seed)
    assert mismatches(trial, threads=threads) == []

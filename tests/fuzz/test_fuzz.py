"""Some altered files of each format, and of our own: no death, no foreign error."""

from __future__ import annotations

import pytest

from tests.fuzz.corpus import FORMATS
from tests.fuzz.harness import fuzz
from tests.fuzz.targets import DATA_TARGETS

SEED = 2
CASES = {"npy": 24, "npz": 20, "parquet": 14, "arrow": 14, "arrows": 14}


@pytest.mark.parametrize("kind", FORMATS)
def test_altered_files_are_accepted_or_refused(kind: str) -> None:
    targets = [name for name in DATA_TARGETS if name != "score"]
    found = fuzz(kind, targets, seed=SEED, cases=CASES[kind])
    assert not found.problems
    assert found.accepted > CASES[kind] / 10
    assert found.refused > CASES[kind] / 10


@pytest.mark.parametrize("kind", ["parquet", pytest.param("arrow", marks=pytest.mark.slow)])
def test_altered_files_without_pyarrow(kind: str) -> None:
    found = fuzz(kind, ["open"], seed=SEED, first=1000, cases=12, pyarrow=False)
    assert not found.problems


@pytest.mark.parametrize("kind", ["parquet", pytest.param("npy", marks=pytest.mark.slow)])
def test_altered_shards_are_scored_or_named(kind: str) -> None:
    assert not fuzz(kind, ["score"], seed=SEED, first=2000, cases=8).problems


@pytest.mark.parametrize(
    "kind",
    [
        "pack.json",
        "model",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("result", "toml")),
    ],
)
def test_altered_files_of_ours_are_accepted_or_refused(kind: str) -> None:
    assert not fuzz(kind, ["load"], seed=SEED, cases=16).problems

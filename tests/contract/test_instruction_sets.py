"""The same bits on every instruction set of this processor, whatever the threads and the chunks."""

from __future__ import annotations

import numpy as np
import pytest

import tailwatch as tw
from tailwatch import _core
from tailwatch.exceptions import InputError
from tests.support import samples
from tests.support.calls import CALLS, bits
from tests.support.errors import refused
from tests.support.trials import in_pieces

SETS = dict(_core.instruction_sets())
AVAILABLE = [name for name, there in SETS.items() if there]
NEIGHBOURS = (
    "nearest_neighbors",
    "prdc",
    "clipped_density",
    "clipped_coverage",
    "copies",
    "tail_coverage",
    "tail_test",
    "mode_coverage",
    "mauve",
    "authenticity",
    "intrinsic_dimension",
    "knn_divergence",
    "knn_entropy",
    "knn_jensen_shannon",
)
EXACT = (*NEIGHBOURS, "contamination")

X = samples.clusters(1, 501, 40).astype(np.float32)
Y = samples.clusters(2, 403, 40, centres=6).astype(np.float32)


@pytest.fixture(scope="module")
def portable() -> dict[str, object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAILWATCH_ISA", "portable")
        return {name: bits(CALLS[name](X, Y, threads=1)) for name in EXACT}


@pytest.mark.parametrize("isa", AVAILABLE)
@pytest.mark.parametrize("name", EXACT)
def test_bits(
    name: str, isa: str, portable: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Chunks of the two sides that fit neither each other nor a block of 192 rows; threads and
    # chunks by themselves are test_determinism's.
    monkeypatch.setenv("TAILWATCH_ISA", isa)
    x, y = (in_pieces(rows, count) for rows, count in ((X, 3), (Y, 7)))
    assert bits(CALLS[name](x, y, threads=3)) == portable[name]


def test_at_least_one_is_there_and_not_all() -> None:
    assert "portable" in AVAILABLE
    # No processor is both x86-64 and ARM.
    assert len(AVAILABLE) < len(SETS)


@pytest.mark.parametrize("name", [name for name, there in SETS.items() if not there])
def test_an_absent_one_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILWATCH_ISA", name)
    with refused(InputError, "TAILWATCH_ISA", got=repr(name)):
        tw.metrics.nearest_neighbors(X[:2], X, k=1)


def test_an_unknown_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILWATCH_ISA", "sse9")
    with refused(InputError, "TAILWATCH_ISA", f"one of {', '.join(AVAILABLE)}", "'sse9'"):
        tw.metrics.nearest_neighbors(X[:2], X, k=1)

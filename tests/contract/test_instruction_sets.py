"""The same bits on every instruction set that this processor has; clear words about the others."""

from __future__ import annotations

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError
from tests.contract.test_determinism import CALLS, bits
from tests.reference import samples

NAMES = ("portable", "avx2", "avxvnni", "avx512", "neon")
NEIGHBOURS = ("nearest_neighbors", "prdc", "tail_coverage", "tail_test", "mode_coverage")

X = samples.clusters(1, 501, 40).astype(np.float32)
Y = samples.clusters(2, 403, 40, centres=6).astype(np.float32)


def is_available(name: str) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAILWATCH_ISA", name)
        try:
            tw.metrics.nearest_neighbors(X[:2], X, k=1)
        except InputError as error:
            assert str(error) == f"TAILWATCH_ISA: this processor has no {name}"  # noqa: PT017
            return False
    return True


AVAILABLE = [name for name in NAMES if is_available(name)]


@pytest.fixture(scope="module")
def portable() -> dict[str, object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAILWATCH_ISA", "portable")
        return {name: bits(CALLS[name](X, Y, threads=1)) for name in NEIGHBOURS}


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("isa", AVAILABLE)
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_bits(
    name: str,
    isa: str,
    threads: int,
    portable: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAILWATCH_ISA", isa)
    assert bits(CALLS[name](X, Y, threads=threads)) == portable[name]


def test_at_least_one_is_there_and_not_all() -> None:
    assert "portable" in AVAILABLE
    # No processor is both x86-64 and ARM.
    assert len(AVAILABLE) < len(NAMES)


def test_an_unknown_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILWATCH_ISA", "sse9")
    expected = (
        "TAILWATCH_ISA: unknown instruction set 'sse9': expected one of portable, avx2, avxvnni, "
        "avx512, neon"
    )
    with pytest.raises(InputError) as raised:
        tw.metrics.nearest_neighbors(X[:2], X, k=1)
    assert str(raised.value) == expected

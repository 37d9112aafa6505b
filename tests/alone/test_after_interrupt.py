"""An interrupted call leaves nothing behind that the next one would have to wait for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tailwatch as tw

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, COLUMNS = 1700, 1600
"""Enough columns for an eigendecomposition that cannot be interrupted to take long."""


def test_the_next_call_does_not_wait_for_abandoned_algebra() -> None:
    data = np.random.default_rng(0).normal(size=(ROWS, COLUMNS))
    begun = time.perf_counter()
    tw.metrics.directional_tails(data, data, directions=2, threads=1)
    whole = time.perf_counter() - begun

    def stop(stage: str, done: int, total: int) -> None:
        # All moments are in: what runs now is the eigendecomposition.
        if stage == "principal axes" and done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tw.metrics.directional_tails(data, data, directions=2, threads=1, progress=stop)
    begun = time.perf_counter()
    tw.metrics.nearest_neighbors(data[:9, :4], data[:9, :4], k=1, threads=1)
    # The abandoned work would still hold the only thread for most of the first call's time.
    assert time.perf_counter() - begun < whole / 2


LONG: dict[str, Callable[..., object]] = {
    "authenticity": tw.metrics.authenticity,
    "intrinsic_dimension": lambda x, _, **how: tw.metrics.intrinsic_dimension(x, **how),
    "knn_divergence": tw.metrics.knn_divergence,
    "knn_jensen_shannon": tw.metrics.knn_jensen_shannon,
    "vendi_score": lambda x, _, **how: tw.metrics.vendi_score(x, **how),
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_metric_stops_midway(name: str) -> None:
    # Vendi's work grows with the square of the columns, that of the others with that of the rows.
    # A fast machine must not be done before progress is looked at, which is twenty times a second.
    shape = (40_000, 1200) if name == "vendi_score" else (80_000, 64)
    random = np.random.default_rng(0)
    x = random.standard_normal(shape, dtype=np.float32)
    y = x if name == "vendi_score" else random.standard_normal(shape, dtype=np.float32)
    stopped_at: list[float] = []

    def stop(stage: str, done: int, total: int) -> None:
        if 0 < done < total:
            stopped_at.append(done / total)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LONG[name](x, y, threads=1, progress=stop)
    # Nothing is reported after the interrupt.
    assert len(stopped_at) == 1

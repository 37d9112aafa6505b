"""An interrupted call leaves nothing behind that the next one would have to wait for."""

from __future__ import annotations

import time

import numpy as np
import pytest

import tailwatch as tw

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

"""A long metric stops at once when its caller wants it to, in whichever stage it is."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tailwatch as tw
from tests.support import samples

if TYPE_CHECKING:
    from collections.abc import Callable

metrics = tw.metrics
ROWS = samples.gaussian(1, 8000, 192), samples.gaussian(2, 8000, 192)
WIDE = samples.gaussian(3, 3000, 700), samples.gaussian(4, 3000, 700)


def score_dataset(**how: Any) -> None:  # noqa: ANN401
    """A job long enough to be stopped in each of its stages."""
    with tempfile.TemporaryDirectory() as folder:
        rows, _ = WIDE
        model = tw.contamination.fit(rows, rows + 0.1, threads=1)
        for part in range(3):
            np.save(f"{folder}/{part}.npy", rows[part::3])
        model.score_dataset(f"{folder}/*.npy", f"{folder}/out", **how)


STAGES: dict[str, Callable[..., object]] = {
    "projections": lambda **how: metrics.sliced_wasserstein(*ROWS, projections=4096, **how),
    "k-means seeds": lambda **how: metrics.mauve(*ROWS, **how),
    "k-means": lambda **how: metrics.mauve(*ROWS, **how),
    "kernels": lambda **how: metrics.mmd_test(*WIDE, bandwidth=30.0, **how),
    "Fréchet distances": lambda **how: metrics.frechet_distance_extrapolated(*WIDE, **how),
    "probe": lambda **how: tw.contamination.fit(*ROWS, **how),
    "scores": lambda **how: tw.contamination.fit(*ROWS, **how),
    "opening shards": score_dataset,
    "scoring rows": score_dataset,
    "writing rows": score_dataset,
    "comparing rows": score_dataset,
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_left_at_once(stage: str) -> None:
    raised: list[float] = []

    def stop(name: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        if name == stage:
            raised.append(time.monotonic())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        STAGES[stage](threads=1, progress=stop)
    # The promise is 0.2 s; a busy machine may take longer to run this thread at all.
    assert time.monotonic() - raised[0] < 2.0
    assert len(raised) == 1

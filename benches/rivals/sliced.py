"""Sliced 2-Wasserstein distance along 200 directions, the same for all."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from benches.rivals.task import Answer, Contender, Task, numbers
from benches.samples import Pair, Size

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIRECTIONS = 200


@lru_cache(maxsize=1)
def directions(columns: int) -> NDArray[np.float64]:
    """Draw the unit vectors, one per row."""
    drawn = np.random.default_rng(1).normal(size=(DIRECTIONS, columns))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def tailwatch(pair: Pair) -> Answer:
    import tailwatch as tw
    from tailwatch import _core

    handles = [tw.open(sample).handle() for sample in pair]
    settings = {"threads": None, "progress": None}
    vectors = directions(pair.reference.shape[1])
    return numbers(_core.sliced_wasserstein(*handles, vectors, 2.0, settings))


def pot(pair: Pair) -> Answer:
    import ot

    vectors = directions(pair.reference.shape[1]).T.astype(np.float32)
    found = ot.sliced_wasserstein_distance(*pair, p=2, projections=vectors)
    return numbers(float(found))


def numpy_sorted(pair: Pair, dtype: type = np.float64) -> Answer:
    """Project and sort, for samples of one size."""
    vectors = directions(pair.reference.shape[1]).astype(dtype)
    lines = []
    for sample in pair:
        projected = vectors @ sample.T.astype(dtype, copy=False)
        projected.sort(axis=1)
        lines.append(projected)
    first, second = lines
    first -= second
    return numbers(float(np.sqrt(np.square(first, out=first).mean(dtype=np.float64))))


def numpy_float32(pair: Pair) -> Answer:
    return numpy_sorted(pair, np.float32)


def difference(_: Pair, ours: Answer, theirs: Answer) -> tuple[float, str]:
    """Return the relative difference."""
    a, b = float(ours[0][0]), float(theirs[0][0])
    apart = abs(a - b) / abs(a)
    return apart, f"{a:.8g} and {b:.8g} differ by {apart:.1e}"


TASK = Task(
    name="sliced_wasserstein",
    title=f"sliced Wasserstein distance, {DIRECTIONS} directions",
    ours=Contender(name="tailwatch", package="tailwatch", call=tailwatch, rate=12),
    peers=(
        Contender(
            name="POT",
            package="POT",
            call=pot,
            # Its quantile levels are sums of 1/n in float32.
            tolerance=2e-3,
            to_reach={100_000: 20},
            rate=0.5,
        ),
        Contender(
            name="NumPy project + sort",
            package="numpy",
            call=numpy_sorted,
            tolerance=1e-12,
            to_reach={100_000: 1},
            rate=6,
        ),
        Contender(
            name="NumPy project + sort, float32",
            package="numpy",
            call=numpy_float32,
            tolerance=1e-5,
            rate=8,
        ),
    ),
    smoke=(Size(1_000, 64),),
    full=(Size(100_000, 64),),
    operations=lambda size: 2 * 2 * DIRECTIONS * size.rows * size.columns,
    difference=difference,
)

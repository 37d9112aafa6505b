"""Vendi score through the Gram matrix of the columns, which is the smaller one at these sizes.

vendi-score takes arrays as they are: float32 rows make a float32 matrix and float32 eigenvalues,
float64 rows the digits that we give. Both are raced; ours reads float32 and computes in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benches.rivals.task import Answer, Contender, Task, numbers
from benches.samples import Pair, Size

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ours(pair: Pair) -> Answer:
    import tailwatch as tw

    return numbers(tw.metrics.vendi_score(pair.reference))


def reference_of(pair: Pair) -> NDArray[np.float32]:
    return pair.reference


def as_float64(pair: Pair) -> NDArray[np.float64]:
    return pair.reference.astype(np.float64)


def dual(rows: NDArray[np.floating]) -> Answer:
    from vendi_score import vendi

    return numbers(vendi.score_dual(rows))


def difference(_: Pair, ours: Answer, theirs: Answer) -> tuple[float, str]:
    """Return the relative difference."""
    a, b = float(ours[0][0]), float(theirs[0][0])
    apart = abs(a - b) / abs(a)
    return apart, f"{a:.10g} and {b:.10g} differ by {apart:.1e}"


TASK = Task(
    name="vendi",
    title="Vendi score",
    ours=Contender(name="tailwatch", package="tailwatch", call=ours, rate=60),
    peers=(
        Contender(
            name="vendi-score, dual form",
            package="vendi-score",
            call=dual,
            prepare=reference_of,
            to_reach={20_000: 1},
            # Its eigenvalues are float32.
            tolerance=1e-4,
            rate=100,
        ),
        Contender(
            name="vendi-score, dual form, float64",
            package="vendi-score",
            call=dual,
            prepare=as_float64,
            tolerance=1e-9,
            rate=60,
        ),
    ),
    smoke=(Size(2_000, 64),),
    full=(Size(20_000, 768),),
    operations=lambda size: size.rows * size.columns**2 + 4 * size.columns**3,
    difference=difference,
)

"""Vendi score through the Gram matrix of the columns, which is the smaller one at these sizes.

vendi-score takes arrays as they are: float32 rows make a float32 matrix and float32 eigenvalues,
float64 rows all digits. Both are raced, each on the same rows as ours, which multiplies float32
rows in float32, adds up in float64 and finds the eigenvalues in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benches.rivals.task import Answer, Contender, Task, numbers
from benches.samples import Pair, Size

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ours(rows: NDArray[np.floating]) -> Answer:
    import tailwatch as tw

    return numbers(tw.metrics.vendi_score(rows))


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


def operations(size: Size) -> float:
    """Return about how many operations a score is."""
    return size.rows * size.columns**2 + 4 * size.columns**3


SINGLE = Task(
    name="vendi",
    title="Vendi score",
    ours=Contender(
        name="tailwatch", package="tailwatch", call=ours, prepare=reference_of, rate=100
    ),
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
    ),
    smoke=(Size(2_000, 64),),
    full=(Size(20_000, 768),),
    operations=operations,
    difference=difference,
)

DOUBLE = Task(
    name="vendi_float64",
    title="Vendi score of float64",
    ours=Contender(name="tailwatch", package="tailwatch", call=ours, prepare=as_float64, rate=60),
    peers=(
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
    operations=operations,
    difference=difference,
)

TASKS = (SINGLE, DOUBLE)

"""W₁ of two columns of numbers: the values of both samples as float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benches.rivals.task import Answer, Contender, Task, numbers
from benches.samples import Pair, Size

if TYPE_CHECKING:
    from numpy.typing import NDArray


def columns(pair: Pair) -> tuple[NDArray[np.float64], ...]:
    """Make one column of each sample."""
    return tuple(sample.ravel().astype(np.float64) for sample in pair)


def tailwatch(pair: tuple[NDArray[np.float64], ...]) -> Answer:
    from tailwatch.metrics import univariate

    return numbers(univariate.wasserstein_distance(*pair))


def scipy(pair: tuple[NDArray[np.float64], ...]) -> Answer:
    from scipy.stats import wasserstein_distance

    return numbers(float(wasserstein_distance(*pair)))


def numpy_sorted(pair: tuple[NDArray[np.float64], ...]) -> Answer:
    first, second = (np.sort(values) for values in pair)
    first -= second
    return numbers(float(np.abs(first, out=first).mean()))


def difference(_: Pair, ours: Answer, theirs: Answer) -> tuple[float, str]:
    """Return the relative difference."""
    a, b = float(ours[0][0]), float(theirs[0][0])
    apart = abs(a - b) / abs(a)
    return apart, f"{a:.12g} and {b:.12g} differ by {apart:.1e}"


TASK = Task(
    name="wasserstein_1d",
    title="W₁ of two columns of numbers",
    ours=Contender(name="tailwatch", package="tailwatch", call=tailwatch, prepare=columns, rate=1),
    peers=(
        Contender(
            name="scipy.stats",
            package="scipy",
            call=scipy,
            prepare=columns,
            tolerance=1e-10,
            to_reach={100_000: 40},
            rate=0.03,
        ),
        Contender(
            name="NumPy sort",
            package="numpy",
            call=numpy_sorted,
            prepare=columns,
            tolerance=1e-12,
            to_reach={100_000: 1},
            rate=0.3,
        ),
    ),
    smoke=(Size(1_000, 64),),
    # Ten million numbers each.
    full=(Size(100_000, 100),),
    operations=lambda size: 2 * size.rows * size.columns * float(np.log2(size.rows * size.columns)),
    difference=difference,
)

"""Whether second moments have an error at all.

The sampling error of a covariance rests on fourth moments. Where the squared distance of a row from
the centre has a tail index of 2 or less, its variance is infinite: covariances, and all that is
made from them, follow no central limit theorem, and an interval from any resampling misses the
truth far more often than it says. The index is Hill's estimator on the 2.5 % of rows farthest from
the centre.

Hill's estimator takes a tail to be a power of the distance itself. A sum over many columns is a
power tail beyond a bulk that all rows have, and then the estimate is too high at any threshold that
a sample of this size reaches: 1.9 for 32 t₃ columns, 2.9 for t₄ ones, whose index is 2. What
decides is therefore the index of the *excess* over the median (peaks over a random threshold, PORT;
1.6 and 2.1). By it a pair of 2,000 and 1,000 rows of t₃ columns passes as light once in 10⁵ times.

References: Hill (1975), A simple general approach to inference about the tail of a distribution;
Araújo Santos, Fraga Alves and Gomes (2006), Peaks over random threshold methodology.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tailwatch import _core
from tailwatch.comparison.estimates import NoInterval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailwatch._core import Rows
    from tailwatch.progress import Settings

__all__ = ["LEAST_INDEX", "TailIndex", "tail_index", "too_heavy"]

LEAST_INDEX = 2.5
"""Below this there is no interval: 2, and some room for the error of the estimate."""

ENOUGH_ROWS = 25
"""With fewer rows in the tail, an index must be below by more than its error to count as heavy."""

CENTRE_ROWS = 1024
SHARE = 0.025

APART = 1e-6
"""Relative difference of distances below which rounding would decide about their excess."""


class TailIndex(NamedTuple):
    """Tail index of the squared distance from the centre.

    Attributes
    ----------
    of_distance
        Hill's estimate: about 3/2 for t₃ columns, 10 and more for many Gaussian ones; infinite if
        the farthest rows are equally far.
    heavy
        Whether that of the excess is too low for second moments to have an interval.
    of_excess
        Of the excess over the median: the same far out in a power tail, about 5 for many Gaussian
        columns.
    """

    of_distance: float
    heavy: bool
    of_excess: float


def tail_index(samples: Sequence[Rows], settings: Settings) -> TailIndex:
    """Estimate the tail index of the squared distance from the centre.

    Parameters
    ----------
    samples
        Samples of one distribution, their rows in random order.
    settings
        Of the core.
    """
    leading = samples[0].take(np.arange(min(samples[0].shape[0], CENTRE_ROWS)))
    centre = leading.to_numpy().astype(np.float64).mean(axis=0)
    base = _core.Rows.from_numpy([centre[np.newaxis]], "centre")
    found = [_core.nearest_neighbors(rows, base, 1, False, settings)[0] for rows in samples]  # noqa: FBT003
    distances = np.sort(np.concatenate(found)[:, 0])[::-1]
    farthest = distances[: int(SHARE * len(distances)) + 2]
    spacings = len(farthest) - 1
    if farthest[-1] == 0 or farthest[0] == farthest[-1]:
        return TailIndex(np.inf, heavy=False, of_excess=np.inf)
    median = float(np.median(distances))
    of_distance = of_excess = _hill(farthest, 0.0)
    if farthest[-1] - median > APART * farthest[-1]:
        of_excess = _hill(farthest, median)
    # Hill's estimate has a relative error of one over the root of the spacings.
    room = 1.0 if spacings >= ENOUGH_ROWS else 1 + 1.64 / spacings**0.5
    return TailIndex(of_distance, of_excess * room < LEAST_INDEX, of_excess)


def _hill(farthest: NDArray[np.float64], median: float) -> float:
    """Return Hill's estimate for squares of falling distances less that of the median."""
    # A difference of squares would overflow for distances that do not.
    logs = np.log(farthest - median) + np.log(farthest + median)
    return float(1 / (logs[:-1] - logs[-1]).mean())


def too_heavy(*samples: TailIndex) -> NoInterval | None:
    """Say why second moments of samples with these indices have no interval, if they have none."""
    index = next((each.of_excess for each in samples if each.heavy), None)
    if index is None:
        return None
    return NoInterval(
        "tails too heavy for one: squared distances from the centre exceed their median with tail "
        f"index {index:.1f}, and their variance is finite above 2 only"
    )

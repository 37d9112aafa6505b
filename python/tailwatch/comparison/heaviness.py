"""Whether second moments have an error at all.

The sampling error of a covariance rests on fourth moments. Where the squared distance of a row from
the centre has a tail index of 2 or less, its variance is infinite: covariances, and all that is
made from them, follow no central limit theorem, and an interval from any resampling misses the
truth far more often than it says. The index is Hill's estimator on the 2.5 % of rows farthest from
the centre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.comparison.estimates import NoInterval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch._core import Rows
    from tailwatch.running import Settings

__all__ = ["LEAST_INDEX", "tail_index", "too_heavy"]

LEAST_INDEX = 2.5
"""Below this there is no interval: 2, and some room for the error of the estimate."""

ENOUGH_ROWS = 25
"""With fewer rows in the tail, an index must be below by more than its error to count as heavy."""

CENTRE_ROWS = 1024
SHARE = 0.025


def tail_index(samples: Sequence[Rows], settings: Settings) -> tuple[float, bool]:
    """Estimate the tail index of the squared distance from the centre.

    Parameters
    ----------
    samples
        Samples of one distribution, their rows in random order.
    settings
        Of the core.

    Returns
    -------
    index : float
        Hill's estimate: about 3/2 for t₃ columns, 10 and more for many Gaussian ones; infinite if
        the farthest rows are equally far.
    heavy : bool
        Whether it is too low for second moments to have an interval.
    """
    leading = samples[0].take(np.arange(min(samples[0].shape[0], CENTRE_ROWS)))
    centre = leading.to_numpy().astype(np.float64).mean(axis=0)
    base = _core.Rows.from_numpy([centre[np.newaxis]], "centre")
    found = [_core.nearest_neighbors(rows, base, 1, False, settings)[0] for rows in samples]  # noqa: FBT003
    distances = np.sort(np.concatenate(found)[:, 0])[::-1]
    farthest = distances[: int(SHARE * len(distances)) + 2]
    spacings = len(farthest) - 1
    if farthest[-1] == 0 or farthest[0] == farthest[-1]:
        return np.inf, False
    index = float(1 / (2 * np.log(farthest[:-1] / farthest[-1]).mean()))
    # Hill's estimate has a relative error of one over the root of the spacings.
    room = 1.0 if spacings >= ENOUGH_ROWS else 1 + 1.64 / spacings**0.5
    return index, index * room < LEAST_INDEX


def too_heavy(samples: tuple[Rows, Rows, Rows], settings: Settings) -> NoInterval | None:
    """Say why second moments have no interval, if they have none."""
    a, b, c = samples
    indices = (tail_index([a, b], settings), tail_index([c], settings))
    index = next((index for index, heavy in indices if heavy), None)
    if index is None:
        return None
    return NoInterval(
        f"tails too heavy for one: squared distances from the centre have tail index {index:.1f}, "
        "and their variance is finite above 2 only"
    )

"""What a benchmark costs at a size: decides which cells of the ladder are climbed.

Operations are multiplications with their additions, of the leading term alone; the point is to tell
seconds from hours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from benches.samples import Size

DIRECTIONS = 256


def products(count: float) -> Callable[[Size], float]:
    """Return the work of measuring all pairs of two samples `count` times."""
    return lambda size: count * size.rows**2 * size.columns


def lookups(size: Size) -> float:
    """Return the work of reading both samples twice."""
    return float(4 * size.rows * size.columns)


def moments(size: Size) -> float:
    """Return the work of two covariances and of the eigenvalues of one."""
    return float(size.rows * size.columns**2 + 20 * size.columns**3)


def directions(size: Size) -> float:
    """Return the work of finding `DIRECTIONS` directions and projecting both samples on them."""
    return 2 * DIRECTIONS * size.rows * size.columns + moments(size) / 2


def clusters(size: Size) -> float:
    """Return the work of some twenty steps of k-means with √(n/2) clusters."""
    return 20 * size.rows * size.columns * (size.rows / 2) ** 0.5


def tenths(size: Size) -> float:
    """Return the work of some ten steps of k-means of both samples with n/10 clusters."""
    return 10 * 2 * size.rows * size.columns * size.rows / 10


def extrapolation(size: Size) -> float:
    """Return the work of two covariances and of 31 distances between their like."""
    return float(2 * size.rows * size.columns**2 + 31 * 20 * size.columns**3)


def slices(size: Size) -> float:
    """Return the work of projecting both samples on `DIRECTIONS` directions and sorting them."""
    return 2 * DIRECTIONS * size.rows * (size.columns + 4 * math.log2(size.rows))


def sorting(size: Size) -> float:
    """Return the work of sorting all values of both samples."""
    values = size.rows * size.columns
    return 2 * values * math.log2(values)

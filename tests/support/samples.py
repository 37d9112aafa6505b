"""Data for the tests: seeded, and where equality must be exact, on a dyadic grid.

On a dyadic grid (multiples of 2⁻ᵇ, a few units wide) every difference, square and sum of squares
is exact in float64, in any order of summation. An implementation that measures Σ(x−y)² must then
agree with the oracle to the last bit, ties included, whatever its blocking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["clusters", "dyadic", "gaussian", "lattice", "student"]


def gaussian(seed: int, rows: int, columns: int, *, scale: float = 1.0) -> NDArray[np.float64]:
    """Continuous isotropic rows: no ties."""
    return np.random.default_rng(seed).normal(scale=scale, size=(rows, columns))


def student(seed: int, rows: int, columns: int) -> NDArray[np.float64]:
    """Heavy tails: t with three degrees of freedom."""
    return np.random.default_rng(seed).standard_t(3, size=(rows, columns))


def clusters(seed: int, rows: int, columns: int, *, centres: int = 8) -> NDArray[np.float64]:
    """Gaussian clusters of unequal size; their centres depend on ``columns`` alone."""
    middle = np.random.default_rng(columns).normal(scale=5.0, size=(centres, columns))
    rng = np.random.default_rng(seed)
    weights = np.arange(1.0, centres + 1.0)
    label = rng.choice(centres, size=rows, p=weights / weights.sum())
    return middle[label] + rng.normal(size=(rows, columns))


def dyadic(
    seed: int, rows: int, columns: int, *, bits: int = 10, scale: float = 1.0
) -> NDArray[np.float64]:
    """Gaussian rows rounded to multiples of 2⁻ᵇⁱᵗˢ and cut to (−8, 8)."""
    step = 2.0**-bits
    rows_ = gaussian(seed, rows, columns, scale=scale)
    return np.clip(np.round(rows_ / step) * step, -8.0 + step, 8.0 - step)


def lattice(seed: int, rows: int, columns: int, *, side: int = 3) -> NDArray[np.float64]:
    """Small integers: full of duplicates and of equal distances."""
    return np.random.default_rng(seed).integers(0, side, size=(rows, columns)).astype(np.float64)

"""Pairs of samples at the edge of what has tails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.support import samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pair = tuple[NDArray[Any], NDArray[Any]]

__all__ = ["INTERVALS", "PAIRS", "RETAINED"]

# Columns of a frame that are in ascending order where they have values.
INTERVALS = (("low", "value", "high"), ("null_low", "null", "null_high"))
RETAINED = ("retention_low", "retention", "retention_high")


def mostly_zero(seed: int, rows: int) -> NDArray[np.float64]:
    """85 % of the rows are the same."""
    x = samples.gaussian(seed, rows, 4)
    x[np.random.default_rng(seed).uniform(size=rows) < 0.85] = 0
    return x


def binary(seed: int, rows: int) -> NDArray[np.float64]:
    return samples.lattice(seed, rows, 3, side=2)


def with_constant_columns(seed: int, rows: int) -> NDArray[np.float64]:
    return np.pad(samples.gaussian(seed, rows, 3), ((0, 0), (1, 2)), constant_values=7.0)


X, Y = samples.gaussian(1, 300, 5), samples.gaussian(2, 150, 5)

PAIRS: dict[str, Callable[[], Pair]] = {
    "copies of the reference": lambda: (X, X.copy()),
    "few rows copied many times": lambda: (X, np.repeat(X[:15], 10, axis=0)),
    "both copied many times": lambda: (np.repeat(X[:30], 10, axis=0), np.repeat(Y[:15], 10, 0)),
    "one point": lambda: (X, np.full((150, 5), 0.5)),
    "a reference of one point": lambda: (np.full((300, 5), 0.5), Y),
    "the same point": lambda: (np.ones((300, 5)), np.ones((150, 5))),
    "mostly the same row": lambda: (mostly_zero(1, 400), mostly_zero(2, 200)),
    "binary columns": lambda: (
        samples.lattice(1, 300, 3, side=2),
        samples.lattice(2, 150, 3, side=2),
    ),
    "small integers": lambda: (samples.lattice(1, 300, 5), samples.lattice(2, 150, 5)),
    "constant columns": lambda: (with_constant_columns(1, 300), with_constant_columns(2, 150)),
    "one column": lambda: (samples.gaussian(1, 300, 1), samples.gaussian(2, 150, 1)),
    "more columns than rows": lambda: (samples.gaussian(1, 130, 200), samples.gaussian(2, 64, 200)),
    "the smallest samples": lambda: (X[:128], Y[:64]),
    "half precision": lambda: (X.astype(np.float16), Y.astype(np.float16)),
    "huge": lambda: (1e20 * X, 1e20 * Y),
    "tiny": lambda: (1e-120 * X, 1e-120 * Y),
    "far from the origin": lambda: (X + 1e6, Y + 1e6),
    "elsewhere": lambda: (X, Y + 1e6),
    "one direction lost": lambda: (X, Y * [1, 1, 1, 1, 0]),
    "a far larger candidate": lambda: (X, samples.gaussian(3, 2000, 5)),
}

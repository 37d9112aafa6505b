"""Two samples of six classes: kept, shrunk, too small on either side, gone, new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import tailwatch as tw
from tests.support import samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["METRICS", "OF_X", "OF_Y", "SIZES", "X", "Y", "compare", "same"]

METRICS = ["tail_odds_ratio", "tail_mass", "directional_tails", "total_variance"]
SIZES = {"kept": (300, 200), "shrunk": (400, 130), "few": (127, 90), "gone": (200, 0)}
SIZES |= {"small": (150, 63), "new": (0, 80)}


def drawn(side: int) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Rows of all classes in random order, and their labels."""
    names = np.repeat(list(SIZES), [sizes[side] for sizes in SIZES.values()])
    x = samples.gaussian(10 + side, len(names), 6).astype(np.float32)
    if side:
        x[names == "shrunk"] *= 0.4
    order = np.random.default_rng(side).permutation(len(names))
    return x[order], names[order]


(X, OF_X), (Y, OF_Y) = drawn(0), drawn(1)


def compare(per: object = (OF_X, OF_Y), **given: object) -> tw.ClassComparison:
    asked: dict[str, Any] = {"metrics": METRICS, "tail_levels": (0.1, 0.05), "threads": 2}
    return tw.compare(X, Y, per=per, **asked | given)  # type: ignore[call-overload, no-any-return]


def same(one: tw.ClassComparison, other: tw.ClassComparison) -> bool:
    return one.frame.equals(other.frame) and one.classes.equals(other.classes)

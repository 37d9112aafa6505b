"""How generations are counted, and checks of what the closed forms take.

Generation n is the n-th **fit**: the first one sees human rows. Whatever is asked of generations
takes one number or an array of them, and gives as many values. Beyond some bounds time or memory is
all that would come of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from tailwatch.arguments import LARGEST, integer
from tailwatch.exceptions import InputError
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "LONGEST_CURVE",
    "MOST_GENERATIONS",
    "MOST_ROWS",
    "Curve",
    "Ddof",
    "Generations",
    "as_curve",
    "as_ddof",
    "as_generations",
    "as_rows",
]

MOST_GENERATIONS = 100_000
"""Each is fitted, kept in a folder of its own, and a row of every curve."""

MOST_ROWS = 10**15
"""No machine holds more, and closed forms still tell what they lose."""

LONGEST_CURVE = 1_000_000
"""Generations of a closed form that goes through all of them, a second or so."""

Generations: TypeAlias = "int | Sequence[int] | NDArray[np.integer[Any]]"
"""One generation or an array of them, each at least 1."""

Curve: TypeAlias = "np.float64 | NDArray[np.float64]"
"""One value per generation: a number for one generation, else an array of their shape."""

Ddof: TypeAlias = Literal[0, 1]
"""What a fitted variance divides by: 0 for the rows (maximum likelihood), 1 for one less
(unbiased)."""


def as_generations(generations: object, *, most: int = LARGEST) -> NDArray[np.float64]:
    """Return generations as floats, each a whole number of at least 1."""
    try:
        counts = np.asarray(generations)
    except (TypeError, ValueError):
        # Lists of different lengths.
        counts = np.empty(0)
    if counts.dtype.kind not in "iu" or counts.size == 0:
        raise InputError(
            argument="generations",
            expected="an integer or an array of integers",
            got=shown(generations),
        )
    if counts.min() < 1:
        raise InputError(
            argument="generations",
            expected="at least 1 (the fit of human rows)",
            got=str(counts.min()),
        )
    if counts.max() > most:
        raise InputError(
            argument="generations", expected=f"at most {most:,}", got=f"{counts.max()}"
        )
    return counts.astype(np.float64)


def as_rows(size: object, name: str = "size", *, least: int = 2) -> int:
    """Return a number of rows of at least `least`."""
    return integer(size, name, least=least, most=MOST_ROWS)


def as_ddof(ddof: object) -> int:
    """Return 0 or 1."""
    if isinstance(ddof, bool) or not isinstance(ddof, int) or ddof not in {0, 1}:
        raise InputError(
            argument="ddof", expected="0 (maximum likelihood) or 1 (unbiased)", got=shown(ddof)
        )
    return 1 if ddof == 1 else 0


def as_curve(values: NDArray[np.float64] | np.float64 | float) -> Curve:
    """Return a number for one generation, an array for several."""
    curve: Curve = np.asarray(values, dtype=np.float64)[()]
    return curve

"""What a metric has to show along a curve: shapes and values, by the kind of the metric.

Tolerances are those of Räisä, van Breugel & van der Schaar (2025, arXiv 2505.22450): a value is
within 0.05 of what is asked for, a fall is 0.2 at least, and an end may be 0.1 off the largest or
the smallest value of its curve. What is NaN meets nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Answer: TypeAlias = bool | Literal["low", "high"]
    Test: TypeAlias = Callable[[NDArray[np.float64], NDArray[np.float64]], Answer]
    """Judges a metric, given the points of a curve and the means of its values there."""

Kind: TypeAlias = Literal["fidelity", "diversity", "divergence"]
At: TypeAlias = Literal["first", "last", "all", "later"] | float

NEAR = 0.05
"""What a value may be off where a number is asked for, and a line that is flat."""
DROP, SLACK = 0.2, 0.1
"""What a curve has to fall by, and what an end may be off its largest or smallest value."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What metrics of some kinds have to show, on one curve or on all."""

    desideratum: str
    kinds: frozenset[Kind]
    meets: Test
    label: str | None = None


@dataclass(slots=True)
class Score:
    """How a metric did in a check: criteria that are met, of how many.

    Attributes
    ----------
    met, asked
        Criteria, each curve counting.
    sides
        What was answered of candidates that are wider than human rows: a metric of diversity may be
        low for them or high, but the same throughout.
    """

    met: int = 0
    asked: int = 0
    sides: set[str] = field(default_factory=set)

    def add(self, answer: Answer) -> None:
        """Count an answer."""
        self.asked += 1
        self.met += bool(answer)
        if isinstance(answer, str):
            self.sides.add(answer)

    @property
    def passed(self) -> bool:
        """Whether all criteria are met, in one way."""
        return self.met == self.asked and len(self.sides) < 2


def chosen(points: Sequence[float], at: At) -> list[int]:
    """Return the positions of points of a curve: an end, all, the later half or those of a number.

    Raises
    ------
    ValueError
        There is no such point.
    """
    if at == "all":
        return list(range(len(points)))
    if at == "later":
        return list(range(len(points) // 2, len(points)))
    if isinstance(at, str):
        return [{"first": 0, "last": len(points) - 1}[at]]
    return [list(points).index(at)]


def near(at: At, target: float) -> Test:
    """Ask for a value within 0.05 of a number."""

    def meets(points: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
        return bool(np.all(np.abs(values[chosen(points.tolist(), at)] - target) <= NEAR))

    return meets


def low_or_high(at: At) -> Test:
    """Ask for 0 or 1, and say which it is."""

    def meets(points: NDArray[np.float64], values: NDArray[np.float64]) -> Answer:
        is_high, is_low = (near(at, target)(points, values) for target in (1.0, 0.0))
        return "high" if is_high else "low" if is_low else False

    return meets


def peak(at: float) -> Test:
    """Ask for the largest value at a point, and for less at both ends, one of them the least."""

    def meets(points: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
        middle, ends = values[chosen(points.tolist(), at)[0]], values[[0, -1]]
        falls = np.all(middle - ends >= DROP) and np.max(values) - middle <= SLACK
        return bool(falls and np.min(ends) - np.min(values) <= SLACK)

    return meets


def rises(points: NDArray[np.float64], values: NDArray[np.float64]) -> bool:  # noqa: ARG001
    """Ask for a curve from its smallest value to its largest."""
    ends = values[0] - np.min(values) <= SLACK and np.max(values) - values[-1] <= SLACK
    return bool(values[-1] - values[0] >= DROP and ends)


def falls(points: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
    """Ask for a curve from its largest value to its smallest."""
    return rises(points, values[::-1])


def falls_by(at: float) -> Test:
    """Ask for a fall, part of which is seen at a point before the end."""

    def meets(points: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
        middle = values[chosen(points.tolist(), at)[0]]
        return falls(points, values) and bool(values[0] - middle >= DROP / 2)

    return meets


def flat(points: NDArray[np.float64], values: NDArray[np.float64]) -> bool:  # noqa: ARG001
    """Ask for the same value at all points."""
    return bool(np.max(values) - np.min(values) <= NEAR)


def settles(points: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
    """Ask for the same value at all points of the later half."""
    later = chosen(points.tolist(), "later")
    return flat(points[later], values[later])


def either(low: Test, high: Test) -> Test:
    """Ask for one of two shapes, and say which it is."""

    def meets(points: NDArray[np.float64], values: NDArray[np.float64]) -> Answer:
        return "low" if low(points, values) else "high" if high(points, values) else False

    return meets


FIDELITY: frozenset[Kind] = frozenset({"fidelity"})
DIVERSITY: frozenset[Kind] = frozenset({"diversity"})
DIVERGENCE: frozenset[Kind] = frozenset({"divergence"})
BOUNDED: frozenset[Kind] = FIDELITY | DIVERSITY
ALL: frozenset[Kind] = BOUNDED | DIVERGENCE


def purpose(kinds: frozenset[Kind], meets: Test) -> Criterion:
    """Make a criterion of what a metric is for."""
    return Criterion("purpose", kinds, meets)


def bounds(meets: Test, kinds: frozenset[Kind] = BOUNDED, label: str | None = None) -> Criterion:
    """Make a criterion of 0 and 1, which divergences do not have."""
    return Criterion("bounds", kinds, meets, label)

"""Rows between the modes of human data: what becomes of them when modes are entangled.

Modes are those that :func:`tailwatch.metrics.embeddings.modes.separate_modes` finds in the human
half A, where it has any: otherwise there is nothing to entangle, and no row. With the distances
d₁ ≤ d₂ of a row to the two nearest centres, it lies *between modes* if (d₂ − d₁)/(d₂ + d₁) is below
the 5 % quantile of A. Value is the share of such rows in the samples C, null that in the human half
B, each with its binomial interval (Wilson), A being given.

O(500²·d + 500·12²·d) operations once per run, O(h·k·d) per generation, for h rows in each half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.comparison.intervals import ratio_of
from tailwatch.metrics.embeddings.modes import separate_modes
from tailwatch.recursion.randomness import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.comparison.intervals import Triple
    from tailwatch.progress import Settings
    from tailwatch.recursion.frame import Row

    Matrix = NDArray[np.float64]

__all__ = ["Modes"]

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Modes:
    """The modes of A.

    Attributes
    ----------
    centres
        One for each mode.
    cut
        Rows with smaller margins lie between modes.
    human
        Rows of B, and those of them between modes.
    """

    centres: Matrix
    cut: float
    human: tuple[int, int]

    @classmethod
    def of(cls, a: Matrix, b: Matrix, *, seed: int, settings: Settings) -> Modes | None:
        """Find the modes of human rows A and count B; None if they are not separate."""
        centres = separate_modes(a, generator(seed, 0, "panel"), settings)
        if centres is None:
            return None
        cut = float(np.quantile(_margins(a, centres), LEVEL))
        return cls(centres, cut, (len(b), _between(b, centres, cut)))

    def row(self, samples: Matrix, confidence: float) -> Row:
        """Count the samples of a generation between the modes: a row of the frame."""
        count = _between(samples, self.centres, self.cut)
        value = _share(count, len(samples), confidence)
        null = _share(self.human[1], self.human[0], confidence)
        names = ("value", "low", "high", "null", "null_low", "null_high")
        kept = ("retention", "retention_low", "retention_high")
        return {
            "group": "panel",
            "metric": "between_modes",
            **dict(zip(names, (*value, *null), strict=True)),
            **dict(zip(kept, ratio_of(value, null), strict=True)),
            "direction": "match",
            "n_reference": self.human[0],
            "n_candidate": len(samples),
            "method": f"binomial (Wilson), the {len(self.centres)} modes being given",
        }


def _margins(rows: Matrix, centres: Matrix) -> Matrix:
    """How much nearer one centre is than any other: 0 in the middle of two, 1 on a centre."""
    # Around the mean of the centres, so that the squares below are no larger than they have to be.
    origin = centres.mean(axis=0)
    x, c = rows - origin, centres - origin
    squares = (x**2).sum(axis=1)[:, None] - 2 * x @ c.T + (c**2).sum(axis=1)
    nearest = np.sqrt(np.maximum(np.partition(squares, 1, axis=1)[:, :2], 0.0))
    total = nearest.sum(axis=1)
    margins: Matrix = np.where(total > 0, (nearest[:, 1] - nearest[:, 0]) / total, 0.0)
    return margins


def _between(rows: Matrix, centres: Matrix, cut: float) -> int:
    return int((_margins(rows, centres) < cut).sum())


def _share(count: int, rows: int, confidence: float) -> Triple:
    from scipy.stats import binomtest

    interval = binomtest(count, rows).proportion_ci(confidence, method="wilson")
    return count / rows, float(interval.low), float(interval.high)

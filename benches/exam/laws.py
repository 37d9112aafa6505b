"""Laws of the sanity checks: curves of candidates, and the human rows that they start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Rows: TypeAlias = NDArray[np.float64]
    Draw: TypeAlias = Callable[[np.random.Generator, float, int], Rows]
    """Draws rows by the number that changes and by n, the number of rows."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Candidates that change by one number.

    Attributes
    ----------
    label
        What tells it from other curves of its check.
    points
        The numbers.
    human, candidate
        Draw rows.
    anew
        Whether human rows change too, and are drawn at each point.
    """

    label: str
    points: tuple[float, ...]
    human: Draw
    candidate: Draw
    anew: bool = False


def spaced(low: float, high: float, points: int) -> tuple[float, ...]:
    """Return evenly spaced numbers, without what 0 is off by rounding."""
    return tuple(np.linspace(low, high, points).round(12).tolist())


def in_decades(low: float, high: float, points: int) -> tuple[float, ...]:
    """Return powers of ten of evenly spaced exponents."""
    return tuple((10 ** np.linspace(low, high, points)).tolist())


def columns(d: int) -> str:
    """Say how many columns."""
    return "1 column" if d == 1 else f"{d} columns"


def normal(d: int) -> Draw:
    """Draw standard normal rows."""
    return lambda rng, _, n: rng.normal(size=(n, d))


def fixed(draw: Draw, at: float) -> Draw:
    """Draw the rows of one point, whatever the point."""
    return lambda rng, _, n: draw(rng, at, n)


# Gaussian laws -----------------------------------------------------------------------------------

REACH = {1: 6.0, 8: 3.0, 64: 1.0}
"""Columns, and how far their means are moved at most."""


def moved(d: int) -> Draw:
    """Draw normal rows whose mean is the point."""
    return lambda rng, mean, n: rng.normal(mean, size=(n, d))


def with_outlier(draw: Draw, d: int) -> Draw:
    """Add one row as far out as means go."""
    outlier = np.full((1, d), REACH[d])
    return lambda rng, x, n: np.concatenate([draw(rng, x, n), outlier])


def means() -> tuple[Curve, ...]:
    """Move normal rows to either side."""
    return tuple(
        Curve(f"{columns(d)}", spaced(-reach, reach, 5), normal(d), moved(d))
        for d, reach in REACH.items()
    )


def means_with_outlier() -> tuple[Curve, ...]:
    """Move normal rows, with an outlier among those of either sample."""
    curves = list[Curve]()
    for d, reach in REACH.items():
        human, candidate, points = normal(d), moved(d), spaced(-reach, reach, 5)
        wrapped = with_outlier(human, d), with_outlier(candidate, d)
        curves += [
            Curve(f"{columns(d)}, human outlier", points, wrapped[0], candidate),
            Curve(f"{columns(d)}, candidate outlier", points, human, wrapped[1]),
        ]
    return tuple(curves)


def deviations() -> tuple[Curve, ...]:
    """Shrink and widen normal rows."""
    return tuple(
        Curve(
            f"{columns(d)}",
            in_decades(-reach, reach, 5),
            normal(d),
            lambda rng, x, n, d=d: x * rng.normal(size=(n, d)),
        )
        for d, reach in ((1, 3.0), (8, 1.0), (64, 0.5))
    )


def _pareto(rng: np.random.Generator, mean: float, n: int) -> Rows:
    """Draw a normal column and one whose tail is so heavy that it has hardly a mean."""
    return np.column_stack([rng.normal(mean, size=n), 1 + rng.pareto(1.01, size=n)])


def with_pareto() -> tuple[Curve, ...]:
    """Move a normal column beside one with a heavy tail."""
    return (Curve("2 columns", spaced(-6, 6, 5), fixed(_pareto, 0.0), _pareto),)


def _first_column_moved(rng: np.random.Generator, d: int, n: int) -> Rows:
    rows = rng.normal(size=(n, d))
    rows[:, 0] += 6
    return rows


def scaled() -> tuple[Curve, ...]:
    """Scale the second column of rows whose first is moved by 6."""

    def human(rng: np.random.Generator, scale: float, n: int) -> Rows:
        return rng.normal(size=(n, 2)) * [1, scale]

    def candidate(rng: np.random.Generator, scale: float, n: int) -> Rows:
        return _first_column_moved(rng, 2, n) * [1, scale]

    return (Curve("2 columns", in_decades(-3, 3, 5), human, candidate, anew=True),)


def one_disjoint_column() -> tuple[Curve, ...]:
    """Add columns in which nothing happened to one that is moved by 6."""
    return (
        Curve(
            "1 + more",
            (1, 10, 100, 300),
            lambda rng, more, n: rng.normal(size=(n, int(more) + 1)),
            lambda rng, more, n: _first_column_moved(rng, int(more) + 1, n),
            anew=True,
        ),
    )


# Mixtures ----------------------------------------------------------------------------------------


def mixture(
    rng: np.random.Generator, means: Rows, deviation: float, weights: Sequence[float], n: int
) -> Rows:
    """Draw rows around means of some weights."""
    shares = np.array(weights) / np.sum(weights)
    return means[rng.choice(len(means), size=n, p=shares)] + deviation * rng.normal(
        size=(n, means.shape[1])
    )


MODES = 10
"""Modes of a mixture, or its largest number of them."""


def ten_modes(
    points: tuple[float, ...], weights: Callable[[float], Sequence[float]]
) -> tuple[Curve, ...]:
    """Change the weights of ten modes, which are equal at 0."""
    curves = list[Curve]()
    for d, deviation in ((1, 1 / 6), (8, 1 / 3), (64, 1.0)):
        means = np.linspace(0, 10, MODES)[:, None] * np.ones(d)

        def draw(
            rng: np.random.Generator,
            x: float,
            n: int,
            means: Rows = means,
            deviation: float = deviation,
        ) -> Rows:
            return mixture(rng, means, deviation, weights(x), n)

        curves.append(Curve(f"{columns(d)}", points, fixed(draw, 0.0), draw))
    return tuple(curves)


def invented() -> tuple[Curve, ...]:
    """Drop modes, or add new ones."""
    # The nearest two of these means are thirteen standard deviations apart.
    means = np.random.default_rng(0).normal(0, 10, size=(MODES, 2))

    def draw(rng: np.random.Generator, modes: float, n: int) -> Rows:
        return mixture(rng, means[: int(modes)], 0.25, [1] * int(modes), n)

    return (Curve("2 columns", (1, 3, 5, 7, MODES), fixed(draw, 5), draw),)


def collapsed() -> tuple[Curve, ...]:
    """Draw two human modes apart, which the candidate has as one."""
    curves = list[Curve]()
    for d in (1, 8, 64):

        def human(rng: np.random.Generator, mu: float, n: int, d: int = d) -> Rows:
            return mixture(rng, np.outer([-mu / 2, mu / 2], np.ones(d)), 1.0, [1, 1], n)

        def candidate(rng: np.random.Generator, mu: float, n: int, d: int = d) -> Rows:
            return float(np.sqrt(1 + mu**2)) * rng.normal(size=(n, d))

        curves.append(Curve(f"{columns(d)}", spaced(0, 5, 4), human, candidate, anew=True))
    return tuple(curves)


# Shapes ------------------------------------------------------------------------------------------

SIZES = (0.2, 0.5, 1.0, 3.0)
"""Numbers of rows, in multiples of n."""
FEWEST = 128
"""Rows below which halves are too few to be compared."""
OVERLAP = 0.2
"""Share of its volume that a cube has in common with another."""


def spheres() -> tuple[Curve, ...]:
    """Shrink and widen the surface of a sphere."""

    def sphere(rng: np.random.Generator, radius: float, n: int, d: int) -> Rows:
        rows = rng.normal(size=(n, d))
        return radius * rows / np.linalg.norm(rows, axis=1, keepdims=True)

    return tuple(
        Curve(
            f"{columns(d)}",
            spaced(0.1, 1.9, 5),
            lambda rng, _, n, d=d: sphere(rng, 1.0, n, d),
            lambda rng, radius, n, d=d: sphere(rng, radius, n, d),
        )
        for d in (2, 16, 128)
    )


def cubes(*, candidate_alone: bool) -> tuple[Curve, ...]:
    """Draw more rows of two cubes that share a fifth of their volume, or of one of them."""

    def cube(rng: np.random.Generator, rows: float, d: int, start: float) -> Rows:
        return rng.uniform(start, start + 1, size=(max(int(rows), FEWEST), d))

    return tuple(
        Curve(
            f"{columns(d)}",
            SIZES,
            lambda rng, x, n, d=d: cube(rng, n if candidate_alone else x * n, d, 0.0),
            lambda rng, x, n, d=d: cube(rng, x * n, d, 1 - OVERLAP ** (1 / d)),
            anew=not candidate_alone,
        )
        for d in (1, 8, 64)
    )


def _ball(rng: np.random.Generator, n: int, radius: float, d: int) -> Rows:
    rows = rng.normal(size=(n, d))
    rows *= radius / np.linalg.norm(rows, axis=1, keepdims=True)
    return rows * rng.random((n, 1)) ** (1 / d)


def _torus(rng: np.random.Generator, n: int) -> Rows:
    """Draw rows of a tube of radius 0.1 around the unit circle."""
    angle, disc = rng.uniform(0, 2 * np.pi, n), _ball(rng, n, 0.1, 2)
    out = 1 + disc[:, 0]
    return np.column_stack([out * np.cos(angle), out * np.sin(angle), disc[:, 1]])


def ball_and_torus() -> tuple[Curve, ...]:
    """Draw more rows of a torus around a human ball, and the other way round."""
    return (
        Curve(
            "human ball",
            SIZES,
            lambda rng, _, n: _ball(rng, n, 0.8, 3),
            lambda rng, x, n: _torus(rng, max(int(x * n), FEWEST)),
        ),
        Curve(
            "human torus",
            SIZES,
            lambda rng, _, n: _torus(rng, n),
            lambda rng, x, n: _ball(rng, max(int(x * n), FEWEST), 0.8, 3),
        ),
    )


DISCRETE, CONTINUOUS = "human rounded", "candidate rounded"
"""Labels of curves, by what human rows are."""


def rounded() -> tuple[Curve, ...]:
    """Round rows of one sample to whole numbers, at growing scales."""

    def rows(rng: np.random.Generator, scale: float, n: int) -> Rows:
        return scale * rng.normal(size=(n, 1))

    def whole(rng: np.random.Generator, scale: float, n: int) -> Rows:
        return np.round(rows(rng, scale, n))

    points = in_decades(0, 3, 4)
    return (
        Curve(DISCRETE, points, whole, rows, anew=True),
        Curve(CONTINUOUS, points, rows, whole, anew=True),
    )

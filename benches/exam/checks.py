"""The fifteen sanity checks of metrics of fidelity and diversity, their criteria and questions.

The checks are those of Räisä, van Breugel & van der Schaar (2025), *Position: All Current
Generative Fidelity and Diversity Metrics are Flawed* (ICML, arXiv 2505.22450): a curve of
candidates that change by one number, and what a metric of fidelity, or one of diversity, has to
show along it. Laws, numbers of rows and tolerances are the published ones, with these exceptions:

- curves of 10 to 51 points have 4 or 5: both ends, the middle where it is asked for, and others;
- numbers of rows reach from n/5 to 3n, where those of the authors do from n/10 to 10n; columns in
  which nothing happened are 300 at most, of 1,000;
- the ten means of *mode invention* are drawn from a seed of this module;
- where a value has to settle with the number of rows, it is judged from n rows on;
- divergences are judged by criteria of this module: they fall with fidelity and with diversity.

All rows are scaled to mean 0 and variance 1 by the human columns first, as the authors do, but for
those of *sphere*: the human rows would no longer have the same length, and fresh ones be longer by
a share of 1/n, which total variance sees in 128 columns. Two of the checks are there a second time
without scaling, and do not count.

What a *finding* has to say is a question of this module, since the paper knows no findings: nothing
where nothing happened, and by name what did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benches.exam import laws
from benches.exam.criteria import (
    ALL,
    BOUNDED,
    DIVERGENCE,
    DIVERSITY,
    FIDELITY,
    Criterion,
    Score,
    bounds,
    either,
    falls,
    falls_by,
    flat,
    low_or_high,
    near,
    peak,
    purpose,
    rises,
    settles,
)
from benches.exam.laws import CONTINUOUS, DISCRETE, MODES, OVERLAP, Curve
from tailwatch.comparison.questions import NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from benches.exam.criteria import At, Kind
    from benches.exam.laws import Rows
    from tailwatch.comparison.questions import Name


@dataclass(frozen=True, slots=True)
class Question:
    """Findings, one of which has to be there at some points of each curve, or none of which may."""

    at: At
    names: tuple[Name, ...]
    expected: bool
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Curves, what metrics have to show on them, and what has to be found.

    Attributes
    ----------
    name, changes
        What it is called, and what changes along its curves.
    curves, criteria, questions
        Samples, what metrics have to show, and what has to be found.
    standardised
        Whether rows are scaled by the human columns.
    counts
        Whether it is one of the fifteen.
    """

    name: str
    changes: str
    curves: tuple[Curve, ...]
    criteria: tuple[Criterion, ...]
    questions: tuple[Question, ...]
    standardised: bool = True
    counts: bool = True


def scored(check: Check, kind: Kind, values: Sequence[NDArray[np.float64]]) -> Score:
    """Judge a metric by its mean values on each curve; what is NaN meets nothing."""
    score = Score()
    for curve, of_curve in zip(check.curves, values, strict=True):
        for criterion in check.criteria:
            if kind in criterion.kinds and criterion.label in (None, curve.label):
                score.add(criterion.meets(np.array(curve.points), of_curve))
    return score


def found(at: At, *names: Name, label: str | None = None) -> Question:
    """Ask for one of some findings."""
    return Question(at, names, expected=True, label=label)


def not_found(at: At, *names: Name, label: str | None = None) -> Question:
    """Ask for none of some findings, or for none at all where no name is given."""
    return Question(at, names or NAMES, expected=False, label=label)


LOSSES: tuple[Name, ...] = ("modes_lost", "tails_lost", "spread_lost")
"""Any of these says that diversity is lost."""


def _apart(middle: float) -> dict[str, Any]:
    """Return what is asked where candidates move away from human rows to either side."""
    return {
        "criteria": (
            purpose(ALL, peak(middle)),
            bounds(near(middle, 1.0)),
            bounds(near("first", 0.0)),
            bounds(near("last", 0.0)),
        ),
        "questions": (
            not_found(middle),
            *(found(end, name) for end in ("first", "last") for name in ("moved", "elsewhere")),
        ),
    }


def _disjoint(at: At) -> tuple[Question, ...]:
    return found(at, "moved"), found(at, "elsewhere")


def _dropped(middle: float) -> dict[str, Any]:
    """Return what is asked where modes are lost."""
    return {
        "criteria": (
            purpose(FIDELITY, flat),
            purpose(DIVERSITY | DIVERGENCE, falls_by(middle)),
            bounds(near("first", 1.0)),
            bounds(near("last", 1.0), FIDELITY),
        ),
        "questions": (
            not_found("first"),
            not_found("all", "junk", "elsewhere", "copies"),
            found(middle, *LOSSES),
            found("last", "modes_lost"),
            found("last", "spread_lost"),
            not_found("last", "spread_gained"),
        ),
    }


def _overlapping(desideratum: str) -> dict[str, Any]:
    return {
        "criteria": (
            Criterion(desideratum, ALL, settles),
            purpose(BOUNDED, near("last", OVERLAP)),
        ),
        "questions": (found("later", "moved"), found("later", "junk")),
    }


def _scaling() -> dict[str, Any]:
    return {
        "changes": "scale of the second column; the first is moved by 6",
        "curves": laws.scaled(),
        "criteria": (
            Criterion("invariance", ALL, flat),
            bounds(near("first", 0.0)),
            bounds(near("last", 0.0)),
        ),
        "questions": _disjoint("all"),
    }


def _heavy() -> dict[str, Any]:
    return {
        "changes": "mean of one column; the other is Pareto(1.01)",
        "curves": laws.with_pareto(),
        **_apart(0.0),
    }


CHECKS: tuple[Check, ...] = (
    Check("mean", "mean of all columns, human 0", laws.means(), **_apart(0.0)),
    Check(
        "mean, outlier", "the same, with one row far out", laws.means_with_outlier(), **_apart(0.0)
    ),
    Check(
        "deviation",
        "standard deviation, human 1",
        laws.deviations(),
        (
            purpose(FIDELITY, falls),
            purpose(DIVERSITY, either(peak(1.0), rises)),
            purpose(DIVERGENCE, peak(1.0)),
            bounds(near(1.0, 1.0)),
            bounds(near("first", 1.0), FIDELITY),
            bounds(near("first", 0.0), DIVERSITY),
            bounds(near("last", 0.0), FIDELITY),
            bounds(low_or_high("last"), DIVERSITY),
        ),
        (
            not_found(1.0),
            found("first", "spread_lost"),
            found("first", "tails_lost"),
            not_found("first", "junk", "tails_widened", "spread_gained"),
            found("last", "spread_gained"),
            found("last", "tails_widened"),
            found("last", "junk"),
            not_found("last", "spread_lost", "tails_lost"),
        ),
    ),
    Check(
        "modes fade",
        "share that nine of ten modes lose, all at once",
        laws.ten_modes((0.0, 0.4, 0.8, 0.94, 1.0), lambda x: [1.0] + [1 - x] * (MODES - 1)),
        **_dropped(0.94),
    ),
    Check(
        "modes drop",
        "modes that are lost of ten, one after the other",
        laws.ten_modes((0, 2, 4, 6, 9), lambda x: [1.0] * (MODES - int(x)) + [0.0] * int(x)),
        **_dropped(4),
    ),
    Check(
        "mode invention",
        "modes of the candidate, human 5",
        laws.invented(),
        (
            purpose(FIDELITY, falls),
            purpose(DIVERSITY, rises),
            purpose(DIVERGENCE, peak(5)),
            bounds(near(5, 1.0)),
            bounds(near("first", 1.0), FIDELITY),
            bounds(near("last", 1.0), DIVERSITY),
        ),
        (
            not_found(5),
            found("first", "modes_lost"),
            not_found("first", "junk", "elsewhere", "copies"),
            found("last", "junk"),
            not_found("last", "modes_lost", "elsewhere", "copies"),
        ),
    ),
    Check(
        "sphere",
        "radius of a sphere, human 1",
        laws.spheres(),
        **_apart(1.0),
        standardised=False,
    ),
    Check(
        "cube, size",
        "rows of both, of cubes that share a fifth of their volume",
        laws.cubes(candidate_alone=False),
        **_overlapping("data"),
    ),
    Check(
        "cube, candidate size",
        "rows of the candidate, of the same cubes",
        laws.cubes(candidate_alone=True),
        **_overlapping("hyperparameters"),
    ),
    Check(
        "ball and torus",
        "rows of the candidate; ball and torus are disjoint",
        laws.ball_and_torus(),
        (purpose(ALL, settles), bounds(near("last", 0.0))),
        _disjoint("later"),
    ),
    Check(
        "mode collapse",
        "distance of two human modes; the candidate is one, as wide or wider",
        laws.collapsed(),
        (
            purpose(FIDELITY | DIVERGENCE, falls),
            purpose(DIVERSITY, either(falls, flat)),
            bounds(near("first", 1.0)),
        ),
        (
            not_found("first"),
            found("last", "moved"),
            found("last", "junk"),
            not_found("last", "spread_lost", "tails_lost"),
        ),
    ),
    Check("scaling", **_scaling()),
    Check("mean, Pareto", **_heavy()),
    Check(
        "one disjoint column",
        "columns in which nothing happened, beside one that is moved by 6",
        laws.one_disjoint_column(),
        (purpose(ALL, flat), bounds(near("first", 0.0)), bounds(near("last", 0.0))),
        _disjoint("all"),
    ),
    Check(
        "rounding",
        "scale before rows are rounded to whole numbers",
        laws.rounded(),
        (
            purpose(ALL, flat),
            *(bounds(near(end, 0.0), FIDELITY, DISCRETE) for end in ("first", "last")),
            *(bounds(low_or_high(end), DIVERSITY, DISCRETE) for end in ("first", "last")),
            *(bounds(near(end, 1.0), FIDELITY, CONTINUOUS) for end in ("first", "last")),
            *(bounds(near(end, 0.0), DIVERSITY, CONTINUOUS) for end in ("first", "last")),
        ),
        (
            found("first", "elsewhere", "junk", "moved", label=DISCRETE),
            found("last", "elsewhere", "junk", "moved", label=DISCRETE),
            not_found("all", "junk", "elsewhere", "copies", label=CONTINUOUS),
            found("all", "repeated", label=CONTINUOUS),
        ),
    ),
    Check("scaling, as it is", **_scaling(), standardised=False, counts=False),
    Check("mean, Pareto, as it is", **_heavy(), standardised=False, counts=False),
)
"""All checks, and two of them without columns being scaled first."""


def drawn(check: Check, curve: int, repeat: int, n: int) -> list[tuple[Rows, Rows]]:
    """Draw human rows and a candidate for each point of a curve.

    Human rows are the same object at all points unless they change with them. The generator of
    human rows is seeded by the check's place in :data:`CHECKS`, the curve's, the repeat and 0, that
    of a candidate by the same and the point's place from 1 on.
    """
    of_curve, place = check.curves[curve], [one.name for one in CHECKS].index(check.name)
    pairs = list[tuple["Rows", "Rows"]]()
    human = centre = scale = None
    for number, x in enumerate(of_curve.points):
        if human is None or of_curve.anew:
            seed = [place, curve, repeat, 0, number * of_curve.anew]
            human = of_curve.human(np.random.default_rng(seed), x, n)
            centre, scale = human.mean(axis=0), human.std(axis=0)
            if check.standardised:
                human = (human - centre) / scale
        candidate = of_curve.candidate(
            np.random.default_rng([place, curve, repeat, 1 + number]), x, n
        )
        if check.standardised:
            candidate = (candidate - centre) / scale
        pairs.append((human, candidate))
    return pairs

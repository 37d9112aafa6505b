"""What metrics and findings showed along the curves of the checks, judged.

Of a metric the mean over all repeats is judged, *raw* and as *retention*; of findings how often
they are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from benches.exam.checks import scored
from benches.exam.criteria import Score, chosen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from benches.exam.checks import Check, Question
    from benches.exam.criteria import Kind

    Triples: TypeAlias = Sequence[Sequence[Sequence[float | None]]]
    """Of each repeat and point of a curve: raw value, value and null."""
    Lines: TypeAlias = Mapping[tuple[str, str], Sequence[dict[str, Any]]]
    """What was kept of each check and curve, repeat by repeat."""

KINDS: dict[str, Kind] = {
    "precision": "fidelity",
    "density": "fidelity",
    "clipped_density": "fidelity",
    "recall": "diversity",
    "coverage": "diversity",
    "clipped_coverage": "diversity",
    "tail_coverage": "diversity",
    "tail_recall": "diversity",
    "tail_mass": "diversity",
    "tail_supported_mass": "diversity",
    "tail_odds_ratio": "diversity",
    "directional_tails": "diversity",
    "mode_coverage": "diversity",
    "total_variance": "diversity",
    "effective_rank": "diversity",
    "participation_ratio": "diversity",
    "vendi_score": "diversity",
    "rke": "diversity",
    "knn_entropy": "diversity",
    "frechet_distance": "divergence",
    "mmd_polynomial": "divergence",
    "mmd_gaussian": "divergence",
    "energy_distance": "divergence",
    "energy_coefficient": "divergence",
}
"""What each metric is examined in."""
COPYING = ("copies", "normalised_copies", "authenticity")
"""Metrics of copies, which no candidate of the exam holds."""
Reading: TypeAlias = Literal["raw", "retention"]
OFTEN, SELDOM = 0.9, 0.3
"""Shares of comparisons that have what has to be found, at least, and what must not be, at most."""


def means(triples: Triples, name: str, reading: Reading) -> NDArray[np.float64]:
    """Return a metric's mean values along a curve, so that 1 is as good as human rows.

    Parameters
    ----------
    triples
        Raw value, value and null, by repeat and point.
    name
        The metric. A divergence is 1 − its share of the largest of its curve; copies are 1 − share.
    reading
        Raw, or against the null. A point at which no repeat has a value is NaN.
    """
    stacked = np.array(triples, np.float64)
    raw, value, null = np.moveaxis(stacked, -1, 0)
    kind = KINDS.get(name)
    subtracted = kind == "divergence" or (name in COPYING and name != "authenticity")
    with np.errstate(divide="ignore", invalid="ignore"):
        used = raw if reading == "raw" else value - null if subtracted else value / null
    known = np.isfinite(used)
    total = np.where(known, used, 0).sum(axis=0)
    mean = np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
    if kind == "divergence":
        return np.asarray(1 - mean / np.max(mean))
    return np.asarray(1 - mean if subtracted else mean)


def score_of(check: Check, name: str, lines: Lines, reading: Reading) -> Score:
    """Judge a metric in a check."""
    values = [
        means([line["values"][name] for line in lines[check.name, curve.label]], name, reading)
        for curve in check.curves
    ]
    if name in KINDS:
        return scored(check, KINDS[name], values)
    score = Score()
    for of_curve in values:
        score.add(bool(np.all(of_curve >= 0.95)))
    return score


@dataclass(frozen=True, slots=True)
class Answer:
    """How often findings that a question asks for are there, at the least favourable point."""

    question: Question
    curve: str
    share: float

    @property
    def passed(self) -> bool:
        """Whether it is what the question expects."""
        return self.share >= OFTEN if self.question.expected else self.share <= SELDOM


def answers_of(check: Check, lines: Lines) -> list[Answer]:
    """Answer the questions of a check, curve by curve."""
    answers = list[Answer]()
    for question in check.questions:
        worst = min if question.expected else max
        for curve in check.curves:
            if question.label not in (None, curve.label):
                continue
            found = [line["found"] for line in lines[check.name, curve.label]]
            shares = [
                float(np.mean([not set(question.names).isdisjoint(each[at]) for each in found]))
                for at in chosen(curve.points, question.at)
            ]
            answers.append(Answer(question, curve.label, worst(shares)))
    return answers

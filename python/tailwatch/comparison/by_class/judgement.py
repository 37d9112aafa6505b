"""Which classes lost their tails, in which order, and why some cannot be told.

======================  ===========================================================================
verdict                 means
======================  ===========================================================================
``lost``                odds or retention below 1, with a q-value of at most 1 − confidence
``widened``             above 1, with such a q-value
``no change found``     neither
``undetermined``        compared, but nothing that was asked for decides about tails
``not compared``        too few rows, or an error; the note says which
``absent``              no candidate row
``new``                 no reference row
======================  ===========================================================================

**Evidence.** One metric decides, as in a sentence about one comparison. Where the tail odds ratio
was asked for, that is the exact test of :func:`tailwatch.metrics.tail_test` on all rows of the
class at the level nearest to 5 %: its null is 1 exactly, so that no row has to be set aside for it.
Otherwise it is the retention of the next tail metric, and the p-value is the smallest α whose 1 − α
interval leaves out 1, so that it says what the interval says.

Over many classes some p-values are small by chance. Rows of different classes are different rows,
so the p-values of unchanged classes are independent, and Benjamini & Hochberg (1995) holds: of
the classes whose q-value is at most α, a share of α at most is expected to be there by chance.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import polars as pl

from tailwatch.comparison.frame import SCHEMA, Row
from tailwatch.comparison.halves import LEAST_ROWS
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.questions import DECIDING, LEVEL
from tailwatch.comparison.registry import METRICS
from tailwatch.distributions import false_discovery_rates
from tailwatch.metrics.embeddings.tail_test import tail_test_of_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.metrics.family import Panel
    from tailwatch.metrics.embeddings.tail_test import TailCounts

__all__ = [
    "CLASSES_SCHEMA",
    "FRAME_SCHEMA",
    "Class",
    "Evidence",
    "Found",
    "Verdict",
    "deciding",
    "evidence_of_interval",
    "evidence_of_odds",
    "frames",
    "q_values",
    "why_not",
]

Verdict: TypeAlias = Literal[
    "lost", "widened", "no change found", "undetermined", "not compared", "absent", "new"
]

LEADING: dict[str, type[pl.DataType]] = {
    "class": pl.String,
    "reference_rows": pl.Int64,
    "candidate_rows": pl.Int64,
    "verdict": pl.String,
}

FRAME_SCHEMA: dict[str, type[pl.DataType]] = LEADING | SCHEMA
"""Columns of the frame: those of the class, then those of a comparison."""

CLASSES_SCHEMA: dict[str, type[pl.DataType]] = LEADING | {
    "p_value": pl.Float64,
    "q_value": pl.Float64,
    "metric": pl.String,
    "level": pl.Float64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "seed": pl.Int64,
    "note": pl.String,
}
"""Columns of the summary: what decided, and how the class can be compared again alone."""

SMALLEST = 5e-324
"""Above 0, so that it has a logarithm."""


@dataclass(frozen=True, slots=True)
class Class:
    """The rows of one class.

    Attributes
    ----------
    name
        The label, as text.
    reference, candidate
        Numbers of its rows, ascending; empty on a side that has none.
    """

    name: str
    reference: NDArray[np.int64]
    candidate: NDArray[np.int64]


@dataclass(slots=True)
class Found:
    """What was found in one class, or why nothing was.

    Attributes
    ----------
    of
        The class.
    seed
        Its own.
    rows
        Of the frame.
    evidence
        What decides about its tails, if anything does.
    note
        Why it was not compared; ``None`` if it was.
    """

    of: Class
    seed: int
    rows: list[Row] = field(default_factory=list)
    evidence: Evidence | None = None
    note: str | None = None

    @property
    def p_value(self) -> float | None:
        """Of the tails being unchanged."""
        return None if self.evidence is None else self.evidence.p_value

    def verdict(self, q_value: float | None, largest: float) -> Verdict:
        """Judge the class, given its q-value and the largest that counts."""
        if not len(self.of.candidate):
            return "absent"
        if not len(self.of.reference):
            return "new"
        if self.note is not None:
            return "not compared"
        if self.evidence is None or self.evidence.value is None or q_value is None:
            return "undetermined"
        if q_value > largest:
            return "no change found"
        return "lost" if self.evidence.value < 1 else "widened"


def why_not(one: Class, share: float) -> str | None:
    """Say why a class cannot be compared; `share` is all candidate rows over all of reference."""
    n, m = len(one.reference), len(one.candidate)
    if not m:
        return f"no candidate rows, where {share * n:.3g} were to be expected"
    if not n:
        return "no reference rows"
    if n < 2 * LEAST_ROWS:
        return f"{n} reference rows, of {2 * LEAST_ROWS} at least"
    if m < LEAST_ROWS:
        return f"{m} candidate rows, of {LEAST_ROWS} at least"
    return None


def frames(
    found: Sequence[Found], metric: str | None, confidence: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lay out what was found.

    Parameters
    ----------
    found
        One per class.
    metric
        That decided.
    confidence
        The q-values of lost and widened classes are at most 1 − confidence.

    Returns
    -------
    frame : polars.DataFrame
        The frames of all classes below each other; a class that was not compared has one row, whose
        ``reason`` says why.
    classes : polars.DataFrame
        One row per class, first those whose tails were most surely lost.
    """
    judged = zip(found, q_values([one.p_value for one in found]), strict=True)
    leading = [(one, _leading(one, q_value, 1 - confidence)) for one, q_value in judged]
    leading.sort(key=lambda pair: _order(*pair))
    rows = [
        (*first[: len(LEADING)], *astuple(row))
        for one, first in leading
        for row in one.rows or [_not_compared(one)]
    ]
    summary = [(*first, *_decided(one, metric), one.seed, one.note) for one, first in leading]
    return (
        pl.DataFrame(rows, schema=FRAME_SCHEMA, orient="row"),
        pl.DataFrame(summary, schema=CLASSES_SCHEMA, orient="row"),
    )


def _leading(one: Found, q_value: float | None, largest: float) -> tuple[Any, ...]:
    counts = (len(one.of.reference), len(one.of.candidate))
    return (one.of.name, *counts, one.verdict(q_value, largest), one.p_value, q_value)


def _not_compared(one: Found) -> Row:
    n, m = len(one.of.reference), len(one.of.candidate)
    return Row(n_reference=n, n_candidate=m, reason=one.note)


def _decided(one: Found, metric: str | None) -> tuple[Any, ...]:
    found = one.evidence
    if found is None:
        return (None,) * 5
    return (metric, found.level, found.value, found.low, found.high)


def _order(one: Found, leading: tuple[Any, ...]) -> tuple[float, float, float]:
    """Sort what was judged by the evidence of loss, then the rest, the largest classes first."""
    n, m, verdict = leading[1:4]
    ranks = {"undetermined": 1, "absent": 2, "not compared": 3, "new": 4}
    if verdict in ranks or one.evidence is None:
        return ranks.get(verdict, 1), -n, -m
    value, p_value = one.evidence.value or 0.0, one.p_value or 0.0
    doubt = math.log(max(p_value, SMALLEST))
    return 0, doubt if value < 1 else -doubt, value


LEAST_P = 1e-12
"""Half-samples say nothing about smaller ones."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one metric says about the tails of a class.

    Attributes
    ----------
    level
        Tail level.
    value, low, high
        Odds ratio on all rows, or retention, with its interval; 1 when nothing happened.
    p_value
        Two-sided; ``None`` where there is no interval to read it from.
    """

    level: float | None
    value: float | None
    low: float | None
    high: float | None
    p_value: float | None


def deciding(panel: Panel) -> tuple[str, float | None] | None:
    """Return the metric that decides, and its level if it has several; ``None`` without tails."""
    name = next((name for name in DECIDING if name in panel.names), None)
    if name is None:
        return None
    nearest = min(panel.levels, key=lambda level: abs(level - LEVEL))
    return name, nearest if METRICS[name].by_level else None


def evidence_of_odds(tail: TailCounts, level: float | None, confidence: float) -> Evidence:
    """Test the tails by who is in the pooled tail of all rows."""
    found = tail_test_of_counts(tail, confidence)
    return Evidence(level, found.odds_ratio, found.low, found.high, found.p_value)


def evidence_of_interval(estimate: Estimate, confidence: float) -> Evidence:
    """Test the tails by the interval of what is retained."""
    direction = METRICS[estimate.metric].direction
    made = intervals_of(estimate, direction, confidence)
    return Evidence(estimate.level, made.retention, *made.retained, _inverted(estimate))


def _inverted(estimate: Estimate) -> float | None:
    """Return the smallest α whose 1 − α interval of the retention does not hold 1."""
    from scipy.optimize import brentq

    direction = METRICS[estimate.metric].direction

    def margin(log_alpha: float) -> float:
        """Distance of the interval from 1, in logarithms; below 0 where it holds 1."""
        low, high = intervals_of(estimate, direction, 1 - float(np.exp(log_alpha))).retained
        if low is None or high is None:
            return np.nan
        with np.errstate(divide="ignore"):
            return float(np.clip(max(np.log(low), -np.log(high)), -1e3, 1e3))

    largest, least = np.log(1 - 1e-9), np.log(LEAST_P)
    at_most, at_least = margin(largest), margin(least)
    if np.isnan(at_most):
        return None
    if at_most <= 0:
        return 1.0
    if at_least >= 0:
        return LEAST_P
    return float(np.exp(brentq(margin, least, largest, xtol=1e-3)))


def q_values(p_values: Sequence[float | None]) -> list[float | None]:
    """Return the smallest share of false discoveries at which each test would be one.

    Parameters
    ----------
    p_values
        Of independent tests; ``None`` is not a test, and stays.
    """
    tested = [place for place, p in enumerate(p_values) if p is not None]
    found = false_discovery_rates(np.array([p_values[place] for place in tested], np.float64))
    answers: list[float | None] = [None] * len(p_values)
    for place, q in zip(tested, found.tolist(), strict=True):
        answers[place] = q
    return answers

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
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl

from tailwatch.comparison.by_class.evidence import q_values
from tailwatch.comparison.frame import SCHEMA, Row
from tailwatch.comparison.halves import LEAST_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.comparison.by_class.evidence import Evidence
    from tailwatch.comparison.by_class.partition import Class

__all__ = ["CLASSES_SCHEMA", "FRAME_SCHEMA", "Found", "Verdict", "frames", "why_not"]

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

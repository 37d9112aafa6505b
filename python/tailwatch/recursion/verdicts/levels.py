"""Definitions about what the samples retain: variance, tails, support, modes.

=====================  ==========================================================  =========
definition             metrics, over the last third of the generations             threshold
=====================  ==========================================================  =========
collapsing variance    total variance, effective rank; Gini–Simpson of categories  below 0.9
disappearance of       odds of the rarest rows and their coverage, at all levels,  below 0.9
real tails             directional tails; types of categories
hallucinated data      precision: samples inside the support of human data         below 0.9
entanglement of real   rows between the modes of human data                        above 2
modes
=====================  ==========================================================  =========

All are ratios to a fresh human sample of the same size. Tails of fewer than 10 human rows are left
out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tailwatch.recursion.verdicts.evidence import retained
from tailwatch.recursion.verdicts.series import levels_of, series_of, window_length
from tailwatch.report.words import with_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from tailwatch.recursion.verdicts.evidence import Span
    from tailwatch.recursion.verdicts.series import Series

__all__ = [
    "ENTANGLEMENT",
    "FEWEST_IN_TAIL",
    "HALLUCINATION",
    "TAILS",
    "VARIANCE",
    "Level",
    "Status",
    "Verdict",
    "judge_level",
    "judge_levels",
    "measured",
    "not_measured",
]

Status: TypeAlias = Literal["holds", "does not hold", "undetermined", "not measured"]
"""``holds`` and ``does not hold`` need an interval that clears the threshold; ``undetermined`` is
all that was measured without one; ``not measured`` says what is missing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row of the verdicts.

    Attributes
    ----------
    definition
        Of collapse.
    status
        What came of it.
    metric, generations, value, low, high, threshold
        The number that decided, and what it was compared with.
    evidence
        The same in a sentence.
    """

    definition: str
    status: Status
    metric: str | None
    generations: str | None
    value: float | None
    low: float | None
    high: float | None
    threshold: float | None
    evidence: str


def not_measured(definition: str, why: str) -> Verdict:
    """Return the verdict on what was not measured; `why` says what is missing."""
    return Verdict(definition, "not measured", None, None, None, None, None, None, why)


def judge_levels(
    definition: str,
    spans: Sequence[Span],
    threshold: float,
    *,
    below: bool,
    unit: str,
) -> Verdict:
    """Judge what is retained against one threshold.

    The definition holds if **any** of the numbers clears the threshold, and does not hold if
    **all** of them clear it on the other side.

    Parameters
    ----------
    definition
        Its name.
    spans
        What its metrics retain, the leading one first.
    threshold
        Of the ratio.
    below
        Whether the definition holds below the threshold, or above it.
    unit
        What the ratio is of, in words.
    """

    def margin(span: Span) -> float:
        """How far the interval lies on the side on which the definition holds, in its widths."""
        clear = threshold - span.high if below else span.low - threshold
        width = span.high - span.low
        # Without an upper limit nothing is known, and that is the least of all.
        return clear / max(width, 1e-12) if width < math.inf else -math.inf

    def is_on_other_side(span: Span) -> bool:
        return span.low > threshold if below else span.high < threshold

    best = max(spans, key=margin)
    if margin(best) > 0:
        return _verdict(definition, "holds", best, threshold, unit)
    if all(is_on_other_side(span) for span in spans):
        closest = max(spans, key=margin)
        return _verdict(definition, "does not hold", closest, threshold, unit)
    return _verdict(definition, "undetermined", best, threshold, unit)


def _verdict(definition: str, status: Status, span: Span, threshold: float, unit: str) -> Verdict:
    high = None if span.high == float("inf") else span.high
    where = "generation" if span.first == span.last else "generations"
    evidence = (
        f"{span.name}, {where} {span.generations}: "
        f"{with_interval(span.value, span.low, span.high)} {unit}; "
        f"threshold {threshold:g}"
    )
    return Verdict(
        definition,
        status,
        span.name,
        span.generations,
        span.value,
        span.low,
        high,
        threshold,
        evidence,
    )


FEWEST_IN_TAIL = 10
"""Human rows below which a tail decides nothing."""


@dataclass(frozen=True, slots=True)
class Level:
    """A definition about a level that is retained.

    Attributes
    ----------
    metrics
        Any of which may decide; those that were not measured are left out.
    threshold
        Of what is retained.
    below
        Whether the definition holds below it, or above.
    unit
        What the ratio is of.
    missing
        What to say if none was measured.
    """

    metrics: tuple[str, ...]
    threshold: float
    below: bool
    unit: str
    missing: str


OF_HUMAN = "of what a fresh human sample has"

VARIANCE = Level(
    ("total_variance", "effective_rank", "gini_simpson"),
    0.9,
    below=True,
    unit=OF_HUMAN,
    missing="no metric of spread is in the frame with a null",
)
TAILS = Level(
    ("tail_odds_ratio", "tail_coverage", "directional_tails", "type_coverage", "types"),
    0.9,
    below=True,
    unit=OF_HUMAN,
    missing="no metric of tails or of rare types is in the frame with a null",
)
HALLUCINATION = Level(
    ("precision",),
    0.9,
    below=True,
    unit="of the share of a fresh human sample that lies among human rows",
    missing="precision is not in the frame",
)
ENTANGLEMENT = Level(
    ("between_modes",),
    2.0,
    below=False,
    unit="times as many rows between the modes of human data as a fresh human sample has",
    missing="rows between modes are not in the frame: human data show no separate modes, or were "
    "not looked at",
)


def measured(frame: pl.DataFrame, level: Level) -> list[Series]:
    """Return the metrics of a definition that are in the frame with a null, level by level."""
    found: list[Series | None] = []
    for metric in level.metrics:
        tails = levels_of(frame, metric)
        found += [series_of(frame, metric, level=one) for one in tails]
        if not tails:
            found.append(series_of(frame, metric))
    known = [one for one in found if one is not None and (one["null"] > 0).any()]
    # A tail of few rows decides nothing, and would take its share of the error from others.
    told = [one for one in known if _rows_in_tail(one) >= FEWEST_IN_TAIL]
    return told or known[:1]


def _rows_in_tail(series: Series) -> float:
    row = series.rows[-1]
    if row["level"] is None or row["n_reference"] is None or series.metric == "directional_tails":
        return math.inf
    return float(row["level"] * row["n_reference"])


def judge_level(
    definition: str, frame: pl.DataFrame, level: Level, *, confidence: float, error: float
) -> Verdict:
    """Judge a definition about a level on the last third of the generations.

    Parameters
    ----------
    definition
        Its name.
    frame
        Of one run, checked.
    level
        What is judged.
    confidence
        Of the intervals of the frame.
    error
        Probability that the definition may hold by chance; it is shared by the metrics.
    """
    series = measured(frame, level)
    if not series:
        return not_measured(definition, level.missing)
    spans = []
    for one in series:
        last = one.part(slice(-window_length(len(one)), None))
        span = retained(last, confidence=confidence, error=error / len(series))
        if span is not None:
            spans.append(span)
    if not spans:
        names = ", ".join(one.name for one in series)
        evidence = f"no interval is claimed for {names}"
        first = series[0]
        return Verdict(
            definition,
            "undetermined",
            first.name,
            str(first.generations[-1]),
            None,
            None,
            None,
            level.threshold,
            evidence,
        )
    return judge_levels(definition, spans, level.threshold, below=level.below, unit=level.unit)
